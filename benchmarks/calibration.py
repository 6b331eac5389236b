"""How long does a calibration take, and how often do new windows without drift pass its thresholds?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import gpudrift as gd
from benchmarks.options import Options
from gpudrift.bench import clocked, interleaved

HOWS: Final = ("multinomial", "block", "leave-one-out")
ASKED: Final = 0.05

#: Windows of 200 rows and two columns, whose means wander as AR(1): its coefficient, and the deviation of the means.
STREAMS: Final = {
    "independent rows": (0.0, 0.0), "independent windows": (0.0, 0.15), "AR(1) 0.5": (0.5, 0.15), "AR(1) 0.8": (0.8,
    0.15),
}  # fmt: skip
WINDOWS, NEW_WINDOWS, WORLDS = 60, 10, 100


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Seconds for 10,000 replicates of 200 features from 90 windows, and the rates reached where .05 was asked for."""
    profile, windows = _world(np.random.default_rng(0), 90, 1000, 200)
    calls = {how: clocked(partial(gd.calibrate, profile, windows, false_alarms=ASKED, how=how)) for how in HOWS}
    timings = interleaved(calls, options.repeats)
    seconds = {how: timing.to_dict() for how, timing in timings.items()}
    print("calibration of 200 features from 90 windows, 10,000 replicates")
    for how, figures in seconds.items():
        print(f"  {how:15} {figures}")
    rates = {name: _rates(*stream) for name, stream in STREAMS.items()}
    print(f"share of new windows beyond the thresholds, {ASKED} asked for")
    for name, found in rates.items():
        print(f"  {name:20}" + "".join(f"  {how} {rate:.3f} (+-{error:.3f})" for how, (rate, error) in found.items()))
    yield {"question": "calibration", "seconds": seconds, "rates": rates}


def _rates(coefficient: float, deviation: float) -> dict[str, tuple[float, float]]:
    """Mean share of new windows with an effect size at its threshold, over many worlds, and its standard error."""
    rng = np.random.default_rng(1)
    shares: dict[str, list[float]] = {how: [] for how in HOWS}
    for seed in range(WORLDS):
        means = _ar1(rng, WINDOWS + NEW_WINDOWS, coefficient, deviation)
        days = [{"a": rng.normal(a, size=200), "b": rng.normal(b, size=200)} for a, b in means]
        profile = gd.profile({name: np.concatenate([day[name] for day in days[:WINDOWS]]) for name in "ab"})
        counts = [profile.count(day) for day in days]
        reports = [profile.compare(window) for window in counts[WINDOWS:]]
        for how in HOWS:
            found = gd.calibrate(
                profile, counts[:WINDOWS], false_alarms=ASKED, how=how, replicates=2000, seed=seed
            ).thresholds
            beyond = [
                any(v >= found[f.name].get(s, math.inf) for f in report.values() for s, v in f.effects.items())
                for report in reports
            ]
            shares[how].append(sum(beyond) / len(beyond))
    return {how: (float(np.mean(s)), float(np.std(s) / math.sqrt(len(s)))) for how, s in shares.items()}


def _ar1(rng: np.random.Generator, n: int, coefficient: float, deviation: float) -> NDArray[np.float64]:
    """Means of two columns, stationary."""
    noise = rng.normal(size=(n, 2))
    means = noise.copy()
    for t in range(1, n):
        means[t] = coefficient * means[t - 1] + math.sqrt(1.0 - coefficient**2) * noise[t]
    return deviation * means


def _world(rng: np.random.Generator, n: int, rows: int, features: int) -> tuple[gd.Profile, list[gd.Counts]]:
    days = [{f"x{f}": rng.normal(0.05 * rng.normal(), size=rows) for f in range(features)} for _ in range(n)]
    profile = gd.profile({name: np.concatenate([day[name] for day in days]) for name in days[0]})
    return profile, [profile.count(day) for day in days]
