"""What the driver says, from a library that stands in for NVIDIA's; each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gcc

#: It has no function that makes a context: whoever tries fails.
_LIBCUDA = """
#include <stdlib.h>
#include <string.h>
static int setting(const char *name) { const char *text = getenv(name); return text ? atoi(text) : 0; }
int cuInit(unsigned flags) { return flags ? 1 : setting("FAKE_STATUS"); }
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGetCount(int *count) { *count = setting("FAKE_DEVICES"); return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = 70 + ordinal; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device == 70 ? "First" : "Second", size);
    return 0;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)device << 30; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 81 ? 233472
           : attribute == 97 ? 232448 : -device;
    return 0;
}
int cuPointerGetAttribute(void *data, int attribute, unsigned long long pointer) {
    if (attribute != 9 || pointer == 0xbad) return 1;
    *(int *)data = (int)(pointer >> 40);
    return 0;
}
int cuStreamQuery(void *stream) { return stream == (void *)0xdead ? 400 : stream == (void *)0xb5 ? 600 : 0; }
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("driver")
    (folder / "cuda.c").write_text(_LIBCUDA)
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "cuda.c", "-o", "libcuda.so.1"]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def _ask(library: Path | None, expression: str, **settings: int) -> Any:
    script = f"import json; from gpudrift_kernels.cuda.driver import *; d = driver(); print(json.dumps({expression}))"
    environment = {
        **os.environ,
        **{f"FAKE_{name.upper()}": str(value) for name, value in settings.items()},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LD_LIBRARY_PATH": str(library or ""),
    }
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_every_device_is_described(library: Path) -> None:
    found = _ask(library, "[list(vars(device).values()) for device in d.devices]", devices=2)
    assert found[0] == [0, "First", 70 << 30, [9, 0], 132, 232448, 233472]
    assert found[1][:3] == [1, "Second", 71 << 30]
    assert _ask(library, "[d.version, d.problem]", devices=1) == [[13, 0], None]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"devices": 0}, "the NVIDIA driver sees no GPU"),
        ({"status": 100}, "the NVIDIA driver sees no GPU"),
        ({"status": 999}, "the NVIDIA driver does not start (error 999); nvidia-smi may say why"),
    ],
)
def test_a_driver_without_a_gpu_says_so(library: Path, settings: dict[str, int], problem: str) -> None:
    assert _ask(library, "[d.version, len(d.devices), d.problem]", **settings) == [[13, 0], 0, problem]


def test_an_address_belongs_to_a_device_and_a_destroyed_stream_to_none(library: Path) -> None:
    assert _ask(library, "[device_of(0x30000000000), device_of(0xbad)]", devices=1) == [3, None]
    assert _ask(library, "[stream_lives(0xb5), stream_lives(0xdead)]", devices=1) == [True, False]


def test_asking_loads_no_cuda_library(library: Path) -> None:
    loaded = "[name for name in __import__('sys').modules if name.split('.')[0] in ('numba', 'cupy', 'cuda', 'torch')]"
    assert _ask(library, loaded, devices=8) == []
