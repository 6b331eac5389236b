"""A GPU that fails under Numba: its own errors, over a driver that stands in for NVIDIA's; one line, nothing held."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from .fake_driver import SOURCE, ask, build

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.gcc, pytest.mark.cuda_compile]

#: Counts numbers and categories again and again, without CuPy; a launch does nothing, so that counts are zero.
_SCRIPT = """
import ctypes, gc, logging, os
os.environ["NUMBA_CUDA_MAX_PENDING_DEALLOCS_COUNT"] = "0"  # else what Numba no longer needs is freed some calls later
import numpy as np
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda import backend
from gpudrift_kernels.cuda.staging import staging
from gpudrift_kernels.errors import GpudriftError

class Column:
    n_rows = 1_000
    in_place = False
    values = lambda self, start, stop: (np.ones(stop - start, np.float32), 0)
    codes = lambda self, start, stop: (np.ones(stop - start, np.int32), np.arange(3))

logged = []
handler = logging.Handler()
handler.emit = lambda record: logged.append(record.getMessage())
logging.getLogger("gpudrift_kernels").addHandler(handler)
backend.has_cupy = lambda: False
counting = get_backend("cuda", threads=1)
verbs = [
    lambda: list(counting.count_cells([Column()], [CellPlan("float32", 0, 0, 11, 3)])),
    lambda: list(counting.count_categories([Column()], [3])),
]

def outcome(setting, status):
    # what is raised and logged while the driver fails so, and the allocations that are held after each round
    os.environ[setting] = status
    staging.cache_clear()
    logged.clear()
    said, held = [], []
    for _ in range(3):
        for verb in verbs:
            try:
                verb()
            except GpudriftError as error:
                text = f"{type(error).__name__}: {error}"
                said += [text] if text not in said else []
        gc.collect()
        held.append(ctypes.CDLL("libcuda.so.1").fake_held())
    del os.environ[setting]
    return said, list(logged), held
"""

_LOST = "keep arrays until they are counted; this process cannot use it any more, start a new one"
#: How the driver fails, and how what is raised begins and ends; loading goes before launching, since it is done once.
_CASES = {
    "FAKE_CONTEXT=46": ("DeviceError: First failed (", "nvidia-smi may say why; 'cpu' does without it"),
    "FAKE_CONTEXT=2": ("DeviceError: First has no memory left", "free some, or lower GPUDRIFT_DEVICE_MEMORY"),
    "FAKE_MOST_BYTES=1": ("DeviceError: First has no memory left", "free some, or lower GPUDRIFT_DEVICE_MEMORY"),
    "FAKE_MOST_BYTES=300000": ("DeviceError: the device has no 3 MiB of memory", "or count on the CPU"),
    "FAKE_LOAD=209": ("BackendUnavailable: First is not known to the installed toolkit (", "numba-cuda and CuPy"),
    "FAKE_LOAD=222": ("BackendUnavailable: First cannot be used: the NVIDIA driver supports CUDA 13.0", ""),
    "FAKE_LAUNCH=700": ("DeviceError: First failed (", _LOST),
    "FAKE_SYNCHRONIZE=719": ("DeviceError: First failed (", _LOST),
}  # fmt: skip
_FEWER_BYTES = "FAKE_MOST_BYTES=20000000"
_NOTHING = "FAKE_NOTHING=1"

Outcome = tuple[list[str], list[str], list[int]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """In one process: a GPU that recovers is more than a real one does, and Numba compiles once."""
    cases = [*_CASES, _FEWER_BYTES, _NOTHING]
    folder = build(tmp_path_factory.mktemp("driver"), "-DNUMBA")
    found = ask(folder, _SCRIPT, f"[outcome(*case.split('=')) for case in {cases}]", devices=1)
    return dict(zip(cases, found, strict=True))


@pytest.mark.parametrize("case", _CASES)
def test_a_failing_gpu_is_one_short_line(outcomes: dict[str, Outcome], case: str) -> None:
    said, _, _ = outcomes[case]
    start, end = _CASES[case]
    assert said
    for line in said:
        assert line.startswith(start)
        assert line.endswith(end)
        assert len(line) < 300
        assert "\n" not in line


@pytest.mark.parametrize("case", [*_CASES, _FEWER_BYTES, _NOTHING])
def test_no_memory_is_held_by_what_failed(outcomes: dict[str, Outcome], case: str) -> None:
    _, _, (_, second, third) = outcomes[case]
    assert second == third


def test_little_memory_halves_the_chunks_and_says_so_once(outcomes: dict[str, Outcome]) -> None:
    said, logged, _ = outcomes[_FEWER_BYTES]
    assert said == []
    assert logged == ["the device has little memory left: rows go to it 16384 KiB at a time"]
    assert outcomes[_NOTHING][:2] == [[], []]


@pytest.mark.parametrize("lacking", ["cuLaunchKernelEx", "cuStreamCreate"])
def test_a_driver_too_old_for_the_bindings_names_both_versions(tmp_path: Path, lacking: str) -> None:
    source = SOURCE.read_text().replace(f"int {lacking}(", f"int no_{lacking}(")
    folder = build(tmp_path, "-DNUMBA", source=source)
    ((said,), _, _) = ask(folder, _SCRIPT, "outcome('FAKE_NOTHING', '1')", devices=1)
    bindings = version("cuda-bindings")
    assert said == (
        "BackendUnavailable: First cannot be used: the NVIDIA driver is for CUDA 13.0, too old for the installed "
        f"cuda-bindings {bindings} (function {lacking} is not found): "
        'update the driver, or pip install "cuda-bindings==13.0.*"'
    )
