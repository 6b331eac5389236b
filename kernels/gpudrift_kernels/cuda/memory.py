"""How much of a device's memory gpudrift may take for itself: what a caller says, the environment, or a default."""

from __future__ import annotations

import logging
import os
import re
from functools import cache
from typing import Final

from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.errors import ConfigError

_log = logging.getLogger(__name__)

_VARIABLE: Final = "GPUDRIFT_DEVICE_MEMORY"
_DEFAULT: Final = 1 << 30
#: Three chunks of a megabyte and the tables of a plan.
_LEAST: Final = 8 << 20
_UNITS: Final = {"": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def memory_limit(device: Device, wanted: int | None) -> int:
    """Bytes of the device that may be taken.

    Raises
    ------
    ConfigError
        Less than 8 MiB, or a text that is no amount of memory.
    """
    if wanted is not None:
        limit, source = wanted, "device_memory_bytes"
    elif text := os.environ.get(_VARIABLE):
        limit, source = _bytes_of(text), _VARIABLE
    else:
        return min(_DEFAULT, device.memory_bytes // 2)
    if limit < _LEAST:
        raise ConfigError(f"{source} must be at least {_LEAST >> 20} MiB, got {limit:,} bytes")
    return limit


@cache
def say_halved(what: str) -> None:
    """Log once that a device has no room for as many rows at a time as were wanted."""
    _log.warning("the device has little memory left: %s fewer at a time", what)


def _bytes_of(text: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if not found or found[2].upper() not in _UNITS:
        raise ConfigError(f"{_VARIABLE} must be an amount of memory such as 2GiB or 512MiB, got {text!r}")
    return int(float(found[1]) * _UNITS[found[2].upper()])
