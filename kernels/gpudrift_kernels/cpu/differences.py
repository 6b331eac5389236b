"""Differences of values of any dtype and magnitude as float64, inside a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import types
from numba.extending import overload

#: Terms added up before their sum joins that of all: with 20 million in one sum the last four digits would be noise.
TERMS: Final = 4096


def factors_of(exponent: int) -> tuple[float, float]:
    """Two doubles whose product is 2^exponent, which a single one holds up to 2^1023 only; at most 2^2046."""
    first = min(exponent, 1023)
    return 2.0**first, 2.0 ** (exponent - first)


def difference(start: Any, stop: Any, factor: Any, factor_too: Any) -> Any:
    """``stop - start`` times both factors: floats multiplied before, whole numbers subtracted exactly, and not."""
    raise NotImplementedError


@overload(difference, strict=False)
def _difference_for(start: Any, stop: Any, factor: Any, factor_too: Any) -> Callable[..., Any]:
    def of_integers(start: Any, stop: Any, factor: Any, factor_too: Any) -> Any:
        # the distance of two 64-bit numbers fits 64 bits without a sign
        above, below = np.float64(np.uint64(stop) - np.uint64(start)), np.float64(np.uint64(start) - np.uint64(stop))
        return above if stop >= start else -below

    def of_floats(start: Any, stop: Any, factor: Any, factor_too: Any) -> Any:
        return np.float64(stop) * factor * factor_too - np.float64(start) * factor * factor_too

    return of_integers if isinstance(start, types.Integer) else of_floats
