"""Alpha spending: one error rate, shared between a planned number of looks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint


def _obrien_fleming(alpha: float, fraction: float) -> float:
    normal = NormalDist()
    return 2.0 * normal.cdf(normal.inv_cdf(alpha / 2.0) / math.sqrt(fraction))


def _pocock(alpha: float, fraction: float) -> float:
    return alpha * math.log1p((math.e - 1.0) * fraction)


def _even(alpha: float, fraction: float) -> float:
    return alpha * fraction


SPENDING: Final[dict[str, Callable[[float, float], float]]] = {
    "obrien-fleming": _obrien_fleming,
    "pocock": _pocock,
    "even": _even,
}
"""alpha spent by the time that a share of the looks is over: 0 at 0, alpha at 1, never falling."""


@dataclass(frozen=True)
class AlphaSpending:
    """alpha of each of a planned number of windows; together they are at most ``total``.

    The probability that any of the windows raises a false alarm is at most ``total``, however the windows depend on
    each other: the alphas add up. Windows beyond the last planned one have nothing left to spend; where there is no
    last one, see ``OnlineFDR`` or ``EProcess``.

    Attributes
    ----------
    total : float in (0, 1)
        Probability of any false alarm over all looks.
    looks : int
        Windows to come, at least 1.
    shape : {"obrien-fleming", "pocock", "even"}
        When alpha is spent: almost all of it late, more of it early, or the same at every look.

    Raises
    ------
    ConfigError
        With the name of the argument, its value and what is allowed.

    Notes
    -----
    The k-th of K windows gets a(k / K) - a((k - 1) / K). O'Brien and Fleming's shape is
    a(t) = 2 Phi(Phi^-1(alpha / 2) / sqrt(t)), Pocock's a(t) = alpha ln(1 + (e - 1) t).

    References
    ----------
    Lan and DeMets (1983), Discrete Sequential Boundaries for Clinical Trials. doi:10.1093/biomet/70.3.659

    Examples
    --------
    >>> weekly = AlphaSpending(0.05, looks=52, shape="pocock")
    >>> round(weekly.alpha(1), 5), round(weekly.alpha(52), 5)
    (0.00163, 0.00061)
    >>> round(sum(weekly.alpha(k) for k in range(1, 53)), 12)
    0.05
    """

    total: float = 0.05
    looks: int = 52
    shape: str = "obrien-fleming"

    def __post_init__(self) -> None:
        if not isinstance(self.total, int | float) or not 0 < self.total < 1:
            raise ConfigError(f"total must be between 0 and 1, got {self.total!r}")
        if not isinstance(self.looks, int) or isinstance(self.looks, bool) or self.looks < 1:
            raise ConfigError(f"looks must be a whole number of at least 1, got {self.looks!r}")
        if self.shape not in SPENDING:
            raise ConfigError(f"shape {self.shape!r} is unknown: {hint(str(self.shape), SPENDING)}")

    def alpha(self, k: int) -> float:
        """alpha of the k-th window, from 1: for ``Settings(alpha=...)``.

        At least 1e-300, which adds nothing: the first of thousands of late-spending looks would have less than a double
        can hold.
        """
        if not isinstance(k, int) or not 1 <= k <= self.looks:
            raise ConfigError(f"k must lie in 1 to {self.looks:,}, the looks that were planned, got {k!r}")
        return max(self._spent(k) - self._spent(k - 1), _SMALLEST)

    def _spent(self, k: int) -> float:
        return SPENDING[self.shape](self.total, k / self.looks) if k else 0.0


_SMALLEST: Final = 1e-300
