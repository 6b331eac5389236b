"""Where nothing moved, few windows and slices are flagged, whatever rows weigh."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gpudrift as gd

ALPHA = 0.05
N = 300
#: A share of N reports at alpha, and three standard deviations of it.
MOST = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / N)
#: All effects are material: the tests alone decide.
ANY_EFFECT = dict.fromkeys(
    ("psi", "ks", "js_distance", "wasserstein", "hellinger", "cramers_v", "missing_rate", "new_rate"), 1e-9
)


def null(n: int, seed: int) -> dict[str, np.ndarray]:
    """Rows of one distribution: continuous, skewed, counts, zero-inflated, gaps, categories; weights apart from it."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=n)
    return {
        "normal": normal,
        "skewed": rng.gamma(0.5, 1, n),
        "count": rng.poisson(2, n),
        "zeros": np.where(rng.random(n) < 0.4, 0, normal),
        "gaps": np.where(rng.random(n) < 0.05, np.nan, rng.random(n)),
        "plan": rng.choice(6, n, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01]).astype(str),
        "shop": np.minimum(rng.geometric(0.02, n), 400).astype(str),
        "weight": rng.exponential(size=n),  # of coefficient of variation 1
        "slice": rng.integers(0, N, n),
    }


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("thresholds", [{}, ANY_EFFECT], ids=["default", "any effect"])
def test_windows_where_nothing_moved_are_flagged_at_alpha_at_most(weights, thresholds):
    report = gd.check_drift(
        reference=null(100_000, 0), current=null(N * 400, 1), window="400 rows", weights=weights,
        columns=["normal", "skewed", "count", "zeros", "gaps", "plan", "shop"], thresholds=thresholds,
    )  # fmt: skip
    assert len(report.windows) == N
    assert len(report.windows.drifted) / N <= MOST
    assert not report.dataset_drift


@pytest.mark.parametrize("weights", [None, "weight"])
def test_slices_where_nothing_moved_are_flagged_at_alpha_at_most(weights):
    report = gd.check_drift(
        reference=null(N * 500, 2), current=null(N * 400, 3), slices=["slice"], max_slices=N, weights=weights,
        columns=["normal", "skewed", "count", "zeros", "gaps", "plan", "shop"], thresholds=ANY_EFFECT,
    )  # fmt: skip
    assert len(report.slices) == N
    assert len(report.slices.drifted) / N <= MOST
