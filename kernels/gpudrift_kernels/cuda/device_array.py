"""Arrays that lie on a device already, whoever made them: whatever a column gives that is no NumPy array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from gpudrift_kernels.cuda.driver import Device, device_of, stream_lives
from gpudrift_kernels.errors import DeviceError

#: Numbers that ``__cuda_array_interface__`` gives the default streams, which are always there.
_DEFAULT_STREAMS = (1, 2)


def on_device(values: Any) -> bool:
    """Whether an array of a column is not on the host."""
    return not isinstance(values, np.ndarray)


def as_numba(values: Any, device: Device) -> Any:
    """The array as Numba takes it, without a copy; work is queued behind its stream, which ``stream_of`` tells.

    Raises
    ------
    DeviceError
        It lies on another device, has gaps between its values, or a mask.
    """
    if not hasattr(values, "__cuda_array_interface__"):
        return values  # the simulator's
    interface = values.__cuda_array_interface__
    address = interface["data"][0]
    holder = device_of(address) if address else device.ordinal
    if holder != device.ordinal:
        place = "no GPU" if holder is None else f"device {holder}"
        remedy = "move it there" if holder is None else f"move it there, or ask for 'cuda:{holder}'"
        raise DeviceError(
            f"an array lies on {place} and gpudrift counts on device {device.ordinal} ({device.name}): {remedy}"
        )
    if interface.get("strides") not in (None, (np.dtype(interface["typestr"]).itemsize,)):
        raise DeviceError("an array on the GPU has gaps between its values: make it contiguous")
    if interface.get("mask") is not None:
        raise DeviceError("an array on the GPU has a mask: leave out what it hides")
    return cuda.as_cuda_array(values, sync=False)


def ordinal_of(values: Any) -> int | None:
    """The device that an array lies on; None where an empty one does not say."""
    ordinal = getattr(getattr(values, "device", None), "id", None)  # CuPy's, which know it without an address
    if ordinal is not None:
        return int(ordinal)
    address = getattr(values, "__cuda_array_interface__", {"data": (0, False)})["data"][0]
    return device_of(address) if address else None


def stream_of(values: Any) -> int | None:
    """The stream that made an array's values ready; None for one that has no say.

    Raises
    ------
    DeviceError
        The stream has been destroyed.
    """
    stream: int | None = getattr(values, "__cuda_array_interface__", {}).get("stream")
    if stream is not None and stream not in _DEFAULT_STREAMS and not stream_lives(stream):
        raise DeviceError("the stream of an array has been destroyed: keep it until the array is counted")
    return stream


def wait_for(stream: int | None, waiting: Any) -> None:
    """Queue what follows on ``waiting`` behind the work that is on a stream now."""
    if stream is not None:
        event = cuda.event(timing=False)
        event.record(cuda.external_stream(stream))
        event.wait(waiting)
