"""The verdict: which features drifted, at a stated error rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gpudrift.config import Settings
from gpudrift.profiles.feature_drift import FeatureDrift, Reason
from gpudrift.stats import CORRECTIONS

#: Values on either side below which the laws behind the p-values do not hold: three to a decile.
MIN_VALUES: Final = 30

#: Names of the tests: those of a rate have an effect size of the same name, all others belong to the distribution.
DISTRIBUTION: Final = "distribution"
RATES: Final = ("missing_rate", "new_rate")


def decide(features: Sequence[FeatureDrift], settings: Settings) -> list[FeatureDrift]:
    """Features with ``drifted`` and ``reasons`` filled in.

    A feature drifted if its p-value is rejected after correction over the features of the verdict, and an effect size
    reaches its threshold that belongs to a test as clear: p-values alone alarm on everything when rows are many,
    effect sizes alone when rows are few, and one null too many makes no distribution drift.
    """
    log_p = np.array([f.log_p_value if f.counted else math.nan for f in features])
    rejected = CORRECTIONS[settings.correction](log_p, settings.alpha)
    n_tested = sum(f.judged for f in features)
    if not rejected.any():
        return list(features)
    # A test is as clear as that of a rejected feature, or rejected by Bonferroni.
    clear = max(float(log_p[rejected].max()), math.log(settings.alpha / n_tested))
    return [_judge(f, clear, n_tested, settings) if r else f for f, r in zip(features, rejected, strict=True)]


def _judge(feature: FeatureDrift, clear: float, n_tested: int, settings: Settings) -> FeatureDrift:
    limits = settings.limits(feature.name)
    reached = [
        Reason(name, value, limits[name], settings.threshold_source(name, feature.name))
        for name, value in feature.material(limits).items()
        if value >= limits[name] and feature.tests.get(name if name in RATES else DISTRIBUTION, math.inf) <= clear
    ]
    if not reached:
        return feature
    over = f"over {n_tested} feature{'s' if n_tested > 1 else ''}"
    how = f"uncorrected {over}" if settings.correction == "none" else f"{settings.correction} {over}"
    return feature.changed(drifted=True, reasons=(*reached, Reason("p_value", feature.p_value, settings.alpha, how)))
