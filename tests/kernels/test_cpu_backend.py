from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cells import SHAPES, CellPlan
from gpudrift_kernels.cpu import backend as cpu_backend
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied, occupied
from gpudrift_kernels.rules import MISSING
from gpudrift_kernels.tuning import SMALL, policy_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column in memory, with nulls that no value stands for."""

    rows: NDArray[Any]
    null: NDArray[np.bool_]
    in_place: bool = False

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
        null = self.null[start:stop]
        return self.rows[start:stop][~null], int(null.sum())

    def aligned(self, start: int, stop: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        return self.rows[start:stop], ~self.null[start:stop] if self.null.any() else None


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of a local dictionary that changes every 100 rows."""

    rows: NDArray[np.int32]
    n_categories: int
    counts_itself: bool = False
    in_place: bool = False

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def codes(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        turn = start // 100 % self.n_categories
        vocabulary = np.roll(np.arange(self.n_categories), -turn)  # local code 0 stands for category ``turn``
        local = np.where(self.rows < 0, self.rows, (self.rows - turn) % self.n_categories)
        return local[start:stop].astype(np.int32), vocabulary

    def counts(self, start: int, stop: int) -> NDArray[np.int64] | None:
        return reference.categories(self.rows[start:stop], self.n_categories) if self.counts_itself else None


def _numbers(dtype: str, n: int) -> Numbers:
    rng = np.random.default_rng(n)
    rows = rng.integers(0, 2**16, n) if dtype in ("int64", "uint64") else rng.normal(size=n) * 1e3
    return Numbers(rows.astype(dtype), rng.random(n) < 0.1)


def _plan(dtype: str) -> CellPlan:
    return CellPlan(dtype, 0, 8, 10, 5, cuts=np.arange(40))


def _expected(column: Numbers, plan: CellPlan) -> Occupied:
    counts = reference.histogram(column.rows[~column.null], plan)
    counts[plan.n_index + MISSING] += column.null.sum()
    return occupied(counts)


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    policy = replace(SMALL, rows_per_task=request.param)
    monkeypatch.setattr(cpu_backend, "policy_for", lambda n_rows: policy)
    monkeypatch.setattr(cpu_backend, "_ROWS_PER_SLICE", 33)
    monkeypatch.setattr(cpu_backend, "VALUES_PER_GROUP", 500)


@pytest.mark.parametrize("cells_per_sorted_row", [1, 1 << 20])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("small_tasks", [1, 100, 777, 10_000], indirect=True)
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.usefixtures("small_tasks")
def test_counts_are_the_same_however_rows_are_split(
    threads: int, cells_per_sorted_row: int, in_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_backend, "CELLS_PER_SORTED_ROW", cells_per_sorted_row)
    some = (_numbers(dtype, n) for n in (0, 1, 777, 2_000) for dtype in ("float32", "float64", "int64", "uint64"))
    columns = [replace(column, in_place=in_place) for column in some]
    plans = [_plan(column.rows.dtype.name) for column in columns]
    found = list(get_backend("cpu", threads=threads).count_cells(columns, plans))
    assert len(found) == len(columns)
    for counts, column, plan in zip(found, columns, plans, strict=True):
        assert [side.dtype for side in counts] == [np.int64, np.int64]
        np.testing.assert_array_equal(counts, _expected(column, plan))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("small_tasks", [1, 100, 777, 10_000], indirect=True)
@pytest.mark.usefixtures("small_tasks")
def test_categories_are_the_same_however_rows_are_split(threads: int) -> None:
    rng = np.random.default_rng(1)
    codes = [rng.integers(-2, 12, n).astype(np.int32) for n in (0, 1, 777, 2_000)]
    columns = [Codes(rows, 12, itself) for rows in codes for itself in (False, True)]
    found = list(get_backend("cpu", threads=threads).count_categories(columns, [12] * 8))
    for counts, column in zip(found, columns, strict=True):
        np.testing.assert_array_equal(counts, reference.categories(column.rows, 12))


def _grouping(n: int, *, weighted: bool) -> Grouping:
    rng = np.random.default_rng(n)
    weights = rng.integers(0, 1 << 40, n) if weighted else None
    return Grouping(rng.integers(0, 3, n).astype(np.int32), 3, weights)


def _assert_equal(found: Tally, expected: Tally) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("small_tasks", [1, 777, 10_000], indirect=True)
@pytest.mark.usefixtures("small_tasks")
def test_tallies_are_those_of_the_reference_however_rows_are_split(weighted: bool) -> None:
    for dtype in ("float32", "float64", "int64", "uint64"):
        for n in (0, 1, 2_000):
            column, grouping = _numbers(dtype, n), _grouping(n, weighted=weighted)
            plan = _plan(dtype)
            grid = (np.arange(plan.n_counters) // 50).astype(np.int32)
            (found,) = get_backend("cpu", threads=2).tally_cells([column], [plan], [grid], grouping)
            counters = np.where(column.null, plan.n_index + MISSING, reference.index_of(column.rows, plan))
            _assert_equal(found, reference.tally(counters, grid, grouping))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("small_tasks", [1, 777, 10_000], indirect=True)
@pytest.mark.usefixtures("small_tasks")
def test_tallies_of_categories_are_those_of_the_reference(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    column, grouping = Codes(rng.integers(-2, 12, 2_000).astype(np.int32), 12), _grouping(2_000, weighted=weighted)
    grid = np.array([0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 5, 5, 6], np.int32)
    (found,) = get_backend("cpu", threads=2).tally_categories([column], [12], [grid], grouping)
    _assert_equal(found, reference.tally(np.where(column.rows < 0, 12, column.rows), grid, grouping))


@pytest.mark.parametrize("cells_per_sorted_row", [1, 1 << 20])
def test_hostile_values_are_counted_as_the_reference_does(
    plan: CellPlan, hostile: NDArray[Any], cells_per_sorted_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_backend, "CELLS_PER_SORTED_ROW", cells_per_sorted_row)
    column = Numbers(hostile[:5_000], np.arange(5_000) % 7 == 0)
    for in_place in (False, True):
        (counts,) = get_backend("cpu").count_cells([replace(column, in_place=in_place)], [plan])
        np.testing.assert_array_equal(counts, _expected(column, plan))


@pytest.mark.parametrize("n_rows", [100, 3_000, 70_000])
def test_columns_of_all_plans_and_types_are_counted_in_one_call(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    columns, plans = [], []
    for dtype in ("float32", "int64", "float32", "float64", "uint64", "float64"):
        for n_cuts, (bits, octaves) in zip((0, 3, 300, 9, 0), SHAPES[:2] * 3, strict=False):
            column = _numbers(dtype, n_rows + n_cuts)
            cuts = np.unique(rng.choice(column.rows, n_cuts)) if n_cuts else np.empty(0)
            columns.append(replace(column, in_place=bool(rng.random() < 0.8)))
            plans.append(CellPlan(dtype, 0, 8, bits, octaves, dtype.startswith("f") and n_cuts == 9, cuts))
    found = get_backend("cpu", threads=2).count_cells(columns, plans)
    for counts, column, plan in zip(found, columns, plans, strict=True):
        np.testing.assert_array_equal(counts, _expected(column, plan))


def test_more_rows_than_a_task_takes_are_all_counted() -> None:
    rows = policy_for(1 << 21).rows_per_task + 70_001
    column = Numbers(np.random.default_rng(2).normal(size=rows).astype(np.float32), np.zeros(rows, bool))
    plan = CellPlan("float32", 0.0, 0, 11, 3)
    (counts,) = get_backend("cpu").count_cells([column], [plan])
    np.testing.assert_array_equal(counts, occupied(reference.histogram(column.rows, plan)))


def test_no_column_gives_no_counts() -> None:
    backend = get_backend("cpu")
    assert list(backend.count_cells([], [])) == []
    assert list(backend.count_categories([], [])) == []


def test_read_only_and_strided_columns_are_counted_as_they_are() -> None:
    rows = np.random.default_rng(3).normal(size=10_000)
    rows.flags.writeable = False

    class Strided:
        n_rows = 5_000

        in_place = False

        def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
            return rows[::2][start:stop], 0

    plan = CellPlan("float64", 0.0, 0, 11, 3)
    (counts,) = get_backend("cpu").count_cells([Strided()], [plan])
    np.testing.assert_array_equal(counts, occupied(reference.histogram(rows[::2], plan)))


def test_a_table_too_small_for_threads_is_counted_by_the_caller() -> None:
    readers = set()

    class Watched(Numbers):
        in_place = False

        def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
            readers.add(threading.current_thread())
            return super().values(start, stop)

    for n, caller_alone in ((1_000, True), (200_000, False)):
        readers.clear()
        column, plan = _numbers("float32", n), _plan("float32")
        columns = [Watched(column.rows, column.null)] * 8
        for counts in get_backend("cpu", threads=2).count_cells(columns, [plan] * 8):
            np.testing.assert_array_equal(counts, _expected(column, plan))
        assert (readers == {threading.current_thread()}) == caller_alone


def test_eight_threads_at_once_get_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_backend, "VALUES_PER_GROUP", 1)
    columns = [_numbers(dtype, 3_000) for dtype in ("float32", "int64", "float64", "float32")]
    plans = [_plan(column.rows.dtype.name) for column in columns]
    expected = [_expected(column, plan) for column, plan in zip(columns, plans, strict=True)]
    backend, start = get_backend("cpu", threads=2), threading.Barrier(8, timeout=60)
    right = [0] * 8

    def rounds(k: int) -> None:
        for _ in range(5):
            start.wait()
            found = backend.count_cells(columns, plans)
            right[k] += sum(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))

    callers = [threading.Thread(target=rounds, args=(k,)) for k in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert right == [5 * len(columns)] * 8


_COLUMN_AND_PLAN = """
import os, threading
import numpy as np
from gpudrift_kernels import reference
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu import backend as cpu_backend
from gpudrift_kernels.occupied import occupied

cpu_backend.VALUES_PER_GROUP = 1  # a thread for each column, however small

class Column:
    rows = np.random.default_rng(0).normal(size=5_000).astype(np.float32)
    n_rows = rows.size
    in_place = False

    def values(self, start, stop):
        return self.rows[start:stop], 0

plan = CellPlan("float32", 0.0, 0, 11, 3)
expected = occupied(reference.histogram(Column.rows, plan))

def right(backend):
    return all(np.array_equal(counts, expected) for counts in backend.count_cells([Column()] * 4, [plan] * 4))
"""

_FIRST_CALL = """
start, done = threading.Barrier(8, timeout=60), []

def call():
    backend = get_backend("cpu", threads=8)
    start.wait()
    done.append(right(backend))

callers = [threading.Thread(target=call) for _ in range(8)]
for caller in callers: caller.start()
for caller in callers: caller.join()
assert done == [True] * 8, done
"""

_FORK = """
held = get_backend("cpu", threads=2)
assert right(held)
child = os.fork()
if child == 0:
    os._exit(0 if right(held) and right(get_backend("cpu", threads=2)) else 1)
assert os.waitpid(child, 0)[1] == 0
assert right(held)
"""


def _run(script: str, cache: Path | None = None) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-c", _COLUMN_AND_PLAN + script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_eight_threads_may_make_the_first_call_of_all(tmp_path: Path) -> None:
    _run(_FIRST_CALL, cache=tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_backend_works_on_both_sides_of_a_fork() -> None:
    _run(_FORK)


def test_a_backend_may_be_pickled() -> None:
    backend = pickle.loads(pickle.dumps(get_backend("cpu", threads=3)))
    assert (backend.name, backend.threads) == ("cpu", 3)
    assert list(backend.map(abs, [-1])) == [1]


def test_map_keeps_the_order_of_items() -> None:
    both = threading.Barrier(2, timeout=60)

    def later_first(k: int) -> int:
        if k < 2:
            both.wait()  # items 0 and 1 run at the same time, so they end in any order
        return k * k

    assert list(get_backend("cpu", threads=2).map(later_first, range(50))) == [k * k for k in range(50)]


def test_map_holds_only_a_few_results_at_once() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for k in range(1_000):
            taken.append(k)
            yield k

    results = get_backend("cpu", threads=1).map(abs, items())
    assert taken == []
    assert next(results) == 0
    assert len(taken) == 5
    results.close()  # type: ignore[attr-defined]


def test_an_exception_reaches_the_caller_and_the_rest_is_cancelled() -> None:
    backend, reported, ran = get_backend("cpu", threads=1), threading.Event(), []

    def work(k: int) -> int:
        ran.append(k)
        if k == 0:
            raise KeyError("row 0")
        reported.wait(timeout=60)  # holds the only thread until the caller has its exception
        return k

    with pytest.raises(KeyError, match="row 0"):
        list(backend.map(work, range(100)))
    reported.set()
    assert list(backend.map(partial(abs), [-7])) == [7]  # the thread goes on, and did not work off the rest
    assert ran in ([0], [0, 1])


def test_a_column_that_fails_stops_the_count() -> None:
    class Broken:
        n_rows = 10

        in_place = False

        def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
            raise OSError("truncated file")

    plan = CellPlan("float32", 0.0, 0, 11, 3)
    good = Numbers(np.zeros(10, np.float32), np.zeros(10, bool))
    with pytest.raises(OSError, match="truncated file"):
        list(get_backend("cpu", threads=2).count_cells([good, Broken()], [plan, plan]))
