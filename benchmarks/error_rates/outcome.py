"""Which features each rule names, in one stream."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.error_rates.rules import alibi_detect, evidently, nannyml
from benchmarks.error_rates.sample import Pair
from gpudrift.profiles import DriftReport
from gpudrift.stats import CORRECTIONS

Named = NDArray[np.bool_]

#: gpudrift's verdict, and either part of it alone.
OWN: Final = ("gpudrift", "p-value alone", "effect size alone")
#: The others' rules; where one package has two ways to alarm, both.
PEERS: Final = (
    "evidently, a column",
    "evidently, half of the columns",
    "nannyml, any of 10 chunks",
    "nannyml, the last chunk",
    "alibi-detect",
)


def own(report: DriftReport) -> dict[str, Named]:
    """What gpudrift names, and what it would by p-values or by effect sizes alone; ``tests`` are uncorrected."""
    settings = report.settings
    features = [report[f"x{f}"] for f in range(len(report))]
    log_p = np.array([feature.log_p_value for feature in features])
    rejected = CORRECTIONS[settings.correction](log_p, settings.alpha)
    reached = [
        any(value >= settings.threshold(name) for name, value in feature.effects.items()) for feature in features
    ]
    drifted = [feature.drifted for feature in features]
    named = dict(zip(OWN, (np.array(drifted), rejected, np.array(reached)), strict=True))
    return named | {"tests": log_p <= math.log(settings.alpha)}


def peers(pairs: list[Pair]) -> dict[str, Named]:
    """What the others name; evidently's dataset rule names its drifted columns or none."""
    columns = np.array([evidently.score(pair).drifted for pair in pairs])
    chunks = np.array([nannyml.score(pair).alerts for pair in pairs])
    half = columns & (columns.mean() >= evidently.DRIFT_SHARE)
    tests = np.array([alibi_detect.drifted(pair, len(pairs)) for pair in pairs])
    return dict(zip(PEERS, (columns, half, chunks.any(axis=1), chunks[:, -1], tests), strict=True))
