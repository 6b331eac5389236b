"""Count the rows of a source over the columns of a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeVar

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
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied, occupied

Progress = Callable[[int], None]
_Found = TypeVar("_Found")


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
        readers = _readers(batch, usable)
        for f, problem in readers.obstacles:
            problems.append(problem)
            del usable[f]
        units = weights.units(batch) if weights else None
        together = None if units is None else Grouping(np.zeros(batch.n_rows, np.int32), 1, units)
        total = total + Counts.of_columns(
            profile_id,
            batch.n_rows,
            _counted(readers, usable, backend, together),
            most=sum(min(column.n_counters, batch.n_rows) for column in usable.values()),
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


class _Readers(NamedTuple):
    """The columns of a batch as they are counted, by their place in the profile; and what cannot be, and why."""

    numbers: dict[int, NumberReader]
    texts: dict[int, CategoryReader]
    obstacles: list[tuple[int, Problem]]


def _readers(batch: Batch, usable: Mapping[int, Column]) -> _Readers:
    """Where all rows of a column are missing, whatever type their library gave them, plain nulls."""
    found = _Readers({}, {}, [])
    for f, column in usable.items():
        raw = batch.columns[column.name]
        fits = _fits(column, raw)
        if not fits and not all_missing(raw):
            found.obstacles.append((f, Problem(column.name, _differs(column, raw), _remedy(column, raw))))
            continue
        rows = raw if fits else no_values(batch.n_rows)
        if not isinstance(column, NumericColumn):
            found.texts[f] = CategoryReader(rows, column.vocabulary)
            continue
        reader = NumberReader(rows, column.meaning, column.plan.dtype)
        if fits and not reader.is_exact():
            what = f"{_differs(column, raw)}, beyond the whole numbers that both hold"
            remedy = "keep it an integer; nullable integer types hold nulls"
            found.obstacles.append((f, Problem(column.name, what, remedy)))
            continue
        found.numbers[f] = reader
    return found


def _differs(column: Column, raw: Raw) -> str:
    return f"is {column.dtype} in the reference and {type_name(arrow_type(raw))} in the current data"


def _fits(column: Column, raw: Raw) -> bool:
    if isinstance(column, NumericColumn):
        return numbers_fit(column.meaning, arrow_type(raw))
    return categories_fit(column.dtype, arrow_type(raw))


def _remedy(column: Column, raw: Raw) -> str:
    if column.dtype.startswith("timestamp") and type_name(arrow_type(raw)).startswith("timestamp"):
        return "give both sides a time zone, or neither"
    return "give both sides the same type"


def _counted(
    readers: _Readers, usable: Mapping[int, Column], backend: Backend, weighted: Grouping | None
) -> Iterator[tuple[int, Occupied, NDArray[np.int64] | None]]:
    """Counts, and weights if rows have any, of each column in turn: only a few dense tables are alive at once."""
    if weighted is not None:
        grids = {f: np.arange(column.n_counters, dtype=np.int32) for f, column in usable.items()}
        for f, tally in _tallies(readers, usable, grids, weighted, backend):
            counters, rows = occupied(tally.rows[0])
            yield f, (counters, rows), None if tally.weights is None else tally.weights[0][counters]
        return
    numbers = backend.count_cells(list(readers.numbers.values()), _plans(readers, usable))
    texts = backend.count_categories(list(readers.texts.values()), _sizes(readers, usable))
    for f, counted in _in_turn(readers, numbers, map(occupied, texts)):
        yield f, counted, None


def tallies(
    batch: Batch,
    usable: Mapping[int, Column],
    grids: Mapping[int, NDArray[np.int32]],
    grouping: Grouping,
    backend: Backend,
) -> Iterator[tuple[int, Tally]]:
    """Rows of a batch by group and grid cell, of each usable column in turn."""
    return _tallies(_readers(batch, usable), usable, grids, grouping, backend)


def _tallies(
    readers: _Readers,
    usable: Mapping[int, Column],
    grids: Mapping[int, NDArray[np.int32]],
    grouping: Grouping,
    backend: Backend,
) -> Iterator[tuple[int, Tally]]:
    of_numbers, of_texts = ([grids[f] for f in kind] for kind in (readers.numbers, readers.texts))
    numbers = backend.tally_cells(list(readers.numbers.values()), _plans(readers, usable), of_numbers, grouping)
    texts = backend.tally_categories(list(readers.texts.values()), _sizes(readers, usable), of_texts, grouping)
    return _in_turn(readers, numbers, texts)


def _in_turn(readers: _Readers, numbers: Iterable[_Found], texts: Iterable[_Found]) -> Iterator[tuple[int, _Found]]:
    """What was found of each column, in the order of the profile."""
    found = [zip(kind, of, strict=True) for kind, of in ((readers.numbers, numbers), (readers.texts, texts)) if kind]
    return found[0] if len(found) == 1 else merge(*found, key=itemgetter(0))


def _plans(readers: _Readers, usable: Mapping[int, Column]) -> list[CellPlan]:
    return [column.plan for f in readers.numbers if isinstance(column := usable[f], NumericColumn)]


def _sizes(readers: _Readers, usable: Mapping[int, Column]) -> list[int]:
    """Categories of each vocabulary, and "new"."""
    return [len(c.vocabulary) + 1 for f in readers.texts if isinstance(c := usable[f], CategoricalColumn)]
