"""Thresholds for many effect sizes at once, from the largest of them under the null: the max-statistic.

Effect sizes of one unit are needed before a largest one means anything. So each is put on a scale on which the null
laws look alike: x = sqrt(PSI), or the effect size itself, which grows as 1 / sqrt(rows) like a distance; then z = (x
- median) / (high quantile - median) over the null. Chi, Kolmogorov and half-normal laws agree on that scale to within
6% at one in 10,000.

Westfall and Young (1993), Resampling-Based Multiple Testing, section 2.5 (maxT).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: A hair above the null's own values, so that "reaches the threshold" means "beyond", whatever the rounding.
_ABOVE: Final = 1.0 + 1e-9


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
        middle, high = (_order_statistic(ordered.shape[0] - 1, share) for share in (0.5, _high(ordered.shape[0])))
        centre, far = (np.where(rank <= i, ordered[i + 1], ordered[i]) for i in (middle, high))
        spread = np.where(varies, np.maximum(far - centre, smallest), 0.0)
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
            name: float(value**2 if name == "psi" else value) * _ABOVE
            for name, value, spread in zip(self.names, x, self.spread, strict=True)
            if spread > 0.0 and 0.0 < value < math.inf
        }


def distance(names: tuple[str, ...], effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Effect sizes as distances: the root of PSI, all others as they are; NaN becomes 0."""
    x = np.nan_to_num(effects, nan=0.0)
    if "psi" in names:
        x[:, names.index("psi")] = np.sqrt(x[:, names.index("psi")])
    return x


def _high(n: int) -> float:
    """The quantile behind the spread: as far out as about ten windows beyond it allow."""
    return 1.0 - min(max(10.0 / n, 0.01), 0.1)


def _order_statistic(n: int, share: float) -> int:
    return min(max(math.ceil(share * n) - 1, 0), n - 1)


def _of_one_row(name: str, rows: float) -> float:
    """Smallest spread of an effect size: rare rows come one by one, and most windows have none."""
    return 1.0 / rows if name in ("missing_rate", "new_rate") else 0.5 / math.sqrt(rows)
