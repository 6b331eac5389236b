"""Which slice each row belongs to: the combinations of one or several columns' categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import NO_TEXTS, Batch, Problem, Raw, Source, column_kind, require_columns, texts, type_name

#: Categories of the columns that slices are made of; None is a missing one.
Slice = tuple[str | None, ...]
#: Name of the slice that holds the rows of all others, where there are more than are kept.
POOLED: Final = "(other)"
_NAMED_SO: Final = "(all other slices)"
_ROWS: Final = "rows"
#: Numbers of combinations that leave room for another million in 64 bits.
_MOST_CODES: Final = 1 << 40
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
        sizes = _sizes([NO_TEXTS for _ in names])
        for role, source in sources.items():
            check_slices(source, names, role)
            for batch in source.batches(list(names)):
                found = _sizes([_texts(batch.columns[name], name, role) for name in names])
                sizes = _merged(sizes, found)
                if sizes.num_rows > _MOST_COUNTED:
                    raise DataError(
                        f"slices by {', '.join(names)} are more than a million in the {role} data; "
                        "slice by columns with fewer categories"
                    )
        order = [(_ROWS, "descending"), *((str(k), "ascending") for k in range(len(names)))]
        largest = sizes.take(pc.sort_indices(sizes, order)[:most])
        slices = zip(*(largest.column(str(k)).to_pylist() for k in range(len(names))), strict=True)
        return cls(tuple(names), tuple(slices), max(0, sizes.num_rows - most))

    @property
    def n_slices(self) -> int:
        """Slices, the pooled one included whether or not it has rows."""
        return len(self.slices) + 1

    @property
    def labels(self) -> tuple[Slice, ...]:
        """Labels of all slices; that of the pooled one last."""
        pooled = (POOLED,) * len(self.names)
        return (*self.slices, pooled if pooled not in self.slices else (_NAMED_SO,) * len(self.names))

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
        return [
            Problem(
                ", ".join(self.names),
                what,
                f"the rest is pooled as {self.labels[-1][0]}; raise max_slices to keep more",
            )
        ]


def _sizes(columns: Sequence[pa.Array], rows: NDArray[np.int64] | None = None) -> pa.Table:
    """Rows of each combination of texts, each of which stands for so many rows.

    By numbers of the texts, not by Arrow's ``group_by``, which takes four times as long for a million of them.
    """
    entries = [column.dictionary_encode(null_encoding="encode") for column in columns]
    codes, size = np.zeros(len(columns[0]), np.int64), 1
    for entry in entries:
        size *= max(len(entry.dictionary), 1)
        codes = codes * len(entry.dictionary) + entry.indices.to_numpy()
        if size > _MOST_CODES:
            codes = np.unique(codes, return_inverse=True)[1].reshape(-1)
            size = codes.size
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    total = np.zeros(first.size, np.int64)
    np.add.at(total, group.reshape(-1), 1 if rows is None else rows)
    return pa.table({**{str(k): c.take(pa.array(first)) for k, c in enumerate(columns)}, _ROWS: total})


def _merged(one: pa.Table, other: pa.Table) -> pa.Table:
    """Rows of each combination in two tables of ``_sizes``."""
    *columns, rows = (column.combine_chunks() for column in pa.concat_tables([one, other]).columns)
    return _sizes(columns, rows.to_numpy())


def _texts(raw: Raw, name: str, role: str) -> pa.Array:
    found = texts(raw)
    try:
        found.validate(full=True)
    except pa.ArrowInvalid as error:
        what = f"slice column {name!r} holds text that is not UTF-8 in the {role} data"
        raise DataError(f"{what}; decode it with its own encoding") from error
    return found


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
        dtype = source.types.get(name)
        if dtype is None or not (pt.is_null(dtype) or column_kind(dtype)):
            held = "cannot be read" if dtype is None else f"is {type_name(dtype)}"
            raise DataError(f"slice column {name!r} {held} in the {role} data; give it one category in each row")


def slice_name(label: Slice) -> str:
    """A slice for people.

    Examples
    --------
    >>> slice_name(("DE", None, ""))
    "DE / (missing) / ''"
    """
    return " / ".join("(missing)" if text is None else text if text.strip() else repr(text) for text in label)
