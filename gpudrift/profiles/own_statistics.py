"""The user's own statistics of a feature: their code runs here, and whatever it does the report goes on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Final

import numpy as np

from gpudrift.frames import Problem
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.stats import STATISTICS, Statistic

_REMEDY: Final = "mend it: gpudrift.testing.check_statistic shows how"
_SLACK: Final = 1e-9
"""Roundings that a value may lie beyond its bounds."""
_MOST_CHARACTERS: Final = 200


def with_own_statistics(features: Iterable[FeatureDrift]) -> tuple[list[FeatureDrift], list[Problem]]:
    """Features with ``own`` filled in, and one problem for each statistic that failed, at the first feature it did."""
    asked = [s for s in STATISTICS.values() if s.own]
    finished: list[FeatureDrift] = []
    failed: dict[str, list[tuple[str, str]]] = {}
    for feature in features:
        own = {}
        for statistic in asked:
            if feature.kind not in statistic.kinds:
                continue
            own[statistic.name], fault = _value(statistic, feature)
            if fault:
                failed.setdefault(statistic.name, []).append((feature.name, fault))
        finished.append(feature.changed(own=own) if own else feature)
    return finished, [_problem(name, faults) for name, faults in failed.items()]


def _value(statistic: Statistic, feature: FeatureDrift) -> tuple[float, str]:
    """The value, or NaN and what was wrong; NaN alone where a side has no rows."""
    occupied = [(b.reference, b.current) for b in feature.bins if b.reference + b.current]
    sides = np.array(occupied).reshape(-1, 2).T.copy()
    sides.flags.writeable = False
    if statistic.function is None or not sides.any(axis=1).all():
        return math.nan, ""
    try:
        value: object = statistic.function(*sides)
        if isinstance(value, bool) or not isinstance(value, Real):
            return math.nan, f"gave {value!r}, which is no number"
        number = float(value)  # may be too large for one
    except (Exception, SystemExit) as error:  # noqa: BLE001  code of the user's may raise whatever it likes
        return math.nan, f"raised {type(error).__name__}: {error}".rstrip(": ")
    if not math.isfinite(number):
        return math.nan, f"gave {number}, which is not finite"
    lowest, highest = statistic.bounds
    if not lowest - _SLACK <= number <= highest + _SLACK:
        return math.nan, f"gave {number:.6g}, outside its bounds [{lowest:g}, {highest:g}]"
    return number, ""


def _problem(name: str, faults: list[tuple[str, str]]) -> Problem:
    feature, fault = faults[0]
    text = " ".join(fault.split())
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[: _MOST_CHARACTERS - 1]}…"
    more = len(faults) - 1
    others = f", and failed for {more:,} more feature{'s' if more > 1 else ''}" if more else ""
    return Problem(feature, f"your statistic {name} {text}{others}", _REMEDY)
