"""Views for the report's tests: believable numbers, each of which a test can replace."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from gpudrift.report import OverviewView, ReportView

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpudrift.report.view import DensityView, FeatureView, SlicesView, WindowsView


def _normal_shares(n_bins: int, *, centre: float, width: float) -> list[float]:
    raw = [math.exp(-(((b - centre * n_bins) / (width * n_bins)) ** 2)) for b in range(n_bins)]
    return [value / sum(raw) for value in raw]


def _density(n_bins: int, *, shift: float) -> DensityView:
    return {
        "edges": [b / 4 for b in range(n_bins + 1)],
        "labels": [f"{b / 4:g}" for b in range(n_bins + 1)],
        "reference": _normal_shares(n_bins, centre=0.4, width=0.15),
        "current": _normal_shares(n_bins, centre=0.4 + shift, width=0.2),
    }


def make_feature(name: str = "temp", *, n_bins: int = 10, n_density: int = 32, **changes: Any) -> FeatureView:
    feature: FeatureView = {
        "name": name,
        "kind": "numeric",
        "dtype": "Float64",
        "drifted": True,
        "counted": True,
        "reasons": [
            {"statistic": "psi", "value": 0.312, "threshold": 0.1, "how": "default"},
            {"statistic": "p_value", "value": 1e-30, "threshold": 0.05, "how": "after Benjamini-Hochberg"},
        ],
        "psi": 0.312,
        "psi_bins": n_bins,
        "js_distance": 0.231,
        "hellinger": 0.19,
        "wasserstein": 0.44,
        "cramers_v": None,
        "ks": {
            "statistic": 0.2501,
            "lower": 0.2501,
            "upper": 0.2507,
            "exact": False,
            "log_pvalue": -5000.0,
        },
        "p_value": 1e-30,
        "n": {"reference": 336_776, "current": 28_330},
        "missing": {"reference": 1_573, "current": 0},
        "new": 0,
        "statistics": {"psi": 0.312, "kl": 0.15, "mean_change": -0.4, "missing_rate": 0.005},
        "intervals": {"mean_change": [-0.41, -0.39]},
        "bins": [
            {"label": f"[{b}.25, {b + 1}.25)", "reference": 33_520, "current": 900 + 430 * b} for b in range(n_bins)
        ],
        "density": _density(n_density, shift=0.12) if n_density else None,
    }
    return {**feature, **changes}  # type: ignore[typeddict-item]


def make_categories(name: str = "carrier", **changes: Any) -> FeatureView:
    categorical: dict[str, Any] = {
        "kind": "categorical",
        "dtype": "String",
        "wasserstein": None,
        "ks": None,
        "cramers_v": 0.08,
        "new": 12,
        "bins": [
            {"label": "UA", "reference": 500, "current": 300},
            {"label": "B6", "reference": 400, "current": 600},
            {"label": "OO", "reference": 9, "current": 0},
            {"label": "VX", "reference": 0, "current": 31},
        ],
        "density": None,
        "psi_bins": 4,
    }
    return make_feature(name, **(categorical | changes))


def make_report(*features: FeatureView, **changes: Any) -> ReportView:
    report: ReportView = {
        "title": "April against the first quarter",
        "version": "0.1.0",
        "backend": "cpu",
        "created": "2024-05-02T09:30:00Z",
        "rows": {"reference": 336_776, "current": 28_330},
        "dataset_drift": any(feature["drifted"] and feature["counted"] for feature in features),
        "share_drifted": 0.5,
        "alpha": 0.05,
        "correction": "Benjamini-Hochberg",
        "settings": "psi 0.1, ks 0.1, js_distance 0.1",
        "features": list(features),
        "windows": None,
        "slices": None,
        "problems": [{"feature": "row", "what": "index-like", "remedy": "Name it with --columns."}],
    }
    return {**report, **changes}  # type: ignore[typeddict-item]


def make_windows(n_windows: int = 12, n_features: int = 3, **changes: Any) -> WindowsView:
    """Feature f drifts from window 4 on, with a PSI of (f + 1) tenths; before, and where f is 0, it is calm."""
    features = [
        {
            "name": f"feature_{f}",
            "values": [0.1 * (f + 1) if w >= 4 and f else 0.01 for w in range(n_windows)],
            "drifted": [w >= 4 and f > 0 for w in range(n_windows)],
            "counted": True,
            "threshold": 0.1,
        }
        for f in range(n_features)
    ]
    windows = [
        {
            "label": f"day {w + 1}",
            "rows": {"reference": 5_000, "current": 100 + w},
            "dataset_drift": w >= 4,
            "judged": w > 0,
            "drifted": [{"name": f["name"], "psi": f["values"][w]} for f in reversed(features) if f["drifted"][w]],
        }
        for w in range(n_windows)
    ]
    view = {"title": "Windows of 1 day, compared with the reference", "windows": windows, "features": features}
    return {**view, **changes}  # type: ignore[typeddict-item]


def make_slices(n_slices: int = 3, **changes: Any) -> SlicesView:
    slices = [
        {
            "label": f"JFK / carrier {s}",
            "rows": {"reference": 900 - s, "current": 1_000 - s},
            "dataset_drift": s == 0,
            "judged": True,
            "drifted": [{"name": "feature_0", "psi": 0.3}] if s == 0 else [],
        }
        for s in range(n_slices)
    ]
    view = {"columns": ["origin", "carrier"], "slices": slices}
    return {**view, **changes}  # type: ignore[typeddict-item]


def make_overview(n_windows: int = 9, n_features: int = 3, **changes: Any) -> OverviewView:
    overview: OverviewView = {
        "title": "A year of flights",
        "version": "0.1.0",
        "created": "2024-05-02T09:30:00Z",
        "subtitle": ["Reference: January to March."],
        "windows": [
            {
                "label": f"2013-{w + 4:02}",
                "href": f"report-{w + 4:02}.html",
                "dataset_drift": w % 2 == 0,
                "share_drifted": 0.25,
                "n": 28_330,
            }
            for w in range(n_windows)
        ],
        "features": [
            {
                "name": f"feature_{f}",
                "values": [0.04 * w * (f + 1) for w in range(n_windows)],
                "drifted": [w > 3 for w in range(n_windows)],
                "counted": f != 2,
            }
            for f in range(n_features)
        ],
        "problems": [],
    }
    return {**overview, **changes}  # type: ignore[typeddict-item]


@pytest.fixture
def feature() -> Callable[..., FeatureView]:
    return make_feature


@pytest.fixture
def categories() -> Callable[..., FeatureView]:
    return make_categories


@pytest.fixture
def report() -> Callable[..., ReportView]:
    return make_report


@pytest.fixture
def overview() -> Callable[..., OverviewView]:
    return make_overview


@pytest.fixture
def windows() -> Callable[..., WindowsView]:
    return make_windows


@pytest.fixture
def slices() -> Callable[..., SlicesView]:
    return make_slices
