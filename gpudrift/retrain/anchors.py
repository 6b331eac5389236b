"""Anchors: frozen rows of past regimes that a model carries, never trained on, and scored at every update."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpudrift.frames import texts
from gpudrift.retrain.settings import Settings
from gpudrift.retrain.stream import LABEL, Labelled
from gpudrift.retrain.target import Target, has_label

#: Rows of an anchor that a user gives.
MOST_ROWS: Final = 5_000
#: At most one row in so many is kept out of training, and none for a set of fewer rows than so many: the change of an
#: AUC on 500 rows has a standard error of about 0.01.
SHARE: Final = 20
LEAST_ROWS: Final = 500
#: Sets that a model carries; beyond it the two neighbours that span fewest rows become one.
MOST_SETS: Final = 12
_LEAST_OF_A_CLASS: Final = 20

_SPAN: Final = (b"gpudrift.first", b"gpudrift.last")


@dataclass(frozen=True)
class Transfer:
    """What an update did to the past: change of the score on each anchor, above 0 is better.

    The score is the AUC of two classes, the accuracy of more, minus the mean absolute error of numbers in units of the
    anchor's standard deviation. Mean and worst over the anchors are the backward transfer of Lopez-Paz and Ranzato
    (2017, arXiv:1706.08840).

    Examples
    --------
    >>> transfer = Transfer({"winter": 0.01, "summer": -0.03})
    >>> round(transfer.mean, 3), transfer.worst, transfer.beyond(0.02)
    (-0.01, -0.03, ('summer',))
    """

    changes: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean change."""
        return sum(self.changes.values()) / len(self.changes)

    @property
    def worst(self) -> float:
        """Smallest change."""
        return min(self.changes.values())

    def beyond(self, margin: float) -> tuple[str, ...]:
        """Anchors that lost more than the margin, the worst first; none: the update may pass."""
        lost = [name for name, change in self.changes.items() if not change >= -margin]
        return tuple(sorted(lost, key=self.changes.__getitem__))

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def cut(
    labelled: Labelled, settings: Settings, *, n_before: int = 0, known: Sequence[str] = ()
) -> dict[str, NDArray[np.int64]]:
    """Positions among labelled rows to keep out of training, by the name of their regime.

    Regimes are the values of ``settings.regime``, the most frequent first, or stretches of the rows in their order: at
    first ``settings.anchor_sets`` of them, and one for each update (``n_before`` rows have gone by).
    """
    if not settings.anchor_sets:
        return {}
    if settings.regime is not None:
        return _by_value(labelled, settings.regime, settings, known)
    n_rows = sum(int(has_label(raw).sum()) for raw in labelled.labels())
    n_sets = min(1 if n_before else settings.anchor_sets, n_rows // (SHARE * LEAST_ROWS))
    bounds = [n_rows * k // n_sets for k in range(n_sets + 1)] if n_sets else []
    return {
        _name(n_before + first, n_before + last): first + _spread(last - first, settings)
        for first, last in pairwise(bounds)
    }


def _by_value(
    labelled: Labelled, column: str, settings: Settings, known: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    parts = [texts(batch.columns[column]) for batch, _, _ in labelled.batches([column])]
    values = np.asarray(pa.concat_arrays(parts).to_numpy(zero_copy_only=False), object)
    found, counts = np.unique(values[[value is not None for value in values]].astype(str), return_counts=True)
    cuts: dict[str, NDArray[np.int64]] = {}
    for value in found[np.argsort(-counts, kind="stable")]:
        name, positions = f"{column} {value}", np.flatnonzero(values == value)
        if name not in known and len(cuts) + len(known) < MOST_SETS and positions.size >= SHARE * LEAST_ROWS:
            cuts[name] = positions[_spread(positions.size, settings)]
    return cuts


def _spread(n_rows: int, settings: Settings) -> NDArray[np.int64]:
    """Positions among so many rows, at most one in twenty, evenly spread."""
    size = min(settings.anchor_rows, n_rows // SHARE)
    return (np.arange(size) * n_rows // size).astype(np.int64)


def usable(rows: pa.Table, target: Target) -> bool:
    """Whether a score on the rows means anything: of two classes there are 20 rows of each."""
    if target.n_classes != 2:
        return len(rows) > 0
    return bool(np.bincount(rows[LABEL].to_numpy(), minlength=2).min() >= _LEAST_OF_A_CLASS)


def marked(rows: pa.Table, first: int, last: int) -> pa.Table:
    """An automatic anchor, with the rows that it stands for."""
    return rows.replace_schema_metadata(dict(zip(_SPAN, (str(first), str(last)), strict=True)))


def is_automatic(rows: pa.Table) -> bool:
    """Whether it was cut by a trainer; else a user gave it."""
    return _SPAN[0] in (rows.schema.metadata or {})


def thinned(anchors: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """At most twelve sets: the two neighbours in time that span fewest rows become one, with rows in proportion."""
    sets = dict(anchors)
    if not all(is_automatic(rows) for rows in sets.values()):
        return sets
    while len(sets) > MOST_SETS:
        spans = {name: tuple(int(rows.schema.metadata[key]) for key in _SPAN) for name, rows in sets.items()}
        order = sorted(spans, key=spans.__getitem__)
        k = min(range(len(order) - 1), key=lambda k: spans[order[k + 1]][1] - spans[order[k]][0])
        (first, middle), (_, last) = spans[order[k]], spans[order[k + 1]]
        pair = [sets.pop(order[k]), sets.pop(order[k + 1])]
        size, share = max(map(len, pair)), (middle - first) / (last - first)
        taken = [_some(rows, round(size * part)) for rows, part in zip(pair, (share, 1 - share), strict=True)]
        sets[_name(first, last)] = marked(pa.concat_tables(taken, promote_options="permissive"), first, last)
    return sets


def _some(rows: pa.Table, size: int) -> pa.Table:
    size = min(size, len(rows))
    return rows.take(pa.array(np.arange(size) * len(rows) // max(size, 1)))


def _name(first: int, last: int) -> str:
    return f"rows {first + 1:,} to {last:,}"


def to_parquet(rows: pa.Table) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def from_parquet(content: bytes) -> pa.Table:
    """The rows of a Parquet file."""
    return pq.read_table(pa.BufferReader(content))
