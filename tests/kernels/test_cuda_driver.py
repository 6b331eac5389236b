"""What the driver says, from a library that stands in for NVIDIA's; each in a process of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from .fake_driver import SOURCE, ask, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.gcc

_SCRIPT = """
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cuda.driver import *
d = driver()
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("driver"))


def _ask(library: Path, expression: str, *, before: str = "", **settings: int) -> Any:
    return ask(library, f"{_SCRIPT}\n{before}", expression, **settings)


def test_every_device_is_described(library: Path) -> None:
    found = _ask(library, "[list(vars(device).values()) for device in d.devices]", devices=2)
    assert found[0] == [0, "First", 70 << 30, [9, 0], 132, 232448, 233472]
    assert found[1][:3] == [1, "Second", 71 << 30]
    assert _ask(library, "[d.version, d.problem]", devices=1) == [[13, 0], None]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"devices": 0}, "the NVIDIA driver sees no GPU: see nvidia-smi and CUDA_VISIBLE_DEVICES"),
        ({"status": 100}, "the NVIDIA driver sees no GPU: see nvidia-smi and CUDA_VISIBLE_DEVICES"),
        ({"status": 999}, "the NVIDIA driver (libcuda.so.1) does not start (error 999): nvidia-smi may say why"),
        ({"status": 802}, "the NVIDIA driver (libcuda.so.1) does not start (error 802, system not yet initialized): "
         "nvidia-smi may say why"),
        ({"devices": 2, "lost": 71}, "the NVIDIA driver (libcuda.so.1) cannot describe GPU 1 (error 101): "
         "nvidia-smi may say why, and CUDA_VISIBLE_DEVICES can leave it out"),
    ],
)  # fmt: skip
def test_a_driver_without_a_gpu_says_so(library: Path, settings: dict[str, int], problem: str) -> None:
    assert _ask(library, "[d.version, len(d.devices), d.problem]", **settings) == [[13, 0], 0, problem]


def test_a_driver_that_does_not_tell_its_version_has_none(library: Path) -> None:
    problem = (
        "the NVIDIA driver (libcuda.so.1) does not start (error 34): nvidia-smi may say why"  # as the toolkit's stub
    )
    assert _ask(library, "[d.version, d.problem]", devices=1, version_status=34) == [None, problem]


def _empty(folder: Path) -> Path:
    (folder / "libcuda.so.1").touch()
    return folder


def _no_driver_at_all(folder: Path) -> Path:
    (folder / "libcuda.so.1").write_text("not a library, and long enough to be asked for its header" * 2)
    return folder


def _old(folder: Path) -> Path:
    return build(folder, source=SOURCE.read_text().replace("cuDeviceTotalMem_v2", "cuDeviceTotalMem"))


def _without_what_it_needs(folder: Path) -> Path:
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", "libneeded.so"], cwd=folder, check=True)
    build(folder, "-L.", "-Wl,--no-as-needed", "-lneeded")
    (folder / "libneeded.so").unlink()
    return folder


@pytest.mark.parametrize(
    ("install", "said"),
    [
        (_empty, "cannot be loaded ("),
        (_no_driver_at_all, "cannot be loaded ("),
        (_without_what_it_needs, "cannot be loaded (libneeded.so: "),
        (_old, "has no cuDeviceTotalMem_v2: install R580 or newer"),
    ],
)
def test_a_driver_that_cannot_be_loaded_is_no_missing_one(
    tmp_path: Path, install: Callable[[Path], Path], said: str
) -> None:
    version, n_devices, problem, broken = _ask(install(tmp_path), "[d.version, len(d.devices), d.problem, d.broken]")
    assert (version, n_devices, broken) == (None, 0, True)
    assert problem.startswith(f"the NVIDIA driver (libcuda.so.1) {said}")


_SAY_AND_FALL_BACK = """
import logging
said = []
handler = logging.Handler(logging.WARNING)
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("gpudrift_kernels").addHandler(handler)
names = [get_backend("auto").name for _ in range(3)]
refused = []
for name in ("cuda", "cuda:1"):
    try:
        get_backend(name)
    except RuntimeError as error:
        refused.append(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("settings", [{"status": 999}, {"devices": 1, "lost": 70}, {"version_status": 34}])
def test_auto_says_once_that_a_driver_fails_and_cuda_is_refused(library: Path, settings: dict[str, int]) -> None:
    names, said, refused, problem = _ask(
        library, "[names, said, refused, d.problem]", before=_SAY_AND_FALL_BACK, **settings
    )
    assert names == ["cpu"] * 3
    assert said == [f"counting on the CPU: {problem}"]
    assert refused == [
        f"BackendUnavailable: backend '{name}' cannot be used: {problem}. Or use 'cpu' or 'auto'"
        for name in ("cuda", "cuda:1")
    ]


def test_a_machine_without_a_driver_is_no_reason_to_warn(tmp_path: Path) -> None:
    names, said, refused = _ask(tmp_path, "[names, said, refused]", before=_SAY_AND_FALL_BACK, status=100)
    assert (names, said, len(refused)) == (["cpu"] * 3, [], 2)


def test_an_address_belongs_to_a_device_and_a_destroyed_stream_to_none(library: Path) -> None:
    assert _ask(library, "[device_of(0x30000000000), device_of(0xbad)]", devices=1) == [3, None]
    assert _ask(library, "[stream_lives(0xb5), stream_lives(0xdead)]", devices=1) == [True, False]


def test_asking_loads_no_cuda_library(library: Path) -> None:
    loaded = "[name for name in __import__('sys').modules if name.split('.')[0] in ('numba', 'cupy', 'cuda', 'torch')]"
    assert _ask(library, loaded, devices=8) == []
