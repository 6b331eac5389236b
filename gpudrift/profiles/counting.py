"""Count the rows of a source over the columns of a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter

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
from gpudrift_kernels.backend import Backend

Progress = Callable[[int], None]


def count_source(
    source: Source,
    columns: Sequence[Column],
    profile_id: str,
    backend: Backend,
    progress: Progress | None = None,
) -> Counts:
    """Counts of every column of the profile that the source holds in a type that can be compared.

    The others are named in ``problems`` and have no counts; nothing is lost of the rest.
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
    total, known = Counts.empty(profile_id), len(usable)
    for batch in source.batches([column.name for column in usable.values()]):
        for f, problem in _obstacles(batch, usable):
            problems.append(problem)
            del usable[f]
        total = total + Counts.gather(profile_id, batch.n_rows, _dense(batch, usable, backend))
        if progress is not None:
            progress(batch.n_rows)
    keys, values = total.keys, total.values
    if len(usable) < known:
        kept = np.isin(keys >> 32, list(usable))
        keys, values = keys[kept], values[kept]
    return Counts(profile_id, total.n_rows, keys, values, tuple(problems))


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


def _dense(batch: Batch, usable: Mapping[int, Column], backend: Backend) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Counts of each column in turn: only a few of these tables are alive at once."""
    numeric = {f: c for f, c in usable.items() if isinstance(c, NumericColumn)}
    readers = [_reader(batch, c) for c in numeric.values()]
    numbers = zip(numeric, backend.count_cells(readers, [c.plan for c in numeric.values()]), strict=True)
    categorical = {f: c for f, c in usable.items() if isinstance(c, CategoricalColumn)}
    texts = [CategoryReader(_raw(batch, c), c.vocabulary) for c in categorical.values()]
    sizes = [len(c.vocabulary) + 1 for c in categorical.values()]
    categories = zip(categorical, backend.count_categories(texts, sizes), strict=True)
    return merge(numbers, categories, key=itemgetter(0))


def _reader(batch: Batch, column: NumericColumn) -> NumberReader:
    return NumberReader(_raw(batch, column), column.meaning, column.plan.dtype)


def _raw(batch: Batch, column: Column) -> Raw:
    """The rows of a column; plain nulls where all are missing, whatever type their library gave them."""
    raw = batch.columns[column.name]
    return raw if _fits(column, raw) else no_values(batch.n_rows)
