"""Count the rows of a source over the columns of a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gpudrift.frames import (
    Batch,
    CategoryReader,
    NumberReader,
    Problem,
    Raw,
    Source,
    all_missing,
    arrow_type,
    categories_fit,
    no_values,
    numbers_fit,
    type_name,
)
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.weights import RowWeights, squares_by_group
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied, occupied

Progress = Callable[[int], None]


class Groups(Protocol):
    """Counts rows by group beside the total: windows, slices."""

    @property
    def names(self) -> Sequence[str]:
        """Columns to read besides those of the profile."""
        ...

    def add(self, batch: Batch, columns: Mapping[int, Column], weights: NDArray[np.int64] | None) -> None:
        """Count the rows of a batch, whose usable columns are given by their place in the profile."""
        ...


def count_source(
    source: Source,
    columns: Sequence[Column],
    profile_id: str,
    backend: Backend,
    progress: Progress | None = None,
    *,
    weights: RowWeights | None = None,
    groups: Groups | None = None,
) -> Counts:
    """Counts of every column of the profile that the source holds in a type that can be compared.

    The others are named in ``problems`` and have no counts; nothing is lost of the rest. ``groups`` see every batch.
    """
    names = {column.name for column in columns}
    problems = [problem for problem in source.problems if problem.feature in names]
    unreadable = {problem.feature for problem in problems}
    usable: dict[int, Column] = {}
    for f, column in enumerate(columns):
        if column.name in source.types:
            usable[f] = column
        elif column.name not in unreadable:
            remedy = "add the column or drop it from the profile"
            problems.append(Problem(column.name, "is missing from the current data", remedy))
    further = [*(groups.names if groups else ()), *([weights.name] if weights else ())]
    total, known = Counts.empty(profile_id, weighted=weights is not None), len(usable)
    for batch in source.batches(list(dict.fromkeys([*(column.name for column in usable.values()), *further]))):
        for f, problem in _obstacles(batch, usable):
            problems.append(problem)
            del usable[f]
        units = weights.units(batch) if weights else None
        together = None if units is None else Grouping(np.zeros(batch.n_rows, np.int32), 1, units)
        total = total + Counts.of_columns(
            profile_id,
            batch.n_rows,
            _counted(batch, usable, backend, together),
            weighted=weights is not None,
            squares=0 if together is None or units is None else squares_by_group(units, together.groups, 1)[0],
        )
        if groups:
            groups.add(batch, usable, units)
        if progress is not None:
            progress(batch.n_rows)
    if weights:
        problems += weights.problems()
    if len(usable) < known:
        kept = np.isin(total.keys >> 32, list(usable))
        heavy = None if total.weights is None else total.weights[kept]
        total = replace(total, keys=total.keys[kept], values=total.values[kept], weights=heavy)
    return replace(total, problems=tuple(problems))


def _obstacles(batch: Batch, usable: Mapping[int, Column]) -> list[tuple[int, Problem]]:
    """Columns of the batch that cannot be counted as the profile does, and why."""
    found = []
    for f, column in usable.items():
        raw = batch.columns[column.name]
        fits = _fits(column, raw)
        exact = not fits or not isinstance(column, NumericColumn) or _reader(batch, column).is_exact()
        if (fits and exact) or (not fits and all_missing(raw)):
            continue
        what = f"is {column.dtype} in the reference and {type_name(arrow_type(raw))} in the current data"
        if not fits:
            found.append((f, Problem(column.name, what, _remedy(column, raw))))
        else:
            remedy = "keep it an integer; nullable integer types hold nulls"
            found.append((f, Problem(column.name, f"{what}, beyond the whole numbers that both hold", remedy)))
    return found


def _fits(column: Column, raw: Raw) -> bool:
    if isinstance(column, NumericColumn):
        return numbers_fit(column.meaning, arrow_type(raw))
    return categories_fit(column.dtype, arrow_type(raw))


def _remedy(column: Column, raw: Raw) -> str:
    if column.dtype.startswith("timestamp") and type_name(arrow_type(raw)).startswith("timestamp"):
        return "give both sides a time zone, or neither"
    return "give both sides the same type"


def _counted(
    batch: Batch, usable: Mapping[int, Column], backend: Backend, weighted: Grouping | None
) -> Iterator[tuple[int, Occupied, NDArray[np.int64] | None]]:
    """Counts, and weights if rows have any, of each column in turn: only a few dense tables are alive at once."""
    if weighted is not None:
        grids = {f: np.arange(column.n_counters, dtype=np.int32) for f, column in usable.items()}
        for f, tally in tallies(batch, usable, grids, weighted, backend):
            counters, rows = occupied(tally.rows[0])
            yield f, (counters, rows), None if tally.weights is None else tally.weights[0][counters]
        return
    numeric, categorical = _by_kind(usable)
    readers = [_reader(batch, c) for c in numeric.values()]
    numbers = zip(numeric, backend.count_cells(readers, [c.plan for c in numeric.values()]), strict=True)
    texts = [_category_reader(batch, c) for c in categorical.values()]
    categories = zip(categorical, map(occupied, backend.count_categories(texts, _sizes(categorical))), strict=True)
    for f, counted in merge(numbers, categories, key=itemgetter(0)):
        yield f, counted, None


def tallies(
    batch: Batch,
    usable: Mapping[int, Column],
    grids: Mapping[int, NDArray[np.int32]],
    grouping: Grouping,
    backend: Backend,
) -> Iterator[tuple[int, Tally]]:
    """Rows of a batch by group and grid cell, of each usable column in turn."""
    numeric, categorical = _by_kind(usable)
    readers = [_reader(batch, c) for c in numeric.values()]
    plans = [c.plan for c in numeric.values()]
    numbers = backend.tally_cells(readers, plans, [grids[f] for f in numeric], grouping)
    texts = [_category_reader(batch, c) for c in categorical.values()]
    categories = backend.tally_categories(texts, _sizes(categorical), [grids[f] for f in categorical], grouping)
    yield from merge(zip(numeric, numbers, strict=True), zip(categorical, categories, strict=True), key=itemgetter(0))


def _by_kind(usable: Mapping[int, Column]) -> tuple[dict[int, NumericColumn], dict[int, CategoricalColumn]]:
    numeric = {f: c for f, c in usable.items() if isinstance(c, NumericColumn)}
    return numeric, {f: c for f, c in usable.items() if isinstance(c, CategoricalColumn)}


def _sizes(categorical: Mapping[int, CategoricalColumn]) -> list[int]:
    return [len(c.vocabulary) + 1 for c in categorical.values()]


def _category_reader(batch: Batch, column: CategoricalColumn) -> CategoryReader:
    return CategoryReader(_raw(batch, column), column.vocabulary)


def _reader(batch: Batch, column: NumericColumn) -> NumberReader:
    return NumberReader(_raw(batch, column), column.meaning, column.plan.dtype)


def _raw(batch: Batch, column: Column) -> Raw:
    """The rows of a column; plain nulls where all are missing, whatever type their library gave them."""
    raw = batch.columns[column.name]
    return raw if _fits(column, raw) else no_values(batch.n_rows)
