"""First Wasserstein distance of two sorted sides: the mean distance of values of equal rank.

    longer side   |x0 |x1 |x2 |x3 |x4 |x5 |x6 |     each value is 1/n of the rows
    other side    |y0    |y1    |y2    |y3    |     each value is 1/m of them: where it ends within some x,
    pairs         |x0 |x1 x1|...                    that x counts partly with it, partly with the next

Which values meet follows from n and m alone, and no data decide a branch. Every term is at least 0 and exact to a
rounding or three, its weight is exact, and blocks of terms are summed alike whoever asks: swapped sides give the same
bits. Nothing is written but the sums: nobody races.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.differences import TERMS, difference, factors_of
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.steps import total_of


def wasserstein_sorted(reference: NDArray[Any], current: NDArray[Any], exponent: int = 0) -> float:
    """Integral of |F - G| times 2^exponent, for two empirical CDFs of sorted finite values; 0 where a side is empty.

    Both sides are of one dtype, of any magnitude: floats are multiplied before they are subtracted, by at most 2^2046;
    whole numbers are subtracted exactly, and take no exponent.
    """
    longer, other = sorted((read_only(reference), read_only(current)), key=len, reverse=True)
    if not other.size:
        return 0.0
    n, m = longer.size // math.gcd(longer.size, other.size), other.size // math.gcd(longer.size, other.size)
    whole = longer.size * m  # what the weights of all terms add up to; a power of two above it leaves them exact
    unit = 2.0 ** -whole.bit_length()
    return math.fsum(_sums(longer, other, n, m, unit, *factors_of(exponent))) / (whole * unit)


@kernel
def _sums(
    longer: NDArray[Any], other: NDArray[Any], n: int, m: int, unit: float, factor: float, factor_too: float
) -> NDArray[np.float64]:
    """Of every few terms; values of the longer side weigh m units each, those of the other one n."""
    sums, terms = np.empty(-(-longer.size // TERMS)), np.empty(TERMS)
    near, next_one, shares = np.empty(TERMS, other.dtype), np.empty(TERMS, other.dtype), np.empty(TERMS, np.int64)
    whole, weight, last = np.uint64(n), np.uint64(m), np.uint64(other.size - 1)
    j = used = np.uint64(0)  # units of other[j] that values before have taken
    for k in range(sums.size):
        x = longer[k * TERMS : (k + 1) * TERMS]
        if n == m:  # every value meets the one of its rank, and no other
            y = other[k * TERMS : (k + 1) * TERMS]
            for i in range(x.size):
                terms[i] = abs(difference(y[i], x[i], factor, factor_too)) * unit
            sums[k] = total_of(terms[: x.size])
            continue
        for i in range(x.size):
            near[i] = other[j]
            used += weight
            over = used >= whole
            beyond = used - whole if over else np.uint64(0)
            next_one[i] = other[min(j + np.uint64(1), last)]
            shares[i] = beyond
            used = beyond if over else used
            j += np.uint64(over)
        for i in range(x.size):
            share = np.float64(shares[i]) * unit
            rest = np.float64(m) * unit - share
            terms[i] = (
                abs(difference(near[i], x[i], factor, factor_too)) * rest
                + abs(difference(next_one[i], x[i], factor, factor_too)) * share
            )
        sums[k] = total_of(terms[: x.size])
    return sums
