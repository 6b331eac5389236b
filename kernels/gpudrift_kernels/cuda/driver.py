"""What the NVIDIA driver says of itself and its devices, asked through ctypes: under a millisecond, and no context."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LIBRARY: Final = "libcuda.so.1"
#: What is called of it: a driver without one of them is older than anything that is supported.
_CALLED: Final = (
    "cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceTotalMem_v2",
    "cuDeviceGetAttribute", "cuGetErrorString", "cuPointerGetAttribute", "cuStreamQuery",
)  # fmt: skip

# Of cuda.h, enum CUdevice_attribute.
_MULTIPROCESSORS: Final = 16
_MAJOR: Final = 75
_MINOR: Final = 76
_SHARED_BYTES_PER_MULTIPROCESSOR: Final = 81
_SHARED_BYTES_PER_BLOCK: Final = 97  # the most that a kernel may ask for

#: Of cuda.h, enum CUresult: what the driver says where it is installed and there is no GPU.
_NO_DEVICE: Final = 100
_STREAM_GONE: Final = (400, 709)  # an invalid handle, a destroyed context
_POINTER_DEVICE: Final = 9  # enum CUpointer_attribute


@dataclass(frozen=True)
class Device:
    """One GPU."""

    ordinal: int
    name: str
    memory_bytes: int
    capability: tuple[int, int]
    multiprocessors: int
    shared_bytes_per_block: int
    shared_bytes_per_multiprocessor: int


@dataclass(frozen=True)
class Driver:
    """The driver of this machine.

    Attributes
    ----------
    version : (major, minor), optional
        Newest CUDA that it supports; None where there is no driver.
    devices : tuple of Device
        In the order of CUDA_VISIBLE_DEVICES.
    problem : str, optional
        Why there is no device.
    broken : bool
        A driver is installed and fails, which is worth a warning.
    """

    version: tuple[int, int] | None
    devices: tuple[Device, ...]
    problem: str | None
    broken: bool = False


class _Failed(Exception):
    """A call of the driver failed; ``status`` is its CUresult, and the text says so."""

    def __init__(self, library: ctypes.CDLL, status: int) -> None:
        said = ctypes.c_char_p()
        library.cuGetErrorString(status, ctypes.byref(said))
        super().__init__(f"error {status}" + (f", {said.value.decode(errors='replace')}" if said.value else ""))
        self.status = status


@lru_cache(maxsize=1)
def driver() -> Driver:
    """Ask once; the answer is kept for the process."""
    try:
        library = _library()
    except OSError as error:
        said = " ".join(str(error).split())
        if _LIBRARY in said and "no such file" in said.lower():  # where another library is missing it names that one
            return Driver(None, (), f"no NVIDIA driver ({_LIBRARY}) is installed: install R580 or newer")
        return _broken(None, f"cannot be loaded ({said}): install it anew")
    if lacking := [name for name in _CALLED if not hasattr(library, name)]:
        return _broken(None, f"has no {lacking[0]}: install R580 or newer")
    version = None
    try:
        number = _integer(library, library.cuDriverGetVersion)
        version = (number // 1000, number % 1000 // 10)
        _check(library, library.cuInit(0))
        n_devices = _integer(library, library.cuDeviceGetCount)
    except _Failed as error:
        if error.status != _NO_DEVICE:
            return _broken(version, f"does not start ({error}): nvidia-smi may say why")
        n_devices = 0
    if n_devices == 0:
        return Driver(version, (), "the NVIDIA driver sees no GPU: see nvidia-smi and CUDA_VISIBLE_DEVICES")
    devices = []
    for ordinal in range(n_devices):
        try:
            devices.append(_device(library, ordinal))
        except _Failed as error:
            remedy = "nvidia-smi may say why, and CUDA_VISIBLE_DEVICES can leave it out"
            return _broken(version, f"cannot describe GPU {ordinal} ({error}): {remedy}")
    return Driver(version, tuple(devices), None)


def device_of(pointer: int) -> int | None:
    """Ordinal of the device that holds an address; None for one that no device holds."""
    ordinal = ctypes.c_int(-1)
    status = _library().cuPointerGetAttribute(ctypes.byref(ordinal), _POINTER_DEVICE, ctypes.c_uint64(pointer))
    return ordinal.value if status == 0 else None


def stream_lives(stream: int) -> bool:
    """Whether a stream is there: a destroyed one is refused here, before anything is queued. Needs a context."""
    return _library().cuStreamQuery(ctypes.c_void_p(stream)) not in _STREAM_GONE


def _broken(version: tuple[int, int] | None, why: str) -> Driver:
    return Driver(version, (), f"the NVIDIA driver ({_LIBRARY}) {why}", broken=True)


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(_LIBRARY)


def _check(library: ctypes.CDLL, status: int) -> None:
    if status != 0:
        raise _Failed(library, status)


def _integer(library: ctypes.CDLL, function: Callable[..., int], *arguments: object) -> int:
    """What a function of the driver writes to its first argument."""
    number = ctypes.c_int()
    _check(library, function(ctypes.byref(number), *arguments))
    return number.value


def _device(library: ctypes.CDLL, ordinal: int) -> Device:
    handle = _integer(library, library.cuDeviceGet, ordinal)
    memory, name = ctypes.c_size_t(), ctypes.create_string_buffer(256)
    _check(library, library.cuDeviceGetName(name, len(name), handle))
    _check(library, library.cuDeviceTotalMem_v2(ctypes.byref(memory), handle))

    def attribute(which: int) -> int:
        return _integer(library, library.cuDeviceGetAttribute, which, handle)

    return Device(
        ordinal=ordinal,
        name=name.value.decode(errors="replace"),
        memory_bytes=memory.value,
        capability=(attribute(_MAJOR), attribute(_MINOR)),
        multiprocessors=attribute(_MULTIPROCESSORS),
        shared_bytes_per_block=attribute(_SHARED_BYTES_PER_BLOCK),
        shared_bytes_per_multiprocessor=attribute(_SHARED_BYTES_PER_MULTIPROCESSOR),
    )
