"""alibi-detect 0.13: ``TabularDrift(x_ref, p_val=.05, categories_per_feature=...)``, default correction.

Kolmogorov-Smirnov with the asymptotic p-value for numbers, chi-square of the 2 x k table (Yates on 2 x 2) for
categories; a report alarms when one p-value is below .05 / features (alibi_detect/cd/tabular.py, base.py). The package
takes one array of rows: a NaN anywhere in a column makes its p-value NaN, which alarms never.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import chdtrc, kolmogorov
from scipy.stats import kstwo

from benchmarks.error_rates.sample import Pair

ALPHA: Final = 0.05


def p_value(pair: Pair, level: float | None = None) -> float:
    """p-value of one column; where a level is given, one far from it may be that of the limit law."""
    if pair.reference.missing or pair.current.missing:
        return math.nan
    n, m = pair.reference.n, pair.current.n
    if pair.categorical:
        return _contingency_p(pair)
    effective = n * m / (n + m)
    limit = float(kolmogorov(pair.ks * math.sqrt(effective)))
    if level is not None and not level / 4 < limit < 4 * level:
        return limit
    return float(kstwo.sf(pair.ks, round(effective)))


def drifted(pair: Pair, n_features: int) -> bool:
    """Whether the column alone makes the report alarm."""
    level = ALPHA / n_features
    return p_value(pair, level) < level


def _contingency_p(pair: Pair) -> float:
    """scipy's chi2_contingency."""
    table = pair.table
    df = table.shape[1] - 1
    if df == 0:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    gap = np.abs(table - expected)
    if df == 1:
        gap = gap - np.minimum(0.5, gap)
    return float(chdtrc(df, np.sum(gap * gap / expected)))
