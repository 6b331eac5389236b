from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import auto, backend
from gpudrift_kernels.auto import AutoBackend
from gpudrift_kernels.cells import SHAPES, CellPlan
from gpudrift_kernels.cpu.backend import CpuBackend
from gpudrift_kernels.errors import BackendUnavailable, DeviceError

from .fake_driver import ask, build

if TYPE_CHECKING:
    from pathlib import Path


class Column:
    n_rows = 1_000

    in_place = False

    def values(self, start: int, stop: int) -> tuple[Any, int]:
        return np.ones(stop - start, np.float32), 0

    def codes(self, start: int, stop: int) -> tuple[Any, Any]:
        return np.ones(stop - start, np.int32), np.arange(3)


class Gpu(CpuBackend):
    """Counts as the CPU does, until it fails."""

    name = "cuda"

    def __init__(self) -> None:
        super().__init__(1)
        self.failure: Exception | None = None
        self.asked = 0

    def count_cells(self, columns: Any, plans: Any) -> Any:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return super().count_cells(columns, plans)


PLAN = CellPlan("float32", 0.0, 0, *SHAPES[0])
REFUSES = DeviceError("First failed (it is another's): 'cpu' does without it")


@pytest.fixture(autouse=True)
def nothing_found_or_said() -> None:
    auto._FOUND.clear()
    backend._SAID.clear()


def _counted(device: AutoBackend) -> int:
    return sum(int(rows.sum()) for _, rows in device.count_cells([Column()], [PLAN]))  # type: ignore[list-item]


def test_a_gpu_that_counts_a_first_value_counts_them_all() -> None:
    gpu = Gpu()
    device = AutoBackend(gpu, CpuBackend(1), 0)
    assert (gpu.asked, device.name) == (0, "cuda")
    assert [_counted(device) for _ in range(2)] == [1_000] * 2
    assert (gpu.asked, device.name) == (3, "cuda")


@pytest.mark.parametrize("error", [REFUSES, BackendUnavailable("First cannot be used")])
def test_a_gpu_that_refuses_is_asked_once_and_leaves_every_verb_to_the_cpu(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    gpu, other = Gpu(), Gpu()
    gpu.failure = error
    device = AutoBackend(gpu, CpuBackend(1), 0)
    assert device.residence is None
    assert _counted(device) == 1_000
    assert list(device.sort(np.array([2.0, 1.0]))) == [1, 2]
    assert device.name == "cpu"
    again = AutoBackend(other, CpuBackend(1), 0)
    assert (again.name, _counted(again), gpu.asked, other.asked) == ("cpu", 1_000, 1, 0)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", f"counting on the CPU: {error}")
    ]


def test_what_fails_after_the_first_value_is_raised() -> None:
    gpu = Gpu()
    device = AutoBackend(gpu, CpuBackend(1), 0)
    assert _counted(device) == 1_000
    gpu.failure = REFUSES
    for _ in range(2):
        with pytest.raises(DeviceError, match="it is another's"):
            _counted(device)


def test_threads_that_ask_at_once_get_one_answer_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    n_threads = 8
    at_once = threading.Barrier(n_threads)

    class Unsteady(Gpu):
        """Refuses some and not others."""

        def count_cells(self, columns: Any, plans: Any) -> Any:
            at_once.wait()
            self.asked += 1
            if self.asked % 2:
                raise DeviceError(f"the GPU failed ({threading.get_ident()})")
            return iter(())

    gpu = Unsteady()

    def taken(_: int) -> object:
        return AutoBackend(gpu, CpuBackend(1), 0)._taken().name

    with ThreadPoolExecutor(n_threads) as pool:
        assert len(set(pool.map(taken, range(n_threads)))) == 1
    assert len(caplog.records) == (1 if auto._FOUND[0] else 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_asks_for_itself() -> None:
    auto._FOUND[0] = None
    child = os.fork()
    if not child:
        os._exit(len(auto._FOUND))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert auto._FOUND == {0: None}


#: In a process of its own under the real Numba; a launch of the driver that stands in does nothing.
_SCRIPT = """
import logging, os
import numpy as np
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda import backend
from gpudrift_kernels.errors import GpudriftError

class Column:
    n_rows = 1_000
    in_place = False
    values = lambda self, start, stop: (np.ones(stop - start, np.float32), 0)

said = []
handler = logging.Handler(logging.WARNING)
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("gpudrift_kernels").addHandler(handler)
backend.has_cupy = lambda: False

def count(name, **more):
    os.environ.update(more)
    try:
        device = get_backend(name, threads=1)
        ((_, rows),) = device.count_cells([Column()], [CellPlan("float32", 0, 0, 11, 3)])
        return device.name, int(rows.sum())
    except GpudriftError as error:
        return type(error).__name__, str(error)
"""


@pytest.mark.gcc
@pytest.mark.cuda_compile
@pytest.mark.parametrize(
    ("setting", "status", "reason"),
    [
        ("context", 46, "First failed (CUDA_ERROR_DEVICE_UNAVAILABLE: "),
        ("context", 2, "First has no memory left: free some, or lower GPUDRIFT_DEVICE_MEMORY"),
        ("context", 801, "First failed ("),
        ("most_bytes", 1, "First has no memory left"),
        ("load", 209, "First is not known to the installed toolkit ("),
    ],
)
def test_auto_counts_on_the_cpu_where_the_driver_refuses_and_cuda_raises(
    tmp_path: Path, setting: str, status: int, reason: str
) -> None:
    folder = build(tmp_path, "-DNUMBA")
    call = "[[count('auto'), count('auto'), count('cuda'), count('auto', GPUDRIFT_DEVICE='cuda')], said]"
    (first, second, *asked), said = ask(folder, _SCRIPT, call, devices=1, **{setting: status})
    assert first == second == ["cpu", 1_000]
    assert len(said) == 1
    assert said[0].startswith(f"counting on the CPU: {reason}")
    assert "\n" not in said[0]
    assert asked[0] == asked[1]
    assert asked[0][1] == said[0].removeprefix("counting on the CPU: ")


@pytest.mark.gcc
@pytest.mark.cuda_compile
def test_auto_raises_where_the_driver_fails_in_the_middle(tmp_path: Path) -> None:
    folder = build(tmp_path, "-DNUMBA")
    call = "[[count('auto'), count('auto', FAKE_LAUNCH='700')], said]"
    ((name, _), (error, text)), said = ask(folder, _SCRIPT, call, devices=1)
    assert (name, error, said) == ("cuda", "DeviceError", [])
    assert text.startswith("First failed (")
