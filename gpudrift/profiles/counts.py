"""Counts: what a batch holds, as integers that add and subtract to the same bits in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift_kernels.lazily import lazily
from gpudrift_kernels.occupied import Occupied, occupied

_SHIFT: Final = 32  # a key is the column's place in the profile in the upper half, the counter in the lower


def _narrowest(n_rows: int) -> type[np.uint32 | np.int64]:
    """What holds the rows of a key of so many: half the memory of wide tables is theirs."""
    return np.uint32 if n_rows < 1 << 32 else np.int64


def first_key(f: int) -> int:
    """That of the first counter of a column."""
    return f << _SHIFT


@dataclass(frozen=True, eq=False)
class Counts:
    """Rows of each column by counter, sparse: only counters that are not zero.

    ``a + b`` are the counts of both batches, ``(a + b) - b == a``; both sides must come from one profile.

    Attributes
    ----------
    profile_id : str
        Digest of the profile they belong to.
    n_rows : int
        Rows counted.
    keys : ndarray of int64, ascending
        ``(column << 32) | counter``.
    values : ndarray of uint32, positive; of int64 where rows are 2**32 or more
        Rows of each key; ``column`` gives them as int64, which do not wrap.
    weights : ndarray of int64, optional
        Weight of each key in units of the profile, where rows have weights.
    squares : int
        Sum over all rows of their weights' squares, in squared units.
    problems : tuple of Problem
        Columns of the batch that could not be counted; no part of ``==``.
    """

    profile_id: str
    n_rows: int
    keys: NDArray[np.int64]
    values: NDArray[np.uint32 | np.int64]
    weights: NDArray[np.int64] | None = None
    squares: int = 0
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", self.values.astype(_narrowest(self.n_rows), copy=False))

    @classmethod
    def empty(cls, profile_id: str, *, weighted: bool = False) -> Counts:
        """No rows."""
        none = np.empty(0, np.int64)
        return cls(profile_id, 0, none, none, none if weighted else None)

    @classmethod
    def gather(
        cls,
        profile_id: str,
        n_rows: int,
        columns: Iterable[tuple[int, NDArray[np.int64], NDArray[np.int64] | None]],
        *,
        weighted: bool = False,
        squares: int = 0,
        problems: Iterable[Problem] = (),
    ) -> Counts:
        """From dense counts and weights of columns, in ascending order of their place in the profile."""
        found = [(f, occupied(dense), heavy) for f, dense, heavy in columns]
        sparse = ((f, counted, None if heavy is None else heavy[counted[0]]) for f, counted, heavy in found)
        most = sum(counted[0].size for _, counted, _ in found)
        return cls.of_columns(
            profile_id, n_rows, sparse, most=most, weighted=weighted, squares=squares, problems=problems
        )

    @classmethod
    def of_columns(
        cls,
        profile_id: str,
        n_rows: int,
        columns: Iterable[tuple[int, Occupied, NDArray[np.int64] | None]],
        *,
        most: int,
        weighted: bool = False,
        squares: int = 0,
        problems: Iterable[Problem] = (),
    ) -> Counts:
        """From the counters of columns that are not zero and their weights, in ascending order of the columns.

        There are at most so many. Arrays of that size, cut where they end: pieces and what they are joined to, both at
        once, would be twice the memory, and of what is not written there is none.
        """
        keys, weights = np.empty(most, np.int64), np.empty(most if weighted else 0, np.int64)
        values = np.empty(most, _narrowest(n_rows))
        n = 0
        for f, (counters, rows), heavy in columns:
            here = slice(n, n + counters.size)
            np.add(counters, first_key(f), out=keys[here])
            values[here] = rows
            if heavy is not None:
                weights[here] = heavy
            n = here.stop
        for grown in (keys, values, weights) if weighted else (keys, values):
            grown.resize(n, refcheck=False)
        return cls(profile_id, n_rows, keys, values, weights if weighted else None, squares, tuple(problems))

    def holds(self, f: int) -> bool:
        """Whether any row of a column was counted."""
        of_column = self._of_column(f)
        return bool(of_column.stop > of_column.start)

    def keyed(self, f: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of one column, each its counter more than ``first_key(f)``, a view, and the rows of each."""
        of_column = self._of_column(f)
        return self.keys[of_column], self.values[of_column].astype(np.int64, copy=False)

    def column(self, f: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counters of one column, ascending, and the rows of each."""
        keys, values = self.keyed(f)
        return keys - first_key(f), values

    def weight(self, f: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Counters of one column, ascending, and the weight of each in units; None without weights."""
        if self.weights is None:
            return None
        of_column = self._of_column(f)
        return self.keys[of_column] - first_key(f), self.weights[of_column]

    def effective(self, f: int) -> tuple[NDArray[np.int64], NDArray[np.int64] | NDArray[np.float64]]:
        """Counters of one column, ascending, and the effective rows of each: its share of ``n_effective``.

        The rows themselves, as integers, where they have no weights.
        """
        if (weighted := self.weight(f)) is None:
            return self.column(f)
        counters, weights = weighted
        return counters, weights * np.float64(self.n_effective / max(int(weights.sum()), 1))

    def with_columns(self, places: Mapping[int, int], other: Counts) -> Counts:
        """With some columns replaced by those of other counts of the same rows, whose places there are given."""
        n_columns = max(len(self._ends) - 1, *(f + 1 for f in places))
        found = [(other, places[f]) if f in places else (self, f) for f in range(n_columns)]
        parts = ((f, side.column(k), side.weight(k)) for f, (side, k) in enumerate(found))
        made = Counts.of_columns(
            self.profile_id,
            self.n_rows,
            ((f, counted, None if heavy is None else heavy[1]) for f, counted, heavy in parts),
            most=sum(side.keyed(k)[0].size for side, k in found),
            weighted=self.weights is not None,
        )
        return replace(self, keys=made.keys, values=made.values, weights=made.weights)

    @property
    def total_weight(self) -> int:
        """Sum of the weights of all rows, in units."""
        if self.weights is None or not self.keys.size:
            return 0
        return int(self.weights[self._of_column(int(self.keys[0]) >> _SHIFT)].sum())

    @property
    def n_effective(self) -> float:
        """Rows of equal weight that say as much, (sum w)^2 / sum w^2 (Kish 1965, Survey Sampling)."""
        return float(self.n_rows) if self.weights is None else self.total_weight**2 / max(self.squares, 1)

    def _of_column(self, f: int) -> slice:
        ends = self._ends
        return slice(ends[f], ends[f + 1]) if f + 1 < len(ends) else slice(self.keys.size, self.keys.size)

    @lazily
    def _ends(self) -> list[int]:
        """Where the keys of each column begin, and those of the next one that has none."""
        n_columns = int(self.keys[-1] >> _SHIFT) + 1 if self.keys.size else 0
        ends: list[int] = self.keys.searchsorted(np.arange(n_columns + 1) << _SHIFT).tolist()
        return ends

    def __add__(self, other: Counts) -> Counts:
        return self._combine(other, 1) if isinstance(other, Counts) else NotImplemented

    def __sub__(self, other: Counts) -> Counts:
        return self._combine(other, -1) if isinstance(other, Counts) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Counts):
            return NotImplemented
        return (
            self.profile_id == other.profile_id
            and self.n_rows == other.n_rows
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.values, other.values)
            and self.squares == other.squares
            and _same(self.weights, other.weights)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by value, and holds arrays

    def __repr__(self) -> str:
        return f"Counts({self.n_rows:,} rows, {self.keys.size:,} counters)"

    def _combine(self, other: Counts, sign: int) -> Counts:
        if other.profile_id != self.profile_id:
            raise DataError("counts of different profiles cannot be combined; count both with one profile")
        if (self.weights is None) != (other.weights is None):
            raise DataError("counts with weights and without cannot be combined; count both with weights")
        if sign > 0 and not self.keys.size:
            return replace(other, n_rows=self.n_rows + other.n_rows, problems=self._problems_with(other))
        keys = merged(self.keys, other.keys)
        places = np.searchsorted(keys, self.keys), np.searchsorted(keys, other.keys)

        def combined(own: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.int64]:
            total = np.zeros(keys.size, np.int64)
            total[places[0]] += own
            total[places[1]] += sign * theirs.astype(np.int64, copy=False)
            return total

        values, weights = combined(self.values, other.values), None
        kept, least = values != 0, int(values.min(initial=0))
        if self.weights is not None and other.weights is not None:
            weights = combined(self.weights, other.weights)
            least = min(least, int(weights.min(initial=0)))
            weights = weights[kept]
        if sign < 0 and (least < 0 or other.n_rows > self.n_rows or other.squares > self.squares):
            raise DataError("the counts to subtract are not part of these; subtract what was added")
        return Counts(
            self.profile_id,
            self.n_rows + sign * other.n_rows,
            keys[kept],
            values[kept],
            weights,
            self.squares + sign * other.squares,
            self._problems_with(other) if sign > 0 else self.problems,
        )

    def _problems_with(self, other: Counts) -> tuple[Problem, ...]:
        return tuple(dict.fromkeys(self.problems + other.problems))


def _same(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def merged(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct values of two ascending arrays, ascending: two runs that a stable sort only has to merge."""
    both = np.concatenate([one, other])
    both.sort(kind="stable")
    distinct: NDArray[np.int64] = both[np.append(True, both[1:] != both[:-1])[: both.size]]
    return distinct
