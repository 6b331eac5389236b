"""Which rows of the reference a plan is made from: spread over the whole input, and picked by a hash."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.read_only import read_only

SAMPLE_ROWS: Final = 1 << 16
#: Of the sample every so many rows mostly tell enough, if there are so many.
FEW_STEP: Final = 16
FEWEST_ROWS: Final = 1 << 11
LARGER_SAMPLE_ROWS: Final = 1 << 18
#: Values that tell nearly always what all of them would.
_FIRST: Final = 64


@lru_cache(maxsize=4)
def sample_positions(n_rows: int, n_sample: int = SAMPLE_ROWS) -> NDArray[np.int64]:
    """One row from each of ``n_sample`` equal stretches of the input; all rows where there are no more.

    The place within its stretch is a hash of the stretch's number, so the choice depends on the number of rows
    alone: never on partitions, workers or a random state. Kept for the next call, and so read-only.

    Examples
    --------
    >>> sample_positions(4).tolist()
    [0, 1, 2, 3]
    >>> sample_positions(10**9).size
    65536
    """
    if n_rows <= n_sample:
        return read_only(np.arange(n_rows, dtype=np.int64))
    stretch = np.arange(n_sample + 1, dtype=np.uint64) * np.uint64(n_rows) // np.uint64(n_sample)
    length = np.diff(stretch)
    return read_only((stretch[:-1] + _hash(np.arange(n_sample, dtype=np.uint64)) % length).astype(np.int64))


def few_of(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every so many of the sampled positions, where these are enough to tell how values are spread; else none."""
    few = positions[::FEW_STEP]
    return few if few.size >= FEWEST_ROWS else few[:0]


def grows(sample: NDArray[Any]) -> bool:
    """Whether whole numbers, in row order, never fall and do rise: a counter, a clock; no sorted measurement."""
    if sample.size < 20 or not sample[-1] > sample[0]:
        return False
    return all(np.all(part[1:] >= part[:-1]) for part in (sample[:_FIRST], sample)) and whole(sample)


def unique_numbers(sample: NDArray[Any], n_rows: int) -> bool:
    """Whether whole numbers look like identifiers: no two alike, and packed close or spread over 64 bits.

    A measurement that fills a range of twice the rows would repeat itself in 100 rows with probability above
    1 - exp(-25); one in between, such as a duration in nanoseconds, is left to be a measurement.
    """
    if sample.size < 100 or not whole(sample) or np.unique(sample).size < sample.size:
        return False
    spread = int(sample.max()) - int(sample.min())
    return spread < 2 * n_rows or spread > 2**53


def whole(sample: NDArray[Any]) -> bool:
    """Whether all values are whole numbers; beyond 2^53 every double is one, and says nothing."""
    return sample.dtype.kind in "iu" or all(
        np.all((np.abs(part) <= 2.0**53) & (part == np.floor(part))) for part in (sample[:_FIRST], sample)
    )


def _hash(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
