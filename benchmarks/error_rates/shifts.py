"""What happens to the current side where there is drift: a share of the rows gets another value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.error_rates.kinds import KINDS, Values


@dataclass(frozen=True)
class Shift:
    """With probability ``share``, a row's value v becomes ``move(v)``.

    Attributes
    ----------
    name, size : str, float
        The family, and how far: in standard deviations, as a factor, or as a share of rows.
    feature : int
        The column that it happens to; all other columns stay.
    """

    name: str
    size: float
    feature: int
    share: float
    move: Callable[[Values], Values]


_NORMAL, _FEW = (next(f for f, kind in enumerate(KINDS) if kind.name == name) for name in ("normal", "few categories"))

#: Sizes of each family, smallest first.
SIZES: Final = {
    "mean": (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    "scale": (1.05, 1.1, 1.2, 1.5, 2.0, 3.0),
    "tail": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
    "atom": (0.02, 0.05, 0.1, 0.15, 0.2, 0.4),
    "missing": (0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
    "new category": (0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
}


def shift(name: str, size: float) -> Shift:
    """One shift by family and size.

    mean, scale: v + size, size v on every row. tail: a share of the rows moves to 4 + |v|, four deviations out.
    atom: to 0.25, one value. missing: to none. new category: to one never seen.
    """
    if name == "mean":
        return Shift(name, size, _NORMAL, 1.0, lambda v: v + size)
    if name == "scale":
        return Shift(name, size, _NORMAL, 1.0, lambda v: v * size)
    if name == "tail":
        return Shift(name, size, _NORMAL, size, lambda v: 4.0 + np.abs(v))
    if name == "atom":
        return Shift(name, size, _NORMAL, size, lambda v: np.full_like(v, 0.25))
    if name == "missing":
        return Shift(name, size, _NORMAL, size, lambda v: np.full_like(v, np.nan))
    if name == "new category":
        return Shift(name, size, _FEW, size, lambda v: np.full_like(v, len(KINDS[_FEW].shares)))
    raise ValueError(f"shift must be one of {', '.join(SIZES)}, got {name!r}")
