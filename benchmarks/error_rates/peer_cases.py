"""Small tables on which the restated rules and their packages must agree; NumPy alone, to run in any environment."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Rows of either side: below and above the 1,000 at which evidently changes its statistics, and in tens: a rest would
#: make an eleventh chunk in nannyml.
SIZES: Final = ((200, 200), (900, 450), (3000, 2000))
#: How far the current side has moved.
MOVES: Final = (0.0, 0.1, 0.4)
CATEGORICAL: Final = ("two", "few", "many")


class Case(NamedTuple):
    """One table on both sides: columns of numbers, NaN where missing, and of whole codes for categories."""

    name: str
    reference: dict[str, NDArray[np.float64]]
    current: dict[str, NDArray[np.float64]]


def cases() -> list[Case]:
    """All of them, seeded."""
    return [
        Case(
            f"{n} against {m} rows, moved by {move:g}",
            _table(np.random.default_rng([n, 0]), n, 0.0),
            _table(np.random.default_rng([m, 1]), m, move),
        )
        for n, m in SIZES
        for move in MOVES
    ]


def checksum(case: Case) -> float:
    """Says whether two environments drew the same rows."""
    return float(sum(np.nansum(column) for side in (case.reference, case.current) for column in side.values()))


def _table(rng: np.random.Generator, n: int, move: float) -> dict[str, NDArray[np.float64]]:
    normal, other, third = rng.standard_normal((3, n)) + move
    u = rng.random((4, n))
    return {
        "normal": normal,
        "skewed": np.exp(other),
        "zeros": np.where(u[0] < 0.4 - 0.3 * move, 0.0, np.exp(third)),
        "whole": np.floor(4 * np.exp(0.5 * other)),
        "four values": np.floor(4 * u[1] ** (1 + move)),
        "two values": np.floor(2 * u[2] ** (1 + move)),
        "gaps": np.where(u[3] < 0.1, np.nan, normal),
        "two": np.floor(2 * u[3] ** (1 + move)),
        "few": np.floor(5 * u[2] ** (1 + move)) + 5 * (u[0] < 0.1 * move),
        "many": np.floor(60 * u[1] ** 3),
    }
