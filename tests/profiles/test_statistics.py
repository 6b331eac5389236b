"""Every statistic of a feature, by name: what the rows say of it, and when it decides."""

from __future__ import annotations

import html
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats

import gpudrift as gd
from gpudrift.report.glossary import GLOSSARY
from gpudrift.stats import STATISTICS


@pytest.fixture
def report(mixed: dict[str, Any]) -> gd.DriftReport:
    current = mixed | {"x": 1.5 * mixed["x"] + 2, "count": mixed["count"] + 3}
    return gd.check_drift(reference=mixed, current=current)


def test_a_feature_has_the_statistics_of_its_kind(report: gd.DriftReport) -> None:
    for feature in report.values():
        assert set(feature.statistics) == {s.name for s in STATISTICS.values() if feature.kind in s.kinds}
        for name, value in feature.statistics.items():
            lowest, highest = STATISTICS[name].bounds
            assert lowest <= value <= highest


def test_moments_and_range_are_those_of_the_rows(report: gd.DriftReport, mixed: dict[str, Any]) -> None:
    reference = mixed["x"][np.isfinite(mixed["x"])]
    moved = 1.5 * reference + 2
    x = report["x"]
    assert x.mean_change is not None
    assert x.std_change is not None
    assert x.out_of_range is not None
    # 5,000 rows in thousands of cells: an interval of a hundredth of a standard deviation at most
    mean = (moved.mean() - reference.mean()) / reference.std()
    assert x.mean_change.value == pytest.approx(mean, abs=0.005)
    assert x.mean_change.lower <= mean <= x.mean_change.upper <= x.mean_change.lower + 0.02
    assert x.std_change.value == pytest.approx(math.log(1.5), abs=0.005)
    assert x.std_change.lower <= math.log(1.5) <= x.std_change.upper <= x.std_change.lower + 0.02
    outside = np.mean((moved < reference.min()) | (moved > reference.max()))
    assert x.out_of_range.lower <= outside <= x.out_of_range.upper <= x.out_of_range.lower + 0.01
    counted = report["count"].out_of_range
    assert counted is not None
    assert counted.value == np.mean(mixed["count"] + 3 > mixed["count"].max())  # whole numbers hide nothing


def test_bin_statistics_are_those_of_scipy_on_the_bins(report: gd.DriftReport) -> None:
    for feature in report.values():
        occupied = [b for b in feature.bins if b.reference + b.current]
        f, g = (np.array(side) for side in zip(*((b.reference, b.current) for b in occupied), strict=True))
        p, q = f / f.sum(), g / g.sum()
        assert feature.kl == pytest.approx(scipy.stats.entropy(f + 0.5, g + 0.5), rel=1e-12, abs=1e-15)
        assert feature.total_variation == pytest.approx(scipy.spatial.distance.cityblock(p, q) / 2, abs=1e-15)
        assert feature.l_infinity == pytest.approx(scipy.spatial.distance.chebyshev(p, q), abs=1e-15)


def test_json_and_tables_hold_every_statistic(report: gd.DriftReport) -> None:
    document = json.loads(report.to_json(), parse_constant=pytest.fail)
    for name, feature in report.items():
        entry = document["features"][name]
        assert entry["statistics"] == feature.statistics
        assert entry["intervals"] == {key: list(ends) for key, ends in feature.intervals.items()}
        assert set(entry["intervals"]) <= set(entry["statistics"])
    rows = {row["feature"]: row for row in report.to_frame().to_pylist()}
    assert rows["x"]["mean_change"] == report["x"].statistics["mean_change"]
    assert rows["plan"]["mean_change"] is None
    assert rows["plan"]["kl"] == report["plan"].kl


def test_the_page_explains_every_statistic(report: gd.DriftReport, tmp_path: Path) -> None:
    assert STATISTICS.keys() - GLOSSARY.keys() == {"missing_rate"}  # "missing" there
    report.save_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in ("kl", "total_variation", "l_infinity", "mean_change", "std_change", "out_of_range", "new_rate"):
        title, meaning = GLOSSARY[name]
        assert f"<dt>{title}</dt><dd>{html.escape(meaning, quote=False)}</dd>".replace("'", "&#39;") in page
        n_features = sum(name in feature.statistics for feature in report.values())
        assert page.count(f"<dt>{title}</dt>") == n_features + 1


def test_a_statistic_without_a_threshold_decides_nothing() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=20_000), rng.normal(0.08, 1, size=20_000)
    feature = gd.check_drift(reference=reference, current=current)["x"]
    assert feature.statistics["mean_change"] > 0.05
    assert not feature.drifted
    stricter = gd.check_drift(reference=reference, current=current, thresholds={"mean_change": 0.05})["x"]
    assert [reason.statistic for reason in stricter.reasons] == ["mean_change", "p_value"]
    assert stricter.reasons[0].how == "set by user"


def test_a_threshold_alone_never_makes_drift() -> None:
    rng = np.random.default_rng(1)
    few = gd.check_drift(
        reference=rng.normal(size=60),
        current=rng.normal(size=60),
        thresholds={"kl": 1e-6, "l_infinity": 1e-6, "out_of_range": 1e-6, "std_change": 1e-6},
    )
    assert few["x"].kl > 1e-6
    assert not few.dataset_drift


def test_a_mean_that_falls_is_as_much_a_change_as_one_that_rises() -> None:
    rng = np.random.default_rng(2)
    reference = rng.normal(size=5000)
    feature = gd.check_drift(reference=reference, current=reference - 1, thresholds={"mean_change": 0.9})["x"]
    assert feature.statistics["mean_change"] == pytest.approx(-1 / reference.std(), abs=0.01)
    assert feature.effects["mean_change"] == -feature.statistics["mean_change"]
    assert "mean_change" in [reason.statistic for reason in feature.reasons]


def test_a_side_without_values_has_no_statistics_and_says_so_once() -> None:
    rng = np.random.default_rng(3)
    table = {"x": rng.normal(size=100), "gone": rng.normal(size=100)}
    report = gd.check_drift(reference=table, current=table | {"gone": np.full(100, np.nan)})
    gone = report["gone"].to_dict()["statistics"]
    assert {name for name, value in gone.items() if value is not None} == {"missing_rate"}
    assert len(report.problems) == 1


def test_a_constant_reference_has_no_log_ratio_of_spreads() -> None:
    report = gd.check_drift(reference=np.full(100, 5.0), current=np.arange(100.0))
    assert math.isnan(report["x"].statistics["std_change"])
    assert report["x"].statistics["mean_change"] > 1e12  # as W1: in units of 1e-12 of the value
    assert report.to_dict()["features"]["x"]["statistics"]["std_change"] is None
