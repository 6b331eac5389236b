"""A number that counts know within an interval."""

from __future__ import annotations

import math
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

    def divided(self, scale: float, least: float, most: float) -> Bounded:
        """The statistic is in units of ``scale``; what they stand for lies between ``least`` and ``most``.

        Examples
        --------
        >>> Bounded(1.0, 0.5, 2.0).divided(4.0, 2.0, 8.0)
        Bounded(value=1.0, lower=0.25, upper=4.0)
        """
        if least == most == scale:
            return self
        larger, smaller = scale / least if least > 0.0 else math.inf, scale / most
        lower = self.lower * (smaller if self.lower >= 0.0 else larger)
        upper = self.upper * (larger if self.upper > 0.0 else smaller)
        return Bounded(self.value, lower, upper)
