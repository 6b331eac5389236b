"""Count the rows of a source over the columns of a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gpudrift.frames import Batch, CategoryReader, NumberReader, Problem, Source, mismatch
from gpudrift.frames.kinds import castable
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
    problems = list(source.problems)
    known = {problem.feature for problem in problems}
    usable: dict[int, Column] = {}
    for f, column in enumerate(columns):
        if column.name not in source.types:
            if column.name not in known:
                problems.append(
                    Problem(
                        column.name,
                        "is missing from the current data",
                        "add the column or drop it from the profile",
                    )
                )
        elif (why := _unlike(column, source)) is not None:
            problems.append(
                Problem(
                    column.name,
                    f"is {column.dtype} in the reference and {why}",
                    "give both sides the same type",
                )
            )
        else:
            usable[f] = column
    total = Counts.empty(profile_id)
    for batch in source.batches([column.name for column in usable.values()]):
        for f, why in _unfit(batch, usable):
            problems.append(Problem(usable.pop(f).name, why, "give both sides the same type"))
        dense = sorted(_dense(batch, usable, backend), key=lambda item: item[0])
        total = total + Counts.gather(profile_id, batch.n_rows, dense)
        if progress is not None:
            progress(batch.n_rows)
    dropped = {f for f in range(len(columns)) if f not in usable}
    kept = ~np.isin(total.keys >> 32, list(dropped))
    return Counts(profile_id, total.n_rows, total.keys[kept], total.values[kept], tuple(problems))


def _unlike(column: Column, source: Source) -> str | None:
    dtype = source.types[column.name]
    if isinstance(column, NumericColumn):
        return mismatch(column.meaning, dtype)
    return None if castable(dtype, "categorical") else f"{dtype} in the current data"


def _unfit(batch: Batch, usable: dict[int, Column]) -> list[tuple[int, str]]:
    """Columns whose values cannot be held in the profile's type without loss."""
    readers = [
        (f, NumberReader(batch.columns[column.name], column.meaning, column.plan.dtype))
        for f, column in usable.items()
        if isinstance(column, NumericColumn) and column.plan.wide
    ]
    return [(f, f"{why}, its type in the reference") for f, reader in readers if (why := reader.unfit()) is not None]


def _dense(batch: Batch, usable: dict[int, Column], backend: Backend) -> Iterator[tuple[int, NDArray[np.int64]]]:
    numeric = {f: c for f, c in usable.items() if isinstance(c, NumericColumn)}
    readers = [NumberReader(batch.columns[c.name], c.meaning, c.plan.dtype) for c in numeric.values()]
    yield from zip(numeric, backend.count_cells(readers, [c.plan for c in numeric.values()]), strict=True)
    categorical = {f: c for f, c in usable.items() if isinstance(c, CategoricalColumn)}
    texts = [CategoryReader(batch.columns[c.name], c.vocabulary) for c in categorical.values()]
    sizes = [len(c.vocabulary) + 1 for c in categorical.values()]
    yield from zip(categorical, backend.count_categories(texts, sizes), strict=True)
