"""An e-process: evidence of drift that may be looked at after every window, for as long as one likes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError, DataError
from gpudrift.monitor.shares_watched import WatchedShares, watched_shares
from gpudrift.profiles import Counts, Profile
from gpudrift.profiles.grid import Grid, id_without_grid

#: Part of alpha that pays for the reference's own noise.
_FOR_THE_REFERENCE: Final = 0.1

#: How far beyond its limit a share is bet to lie, as a factor of its odds. A bet loses little by lying a factor of
#: sqrt(3) off, in the logarithm, from where the share went: 82% of the best growth is left.
_LOG_ODDS: Final = np.array([0.1, 0.3, 0.9])


class EProcess:
    """Evidence, window by window, that the data have left the reference by more than a tolerance.

    The null hypothesis: in every window each watched share of rows lies within ``tolerance`` of its true value in the
    process that gave the reference. Under it the e-value ever reaches 1 / alpha with a probability of at most alpha,
    whatever the number of looks and whoever decides when to stop. An alarm stays.

    Parameters
    ----------
    profile : Profile
    alpha : float in (0, 1)
        Probability of an alarm, ever, without drift.
    tolerance : float in [0, 0.5)
        Absolute change of a share of rows that is no drift. Also what covers windows that differ without drifting, as
        days of a week do: rows are taken as independent within a window given its shares, and its shares may be any
        within the tolerance.

    Raises
    ------
    ConfigError
        alpha or tolerance out of range.
    DataError
        A profile with no column to watch.

    Notes
    -----
    Watched are, of numbers, the shares of the PSI bins and below each of their edges; of categories those with at
    least 1% of the reference, all others, and the unseen; of both the missing.

    A share with x of m rows above its limit h bets with likelihood ratios (q / h)^x ((1 - q) / (1 - h))^(m - x), at
    odds of q that are exp(0.1), exp(0.3) and exp(0.9) times those of h: the expectation is at most 1 for any share
    up to h. The limit below likewise.

    The limits are the true share's confidence limits, at alpha / 10 for all together, moved out by the tolerance:
    the reference is a sample as well. Each bet is spread over the windows at which drift may begin, 1 / (s (s + 1))
    of it on window s, so a long time without drift does not delay an alarm much; what is not yet bet is kept. A
    feature's e-value is the average of its bets, that of all features their average, times 9 / 10 for the tenth of
    alpha already spent.

    References
    ----------
    Ville (1939), Etude critique de la notion de collectif.
    Waudby-Smith and Ramdas (2024), Estimating Means of Bounded Random Variables by Betting. doi:10.1093/jrsssb/qkad009
    Shin, Ramdas and Rinaldo (2024), E-detectors. doi:10.51387/23-NEJSDS51

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> rng = np.random.default_rng(0)
    >>> champion = gd.profile({"x": rng.normal(size=20_000)})
    >>> monitor = gd.EProcess(champion)
    >>> for _ in range(3):
    ...     e_value = monitor.update(champion.count({"x": rng.normal(size=2_000)}))
    >>> e_value < 1, monitor.alarm
    (True, False)
    >>> monitor.update(champion.count({"x": rng.normal(0.3, size=2_000)})) > 20, monitor.alarm
    (True, True)
    """

    def __init__(self, profile: Profile, *, alpha: float = 0.05, tolerance: float = 0.02) -> None:
        if not isinstance(alpha, int | float) or not 0 < alpha < 1:
            raise ConfigError(f"alpha must be between 0 and 1, got {alpha!r}")
        if not isinstance(tolerance, int | float) or not 0 <= tolerance < 0.5:
            raise ConfigError(f"tolerance must be at least 0 and below 0.5, got {tolerance!r}")
        self.alpha, self.tolerance = float(alpha), float(tolerance)
        self.windows = 0
        self.peak = 0.0
        self._profile = profile
        self._profile_id = profile.profile_id
        self._watched = watched_shares(profile)
        self._on_grid: list[WatchedShares] = []
        if not self._watched:
            raise DataError("the profile has no column to watch; name those that look like an index in columns")
        delta = _FOR_THE_REFERENCE * self.alpha / len(self._watched)
        limits = [shares.bounds(profile.reference, delta) for shares in self._watched]
        upper = np.concatenate([side[1] for side in limits]) + self.tolerance
        lower = np.concatenate([side[0] for side in limits]) - self.tolerance
        # a share below its lower limit is that of all other rows above theirs
        self._limit = np.concatenate([upper, 1.0 - lower])
        self._possible = self._limit < 1.0
        self._feature = np.tile(np.repeat(np.arange(len(limits)), [side[0].size for side in limits]), 2)[self._possible]
        self._gain, self._loss = _stakes(self._limit[self._possible])
        self._log_wealth = np.full(self._gain.shape, -math.inf)

    def update(self, counts: Counts) -> float:
        """The e-value with one more window: its Counts over the profile, or those that a report keeps of a window.

        A column that the window does not have changes nothing for its feature.

        Raises
        ------
        DataError
            Counts of another profile, or without rows: the state stays as it was.
        """
        if not isinstance(counts, Counts):
            raise DataError(
                f"update takes the Counts of a window, got {type(counts).__name__}; call profile.count first"
            )
        watched = self._watched_in(counts)
        if not counts.n_rows:
            raise DataError("the window has no rows; leave it out")
        pairs = [shares.hits(counts) for shares in watched]
        hits, rows = (np.concatenate(side) for side in zip(*pairs, strict=True))
        hits = np.concatenate([hits, rows - hits])[self._possible, np.newaxis]
        rows = np.tile(rows, 2)[self._possible, np.newaxis]
        self.windows += 1
        log_start = -math.log(self.windows * (self.windows + 1.0))
        self._log_wealth = np.logaddexp(self._log_wealth, log_start) + hits * self._gain + (rows - hits) * self._loss
        self.peak = max(self.peak, self.e_value)
        return self.e_value

    def _watched_in(self, counts: Counts) -> list[WatchedShares]:
        """The watched shares as the counts hold them: over the profile, or over its grid."""
        if counts.profile_id == self._profile_id:
            return self._watched
        if id_without_grid(counts.profile_id) != self._profile_id:
            raise DataError("the counts belong to another profile; count the window with the monitor's one")
        if not self._on_grid:
            grid = Grid.of(self._profile)
            self._on_grid = [shares.on(grid) for shares in self._watched]
        return self._on_grid

    @property
    def e_value(self) -> float:
        """Evidence by now; inf where it is beyond the largest double."""
        return sum(self.features.values()) / len(self._watched)

    @property
    def features(self) -> dict[str, float]:
        """The e-value of each feature by now: where the evidence comes from."""
        kept = 1.0 / (self.windows + 1.0)
        with np.errstate(over="ignore"):
            wealth = np.exp(self._log_wealth).mean(axis=1)
        n_bets = np.bincount(self._feature, minlength=len(self._watched))
        means = np.bincount(self._feature, weights=wealth, minlength=len(self._watched)) / np.maximum(n_bets, 1)
        left = np.where(n_bets > 0, kept, 1.0)  # a feature with nothing to bet on keeps all
        scaled = (1.0 - _FOR_THE_REFERENCE) * (means + left)
        return {shares.feature: float(e) for shares, e in zip(self._watched, scaled, strict=True)}

    @property
    def alarm(self) -> bool:
        """Whether the e-value has ever reached 1 / alpha."""
        return self.peak >= 1.0 / self.alpha

    def to_dict(self) -> dict[str, Any]:
        """The state as plain values, without NaN and infinity."""
        return {
            "profile_id": self._profile_id,
            "alpha": self.alpha,
            "tolerance": self.tolerance,
            "windows": self.windows,
            "peak": min(self.peak, float(np.finfo(np.float64).max)),
            "log_wealth": self._log_wealth.ravel().tolist() if self.windows else [],
        }

    @classmethod
    def from_dict(cls, profile: Profile, state: Mapping[str, Any]) -> EProcess:
        """Go on from ``to_dict``.

        Raises
        ------
        DataError
            No state, or one of another profile.
        """
        try:
            monitor = cls(profile, alpha=state["alpha"], tolerance=state["tolerance"])
            windows, peak = int(state["windows"]), float(state["peak"])
            wealth = np.array(state["log_wealth"], np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"no state of EProcess: {error}; pass what to_dict gave") from error
        if state.get("profile_id") != profile.profile_id:
            raise DataError("the state belongs to another profile; pass the one that the monitor was made with")
        if wealth.size != (monitor._log_wealth.size if windows else 0) or windows < 0 or np.isnan(wealth).any():
            raise DataError(f"no state of EProcess: {wealth.size} bets after {windows} windows; pass what to_dict gave")
        monitor.windows, monitor.peak = windows, peak
        if windows:
            monitor._log_wealth = wealth.reshape(monitor._log_wealth.shape)
        return monitor

    def __repr__(self) -> str:
        state = f"{self.windows} windows, e-value {self.e_value:.3g}, alarm {self.alarm}"
        return f"EProcess(alpha={self.alpha}, tolerance={self.tolerance}: {state})"


def _stakes(limit: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ln(q / h) and ln((1 - q) / (1 - h)) of each limit h, shape (limits, 1), and each q, shape (limits, bets)."""
    odds = (limit / (1.0 - limit))[:, np.newaxis] * np.exp(_LOG_ODDS)
    q = odds / (1.0 + odds)
    return np.log(q / limit[:, np.newaxis]), np.log((1.0 - q) / (1.0 - limit[:, np.newaxis]))
