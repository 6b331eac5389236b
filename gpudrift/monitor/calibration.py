"""Calibration: thresholds of every feature for a chosen rate of false alarms, as a value and as a file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from gpudrift.atomic import replacing
from gpudrift.config import Settings
from gpudrift.errors import ConfigError, DataError
from gpudrift.frames import Problem
from gpudrift.period import Period

if TYPE_CHECKING:
    from gpudrift.monitor.window_reports import WindowReports
    from gpudrift.monitor.windows import Range
    from gpudrift.profiles.drift_report import DriftReport

_SCHEMA: Final = 2
_MOST_BYTES: Final = 64 << 20
"""Of a file: thresholds of 200,000 features."""

_TUPLES: Final = ("columns", "leader", "notes")
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class Calibration:
    """Thresholds at which a report without drift is flagged as rarely as was asked for.

    Made by ``gpudrift.calibrate``; never changes.

    Attributes
    ----------
    thresholds : mapping of feature to mapping of statistic to float
        At most the bound of the statistic. What is missing here never varied between the null windows and keeps its
        threshold.
    asked : str
        The rate in the user's words.
    rate : float
        The same as a probability that the report of a window has any flag.
    reached : float
        The probability by the null windows, at these thresholds.
    reached_error : float or None
        Its standard error: of the resampling; with leave-one-out, that of having so few windows; None where the
        thresholds are extrapolated.
    average_run_length : float
        Windows until the first false alarm, on average: 1 / reached; with blocks, that of alarms that come in clusters.
    how : {"block", "leave-one-out", "multinomial"}
    windows : int
        Windows it was made from.
    window : str or None
        Their length, where it was given: "1d".
    rows : float
        Median rows of a window: larger windows are flagged less often, smaller ones more. So is a report of all rows
        together, which these thresholds judge as if it were one window.
    columns : tuple of str
        Features that took part, whether or not they varied.
    weights : str or None
        Column of the rows' weights.
    replicates : int
        Null windows drawn.
    block : int or None
        Neighbouring windows that are drawn together.
    seed : int or None
    leader : tuple of str
        Feature and statistic that most often were the largest beyond the thresholds. One that leads by far was restless
        in a few windows, beyond all that its own scale allows for, and has raised the thresholds of all.
    notes : tuple of str
        What a reader should know, one line each.
    profile_id : str
        Digest of the profile.
    """

    thresholds: Mapping[str, Mapping[str, float]]
    asked: str
    rate: float
    reached: float
    reached_error: float | None
    average_run_length: float
    how: str
    windows: int
    window: str | None
    rows: float
    columns: tuple[str, ...]
    weights: str | None
    replicates: int
    block: int | None
    seed: int | None
    leader: tuple[str, ...]
    notes: tuple[str, ...]
    profile_id: str

    def settings(self, base: Settings | None = None) -> Settings:
        """Settings with these thresholds; all else, and features that are not here, as in ``base``."""
        start = base or Settings()
        return replace(start, feature_thresholds={**start.feature_thresholds, **self.thresholds})

    def problems(self, report: DriftReport) -> tuple[Problem, ...]:
        """In what a report made with these thresholds differs from what they were made for, one line each.

        Raises
        ------
        DataError
            The report has none of the features.
        """
        if not set(self.columns) & set(report):
            raise DataError(
                f"the calibration is of {_named(self.columns)}, and the report has none of them; "
                "calibrate with this reference"
            )
        settings, windows = report.settings, report.windows
        weights = settings.weights or report._profile.weights
        found = []
        if strangers := [f.name for f in report.values() if f.counted and f.name not in self.columns]:
            found.append((f"has no thresholds of {_named(strangers)}: theirs stay", "calibrate with them"))
        if weights != self.weights:
            made, used = (f"weights {name!r}" if name else "no weights" for name in (self.weights, weights))
            found.append((f"was made with {made}, the report has {used}", "use the same in both"))
        if windows is not None and settings.window is not None:
            if self.window is not None and Period.parse(self.window) != Period.parse(settings.window):
                found.append(
                    (f"was made for windows of {self.window}, these are of {settings.window}", "calibrate for these")
                )
            if settings.against == "previous":
                found.append(("is of windows against the reference, not against the one before", "leave against out"))
        rows = [report.n_current] if windows is None else [_rows(windows, of) for of in windows.ranges.values()]
        fewer, more = sum(2 * n < self.rows for n in rows), sum(n > 2 * self.rows for n in rows)
        for number, size, often in ((fewer, "less than half", "more"), (more, "more than twice", "less")):
            if number:
                of = "the current data have" if windows is None else f"{number:,} of {len(rows):,} windows have"
                what = f"is of windows of {self.rows:,.0f} rows; {of} {size} of that, which is flagged {often} often"
                found.append((what, "calibrate windows of that size"))
        return tuple(Problem("calibration", what, remedy) for what, remedy in found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        lists = {name: list(getattr(self, name)) for name in _TUPLES}
        return {"schema": _SCHEMA, **asdict(self), **lists}

    def to_json(self, *, indent: int | None = 2) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON to a file, atomically."""
        with replacing(path) as draft:
            draft.write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read what ``save`` wrote.

        Raises
        ------
        DataError
            The file cannot be read, or holds no calibration.
        """
        try:
            with open(path, "rb") as file:
                content = file.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise DataError(f"{path} is larger than a calibration ever is; check the path")
            return cls.from_dict(json.loads(content))
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}; check the path") from error
        except (DataError, ConfigError, ValueError) as error:
            raise DataError(f"{path} holds no calibration: {error}") from error

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """From ``to_dict``.

        Raises
        ------
        DataError
            With what is wrong.
        """
        if not isinstance(values, Mapping) or values.get("schema") != _SCHEMA:
            found = values.get("schema") if isinstance(values, Mapping) else values
            raise DataError(f"schema {_SCHEMA} is expected, got {str(found)[:40]!r}; write it with Calibration.save")
        known = [f.name for f in fields(cls)]
        if missing := [name for name in known if name not in values]:
            raise DataError(f"{missing[0]} is missing; write it with Calibration.save")
        try:
            Settings(feature_thresholds=values["thresholds"])
        except ConfigError as error:
            raise DataError(str(error)) from error
        numbers = [values[name] for name in ("rate", "reached", "average_run_length", "rows")]
        if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers) or not 0 < values["rate"] < 1:
            raise DataError("rate, reached, average_run_length and rows must be finite numbers")
        for name in _TUPLES:
            if not isinstance(values[name], list | tuple) or not all(isinstance(item, str) for item in values[name]):
                raise DataError(f"{name} must be a list of texts")
        for name in ("window", "weights"):
            if not isinstance(values[name], str | None):
                raise DataError(f"{name} must be a text or null")
        if values["window"] is not None:
            Period.parse(values["window"])
        given = {name: values[name] for name in known}
        return cls(**{**given, **{name: tuple(values[name]) for name in _TUPLES}})

    def __str__(self) -> str:
        error = "" if self.reached_error is None else f" (standard error {self.reached_error:.2g})"
        return "\n".join(
            [
                f"{self.asked}: {self.rate:.4g} a window; reached {self.reached:.4g}{error} by {self.how}, "
                f"{self.replicates:,} null windows from {self.windows:,} of {self.rows:,.0f} rows; "
                f"average run length {self.average_run_length:,.0f} windows",
                *(f"note: {note}" for note in self.notes),
            ]
        )


def _rows(windows: WindowReports, of: Range) -> int:
    return int(windows.question.sections.n_rows[slice(*of)].sum())


def _named(features: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(features) - _MOST_NAMED:,} more" if len(features) > _MOST_NAMED else ""
    return ", ".join(map(repr, features[:_MOST_NAMED])) + more
