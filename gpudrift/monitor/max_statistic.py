"""Thresholds for many effect sizes at once, from the largest of them under the null: the max-statistic.

Effect sizes of one unit are needed before a largest one means anything. So each is put on a scale on which the null
laws look alike: x = sqrt(PSI), or artanh of an effect size that is at most 1, or the effect size itself; all grow as
1 / sqrt(rows) while they are small, like a distance. Then z = (x - median) / spread over the null. A threshold on the
scale of artanh is below 1 at any height, so every statistic can reach its own.

The spread is that of a half-normal law with the larger of two quantiles: a high one of the bulk, and the farthest that
the null windows show. Chi, Kolmogorov and half-normal laws agree on either to within 6% at one in 10,000; a law with a
heavy tail, as of delays that a storm brings, has its spread from the tail, so that its storms raise its own thresholds
and not those of all others. A window has no part in its own scale, whatever the spread: the z of windows without drift
are exchangeable.

A common exceedance level instead of a common height, each threshold a quantile of its own replicates, asks more of few
windows than they hold: with 30 features from 60 windows that differ, 0.24 of new windows passed such thresholds where
0.05 was asked for, and 0.03 pass these.

Westfall and Young (1993), Resampling-Based Multiple Testing, section 2.5 (maxT).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.stats import STATISTICS

#: A hair above the null's own values, so that "reaches the threshold" means "beyond", whatever the rounding.
_ABOVE: Final = 1.0 + 1e-9

#: Of an effect size that is at most 1, so that its distance is finite: 7.3.
_MOST: Final = 1.0 - 1e-6

#: Null windows for each one beyond the farthest quantile.
_FARTHEST: Final = 1000


@dataclass(frozen=True, eq=False)
class NullScale:
    """Where the null effect sizes of one feature lie: one scale a statistic.

    Attributes
    ----------
    names : tuple of str
        The statistics, in the order of the last axis below.
    centre, spread : float64, shape (statistics,)
        Of all null windows; spread 0 for one that never varies.
    centre_without, spread_without : float64, shape (windows, statistics)
        The same without each window, so that it is measured against the others as a new one would be.
    """

    names: tuple[str, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    centre_without: NDArray[np.float64]
    spread_without: NDArray[np.float64]

    @classmethod
    def of(cls, names: tuple[str, ...], effects: NDArray[np.float64], rows: float) -> NullScale:
        """From null effect sizes.

        Parameters
        ----------
        effects : float64, shape (windows, statistics)
            NaN where a window has no such effect, which counts as 0: it raises no alarm.
        rows : float
            Of a typical window: no spread is taken to be smaller than what one row changes.
        """
        x = distance(names, effects)
        smallest = np.array([_of_one_row(name, rows) for name in names])
        varies = x.max(axis=0) > x.min(axis=0)
        ordered, rank = np.sort(x, axis=0), np.argsort(np.argsort(x, axis=0, kind="stable"), axis=0)
        others = ordered.shape[0] - 1
        bulk, beyond = _high(others + 1), others // _FARTHEST
        places = _order_statistic(others, 0.5), _order_statistic(others, bulk), others - 1 - beyond
        centre, high, far = (np.where(rank <= i, ordered[i + 1], ordered[i]) for i in places)
        # where a half-normal law has its median, its high quantile, and the largest or so of so many
        median, at_high, at_far = (_half_normal(share) for share in (0.5, bulk, 1.0 - (beyond + 0.7) / (others + 0.4)))
        of_tail = (far - centre) * ((at_high - median) / (at_far - median))
        spread = np.where(varies, np.maximum(np.maximum(high - centre, of_tail), smallest), 0.0)
        # the mean of what the windows were measured by, which new ones are: an order statistic of all of them would lie
        # elsewhere in its sample, and by 1 / windows of its value too low
        return cls(names, centre.mean(axis=0), spread.mean(axis=0), centre, spread)

    def standardised(
        self, effects: NDArray[np.float64], windows: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """z of effect sizes, shape (replicates, statistics): each by the scale without the window it came from.

        ``windows`` has the window of each replicate; by default the i-th came from the i-th.
        """
        x = distance(self.names, effects)
        if windows is None:
            centre, spread = self.centre_without, self.spread_without
        else:
            centre, spread = self.centre_without[windows], self.spread_without[windows]
        z = np.full(x.shape, -math.inf)
        np.divide(x - centre, spread, out=z, where=spread > 0.0)
        return z

    def thresholds(self, z: float) -> dict[str, float]:
        """Effect sizes at z, of the statistics that vary."""
        x = self.centre + z * self.spread
        return {
            name: min(effect(name, value) * _ABOVE, STATISTICS[name].bounds[1])
            for name, value, spread in zip(self.names, x.tolist(), self.spread, strict=True)
            if spread > 0.0 and 0.0 < value < math.inf
        }


def distance(names: tuple[str, ...], effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Effect sizes as distances: the root of PSI, artanh of what is at most 1; NaN becomes 0."""
    x = np.nan_to_num(effects, nan=0.0)
    for s, name in enumerate(names):
        if name == "psi":
            x[:, s] = np.sqrt(x[:, s])
        elif STATISTICS[name].bounds[1] == 1.0:
            x[:, s] = np.arctanh(np.minimum(x[:, s], _MOST))
    return x


def effect(name: str, distance: float) -> float:
    """The effect size at a distance."""
    if name == "psi":
        return distance**2
    return math.tanh(distance) if STATISTICS[name].bounds[1] == 1.0 else distance


def _half_normal(share: float) -> float:
    """Quantile of the law of |N(0, 1)|."""
    return NormalDist().inv_cdf(0.5 + 0.5 * share)


def _high(n: int) -> float:
    """The quantile behind the spread: as far out as about ten windows beyond it allow."""
    return 1.0 - min(max(10.0 / n, 0.01), 0.1)


def _order_statistic(n: int, share: float) -> int:
    return min(max(math.ceil(share * n) - 1, 0), n - 1)


def _of_one_row(name: str, rows: float) -> float:
    """Smallest spread of an effect size: rare rows come one by one, and most windows have none."""
    return 1.0 / rows if name in ("missing_rate", "new_rate") else 0.5 / math.sqrt(rows)
