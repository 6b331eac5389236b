"""Mean and variance of a sorted side, in one pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.differences import TERMS, difference, factors_of
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.steps import total_of


def moments_sorted(values: NDArray[Any], exponent: int = 0) -> tuple[float, float]:
    """Mean of sorted finite values, of which there is one, times 2^exponent, and their variance, times 4^exponent.

    The exponent is as `wasserstein_sorted` takes it.

    Notes
    -----
    From the sums of the distances to the median and of their squares. Mean and median are at most a standard deviation
    apart, since |mean - median| <= E|x - median| <= E|x - mean|, so what is subtracted is at most half of the squares:
    no more than a bit is lost, and one pass does.
    """
    rows = read_only(values)
    sums, squares = (math.fsum(part) / rows.size for part in _sums(rows, rows[rows.size // 2], *factors_of(exponent)))
    return math.ldexp(float(rows[rows.size // 2]), exponent) + sums, squares - sums * sums


@kernel
def _sums(
    values: NDArray[Any], median: Any, factor: float, factor_too: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the differences from the median and of their squares, for every few values."""
    n_sums = -(-values.size // TERMS)
    sums, squares, terms = np.empty(n_sums), np.empty(n_sums), np.empty(TERMS)
    for k in range(n_sums):
        part = values[k * TERMS : (k + 1) * TERMS]
        for i in range(part.size):
            terms[i] = difference(median, part[i], factor, factor_too)
        sums[k] = total_of(terms[: part.size])
        for i in range(part.size):
            terms[i] *= terms[i]
        squares[k] = total_of(terms[: part.size])
    return sums, squares
