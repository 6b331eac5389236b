"""How much of a device's memory gpudrift may take for itself: what a caller says, the environment, or a default."""

from __future__ import annotations

import logging
import operator
import os
import re
import reprlib
from decimal import Decimal
from functools import cache
from typing import Final

from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.errors import ConfigError

_log = logging.getLogger(__name__)

_VARIABLE: Final = "GPUDRIFT_DEVICE_MEMORY"
_DEFAULT: Final = 1 << 30
#: Three chunks of a megabyte and the tables of a plan.
LEAST_BYTES: Final = 8 << 20
_UNITS: Final = {
    "": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
}  # fmt: skip


def memory_limit(device: Device, wanted: int | None) -> int:
    """Bytes of the device that may be taken.

    Raises
    ------
    ConfigError
        Less than 8 MiB, more than the device has, or no amount of memory.
    """
    if wanted is None:
        limit = memory_setting(device)
        return min(_DEFAULT, device.memory_bytes // 2) if limit is None else limit
    try:
        limit = operator.index(wanted)
    except TypeError:
        limit = 0
    if not LEAST_BYTES <= limit <= device.memory_bytes:
        raise ConfigError(
            f"device_memory_bytes must be a number of bytes, {_range(device)}, got {reprlib.repr(wanted)}"
        )
    return limit


def memory_setting(device: Device | None) -> int | None:
    """Bytes that GPUDRIFT_DEVICE_MEMORY says; None where it is not set. Without a device it may be any amount.

    Raises
    ------
    ConfigError
        Less than 8 MiB, more than the device has, or no amount of memory.
    """
    text = os.environ.get(_VARIABLE)
    if not text:
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    limit = (
        Decimal(found[1]) * _UNITS.get(found[2].upper(), 0) if found else 0
    )  # no float: it may be beyond all of them
    if limit < LEAST_BYTES or (device is not None and limit > device.memory_bytes):
        units = "bytes, or with KiB, MiB, GiB, TiB, KB, MB, GB or TB"
        raise ConfigError(f"{_VARIABLE} must be {_range(device)} ({units}), got {reprlib.repr(text)}")
    return int(limit)


@cache
def say_halved(what: str) -> None:
    """Log once that a device has no room for as many rows at a time as were wanted."""
    _log.warning("the device has little memory left: %s fewer at a time", what)


def _range(device: Device | None) -> str:
    """From the least, in units that the variable takes."""
    least = f"{LEAST_BYTES >> 20}MiB"
    return f"at least {least}" if device is None else f"{least} to the {device.memory_bytes >> 20}MiB of {device.name}"
