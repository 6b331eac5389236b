"""Counts: what a batch holds, as integers that add and subtract to the same bits in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift_kernels.occupied import occupied

_SHIFT = 32  # a key is the column's place in the profile in the upper half, the counter in the lower


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
    values : ndarray of int64, positive
        Rows of each key.
    problems : tuple of Problem
        Columns of the batch that could not be counted; no part of ``==``.
    """

    profile_id: str
    n_rows: int
    keys: NDArray[np.int64]
    values: NDArray[np.int64]
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    @classmethod
    def empty(cls, profile_id: str) -> Counts:
        """No rows."""
        return cls(profile_id, 0, np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def gather(
        cls,
        profile_id: str,
        n_rows: int,
        columns: Iterable[tuple[int, NDArray[np.int64]]],
        problems: Iterable[Problem] = (),
    ) -> Counts:
        """From dense counts of columns, in ascending order of their place in the profile."""
        keys, values = [], []
        for f, dense in columns:
            counters, rows = occupied(dense)
            counters += f << _SHIFT
            keys.append(counters)
            values.append(rows)
        none = np.empty(0, np.int64)
        return cls(
            profile_id,
            n_rows,
            np.concatenate(keys) if keys else none,
            np.concatenate(values) if values else none,
            tuple(problems),
        )

    def column(self, f: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counters of one column, ascending, and the rows of each."""
        first, last = np.searchsorted(self.keys, [f << _SHIFT, (f + 1) << _SHIFT])
        return self.keys[first:last] - (f << _SHIFT), self.values[first:last]

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
        )

    __hash__ = None  # type: ignore[assignment]  # equal by value, and holds arrays

    def __repr__(self) -> str:
        return f"Counts({self.n_rows:,} rows, {self.keys.size:,} counters)"

    def _combine(self, other: Counts, sign: int) -> Counts:
        if other.profile_id != self.profile_id:
            raise DataError("counts of different profiles cannot be combined; count both with one profile")
        if sign > 0 and not self.keys.size:
            return replace(other, n_rows=self.n_rows + other.n_rows, problems=self._problems_with(other))
        keys = merged(self.keys, other.keys)
        values = np.zeros(keys.size, np.int64)
        values[np.searchsorted(keys, self.keys)] += self.values
        values[np.searchsorted(keys, other.keys)] += sign * other.values
        if sign < 0 and (values.min(initial=0) < 0 or other.n_rows > self.n_rows):
            raise DataError("the counts to subtract are not part of these; subtract what was added")
        kept = values != 0
        problems = self._problems_with(other) if sign > 0 else self.problems
        return Counts(self.profile_id, self.n_rows + sign * other.n_rows, keys[kept], values[kept], problems)

    def _problems_with(self, other: Counts) -> tuple[Problem, ...]:
        return tuple(dict.fromkeys(self.problems + other.problems))


def merged(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct values of two ascending arrays, ascending: two runs that a stable sort only has to merge."""
    both = np.concatenate([one, other])
    both.sort(kind="stable")
    distinct: NDArray[np.int64] = both[np.append(True, both[1:] != both[:-1])[: both.size]]
    return distinct
