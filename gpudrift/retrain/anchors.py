"""Anchors: frozen rows of past regimes that a model carries, scored at every update."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

MOST_ROWS: Final = 5_000


@dataclass(frozen=True)
class Transfer:
    """What an update did to the past: change of the score on each anchor, above 0 is better.

    The score is the AUC of two classes, the accuracy of more, minus the mean absolute error of numbers. Mean and worst
    over the anchors are the backward transfer of Lopez-Paz and Ranzato (2017, arXiv:1706.08840).

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
        """Anchors that lost more than the margin; none: the update may pass."""
        return tuple(name for name, change in self.changes.items() if change < -margin)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def to_parquet(rows: pa.Table) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def from_parquet(content: bytes) -> pa.Table:
    """The rows of a Parquet file."""
    return pq.read_table(pa.BufferReader(content))
