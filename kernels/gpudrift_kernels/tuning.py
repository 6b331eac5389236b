"""Every launch number, beside what was measured when it was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class LaunchPolicy:
    """How a CPU task walks a column.

    Attributes
    ----------
    rows_per_task : rows that one thread counts into one private table.
    lanes : private histograms of a task, up to 4, for a column that may repeat a value; neighbours go to different
        ones, so that a run of equal values does not wait for its own store. Other columns take one.
    max_compared_cuts : up to so many cuts are compared one by one; more go through the per-cell table.
    """

    rows_per_task: int
    lanes: int
    max_compared_cuts: int


#: Measured by `python -m benchmarks.tune_cpu` on 2 cores with AVX-512. Lanes: a second one counts a constant column 1.6
#: to 1.9 times as fast, whole numbers 5% slower; a fourth a constant 2.5 times, whole numbers a quarter slower. Cuts:
#: comparing is faster than searching up to 18 for float32, 7 for float64; at 24 it takes 1.1 and 2 times as long.
LARGE = LaunchPolicy(rows_per_task=1 << 20, lanes=2, max_compared_cuts=8)
#: Below this many rows clearing and adding up a second table costs more than the stalls it avoids.
SMALL = LaunchPolicy(rows_per_task=1 << 20, lanes=1, max_compared_cuts=8)
SMALL_ROWS = 1 << 16
#: For so few rows any number of cuts is compared sooner than the table is made: 0.2 ms for 16,000 cells, once a plan.
TINY = LaunchPolicy(rows_per_task=1 << 20, lanes=1, max_compared_cuts=1 << 13)
TINY_ROWS = 1 << 10
#: The policy of a column by the rows that it has fewer than.
CPU: Final = ((TINY_ROWS, TINY), (SMALL_ROWS, SMALL), (1 << 63, LARGE))
#: Values whose slots are computed before any is counted; the compiler unrolls by it. 64 to 128 are within 5% of each
#: other, 32 are up to a third slower, with cuts, whose loops LLVM no longer vectorises, up to two times.
VALUES_AT_ONCE: Final = 64
#: Cache lines between the values that are counted and those that are fetched. 16 to 64 are within 5% of each other;
#: with none float32 is counted a fifth slower, float64 takes up to twice as long.
LINES_AHEAD: Final = 32
#: A column with fewer rows than its counters over this is counted by sorting. Measured on 16,291 counters: 300 take
#: 6.8 us instead of 19, 1,000 rows 9.3 instead of 21, 2,000 rows 14 instead of 21, 4,000 rows 38 instead of 33.
CELLS_PER_SORTED_ROW: Final = 8
#: Values that one thread counts before another is asked: 0.1 ms, where handing over a task takes 0.02 to 0.05; and at
#: most, where there are many columns: 100 of 100,000 rows take 0.8 of the time, and the counts of all are held at once.
VALUES_PER_GROUP: Final = 1 << 17
MOST_PER_GROUP: Final = 1 << 20
#: What a column weighs at least in that, in values: for fewer rows the call itself is the work.
FEWEST_VALUES: Final = 1 << 11


def policy_for(n_rows: int) -> LaunchPolicy:
    """The policy for a column of ``n_rows`` rows."""
    return next(policy for most_rows, policy in CPU if n_rows < most_rows)


@dataclass(frozen=True)
class CudaPolicy:
    """How the histogram runs on a GPU, for the plans of one width.

    Attributes
    ----------
    threads : threads of a block.
    blocks : blocks that a multiprocessor runs at once: what shared memory and registers are cut to.
    loads : 16-byte loads of a thread that are in flight at once.
    group : values that a thread counts before a branch asks whether one of them needs a second look.
    rows_per_block : fewer rows are not worth another block, which clears and adds up a table of its own.
    """

    threads: int
    blocks: int
    loads: int
    group: int
    rows_per_block: int


#: Compute capability to (float32, 64-bit plans); the newest that is not newer than the device serves it.
#: Not measured on any GPU. float32: 2,048 threads fill a multiprocessor, at 32 registers each, and with two loads
#: keep 64 KiB in flight, where latency times bandwidth asks for 20. 64-bit plans hold half the values a byte, and their
#: eight cuts alone take 16 registers: half the threads at twice the registers. By their machine code, groups of 8 spill
#: for float16, and groups of 2 take one more instruction a value. Shared memory holds two tables of any plan without
#: cuts on 9.0 and 10.0 (113 KiB each), on 8.0 all but the widest (81 KiB), elsewhere their middles.
_CUDA: Final = {
    (7, 5): (CudaPolicy(1024, 1, 2, 4, 1 << 15), CudaPolicy(512, 1, 2, 4, 1 << 15)),
    (8, 0): (CudaPolicy(1024, 2, 2, 4, 1 << 15), CudaPolicy(512, 2, 2, 4, 1 << 15)),
    (8, 6): (CudaPolicy(768, 2, 2, 4, 1 << 15), CudaPolicy(512, 2, 2, 4, 1 << 15)),
    (9, 0): (CudaPolicy(1024, 2, 2, 4, 1 << 15), CudaPolicy(512, 2, 2, 4, 1 << 15)),
    (10, 0): (CudaPolicy(1024, 2, 2, 4, 1 << 15), CudaPolicy(512, 2, 2, 4, 1 << 15)),
    (12, 0): (CudaPolicy(768, 2, 2, 4, 1 << 15), CudaPolicy(512, 2, 2, 4, 1 << 15)),
}
#: Numba asks for no more shared memory than this.
NUMBA_SHARED_BYTES: Final = 48 << 10
#: Not measured. Grids of the Numba kernels: their threads, the rows that are worth another block, and blocks enough for
#: every multiprocessor of any GPU.
NUMBA_THREADS: Final = 512
NUMBA_ROWS_PER_BLOCK: Final = 1 << 14
NUMBA_MOST_BLOCKS: Final = 512


def numba_grid(n_rows: int, most_blocks: int) -> int:
    """Blocks of a Numba kernel over so many rows."""
    return max(1, min(-(-n_rows // NUMBA_ROWS_PER_BLOCK), most_blocks))


def cuda_policy_for(capability: tuple[int, int], plan_dtype: str) -> CudaPolicy:
    """The policy of a device of this compute capability for plans of this dtype."""
    known = max((c for c in _CUDA if c <= capability), default=min(_CUDA))
    return _CUDA[known][0 if plan_dtype == "float32" else 1]


@dataclass(frozen=True)
class StagingPolicy:
    """How rows of the host go to a device.

    Attributes
    ----------
    chunk_bytes : what is copied at once, from pinned memory.
    chunks : how many are there at once: one is filled while others are copied and counted.
    fewest_chunk_bytes : where even this does not fit, the device has no memory to speak of.
    rows_per_piece : rows of one column that one host thread converts at a time.
    """

    chunk_bytes: int
    chunks: int
    fewest_chunk_bytes: int
    rows_per_piece: int


#: Not measured. 32 MiB take 0.6 ms at the 55 GB/s of PCIe 5: a hundred times what a copy and a launch cost to start.
STAGING: Final = StagingPolicy(chunk_bytes=32 << 20, chunks=3, fewest_chunk_bytes=1 << 20, rows_per_piece=1 << 18)
#: A launch must see fewer than 2**32 rows of a column, or a 32-bit counter could overflow.
ROWS_PER_LAUNCH: Final = 1 << 30
