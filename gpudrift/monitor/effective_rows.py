"""Effective rows of counts put together from others: what effect sizes are taken from where rows have weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles import Counts
from gpudrift.profiles.columns import Counted

#: int64 rows; or float64 effective rows, where they have weights.
Rows: TypeAlias = NDArray[Any]


def amounts(counts: Counts, f: int) -> Counted:
    """Counters of one column, ascending, and what adds up over counts: the rows of each, or their weight in units."""
    return counts.weight(f) or counts.column(f)


def squares(counts: Sequence[Counts]) -> NDArray[np.float64] | None:
    """Sum of squared weights of each, in squared units; None where rows have no weights."""
    if any(one.weights is None for one in counts):
        return None
    return np.array([float(one.squares) for one in counts])


def effective_rows(groups: Rows, squared: NDArray[np.float64] | None) -> Rows:
    """Sums of amounts, shape (pairs, groups), as effective rows: the share of each of Kish's (sum w)^2 / sum w^2.

    Kish (1965), Survey Sampling.
    """
    if squared is None:
        return groups
    each: NDArray[np.float64] = groups * (groups.sum(axis=1) / np.maximum(squared, 1.0))[:, np.newaxis]
    return each
