"""Arithmetic on values next to the largest double: scaled by a power of two, which loses no digit."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def exponent_of(start: NDArray[np.float64], stop: NDArray[np.float64]) -> int:
    """Smallest e such that all of the ascending values lie within 2^e of 0.

    Examples
    --------
    >>> import numpy as np
    >>> exponent_of(np.array([-3.0, 0.0]), np.array([0.0, 5.0]))
    3
    """
    return math.frexp(max(abs(float(start[0])), abs(float(stop[-1]))))[1]


def scaled(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Return values 2^exponent, with one rounding.

    Examples
    --------
    >>> scaled(np.array([5e-324]), 1080).tolist(), scaled(np.array([3.0]), -1).tolist()
    ([64.0], [1.5])
    """
    if -1074 <= exponent <= 1023:  # a double holds the power
        return values * math.ldexp(1.0, exponent)
    return np.ldexp(values, exponent)


def divide(total: float, exponent: int, scale: float) -> float:
    """Return total 2^exponent / scale, without overflow on the way; at most the largest finite double.

    Examples
    --------
    >>> divide(0.5, 1024, 1e300) == 2.0**1023 / 1e300
    True
    """
    mantissa, scale_exponent = math.frexp(scale)
    return scaled_up(total / mantissa, exponent - scale_exponent)


def scaled_up(value: float, exponent: int) -> float:
    """Return value 2^exponent, or the largest finite double of its sign.

    Examples
    --------
    >>> scaled_up(0.75, 2), scaled_up(-1.0, 2000)
    (3.0, -1.7976931348623157e+308)
    """
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(sys.float_info.max, value)
