"""Every CUDA kernel compiles for every GPU it is meant for, within its budget: no GPU is needed to know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.tuning import NUMBA_THREADS, cuda_policy_for

from . import sass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.cuda_compile

ARCHITECTURES = {"sm_80": (8, 0), "sm_90": (9, 0), "sm_100": (10, 0)}
#: (stored, plan): what rows are read as and what they are counted in.
PAIRS = [
    ("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int32", "float64"), ("int64", "float64"),
    ("int64", "int64"), ("uint64", "uint64"), ("uint8", "float64"), ("float32", "float64"),
    ("float16", "float64"), ("uint16", "float32"),
]  # fmt: skip
#: Lane instructions that the clock of an H100 leaves a value of 4 bytes read at copy bandwidth; 8 bytes leave twice as
#: many. Narrower columns may be bound by them, and are held to the same.
MOST_INSTRUCTIONS = 31


def _raw(stored: str, plan: str, architecture: str) -> sass.Kernel:
    from gpudrift_kernels.cuda.raw_histogram import SOURCE, options_for

    policy = cuda_policy_for(ARCHITECTURES[architecture], plan)
    return sass.read_kernel(sass.compile_cuda(SOURCE.read_text(), architecture, options_for(policy, stored, plan)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("stored", "plan"), PAIRS)
def test_the_histogram_stays_within_its_budget(stored: str, plan: str, architecture: str) -> None:
    kernel = _raw(stored, plan, architecture)
    policy = cuda_policy_for(ARCHITECTURES[architecture], plan)
    assert kernel.spilled_bytes == 0
    assert kernel.registers * policy.threads * policy.blocks <= 65_536  # of a multiprocessor
    atomics = [text for text in kernel.instructions if "ATOMS" in text]
    assert all("ATOMS.POPC.INC" in text for text in atomics)  # equal cells of a warp are one access
    assert len(kernel.loops) == (2 if plan in ("int64", "uint64") else 6)
    itemsize = np.dtype(stored).itemsize
    for loop in kernel.loops:
        assert loop.values == 16 // itemsize * (policy.loads if itemsize > 2 else 1)
        assert loop.shared == loop.values  # one atomic a value, and nothing else
    if plan == "float32":
        assert kernel.doubles == 0
    table(f"{stored} as {plan}", architecture, kernel)
    heaviest = max(loop.instructions / loop.values for loop in kernel.loops)  # whole numbers, cuts compared or searched
    assert heaviest <= MOST_INSTRUCTIONS * np.dtype(plan).itemsize / 4


def test_cupy_compiles_the_histogram_by_our_options_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through its RawModule it adds -ftz=true, which takes float32 below 2**-126 for zero."""
    import cupy

    from gpudrift_kernels.cuda import raw_histogram

    monkeypatch.setattr(
        cupy.cuda.compiler, "_get_arch_for_options_for_nvrtc", lambda arch: ("-arch=sm_90", "cubin")
    )  # which asks a device
    options = raw_histogram.options_for(cuda_policy_for((9, 0), "float32"), "float32", "float32")
    kernel = sass.read_kernel(raw_histogram.machine_code(options) + b"\0")
    assert any("FADD" in text for text in kernel.instructions)
    assert not any(".FTZ" in text for text in kernel.instructions)
    assert kernel.instructions == _raw("float32", "float32", "sm_90").instructions


@pytest.fixture
def cross_compiler(monkeypatch: pytest.MonkeyPatch) -> Callable[..., sass.Kernel]:
    """Compiles a Numba kernel for an architecture; its device functions would ask the current device otherwise."""
    from numba import cuda, typeof
    from numba.cuda import dispatcher
    from numba.np.numpy_support import from_dtype
    from numba.types import Array

    def as_type(argument: Any) -> Any:
        return Array(from_dtype(argument), 1, "C") if isinstance(argument, np.dtype) else typeof(argument)

    def compiled(kernel: Any, arguments: Sequence[Any], architecture: str) -> sass.Kernel:
        capability = ARCHITECTURES[architecture]
        current = SimpleNamespace(compute_capability=capability)
        monkeypatch.setattr(dispatcher, "get_current_device", lambda: current)
        signature = tuple(as_type(argument) for argument in arguments)
        ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=capability)
        return sass.read_kernel(sass.assemble(ptx, architecture))

    return compiled


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_numba_kernels_spill_nothing(cross_compiler: Callable[..., sass.Kernel], architecture: str) -> None:
    from gpudrift_kernels.cuda import categories, histogram, merge, missing, tally
    from gpudrift_kernels.cuda.rule import rule_of

    array = np.dtype
    for stored, plan in PAIRS:
        cells = CellPlan(plan, 0, 0, 11, 3)
        columns = (array(plan), array("int32"))
        arguments = (array(stored), rule_of(cells), histogram.window_of(cells, 12_288), *columns, array("uint64"))
        kernel = cross_compiler(histogram.KERNELS[plan], arguments, architecture)
        _check(f"numba {stored} as {plan}", architecture, kernel)
        if plan == "float32":
            assert kernel.doubles == 0
        for rows in ("uint32", "int64"):
            arguments = (array(stored), array("uint8"), rule_of(cells), *columns, *_tallied(rows))
            kernel = cross_compiler(tally.TALLY_CELLS[plan], arguments, architecture)
            _check(f"tally {stored} as {plan}, {rows}", architecture, kernel)
            assert not any("ATOM" in text for text in kernel.instructions)  # RED, which waits for no answer
            if plan == "float32":
                assert kernel.doubles == 0
    for name, function, dtypes in (
        ("categories, few", categories.count_few, ("int32", "uint64")),
        ("categories, many", categories.count_many, ("int32", "uint64")),
        ("merge", merge.merge, ("uint64", "int64", "uint64")),
        ("missing", missing.count_missing, ("float32", "uint64")),
    ):
        _check(f"numba {name}", architecture, cross_compiler(function, [array(d) for d in dtypes], architecture))
    kernel = cross_compiler(tally.tally_codes, (array("int32"), *_tallied("uint32")), architecture)
    _check("tally of codes", architecture, kernel)


def _tallied(rows: str) -> tuple[Any, ...]:
    """What both tallies take behind their values: grid, cells, groups, first group, amounts, rows and weights."""
    grid, groups, amounts, weights = (np.dtype(name) for name in ("int32", "int32", "int64", "int64"))
    return grid, np.int64(1), groups, np.int32(0), amounts, np.dtype(rows), weights


def _check(name: str, architecture: str, kernel: sass.Kernel) -> None:
    assert kernel.spilled_bytes == 0
    assert kernel.registers <= 65_536 // NUMBA_THREADS // 2  # two blocks on a multiprocessor
    table(name, architecture, kernel)


def table(name: str, architecture: str, kernel: sass.Kernel) -> None:
    """A line of the compile-time budget; instructions a value of each loop, in the order of the code."""
    costs = ", ".join(f"{loop.instructions / loop.values:.1f}" for loop in kernel.loops)
    shared = max((loop.shared / loop.values for loop in kernel.loops), default=0)
    print(
        f"{name:24} {architecture:7} {kernel.registers:3} registers, {kernel.shared_bytes} B static"
        + (f", instructions a value {costs}, shared accesses a value {shared:.0f}" if costs else "")
    )
