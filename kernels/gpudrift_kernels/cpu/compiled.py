"""How every CPU kernel is compiled: serial, without the GIL, and kept on disk where a folder can be written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_log = logging.getLogger(__name__)
_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile on first use; the machine code is kept beside the source, or in NUMBA_CACHE_DIR.

    Where neither can be written (a read-only installation without a home) every process compiles for itself: a few
    seconds each, and right all the same.
    """
    try:
        return cast("_Function", njit(nogil=True, cache=True)(function))
    except RuntimeError:  # Numba found no folder for its cache
        _log.info("no folder to keep compiled kernels in; set NUMBA_CACHE_DIR to one that can be written")
        return cast("_Function", njit(nogil=True)(function))


def inlined(function: _Function) -> _Function:
    """Compile into the kernels that call it: for the rules, which other devices wrap for themselves."""
    return cast("_Function", njit(nogil=True, inline="always")(function))
