"""Stream: the labelled rows of a table as blocks that a learner reads, as often as it likes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Raw, Source, arrow_type, column_kind, floats, require_columns, rows_at
from gpudrift.retrain.features import MISSING, OTHER, Features, Inputs
from gpudrift.retrain.target import Target, has_label

#: None, the name of a column, or one number a row: not negative, not missing.
Weights: TypeAlias = str | ArrayLike | None

#: Learners of 32 bits hold no more, and sum it.
MOST_WEIGHT: Final = 1e30

#: Columns of a sample beside the features.
LABEL, WEIGHT = "gpudrift:label", "gpudrift:weight"


@dataclass(frozen=True)
class Rows:
    """Some labelled rows: inputs, labels (float64, or int64 codes of classes), weights (None: all 1)."""

    inputs: Inputs
    labels: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: NDArray[np.int64]) -> Rows:
        """Rows at positions."""
        weights = None if self.weights is None else self.weights[positions]
        return Rows(self.inputs.take(positions), self.labels[positions], weights)


def joined(parts: Sequence[Rows]) -> Rows:
    """The parts one after the other; a part without weights weighs 1 a row."""
    if len(parts) == 1:
        return parts[0]
    weights = None
    if any(part.weights is not None for part in parts):
        weights = np.concatenate([np.ones(len(part)) if part.weights is None else part.weights for part in parts])
    numbers = np.concatenate([part.inputs.numbers for part in parts])
    codes = np.concatenate([part.inputs.codes for part in parts])
    return Rows(Inputs(numbers, codes), np.concatenate([part.labels for part in parts]), weights)


@dataclass(frozen=True)
class Summary:
    """Labelled rows, the sum of their weights, features without a value, rows of a category without a code of its own,
    and a SHA-256 of all that a learner sees."""

    n_rows: int
    weight: float
    empty: tuple[str, ...]
    other: Mapping[str, int]
    digest: str


class Labelled:
    """The rows of a source that have a label, batch by batch, without those at ``left_out``: positions among them."""

    def __init__(
        self, source: Source, target: str, weights: Weights, role: str, *, left_out: NDArray[np.int64] | None = None
    ) -> None:
        require_readable(source, [target, weights] if isinstance(weights, str) else [target], role)
        self.source = source
        self.target = target
        self.role = role
        self._weights = weights if weights is None or isinstance(weights, str) else _numbers(weights)
        self._left_out = np.empty(0, np.int64) if left_out is None else left_out

    def without(self, positions: NDArray[np.int64]) -> Labelled:
        """The same without the rows at ascending positions."""
        return Labelled(self.source, self.target, self._weights, self.role, left_out=positions)

    @property
    def features(self) -> list[str]:
        """Columns that are neither the target nor the weights."""
        return [name for name in self.source.types if name not in (self.target, self._weights_name)]

    @property
    def _weights_name(self) -> str | None:
        return self._weights if isinstance(self._weights, str) else None

    def labels(self) -> Iterator[Raw]:
        """The target's column."""
        return (batch.columns[self.target] for batch in self.source.batches([self.target]))

    def batches(self, names: Sequence[str]) -> Iterator[tuple[Batch, Raw, NDArray[np.float64] | None]]:
        """Columns, labels and weights of the rows that have a label."""
        extra = [self.target, *filter(None, [self._weights_name])]
        start = n_labelled = 0
        for batch in self.source.batches([*names, *extra]):
            weights = self._weights_of(batch, start)
            start += batch.n_rows
            if weights is not None and weights.shape != (batch.n_rows,):
                break  # too few of them
            labels = batch.columns[self.target]
            kept = np.flatnonzero(has_label(labels))
            lower, upper = np.searchsorted(self._left_out, [n_labelled, n_labelled + kept.size])
            out = self._left_out[lower:upper] - n_labelled
            n_labelled += kept.size
            kept = np.delete(kept, out)
            columns = {name: batch.columns[name] for name in names}
            if kept.size == batch.n_rows:
                yield Batch(columns, batch.n_rows), labels, weights
                continue
            columns = {name: rows_at(raw, kept) for name, raw in columns.items()}
            yield Batch(columns, kept.size), rows_at(labels, kept), None if weights is None else weights[kept]
        if isinstance(self._weights, np.ndarray) and self._weights.shape != (start,):
            raise DataError(f"weights have shape {self._weights.shape} for {start:,} rows; pass one number a row")

    def _weights_of(self, batch: Batch, start: int) -> NDArray[np.float64] | None:
        if self._weights is None:
            return None
        if isinstance(self._weights, str):
            raw = batch.columns[self._weights]
            if column_kind(arrow_type(raw)) != "numeric":
                raise DataError(f"weights {self._weights!r} are {arrow_type(raw)}, not numbers; cast them")
            weights = floats(raw)
        else:
            weights = self._weights[start : start + batch.n_rows]
        if not np.all((weights >= 0) & np.isfinite(weights)):
            raise DataError("weights hold a negative, infinite or missing value; give every row a number of 0 or more")
        if np.any(weights > MOST_WEIGHT):
            raise DataError(f"weights reach {weights.max():.3g}, beyond what every learner holds; divide them all")
        return weights


def _numbers(weights: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"weights are no numbers ({error}); pass one number a row, or the name of a column") from error


def require_readable(source: Source, names: Sequence[str], role: str) -> None:
    """Raise DataError for a column that is not there or cannot be read."""
    require_columns(source, names, role)
    for problem in source.problems:
        if problem.feature in names and problem.feature not in source.types:
            raise DataError(str(problem))


class Stream:
    """Labelled rows of a table as inputs. What lies in memory is transformed once, Parquet at each pass.

    Parameters
    ----------
    labelled : Labelled
    features, target : Features, Target
        Fitted before; they are only applied.
    replay : Rows, optional
        Rows of the past, read after the others.
    """

    def __init__(self, labelled: Labelled, features: Features, target: Target, replay: Rows | None = None) -> None:
        self._labelled = labelled
        self._features = features
        self._target = target
        self._replay = replay
        self._held: list[Rows] | None = None
        self._all: Rows | None = None

    def __iter__(self) -> Iterator[Rows]:
        yield from self._held if self._held is not None else self._new_rows()
        if self._replay is not None and len(self._replay):
            yield self._replay

    @property
    def in_memory(self) -> bool:
        """Whether the rows are kept between passes; known after the first."""
        return self._held is not None

    def new(self) -> Iterator[Rows]:
        """The rows without the replayed ones."""
        return iter(self._held) if self._held is not None else self._new_rows()

    def joined(self) -> Rows:
        """All rows at once."""
        if self._all is None:
            self._all = joined(list(self))
        return self._all

    def sample(self, positions: NDArray[np.int64]) -> pa.Table:
        """New rows at ascending positions as they came: features, ``label`` and ``weight``."""
        parts, first = [], 0
        for batch, labels, weights in self._labelled.batches(self._features.names):
            lower, upper = np.searchsorted(positions, [first, first + batch.n_rows])
            here = positions[lower:upper] - first
            table = self._features.plain({name: rows_at(raw, here) for name, raw in batch.columns.items()})
            table = table.append_column(
                LABEL, pa.array(self._target.encode(rows_at(labels, here), self._labelled.role))
            )
            weight = np.ones(here.size) if weights is None else weights[here]
            parts.append(table.append_column(WEIGHT, pa.array(weight)))
            first += batch.n_rows
        return pa.concat_tables(parts)

    def summary(self) -> Summary:
        """What is to be known of the new rows before anything learns from them; one pass."""
        present = np.zeros(len(self._features.names), bool)
        others = np.zeros(len(self._features.categories), np.int64)
        n_rows, weight, digest = 0, 0.0, hashlib.sha256()
        for rows in self.new():
            n_rows += len(rows)
            weight += len(rows) if rows.weights is None else float(rows.weights.sum())
            inputs = rows.inputs
            present |= np.concatenate([~np.isnan(inputs.numbers).all(axis=0), (inputs.codes != MISSING).any(axis=0)])
            others += (inputs.codes == OTHER).sum(axis=0)
            for values in (inputs.numbers, inputs.codes, rows.labels, rows.weights):
                if values is not None:
                    digest.update(np.ascontiguousarray(values).data)
        empty = tuple(name for name, seen in zip(self._features.names, present, strict=True) if not seen)
        other = {c.name: n for c, n in zip(self._features.categories, others.tolist(), strict=True) if n}
        return Summary(n_rows, weight, empty, other, digest.hexdigest())

    def _new_rows(self) -> Iterator[Rows]:
        n_batches, last = 0, list[Rows]()
        for batch, labels, weights in self._labelled.batches(self._features.names):
            rows = Rows(
                self._features.transform(batch.columns), self._target.encode(labels, self._labelled.role), weights
            )
            n_batches, last = n_batches + 1, [rows]
            yield rows
        if n_batches == 1:  # the table lies in memory; several batches come from files, and may not fit
            self._held = last
