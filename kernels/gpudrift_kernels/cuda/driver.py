"""What the NVIDIA driver says of itself and its devices, asked through ctypes: under a millisecond, and no context."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

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
    """

    version: tuple[int, int] | None
    devices: tuple[Device, ...]
    problem: str | None


@lru_cache(maxsize=1)
def driver() -> Driver:
    """Ask once; the answer is kept for the process."""
    try:
        library = _library()
    except OSError:
        return Driver(
            None, (), "no NVIDIA driver (libcuda.so.1) is installed: install R580 or newer, or count on the CPU"
        )
    number = ctypes.c_int()
    library.cuDriverGetVersion(ctypes.byref(number))
    version = (number.value // 1000, number.value % 1000 // 10)
    status = library.cuInit(0)
    if status == 0:
        status = library.cuDeviceGetCount(ctypes.byref(number))
    if status not in (0, _NO_DEVICE):
        return Driver(version, (), f"the NVIDIA driver does not start (error {status}); nvidia-smi may say why")
    if status == _NO_DEVICE or number.value == 0:
        return Driver(version, (), "the NVIDIA driver sees no GPU")
    return Driver(version, tuple(_device(library, ordinal) for ordinal in range(number.value)), None)


def device_of(pointer: int) -> int | None:
    """Ordinal of the device that holds an address; None for one that no device holds."""
    ordinal = ctypes.c_int(-1)
    status = _library().cuPointerGetAttribute(ctypes.byref(ordinal), _POINTER_DEVICE, ctypes.c_uint64(pointer))
    return ordinal.value if status == 0 else None


def stream_lives(stream: int) -> bool:
    """Whether a stream is there: a destroyed one is refused here, before anything is queued. Needs a context."""
    return _library().cuStreamQuery(ctypes.c_void_p(stream)) not in _STREAM_GONE


def _library() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")


def _device(library: ctypes.CDLL, ordinal: int) -> Device:
    handle, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(256)
    library.cuDeviceGet(ctypes.byref(handle), ordinal)
    library.cuDeviceGetName(name, len(name), handle)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)

    def attribute(which: int) -> int:
        value = ctypes.c_int()
        library.cuDeviceGetAttribute(ctypes.byref(value), which, handle)
        return value.value

    return Device(
        ordinal=ordinal,
        name=name.value.decode(errors="replace"),
        memory_bytes=memory.value,
        capability=(attribute(_MAJOR), attribute(_MINOR)),
        multiprocessors=attribute(_MULTIPROCESSORS),
        shared_bytes_per_block=attribute(_SHARED_BYTES_PER_BLOCK),
        shared_bytes_per_multiprocessor=attribute(_SHARED_BYTES_PER_MULTIPROCESSOR),
    )
