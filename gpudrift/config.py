"""Settings of a drift check: frozen, checked when made."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.period import Period
from gpudrift.stats import CORRECTIONS, STATISTICS

Against = Literal["reference", "previous"]

_MAX_SLICES: Final = 50


@dataclass(frozen=True)
class Settings:
    """What makes a feature count as drifted.

    Attributes
    ----------
    alpha : float in (0, 1)
        Error rate over the features of one report.
    correction : {"benjamini-hochberg", "bonferroni", "none"}
        How alpha is shared between features.
    thresholds : mapping of statistic to float
        Effect sizes that replace the defaults of ``gpudrift.stats.STATISTICS``, or let a statistic that has none decide
        too.
    feature_thresholds : mapping of feature to mapping of statistic to float
        Effect sizes of single features, which win over ``thresholds``: what ``gpudrift.calibrate`` finds.
    drift_share : float in (0, 1], optional
        Share of features that must drift before the dataset does; one feature is enough by default.
    columns, categorical, numeric : tuple of str
        Columns to compare (all by default), and those of them to treat as categories or numbers whatever their type.
    exact : bool
        Compute KS and Wasserstein from the sorted rows instead of the counts.
    time : str, optional
        Column of times; needed for windows of time.
    window : str, optional
        Length of a window: "1d", "6h", "1mo", "5000 rows".
    every : str, optional
        How long after one window the next begins; as long as a window by default.
    expanding : bool
        Every window begins with the first one.
    against : {"reference", "previous"}
        What a window is compared with.
    zone : str, optional
        Time zone whose wall clock windows follow; that of the column by default.
    slices : tuple of str
        Columns whose combinations of categories are compared one by one.
    max_slices : int
        How many of the largest slices are kept apart.
    weights : str, optional
        Column of row weights.

    Raises
    ------
    ConfigError
        With the name of the setting, its value and what is allowed.

    Examples
    --------
    >>> Settings(alpha=0.01).threshold("psi")
    0.1
    >>> Settings(alpha=2)
    Traceback (most recent call last):
        ...
    gpudrift_kernels.errors.ConfigError: alpha must be between 0 and 1, got 2
    """

    alpha: float = 0.05
    correction: str = "benjamini-hochberg"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    feature_thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    drift_share: float | None = None
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    exact: bool = False
    time: str | None = None
    window: str | None = None
    every: str | None = None
    expanding: bool = False
    against: Against = "reference"
    zone: str | None = None
    slices: tuple[str, ...] = ()
    max_slices: int = _MAX_SLICES
    weights: str | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.alpha) or not 0 < self.alpha < 1:
            raise ConfigError(f"alpha must be between 0 and 1, got {self.alpha!r}")
        if not isinstance(self.correction, str) or self.correction not in CORRECTIONS:
            raise ConfigError(unknown("correction", self.correction, list(CORRECTIONS)))
        _check_thresholds("thresholds", self.thresholds)
        if not isinstance(self.feature_thresholds, Mapping):
            raise ConfigError(f"feature_thresholds must be a table of features, got {self.feature_thresholds!r}")
        for feature, thresholds in self.feature_thresholds.items():
            _check_thresholds(f"feature_thresholds.{feature}", thresholds)
        if self.drift_share is not None and not (_is_number(self.drift_share) and 0 < self.drift_share <= 1):
            raise ConfigError(f"drift_share must be above 0 and at most 1, got {self.drift_share!r}")
        for name in ("columns", "categorical", "numeric", "slices"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"{name} must be a list of column names, got {value!r}")
            object.__setattr__(self, name, tuple(value))
        if twice := [name for name in self.slices if self.slices.count(name) > 1]:
            raise ConfigError(f"slices name {twice[0]!r} twice; name it once")
        if both := sorted(set(self.categorical) & set(self.numeric)):
            raise ConfigError(f"{both[0]!r} is named under categorical and numeric; keep one")
        for kind in ("categorical", "numeric"):
            if self.columns and (left_out := [name for name in getattr(self, kind) if name not in self.columns]):
                raise ConfigError(f"{left_out[0]!r} is named under {kind} but not under columns; name it in both")
        for name in ("exact", "expanding"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false, got {getattr(self, name)!r}")
        for name in ("time", "zone", "weights"):
            if (value := getattr(self, name)) is not None and (not isinstance(value, str) or not value):
                raise ConfigError(f"{name} must be a name, got {value!r}")
        if self.exact and self.weights is not None:
            raise ConfigError("exact sorts rows as if they weighed the same; leave out exact or weights")
        if not isinstance(self.max_slices, int) or isinstance(self.max_slices, bool) or not 0 < self.max_slices <= 1000:
            raise ConfigError(f"max_slices must be between 1 and 1000, got {self.max_slices!r}")
        if self.max_slices != _MAX_SLICES and not self.slices:
            raise ConfigError("max_slices is for slices; give slices too, the names of columns")
        self._check_windows()

    def _check_windows(self) -> None:
        if self.against not in ("reference", "previous"):
            raise ConfigError(unknown("against", self.against, ["reference", "previous"]))
        if self.window is None:
            for name, default in (
                ("every", None),
                ("expanding", False),
                ("against", "reference"),
                ("time", None),
                ("zone", None),
            ):
                if getattr(self, name) != default:
                    raise ConfigError(f'{name} is for windows; give window too, such as "1d"')
            return
        window = Period.parse(self.window)
        every = window if self.every is None else Period.parse(self.every, what="every")
        if self.expanding and (self.every is not None or self.against == "previous"):
            raise ConfigError("expanding windows grow from the first one: leave every and against out")
        if not window.is_rows and self.time is None:
            raise ConfigError(f"windows of {window} need time, the name of a column of timestamps")
        if not window.divides_into(every):
            raise ConfigError(f"window must be a whole number of every, got {window} and {every}")

    def threshold(self, statistic: str, feature: str | None = None) -> float:
        """Effect size at which a statistic is material, of a feature or of those without thresholds of their own.

        Infinite where it never is.
        """
        value = self.thresholds.get(statistic, STATISTICS[statistic].threshold)
        if feature is not None:
            value = self.feature_thresholds.get(feature, {}).get(statistic, value)
        return math.inf if value is None else float(value)

    def limits(self, feature: str) -> dict[str, float]:
        """The thresholds of a feature, of the statistics that have one: what its verdict looks at."""
        defaults = {name: s.threshold for name, s in STATISTICS.items() if s.threshold is not None}
        found = {**defaults, **self.thresholds, **self.feature_thresholds.get(feature, {})}
        return {name: float(value) for name, value in found.items()}

    def threshold_source(self, statistic: str, feature: str) -> str:
        """How the threshold of a feature came about."""
        if statistic in self.feature_thresholds.get(feature, {}):
            return "calibrated"
        return "set by user" if statistic in self.thresholds else "default"


def _check_thresholds(where: str, thresholds: Any) -> None:
    if not isinstance(thresholds, Mapping):
        raise ConfigError(f"{where} must be a table of statistic = value, got {thresholds!r}")
    for name, value in thresholds.items():
        if name not in STATISTICS:
            raise ConfigError(unknown(where, name, list(STATISTICS)))
        if not _is_number(value) or not 0 < value <= sys.float_info.max:
            raise ConfigError(f"{where}.{name} must be above 0 and finite, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def unknown(where: str, name: Any, known: list[str]) -> str:
    """The key path, and the hint that follows it."""
    path = f"{where}.{name}" if where else str(name)
    return f"{path} is unknown: {hint(str(name), known)}"
