"""The CPU backend: one thread pool that spreads (column, rows) tasks over serial kernels."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, reduce
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.backend import CategoryColumn, NumericColumn
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.categories import categories
from gpudrift_kernels.cpu.histogram import Workspace
from gpudrift_kernels.cpu.sort import ks_sorted, sort
from gpudrift_kernels.on_host import on_host
from gpudrift_kernels.rules import MISSING
from gpudrift_kernels.tuning import policy_for

#: Rows converted at once inside a task: what a column of another dtype costs in memory, and small enough for L2.
_ROWS_PER_SLICE = 1 << 16

#: Column, first row, and the row after the last.
_Task: TypeAlias = tuple[int, int, int]


class CpuBackend:
    """Counts on the host. Safe to call from several threads at once: kernels share nothing but the pool.

    A task never waits for another task, so callers on many threads cannot lock each other out. The pool is looked
    up by its size, not held: a backend may be pickled, and outlives a fork.
    """

    name = "cpu"
    residence = None

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[NDArray[np.int64]]:
        def count(task: _Task) -> NDArray[np.int64]:
            f, start, stop = task
            workspace = Workspace(plans[f], policy_for(stop - start))
            nulls = 0
            for first in range(start, stop, _ROWS_PER_SLICE):
                values, n_null = columns[f].values(first, min(first + _ROWS_PER_SLICE, stop))
                workspace.add(on_host(values).astype(plans[f].dtype, copy=False))
                nulls += n_null
            total = workspace.total()
            total[plans[f].n_index + MISSING] += nulls
            return total

        return self._sum_by_column(count, columns)

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        def count(task: _Task) -> NDArray[np.int64]:
            f, start, stop = task
            codes, vocabulary = columns[f].codes(start, stop)
            local = categories(on_host(codes), vocabulary.size)
            total = np.zeros(n_categories[f] + 1, np.int64)
            np.add.at(total, vocabulary, local[:-1])
            total[-1] += local[-1]
            return total

        return self._sum_by_column(count, columns)

    def sort(self, values: Any) -> NDArray[Any]:
        return sort(on_host(values))

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        return ks_sorted(reference, current)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """In order, with at most a few results a thread waiting, so that memory stays bounded."""
        pool = _pool(self.threads)
        waiting: deque[Future[Any]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 4 * self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _sum_by_column(
        self, count: Callable[[_Task], NDArray[np.int64]], columns: Sequence[NumericColumn | CategoryColumn]
    ) -> Iterator[NDArray[np.int64]]:
        tasks = [_tasks(f, column.n_rows) for f, column in enumerate(columns)]
        counts = self.map(count, chain.from_iterable(tasks))
        for of_column in tasks:
            yield reduce(np.add, islice(counts, len(of_column)))


def available_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tasks(f: int, n_rows: int) -> list[_Task]:
    """Every row of column f once; a column of no rows is a task too."""
    step = policy_for(n_rows).rows_per_task
    return [(f, start, min(start + step, n_rows)) for start in range(0, max(n_rows, 1), step)]


@lru_cache(maxsize=8)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="gpudrift")


if hasattr(os, "register_at_fork"):  # a pool's threads do not survive a fork: a child makes its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
