"""The CPU backend: one thread pool that spreads (column, rows) tasks over serial kernels."""

from __future__ import annotations

import operator
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial, reduce
from itertools import chain, islice
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.backend import CategoryColumn, NumericColumn
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.categories import categories
from gpudrift_kernels.cpu.histogram import Workspace, narrow_index_of, occupied_each
from gpudrift_kernels.cpu.ks import ks_within, remainder
from gpudrift_kernels.cpu.sort import sort
from gpudrift_kernels.cpu.tally import TallyTable
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied, occupied, runs
from gpudrift_kernels.on_host import on_host
from gpudrift_kernels.rules import MISSING
from gpudrift_kernels.tuning import CELLS_PER_SORTED_ROW, FEWEST_VALUES, MOST_PER_GROUP, VALUES_PER_GROUP, policy_for

#: Rows converted at once inside a task: what a column of another dtype costs in memory, and small enough for L2.
_ROWS_PER_SLICE = 1 << 18
#: Rows that need no conversion go to a kernel at once, up to what its counters hold.
_MOST_AT_ONCE = 1 << 30

#: Column, first row, and the row after the last.
_Task: TypeAlias = tuple[int, int, int]
_Sum = TypeVar("_Sum")


class CpuBackend:
    """Counts on the host. Safe to call from several threads at once: kernels share nothing but the pool.

    A task never waits for another task, so callers on many threads cannot lock each other out. The pool is looked
    up by its size, not held: a backend may be pickled, and outlives a fork.
    """

    name = "cpu"
    residence = None

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[Occupied]:
        n_rows = [column.n_rows for column in columns]
        few = [n < plan.n_counters // CELLS_PER_SORTED_ROW for n, plan in zip(n_rows, plans, strict=True)]

        def values_of(task: _Task) -> tuple[NDArray[Any], CellPlan, int]:
            f, start, stop = task
            values, n_null = columns[f].values(start, stop)
            return np.ascontiguousarray(on_host(values), plans[f].dtype), plans[f], n_null

        def count(task: _Task) -> Occupied | NDArray[np.int64]:
            f, start, stop = task
            if few[f] and stop - start == n_rows[f]:
                return _sorted_counts(*values_of(task))
            workspace = Workspace(plans[f], policy_for(stop - start))
            step = max(stop - start, 1) if columns[f].in_place else _ROWS_PER_SLICE
            for first in range(start, stop, step):
                values, n_null = columns[f].values(first, min(first + step, stop))
                workspace.add_missing(n_null)
                workspace.add(on_host(values).astype(plans[f].dtype, copy=False))
            return workspace.total().astype(np.int64)

        def count_all(tasks: Sequence[_Task]) -> list[Occupied | NDArray[np.int64]]:
            """Whole columns that need no conversion are counted by one call for those of a type."""
            at_once: dict[str, list[_Task]] = {}
            for f, start, stop in tasks:
                if not few[f] and stop - start == n_rows[f] and columns[f].in_place:
                    at_once.setdefault(plans[f].dtype, []).append((f, start, stop))
            found: dict[_Task, Occupied | NDArray[np.int64]] = {}
            for some in at_once.values():
                found.update(zip(some, occupied_each([values_of(task) for task in some]), strict=True))
            return [found[task] if task in found else count(task) for task in tasks]

        # A thread that comes back may have to wait for another, and for its processor to be woken: few calls each.
        several = [min(c.n_rows // (4 * self.threads), _MOST_AT_ONCE) if c.in_place else 0 for c in columns]
        for counted in self._sum_by_column(count_all, columns, several):
            yield occupied(counted) if isinstance(counted, np.ndarray) else counted

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        def count(task: _Task) -> NDArray[np.int64]:
            f, start, stop = task
            counts = columns[f].counts(start, stop)
            if counts is not None:
                return counts
            codes, vocabulary = columns[f].codes(start, stop)
            local = categories(on_host(codes), vocabulary.size)
            total = np.zeros(n_categories[f] + 1, np.int64)
            np.add.at(total, vocabulary, local[:-1])
            total[-1] += local[-1]
            return total

        several = [
            min(c.n_rows // (4 * self.threads), _MOST_AT_ONCE if c.in_place else _ROWS_PER_SLICE) for c in columns
        ]
        fewest = [max(8 * n, rows) for n, rows in zip(n_categories, several, strict=True)]
        return self._sum_by_column(_each(count), columns, fewest, VALUES_PER_GROUP)

    def tally_cells(
        self,
        columns: Sequence[NumericColumn],
        plans: Sequence[CellPlan],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        def tally(task: _Task) -> Tally:
            f, start, stop = task
            table = TallyTable(grids[f], grouping)
            for first in range(start, stop, _ROWS_PER_SLICE):
                values, present = columns[f].aligned(first, min(first + _ROWS_PER_SLICE, stop))
                counters = narrow_index_of(on_host(values).astype(plans[f].dtype, copy=False), plans[f])
                if present is not None:
                    counters[~on_host(present)] = plans[f].n_index + MISSING
                table.add(counters, first)
            return table.tally

        return self._sum_by_column(_each(tally), columns, _table_rows(grids, grouping))

    def tally_categories(
        self,
        columns: Sequence[CategoryColumn],
        n_categories: Sequence[int],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        def tally(task: _Task) -> Tally:
            f, start, stop = task
            table = TallyTable(grids[f], grouping)
            for first in range(start, stop, _ROWS_PER_SLICE):
                codes, vocabulary = columns[f].codes(first, min(first + _ROWS_PER_SLICE, stop))
                counters = np.append(vocabulary, n_categories[f]).astype(np.uint32)  # missing comes last
                table.add(counters[np.minimum(on_host(codes).astype(np.uint32), vocabulary.size)], first)
            return table.tally

        return self._sum_by_column(_each(tally), columns, _table_rows(grids, grouping))

    def sort(self, values: Any, *, overwrite: bool = False) -> NDArray[Any]:
        return sort(on_host(values), overwrite=overwrite)

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        """A long rest in parts. Waits for none that waits for a thread: it may itself be called on one of the pool."""
        left = remainder(reference, current)
        own, *others = left.split(self.threads if left.n_rows >= VALUES_PER_GROUP else 1)
        within = partial(ks_within, reference, current)
        asked = [(part, _pool(self.threads).submit(within, part)) for part in others]
        return max(within(own), *(within(part) if done.cancel() else done.result() for part, done in asked), 0.0)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], *, together: int = 1) -> Iterator[Any]:
        """In order, with the results of at most a few tasks a thread waiting, so that memory stays bounded."""
        pool = _pool(self.threads)
        waiting: deque[Future[list[Any]]] = deque()
        remaining = iter(items)

        def task(some: list[Any]) -> list[Any]:
            return [function(item) for item in some]

        try:
            while some := list(islice(remaining, together)):
                waiting.append(pool.submit(task, some))
                if len(waiting) > 4 * self.threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _sum_by_column(
        self,
        count: Callable[[Sequence[_Task]], list[_Sum]],
        columns: Sequence[NumericColumn | CategoryColumn],
        fewest_rows: Sequence[int] = (),
        rows_per_task: int | None = None,
    ) -> Iterator[_Sum]:
        fewest = fewest_rows or [0] * len(columns)
        tasks = [_tasks(f, column.n_rows, fewest[f], rows_per_task) for f, column in enumerate(columns)]
        n_values = sum(max(column.n_rows, FEWEST_VALUES) for column in columns)
        several = min(max(n_values // (8 * self.threads), VALUES_PER_GROUP), MOST_PER_GROUP)
        groups = _groups(chain.from_iterable(tasks), several)
        counts: Iterator[_Sum]
        if len(groups) > 1:
            counts = chain.from_iterable(self.map(count, groups))
        else:  # handing it to a thread takes longer than many a count
            counts = chain.from_iterable(map(count, groups))
        for of_column in tasks:
            yield reduce(operator.add, islice(counts, len(of_column)))


def _each(count: Callable[[_Task], _Sum]) -> Callable[[Sequence[_Task]], list[_Sum]]:
    """Tasks in turn."""
    return lambda tasks: [count(task) for task in tasks]


def _sorted_counts(values: NDArray[Any], plan: CellPlan, n_missing: int) -> Occupied:
    """Of so few rows that sorting their counters is less work than to clear and to read a table of all counters."""
    counters = narrow_index_of(values, plan)
    if n_missing:
        counters = np.append(counters, np.full(n_missing, plan.n_index + MISSING, counters.dtype))
    counters.sort()
    return runs(counters)


def available_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _table_rows(grids: Sequence[NDArray[np.int32]], grouping: Grouping) -> list[int]:
    """Rows that are worth a table for each column: clearing and adding up one costs eight passes over it, about."""
    return [8 * grouping.n_groups * (int(grid[-1]) + 1) for grid in grids]


def _tasks(f: int, n_rows: int, fewest_rows: int, rows_per_task: int | None) -> list[_Task]:
    """Every row of column f once, in tasks of at least so many; a column of no rows is a task too."""
    step = max(rows_per_task or policy_for(n_rows).rows_per_task, fewest_rows)
    return [(f, start, min(start + step, n_rows)) for start in range(0, max(n_rows, 1), step)]


def _groups(tasks: Iterable[_Task], several: int) -> list[list[_Task]]:
    """The tasks in order, neighbours together until they are so many values; the counts of a group are held at once."""
    groups: list[list[_Task]] = []
    n_values = 0
    for task in tasks:
        if not groups or n_values >= several:
            groups.append([])
            n_values = 0
        groups[-1].append(task)
        n_values += max(task[2] - task[1], FEWEST_VALUES)
    return groups


@lru_cache(maxsize=8)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="gpudrift")


if hasattr(os, "register_at_fork"):  # a pool's threads do not survive a fork: a child makes its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
