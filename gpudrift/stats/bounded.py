"""A number that counts know within an interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounded:
    """A statistic of the rows, known from counts: ``lower <= that of the rows <= upper``.

    Attributes
    ----------
    value : float
        What is reported: the statistic says which point of the interval it is.
    lower, upper : float
        Ends of the interval, which may be infinite.

    All are NaN where the statistic is not defined.
    """

    value: float
    lower: float
    upper: float
