"""Settings of a drift check: frozen, checked when made, readable from TOML."""

from __future__ import annotations

import math
import os
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.period import Period
from gpudrift.stats import CORRECTIONS, STATISTICS

Against = Literal["reference", "previous"]

_MOST_BYTES: Final = 1 << 20
"""Of a TOML file: far more than settings take, far less than a mistaken path may hold."""


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
    max_slices: int = 50
    weights: str | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.alpha) or not 0 < self.alpha < 1:
            raise ConfigError(f"alpha must be between 0 and 1, got {self.alpha!r}")
        if not isinstance(self.correction, str) or self.correction not in CORRECTIONS:
            raise ConfigError(_unknown("correction", self.correction, list(CORRECTIONS)))
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
        self._check_windows()

    def _check_windows(self) -> None:
        if self.against not in ("reference", "previous"):
            raise ConfigError(_unknown("against", self.against, ["reference", "previous"]))
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


def load_settings(path: str | Path, **overrides: Any) -> Settings:
    """Settings from the ``[check]`` table of a TOML file, whose keys are the attributes of ``Settings``.

    ``overrides`` that are not None win; ``columns`` among them also narrow the file's ``categorical`` and ``numeric``.
    The backend is no setting, since no result depends on it.

    Raises
    ------
    ConfigError
        With the file and the key path; an unknown key comes with the nearest known one.
    """
    try:
        document = tomllib.loads(_read(path).decode())
    except OSError as error:
        remedy = "check its permissions" if isinstance(error, PermissionError) else "check the path"
        raise ConfigError(f"{path} cannot be read: {error.strerror}; {remedy}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for key in document:
        if key != "check":
            raise ConfigError(f"{path}: {_unknown('', key, ['check'])}")
    table = document.get("check", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: check must be a table, got {table!r}")
    known = [f.name for f in fields(Settings)]
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: {_unknown('check', key, known)}")
    if table.get("columns") == []:
        raise ConfigError(f"{path}: check.columns is empty; leave it out to compare all columns")
    try:
        settings = Settings(**table)
    except ConfigError as error:
        raise ConfigError(f"{path}: check.{error}") from error
    given = {name: value for name, value in overrides.items() if value is not None}
    if columns := given.get("columns"):
        of_file = {kind: getattr(settings, kind) for kind in ("categorical", "numeric")}
        given = {kind: [name for name in names if name in columns] for kind, names in of_file.items()} | given
    return replace(settings, **given)


def _read(path: str | Path) -> bytes:
    """The whole file, unless it is not one or does not end."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
        raise ConfigError(f"{path} is not a regular file; write the settings to one")
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than 1 MiB, which settings never are; check the path")
    return content


def _check_thresholds(where: str, thresholds: Any) -> None:
    if not isinstance(thresholds, Mapping):
        raise ConfigError(f"{where} must be a table of statistic = value, got {thresholds!r}")
    for name, value in thresholds.items():
        if name not in STATISTICS:
            raise ConfigError(_unknown(where, name, list(STATISTICS)))
        if not _is_number(value) or not 0 < value <= sys.float_info.max:
            raise ConfigError(f"{where}.{name} must be above 0 and finite, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unknown(where: str, name: Any, known: list[str]) -> str:
    """The key path, and the hint that follows it."""
    path = f"{where}.{name}" if where else str(name)
    return f"{path} is unknown: {hint(str(name), known)}"
