"""Which slice each row belongs to: the combinations of one or several columns' categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem, Source, require_columns, texts

#: Categories of the columns that slices are made of; None is a missing one.
Slice = tuple[str | None, ...]
#: Name of the slice that holds the rows of all others, where there are more than are kept.
POOLED: Final = "(other)"
#: Combinations counted at once while the largest are looked for.
_MOST_COUNTED: Final = 1 << 20
#: So that a combination has a number of 64 bits, at 1000 slices.
_MOST_COLUMNS: Final = 6


@dataclass(frozen=True)
class SliceLabels:
    """The slices of a table, the largest first; rows of the others share one more.

    Attributes
    ----------
    names : tuple of str
        Columns that slices are made of.
    slices : tuple of Slice
        Those with counts of their own.
    n_pooled : int
        Combinations in the others; 0 where there are none.
    """

    names: tuple[str, ...]
    slices: tuple[Slice, ...]
    n_pooled: int

    @classmethod
    def of(cls, sources: Mapping[str, Source], names: Sequence[str], *, most: int) -> SliceLabels:
        """The ``most`` largest slices of some tables by role; their rows are read for these columns alone.

        Raises
        ------
        DataError
            A column that is not there or cannot be read, or more than a million slices.
        """
        rows: Counter[Slice] = Counter()
        for role, source in sources.items():
            check_slices(source, names, role)
            for batch in source.batches(list(names)):
                rows.update(_counted([texts(batch.columns[name]) for name in names]))
                if len(rows) > _MOST_COUNTED:
                    raise DataError(
                        f"slices by {', '.join(names)} are more than a million in the {role} data; "
                        "slice by columns with fewer categories"
                    )
        ranked = sorted(rows, key=lambda label: (-rows[label], [text or "" for text in label]))
        return cls(tuple(names), tuple(ranked[:most]), max(0, len(ranked) - most))

    @property
    def n_slices(self) -> int:
        """Slices, the pooled one included whether or not it has rows."""
        return len(self.slices) + 1

    @property
    def labels(self) -> tuple[Slice, ...]:
        """Labels of all slices; that of the pooled one last."""
        return (*self.slices, (POOLED,) * len(self.names))

    def places(self, batch: Batch) -> NDArray[np.int64]:
        """Place of each row's slice among ``labels``."""
        known, found = np.zeros(len(self.slices), np.int64), np.zeros(batch.n_rows, np.int64)
        for k, name in enumerate(self.names):
            own = pa.array([label[k] for label in self.slices], pa.large_string())
            entries = own.unique()
            known, found = (
                codes * (len(entries) + 1) + _codes(column, entries)
                for codes, column in ((known, own), (found, texts(batch.columns[name])))
            )
        order = np.argsort(known)
        if not order.size:
            return found
        place = np.minimum(np.searchsorted(known[order], found), order.size - 1)
        return np.where(known[order][place] == found, order[place], order.size)

    def problems(self) -> list[Problem]:
        """That slices were pooled."""
        if not self.n_pooled:
            return []
        what = f"make {len(self.slices) + self.n_pooled:,} slices; the {len(self.slices):,} largest are kept"
        return [Problem(", ".join(self.names), what, "the rest is pooled as (other); raise max_slices to keep more")]


def _counted(columns: Sequence[pa.Array]) -> dict[Slice, int]:
    """Rows of each combination of texts."""
    table = pa.table({str(k): column for k, column in enumerate(columns)})
    counted = table.group_by(table.column_names).aggregate([([], "count_all")])
    labels = zip(*(counted.column(name).to_pylist() for name in table.column_names), strict=True)
    return dict(zip(labels, counted.column("count_all").to_pylist(), strict=True))


def _codes(column: pa.Array, entries: pa.Array) -> NDArray[np.int64]:
    """Place of each text, null among them, in the entries; behind the last where it is none of them."""
    codes: NDArray[np.int32] = pc.index_in(column, value_set=entries).fill_null(len(entries)).to_numpy()
    return codes.astype(np.int64)


def check_slices(source: Source, names: Sequence[str], role: str) -> None:
    """Raise DataError unless the source has all of the columns, readable."""
    require_columns(source, names, role)
    if len(names) > _MOST_COLUMNS:
        raise DataError(f"slices take at most {_MOST_COLUMNS} columns, got {len(names)}")
    for name in names:
        if name not in source.types:
            raise DataError(f"slice column {name!r} cannot be read in the {role} data; mend it or leave it out")
