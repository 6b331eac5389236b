"""evidently 0.7: ``DataDriftPreset()`` with columns declared numerical or categorical.

The statistic depends on the rows of the reference that have a value, and on the distinct values of both sides together
(evidently/legacy/calculations/stattests/registry.py, ``_get_default_stattest``). A report counts as drifted when half
of its columns do (``drift_share=0.5``).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.special import chdtrc, kolmogorov, ndtr
from scipy.stats import ks_2samp

from benchmarks.error_rates.sample import Pair

DRIFT_SHARE: Final = 0.5
_FEW_ROWS: Final = 1000
_ALPHA: Final = 0.05
_DISTANCE: Final = 0.1


class Score(NamedTuple):
    """A column's statistic by evidently's name, its value, and whether it counts as drifted."""

    statistic: str
    value: float
    drifted: bool


def score(pair: Pair, *, exactly: bool = False) -> Score:
    """The column's drift score; with ``exactly`` a KS p-value far from the level is computed exactly as well."""
    by_values = pair.categorical or pair.n_distinct <= 5
    if pair.reference.n > _FEW_ROWS:
        if by_values:
            distance = float(jensenshannon(*(side / side.sum() for side in pair.table)))
            return Score("jensenshannon", distance, distance >= _DISTANCE)
        distance = pair.wasserstein / max(pair.reference.mean_std()[1], 0.001)
        return Score("wasserstein", distance, distance >= _DISTANCE)
    if not by_values:
        p = _ks_p(pair, exactly=exactly)
        return Score("ks", p, p <= _ALPHA)
    if pair.n_distinct > 2:
        p = _chi_square_p(pair)
        return Score("chisquare", p, p < _ALPHA)
    p = _z_p(pair)
    return Score("z", p, p < _ALPHA)


def _ks_p(pair: Pair, *, exactly: bool) -> float:
    """scipy's ks_2samp; where the asymptotic p-value is far from the level that will do."""
    n, m = pair.reference.n, pair.current.n
    p = float(kolmogorov(pair.ks * math.sqrt(n * m / (n + m))))
    if not exactly and not _ALPHA / 4 < p < 4 * _ALPHA:
        return p
    return float(ks_2samp(*(np.repeat(side.values, side.rows) for side in (pair.reference, pair.current))).pvalue)


def _chi_square_p(pair: Pair) -> float:
    """scipy's chisquare with the reference as if it were the law: a category it lacks makes p zero."""
    reference, current = pair.table
    expected = reference * (pair.current.n / pair.reference.n)
    if np.any((expected == 0) & (current > 0)):
        return 0.0
    return float(chdtrc(expected.size - 1, np.sum((current - expected) ** 2 / expected)))


def _z_p(pair: Pair) -> float:
    """z-test of the share of the larger of two values."""
    reference, current = pair.table
    if reference.size == 1:
        return 1.0
    n, m = pair.reference.n, pair.current.n
    pooled = (reference[1] + current[1]) / (n + m)
    z = (reference[1] / n - current[1] / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return float(2 * (1 - ndtr(abs(z))))
