"""Calibration: thresholds of every feature for a chosen rate of false alarms, as a value and as a file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from gpudrift.atomic import replacing
from gpudrift.config import Settings
from gpudrift.errors import ConfigError, DataError

_SCHEMA: Final = 1
_MOST_BYTES: Final = 64 << 20
"""Of a file: thresholds of 200,000 features."""


@dataclass(frozen=True)
class Calibration:
    """Thresholds at which a report without drift is flagged as rarely as was asked for.

    Made by ``gpudrift.calibrate``; never changes.

    Attributes
    ----------
    thresholds : mapping of feature to mapping of statistic to float
        What is missing here never varied between the null windows and keeps its threshold.
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
    rows : float
        Median rows of a window: larger windows are flagged less often, smaller ones more.
    replicates : int
        Null windows drawn.
    block : int or None
        Neighbouring windows that are drawn together.
    seed : int or None
    leader : tuple of str
        Feature and statistic that most often were the largest beyond the thresholds. One that leads by far was restless
        in a few windows, and has raised the thresholds of all.
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
    rows: float
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"schema": _SCHEMA, **asdict(self), "leader": list(self.leader), "notes": list(self.notes)}

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
        except (DataError, ValueError) as error:
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
        given = {name: values[name] for name in known}
        return cls(**{**given, "leader": tuple(values["leader"]), "notes": tuple(values["notes"])})

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
