"""Which slice each row belongs to: the combinations of one or several columns' categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    def of(cls, source: Source, names: Sequence[str], role: str, *, most: int) -> SliceLabels:
        """The ``most`` largest slices of a table; its rows are read for these columns alone.

        Raises
        ------
        DataError
            A column that is not there or cannot be read.
        """
        check_slices(source, names, role)
        rows: Counter[Slice] = Counter()
        for batch in source.batches(list(names)):
            table = pa.table({str(k): texts(batch.columns[name]) for k, name in enumerate(names)})
            counted = table.group_by(table.column_names).aggregate([([], "count_all")])
            labels = zip(*(counted.column(name).to_pylist() for name in table.column_names), strict=True)
            rows.update(dict(zip(labels, counted.column("count_all").to_pylist(), strict=True)))
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
        combined = np.zeros(batch.n_rows, np.int64)
        known = np.zeros(len(self.slices), np.int64)
        for k, name in enumerate(self.names):
            values = pa.array([label[k] for label in self.slices], pa.large_string())
            entries = pa.concat_arrays([values.unique(), pa.array([None], pa.large_string())]).unique()
            width = len(entries) + 1
            for target, column in ((0, texts(batch.columns[name])), (1, values)):
                codes = pc.index_in(column, value_set=entries).fill_null(width - 1).to_numpy(zero_copy_only=False)
                if target == 0:
                    combined = combined * width + codes
                else:
                    known = known * width + codes
        order = np.argsort(known)
        if not order.size:
            return np.zeros(batch.n_rows, np.int64)
        found = np.minimum(np.searchsorted(known[order], combined), order.size - 1)
        return np.where(known[order][found] == combined, order[found], order.size)

    def problems(self) -> list[Problem]:
        """That slices were pooled."""
        if not self.n_pooled:
            return []
        what = f"make {len(self.slices) + self.n_pooled:,} slices; the {len(self.slices):,} largest are kept"
        return [Problem(", ".join(self.names), what, "the rest is pooled as (other); raise max_slices to keep more")]


def check_slices(source: Source, names: Sequence[str], role: str) -> None:
    """Raise DataError unless the source has all of the columns, readable."""
    require_columns(source, names, role)
    for name in names:
        if name not in source.types:
            raise DataError(f"slice column {name!r} cannot be read in the {role} data; mend it or leave it out")
