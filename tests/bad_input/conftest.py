"""Good columns that must come out of a report as they do alone, whatever lies beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

import gpudrift as gd

_RNG = np.random.default_rng(0)
GOOD = {"age": _RNG.normal(size=500), "plan": _RNG.choice(["free", "paid"], 500)}


def problems(report: gd.DriftReport, name: str = "x") -> list[str]:
    return [str(problem) for problem in report.problems if problem.feature == name]


def check_beside_good_columns(reference: Any, current: Any, **settings: Any) -> gd.DriftReport:
    """Report of a column ``x`` beside good ones, which must come out as they do alone."""
    report = gd.check_drift(reference={**GOOD, "x": reference}, current={**GOOD, "x": current}, **settings)
    assert {"age", "plan"} <= set(report)
    assert not report["age"].drifted
    assert report["age"].n_current == 500
    assert not any(problem.feature in GOOD for problem in report.problems)
    return report
