"""Make a profile: sample the reference, plan its columns, count it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import (
    Kind,
    NumberReader,
    Problem,
    Source,
    TableLike,
    column_kind,
    distinct_texts,
    number_sample,
    open_source,
)
from gpudrift.frames.categories import sample_texts
from gpudrift.frames.kinds import castable, family
from gpudrift.profiles.bins import bin_starts
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.counting import Progress, count_source
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.extent import extent
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.sampling import (
    LARGER_SAMPLE_ROWS,
    SAMPLE_ROWS,
    grows,
    sample_positions,
    unique_numbers,
)
from gpudrift_kernels.backend import Backend, BackendName, get_backend
from gpudrift_kernels.planning import MAX_SHARE, plan_cells, storage_dtype

#: Categories that a column's vocabulary may hold; of a column with more, the most frequent of its sample are kept.
MAX_CATEGORIES: Final = 1 << 16
_KEPT_OF_MORE: Final = 1 << 10


def profile(
    reference: TableLike,
    *,
    columns: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    backend: BackendName | Backend = "auto",
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
    backend : {"auto", "cpu", "cuda"} or Backend
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
    source = open_source(reference, "reference", again=True)
    return profile_source(
        source,
        columns=columns,
        categorical=categorical,
        numeric=numeric,
        backend=get_backend(backend),
        progress=progress,
    )


def profile_source(
    source: Source,
    *,
    columns: Sequence[str],
    categorical: Sequence[str],
    numeric: Sequence[str],
    backend: Backend,
    progress: Progress | None,
) -> Profile:
    """``profile`` of an opened source."""
    kinds, problems = _choose(source, columns, categorical, numeric)
    if not kinds:
        raise DataError("reference has no column that can be compared" + _listed(problems))
    if not source.n_rows:
        raise DataError("reference has no rows; pass at least one")
    samples, vocabularies = _read_samples(source, kinds, progress)

    def plan(name: str) -> Column:
        if kinds[name] == "numeric":
            return _numeric_column(name, source, samples[name])
        return _categorical_column(name, source, samples[name], vocabularies[name])

    planned = list(backend.map(plan, kinds))
    counts = count_source(source, planned, "", backend, progress)
    planned, counts = _replan(source, planned, counts, backend)
    finished = [
        replace(column, bin_starts=bin_starts(*_finite(column, counts.column(f))))
        if isinstance(column, NumericColumn)
        else column
        for f, column in enumerate(planned)
    ]
    return Profile.build(finished, counts, problems=problems, explicit=frozenset(columns))


def _choose(
    source: Source, columns: Sequence[str], categorical: Sequence[str], numeric: Sequence[str]
) -> tuple[dict[str, Kind], list[Problem]]:
    """Kind of each column to keep, and why the others are not."""
    problems = list(source.problems)
    unreadable = {problem.feature for problem in problems}
    for name in (*columns, *categorical, *numeric):
        if name not in source.types and name not in unreadable:
            near = difflib.get_close_matches(name, list(source.types), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, list(source.types)[:10]))}"
            raise DataError(f"reference has no column {name!r}: {hint}")
    kinds: dict[str, Kind] = {}
    for name, dtype in source.types.items():
        if columns and name not in columns:
            continue
        wanted: Kind | None = "categorical" if name in categorical else "numeric" if name in numeric else None
        if wanted is not None and not castable(dtype, wanted):
            problems.append(Problem(name, f"is {dtype} and cannot be {wanted}", "cast it first"))
        elif (kind := wanted or column_kind(dtype)) is not None:
            kinds[name] = kind
        elif pa.types.is_null(dtype):
            problems.append(Problem(name, "has only nulls in the reference and no type", "give it a type or drop it"))
        else:
            problems.append(
                Problem(
                    name,
                    f"is {dtype}, which has neither order nor categories",
                    "flatten or cast it to compare it",
                )
            )
    return kinds, problems


def _read_samples(
    source: Source, kinds: Mapping[str, Kind], progress: Progress | None
) -> tuple[dict[str, Any], dict[str, pa.Array | None]]:
    """Sampled values of each column in row order, and each categorical column's distinct texts (None: too many)."""
    positions = sample_positions(source.n_rows or 0)
    parts: dict[str, list[Any]] = {name: [] for name in kinds}
    vocabularies: dict[str, pa.Array | None] = dict.fromkeys(kinds)
    full: set[str] = set()
    first = 0
    for batch in source.batches(list(kinds)):
        lower, upper = np.searchsorted(positions, [first, first + batch.n_rows])
        here = positions[lower:upper] - first
        for name, kind in kinds.items():
            raw = batch.columns[name]
            if kind == "numeric":
                parts[name].append(number_sample(raw, here))
                continue
            parts[name].append(sample_texts(raw, here))
            if name not in full:
                texts = distinct_texts(raw, vocabularies[name])
                if len(texts) > MAX_CATEGORIES:
                    full.add(name)
                vocabularies[name] = None if name in full else texts
        first += batch.n_rows
        if progress is not None:
            progress(batch.n_rows)
    samples = {
        name: np.concatenate(parts[name]) if kind == "numeric" else pa.concat_arrays(parts[name])
        for name, kind in kinds.items()
    }
    return samples, vocabularies


def _numeric_column(name: str, source: Source, sample: NDArray[Any]) -> NumericColumn:
    n_rows = source.n_rows or 0
    finite = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    ordered = np.sort(finite.astype(storage_dtype(finite)))
    dtype = source.types[name]
    return NumericColumn(
        name=name,
        dtype=str(dtype),
        meaning=family(dtype),
        plan=plan_cells(ordered, whole=n_rows <= SAMPLE_ROWS),
        bin_starts=np.empty(0, np.int64),
        width=0.0,
        grows=grows(finite),
        unique=unique_numbers(finite, n_rows),
    )


def _categorical_column(name: str, source: Source, sample: pa.Array, texts: pa.Array | None) -> CategoricalColumn:
    truncated = texts is None
    unique = len(sample) >= 100 and len(sample.unique()) == len(sample)
    if texts is None:
        frequent = pa.table({"text": sample}).group_by("text").aggregate([([], "count_all")])
        frequent = frequent.sort_by([("count_all", "descending"), ("text", "ascending")])
        texts = frequent["text"].combine_chunks().slice(0, _KEPT_OF_MORE)
    texts = texts.take(pc.sort_indices(texts))
    return CategoricalColumn(
        name=name, dtype=str(source.types[name]), vocabulary=texts, truncated=truncated, unique=unique
    )


def _replan(source: Source, columns: list[Column], counts: Counts, backend: Backend) -> tuple[list[Column], Counts]:
    """Columns whose sample misled get one larger sample, of their values alone, and are counted again."""
    widths = {f: _width(c, counts.column(f), backend) for f, c in enumerate(columns) if isinstance(c, NumericColumn)}
    misled = [f for f, width in widths.items() if width > MAX_SHARE]
    if misled:
        for f in misled:
            column = columns[f]
            if isinstance(column, NumericColumn):
                _, rows = _finite(column, counts.column(f))
                sample = _value_sample(source, column, int(rows.sum()))
                plan = plan_cells(np.sort(sample), whole=int(rows.sum()) <= LARGER_SAMPLE_ROWS)
                columns = [replace(column, plan=plan) if c is column else c for c in columns]
        again = count_source(source, [columns[f] for f in misled], "", backend)
        for k, f in enumerate(misled):
            widths[f] = _width(columns[f], again.column(k), backend)
        merged = (again.column(misled.index(f)) if f in misled else counts.column(f) for f in range(len(columns)))
        keys, values = zip(*((k + (f << 32), v) for f, (k, v) in enumerate(merged)), strict=True)
        counts = replace(counts, keys=np.concatenate(keys), values=np.concatenate(values))
    columns = [replace(c, width=widths[f]) if isinstance(c, NumericColumn) else c for f, c in enumerate(columns)]
    return columns, counts


def _value_sample(source: Source, column: NumericColumn, n_values: int) -> NDArray[Any]:
    """Finite values spread over all the finite values of a column, in its plan's dtype."""
    ranks = sample_positions(n_values, LARGER_SAMPLE_ROWS)

    def pieces() -> Iterator[NDArray[Any]]:
        first = 0
        for batch in source.batches([column.name]):
            reader = NumberReader(batch.columns[column.name], column.meaning, column.plan.dtype)
            for start in range(0, reader.n_rows, 1 << 20):
                values, _ = reader.values(start, min(start + (1 << 20), reader.n_rows))
                finite = values if column.plan.wide else values[np.isfinite(values)]
                lower, upper = np.searchsorted(ranks, [first, first + finite.size])
                yield finite[ranks[lower:upper] - first]
                first += finite.size

    return np.concatenate(list(pieces()))


def _finite(
    column: NumericColumn, counted: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Occupied indices and their rows, without the special counters."""
    indices, rows = counted
    end = np.searchsorted(indices, column.plan.n_index)
    return indices[:end], rows[:end]


def _width(column: Column, counted: tuple[NDArray[np.int64], NDArray[np.int64]], backend: Backend) -> float:
    """Largest share of the reference in an index that holds more than one value."""
    if not isinstance(column, NumericColumn):
        return 0.0
    indices, rows = _finite(column, counted)
    if not rows.size:
        return 0.0
    largest = np.argsort(-rows, kind="stable")
    for start in range(0, largest.size, 64):  # nearly always the first few hold more than one value
        some = np.sort(largest[start : start + 64])
        several = ~extent(indices[some], column.plan, backend).single
        if several.any():
            return float(rows[some][several].max() / rows.sum())
    return 0.0


def _listed(problems: Sequence[Problem]) -> str:
    return "".join(f"; {problem.feature}: {problem.what}" for problem in problems[:5]) or "; pass at least one column"
