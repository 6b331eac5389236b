"""What the kernels need of the plans of a table, and the counts they fill: one copy to the device, one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import cut_table

_ALIGNMENT: Final = 16


class PlanTables:
    """One block of device memory: [ counts of each column | cuts and cut table of each plan ].

    Parameters
    ----------
    plans : sequence of CellPlan
        One a column.
    compared_cuts : int
        Plans of floats with at most so many cuts get just these: they are compared in registers. The others get a cut
        table too, and are searched.
    stream
        Numba's; everything is copied on it.
    """

    def __init__(self, plans: Sequence[CellPlan], compared_cuts: int, stream: Any) -> None:
        self.plans = plans
        self._stream = stream
        self._first_counts = np.cumsum([0, *(plan.n_counters for plan in plans)])
        host = [np.zeros(self._first_counts[-1], np.uint64).view(np.uint8)]
        self._ends = host[0].size
        self._parts = [self._append(host, plan, compared_cuts) for plan in plans]
        self._memory = cuda.to_device(np.concatenate(host), stream=stream)

    def counts(self, f: int) -> Any:
        """Counters of column f; uint64 on the device."""
        first, last = self._first_counts[f : f + 2] * 8
        return self._memory[first:last].view(np.uint64)

    def cuts(self, f: int) -> Any:
        """Cuts of plan f; of its dtype, on the device."""
        first, table, _ = self._parts[f]
        return self._memory[first:table].view(np.dtype(self.plans[f].dtype))

    def cut_table(self, f: int) -> Any:
        """For each cell of plan f, how many cuts lie in lower ones; int32, empty where none is searched."""
        _, table, end = self._parts[f]
        return self._memory[table:end].view(np.int32)

    def addresses(self, f: int) -> tuple[int, int, int]:
        """Of the counts, the cuts and the cut table of f; 0 for an empty table."""
        base = int(self._memory.__cuda_array_interface__["data"][0])
        cuts, table, end = self._parts[f]
        return base + 8 * int(self._first_counts[f]), base + cuts, base + table if table < end else 0

    def fetch(self) -> list[NDArray[np.int64]]:
        """The counts of every column, in one copy; waits for the stream."""
        counted = self._memory[: 8 * self._first_counts[-1]].view(np.uint64).copy_to_host(stream=self._stream)
        self._stream.synchronize()
        return [part.astype(np.int64) for part in np.split(counted, self._first_counts[1:-1])]

    def _append(self, host: list[NDArray[np.uint8]], plan: CellPlan, compared_cuts: int) -> tuple[int, int, int]:
        """Add what a plan needs; where its cuts begin and end, which is where its table begins, and where that ends."""
        cuts, table = plan.cuts, np.empty(0, np.int32)
        if cuts.size > compared_cuts or (cuts.size and plan.wide):  # of integers none is beyond every value, as NaN is
            table = cut_table(plan)
        first = self._ends + -self._ends % _ALIGNMENT
        middle, end = first + cuts.nbytes, first + cuts.nbytes + table.nbytes
        host += [np.zeros(first - self._ends, np.uint8), cuts.view(np.uint8), table.view(np.uint8)]
        self._ends = end
        return first, middle, end
