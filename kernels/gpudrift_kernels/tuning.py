"""Every launch number, beside what was measured when it was chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LaunchPolicy:
    """How a CPU task walks a column.

    Attributes
    ----------
    rows_per_block : values whose indices are computed at once, in vector registers, before any is counted.
    rows_per_task : rows that one thread counts into one private table.
    lanes : private histograms of a task; neighbouring values go to different ones, so that a run of equal
        values does not wait for its own store.
    max_compared_cuts : up to so many cuts are compared one by one; more go through the per-cell table.
    """

    rows_per_block: int
    rows_per_task: int
    lanes: int
    max_compared_cuts: int


#: Measured on 2 cores with AVX-512, 10M to 20M rows. Blocks: 4,096 rows are 4% faster than 2,048 for float32, 2% for
#: float64; 8,192 are no better. Lanes: four count a constant column as fast as a normal one. Cuts: 32 compared ones
#: halve the rate, about what the table path costs.
LARGE = LaunchPolicy(rows_per_block=4096, rows_per_task=1 << 20, lanes=4, max_compared_cuts=24)
#: Below this many rows clearing and adding up four tables costs more than the stalls they avoid.
SMALL = LaunchPolicy(rows_per_block=4096, rows_per_task=1 << 20, lanes=1, max_compared_cuts=24)
SMALL_ROWS = 1 << 16
#: For so few rows any number of cuts is compared sooner than the table is made: 0.2 ms for 16,000 cells.
TINY = LaunchPolicy(rows_per_block=4096, rows_per_task=1 << 20, lanes=1, max_compared_cuts=1 << 13)
TINY_ROWS = 1 << 10


def policy_for(n_rows: int) -> LaunchPolicy:
    """The policy for a column of ``n_rows`` rows."""
    return TINY if n_rows < TINY_ROWS else SMALL if n_rows < SMALL_ROWS else LARGE
