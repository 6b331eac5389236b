"""Make a profile: sample the reference, plan its columns, count it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import (
    Kind,
    MemorySource,
    NumberReader,
    Problem,
    Raw,
    Source,
    TableLike,
    castable,
    column_kind,
    open_source,
    pieces,
    require_columns,
    type_name,
)
from gpudrift.profiles.bins import bin_starts
from gpudrift.profiles.column_samples import CategorySample, NumberSample, Planned
from gpudrift.profiles.columns import Column, Counted, NumericColumn
from gpudrift.profiles.counting import Progress, count_source
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.later import Later
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.sampling import FEW_STEP, LARGER_SAMPLE_ROWS, SAMPLE_ROWS, few_of, sample_positions
from gpudrift.profiles.weights import RowWeights, unit_exponent
from gpudrift_kernels.backend import Backend, get_backend
from gpudrift_kernels.boundaries import fullest_of_several
from gpudrift_kernels.cells import DTYPES
from gpudrift_kernels.on_host import on_host
from gpudrift_kernels.planning import MAX_SHARE, plan_cells, storage_dtype


def profile(
    reference: TableLike,
    *,
    columns: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    weights: str | None = None,
    backend: str | Backend = "auto",
    progress: Progress | None = None,
) -> Profile:
    """Read the reference once and keep what every later comparison needs.

    Parameters
    ----------
    reference : table
        pandas, polars or pyarrow table, RecordBatchReader, NumPy array (1-D or 2-D), mapping of names to arrays, or
        Parquet: a file, a directory, a glob, or a list of them. Parquet is streamed in bounded memory.
    columns : sequence of str, optional
        Columns to keep; all by default. Those named here count in the verdict even if they look like an index.
    categorical, numeric : sequence of str, optional
        Columns to treat as such whatever their type.
    weights : str, optional
        Column of row weights, at least 0. It is no part of the profile; bins are those of the rows.
    backend : {"auto", "cpu", "cuda", "cuda:1", ...} or Backend
        Device that counts.
    progress : callable, optional
        Called with a number of rows whenever so many have been read; every row is read twice.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        No row, no column that can be compared, an unknown column name, or an unreadable input.

    Notes
    -----
    The profile depends on the rows of the reference and their order, never on partitions, threads or device.
    Null, NaN and NaT are missing; infinities are counted apart; a column without any value stays in the profile and is
    named under ``problems``.

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> champion = gd.profile({"age": np.arange(1000) % 80, "plan": ["free", "paid"] * 500})
    >>> champion.n_rows, champion.columns
    (1000, ('age', 'plan'))
    """
    device = get_backend(backend)
    source = open_source(reference, "reference", again=True, residence=device.residence)
    return profile_source(
        source,
        columns=columns,
        categorical=categorical,
        numeric=numeric,
        backend=device,
        progress=progress,
        weights=weights,
    )


def profile_source(
    source: Source,
    *,
    columns: Sequence[str],
    categorical: Sequence[str],
    numeric: Sequence[str],
    backend: Backend,
    progress: Progress | None,
    weights: str | None = None,
    named: bool = True,
) -> Profile:
    """``profile`` of an opened source."""
    kinds, problems = _choose(source, columns, categorical, numeric)
    if weights is not None and weights not in columns:
        kinds.pop(weights, None)
    if source.types and not source.n_rows:
        raise DataError("reference has no rows; pass at least one")
    samples = [
        NumberSample(name, source) if kind == "numeric" else CategorySample(name, source)
        for name, kind in kinds.items()
    ]
    found = _planned(samples, source, backend, progress)
    planned = [column for column, _ in found if not isinstance(column, Problem)]
    problems += [problem for problem, _ in found if isinstance(problem, Problem)]
    if not planned:
        raise DataError("reference has no column that can be compared" + _listed(problems))
    exponent = 0 if weights is None else unit_exponent(source, weights)

    def counted(columns: Sequence[Column], seen: Progress | None = None) -> Counts:
        row_weights = None if weights is None else RowWeights.of(source, weights, "reference", exponent)
        return count_source(source, columns, "", backend, seen, weights=row_weights)

    rows = [rows for column, rows in found if not isinstance(column, Problem)]
    known = {f: each for f, each in enumerate(rows) if each is not None and weights is None}
    counts = _with_known(known, planned, counted, progress)
    finished, counts = _finished_columns(source, planned, counts, counted)
    problems += [problem for problem in counts.problems if problem.feature == weights]
    return Profile.build(
        finished, counts, problems=problems, explicit=frozenset(columns), weights=weights,
        weight_exponent=exponent, named=named,
    )  # fmt: skip


def _choose(
    source: Source, columns: Sequence[str], categorical: Sequence[str], numeric: Sequence[str]
) -> tuple[dict[str, Kind], list[Problem]]:
    """Kind of each column to keep, and why the others are not."""
    require_columns(source, (*columns, *categorical, *numeric), "reference")
    kept = set(columns or (*source.types, *(problem.feature for problem in source.problems)))
    problems = [problem for problem in source.problems if problem.feature in kept]
    kinds: dict[str, Kind] = {}
    for name, dtype in source.types.items():
        if name not in kept:
            continue
        wanted: Kind | None = "categorical" if name in categorical else "numeric" if name in numeric else None
        if wanted is not None and not castable(dtype, wanted):
            problems.append(Problem(name, f"is {type_name(dtype)} and cannot be {wanted}", "cast it first"))
        elif (kind := wanted or column_kind(dtype)) is not None:
            kinds[name] = kind
        elif type_name(dtype) == "null":
            problems.append(Problem(name, "has only nulls in the reference and no type", "give it a type or drop it"))
        else:
            what = f"is {type_name(dtype)}, which has neither order nor categories"
            problems.append(Problem(name, what, "flatten or cast it to compare it"))
    return kinds, problems


def _planned(
    samples: Sequence[NumberSample | CategorySample], source: Source, backend: Backend, progress: Progress | None
) -> list[Planned]:
    """Fill the samples from all rows and plan their columns; in memory one by one, so that few samples are held."""
    positions = Later(lambda: sample_positions(source.n_rows or 0))
    few = Later(lambda: few_of(positions.value))
    texts = [sample for sample in samples if isinstance(sample, CategorySample)]
    if isinstance(source, MemorySource):
        n_sampled = min(source.n_rows, SAMPLE_ROWS)

        def plan(sample: NumberSample | CategorySample) -> Planned:
            sample.add(source.columns[sample.name], positions.value)
            return sample.plan()

        _count_texts(texts, source.columns, backend)
        lacking = []
        for sample in samples:  # so little is done of each that several threads would be in each other's way
            if isinstance(sample, NumberSample) and few.value.size:
                sample.add_few(source.columns[sample.name], few.value)
            if sample.needs(n_sampled):
                lacking.append(sample)
        planned = dict(zip(lacking, backend.map(plan, lacking), strict=True))
        found = [planned.get(sample) or sample.plan() for sample in samples]
        if progress is not None:
            progress(source.n_rows)
        return found
    first = 0
    for batch in source.batches([sample.name for sample in samples]):
        lower, upper = np.searchsorted(positions.value, [first, first + batch.n_rows])
        here = positions.value[lower:upper] - first
        numbers = [sample for sample in samples if isinstance(sample, NumberSample)] if few.value.size else []
        few_here = here[-lower % FEW_STEP :: FEW_STEP]

        tasks = chain(
            (partial(sample.add, batch.columns[sample.name], here) for sample in samples),
            (partial(sample.add_few, batch.columns[sample.name], few_here) for sample in numbers),
            (
                partial(sample.count, piece)
                for sample in texts
                for piece in pieces(batch.columns[sample.name], backend.threads)
            ),
        )
        deque(backend.map(lambda task: task(), tasks), maxlen=0)
        first += batch.n_rows
        if progress is not None:
            progress(batch.n_rows)
    for sample in texts:
        sample.finish()
    return list(backend.map(lambda sample: sample.plan(), samples))


def _count_texts(samples: Sequence[CategorySample], columns: Mapping[str, Raw], backend: Backend) -> None:
    """Count all rows, of a long column on several threads; each is finished behind the last of its rows."""

    def count(task: tuple[CategorySample, Raw]) -> CategorySample:
        sample, piece = task
        sample.count(piece)
        return sample

    tasks = ((sample, piece) for sample in samples for piece in pieces(columns[sample.name], backend.threads))
    counted = backend.map(count, tasks)
    for sample, rest in groupby(counted):
        deque(rest, maxlen=0)
        sample.finish()


def _with_known(
    known: Mapping[int, NDArray[np.int64]],
    columns: Sequence[Column],
    counted: Callable[[Sequence[Column], Progress | None], Counts],
    progress: Progress | None,
) -> Counts:
    """Counts of all columns, whose rows are read for those alone that are not known."""
    rest = [f for f in range(len(columns)) if f not in known]
    if not known:
        return counted(columns, progress)
    n_rows = int(next(iter(known.values())).sum())
    counts = Counts.gather("", n_rows, ((f, rows, None) for f, rows in known.items()))
    if rest:
        return counts.with_columns({f: k for k, f in enumerate(rest)}, counted([columns[f] for f in rest], progress))
    if progress is not None:
        progress(n_rows)
    return counts


def _finished_columns(
    source: Source,
    columns: Sequence[Column],
    counts: Counts,
    counted: Callable[[Sequence[Column]], Counts],
) -> tuple[list[Column], Counts]:
    """With what the counts of the whole reference say.

    Columns whose sample misled get one larger sample, of their values alone, and are counted again.
    """
    finished = [_finished(column, counts, f) for f, column in enumerate(columns)]
    misled = {
        f: _with_larger_sample(source, column, counts.column(f))
        for f, column in enumerate(finished)
        if isinstance(column, NumericColumn) and column.width > MAX_SHARE
    }
    if misled:
        again = counted(list(misled.values()))
        counts = counts.with_columns(dict(zip(misled, range(len(misled)), strict=True)), again)
        for f, column in misled.items():
            finished[f] = _finished(column, counts, f)
    return finished, counts


def _finished(column: Column, counts: Counts, f: int) -> Column:
    """With what only the counts of the whole reference say."""
    if not isinstance(column, NumericColumn):
        return column
    indices, rows = column.value_counts(counts.column(f))
    width = fullest_of_several(indices, rows, column.plan) / max(int(rows.sum()), 1)
    return replace(column, width=width, bin_starts=bin_starts(indices, rows))


def _with_larger_sample(source: Source, column: NumericColumn, counted: Counted) -> NumericColumn:
    n_values = int(column.value_counts(counted)[1].sum())
    sample = _value_sample(source, column, n_values)
    sample = np.sort(sample.astype(storage_dtype(sample), copy=False))  # few rows may mislead about the type too
    return replace(column, plan=plan_cells(sample, whole=n_values <= LARGER_SAMPLE_ROWS))


def _value_sample(source: Source, column: NumericColumn, n_values: int) -> NDArray[Any]:
    """Finite values spread over all the finite values of a column, none of them rounded."""
    ranks = sample_positions(n_values, LARGER_SAMPLE_ROWS)
    dtype = column.dtype if column.dtype in DTYPES else column.plan.dtype

    def pieces() -> Iterator[NDArray[Any]]:
        first = 0
        for batch in source.batches([column.name]):
            reader = NumberReader(batch.columns[column.name], column.meaning, dtype)
            for start in range(0, reader.n_rows, 1 << 20):
                values, _ = reader.values(start, min(start + (1 << 20), reader.n_rows))
                finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
                lower, upper = np.searchsorted(ranks, [first, first + finite.size])
                yield on_host(finite[ranks[lower:upper] - first]).astype(dtype, copy=False)
                first += finite.size

    return np.concatenate(list(pieces()))


def _listed(problems: Sequence[Problem]) -> str:
    return "".join(f"; {problem}" for problem in problems[:5]) or "; pass at least one column"
