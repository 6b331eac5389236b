"""The verdict: rejected after correction and material, at a stated error rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpudrift as gd

Table = dict[str, Any]


def eight_features(rng: np.random.Generator, n: int) -> Table:
    return {
        **{f"normal {j}": rng.normal(size=n) for j in range(4)},
        "lognormal": rng.lognormal(0, 1, n),
        "count": rng.poisson(2, n),
        "category": rng.choice(list("abcdefgh"), n),
        "gaps": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
    }


@pytest.mark.parametrize("n", [30, 200])
def test_reports_without_drift_are_flagged_at_most_at_alpha(n: int) -> None:
    # 200 reports: at a true rate of .05 more than 19 flags come with probability .005
    rng = np.random.default_rng(n)
    flags = sum(
        gd.check_drift(reference=eight_features(rng, n), current=eight_features(rng, n)).dataset_drift
        for _ in range(200)
    )
    assert flags <= 19


def test_significant_is_not_material() -> None:
    rng = np.random.default_rng(0)
    report = gd.check_drift(reference=rng.normal(size=500_000), current=rng.normal(0.02, 1, size=500_000))
    assert report["x"].p_value < 1e-10
    assert not report["x"].drifted
    assert not report.dataset_drift


def test_large_effects_in_few_rows_are_not_significant() -> None:
    rng = np.random.default_rng(1)
    report = gd.check_drift(reference=rng.normal(size=40), current=rng.normal(size=40))
    assert report["x"].psi > 0.1
    assert not report["x"].drifted


def test_reasons_name_the_effects_and_the_test() -> None:
    rng = np.random.default_rng(2)
    report = gd.check_drift(
        reference=rng.normal(size=5000), current=rng.normal(0.5, 1, size=5000), thresholds={"psi": 0.2}
    )
    reasons = {reason.statistic: reason for reason in report["x"].reasons}
    assert set(reasons) == {"psi", "ks", "js_distance", "wasserstein", "hellinger", "p_value"}
    assert reasons["psi"].threshold == 0.2
    assert reasons["psi"].how == "set by user"
    assert reasons["ks"].how == "default"
    assert reasons["p_value"].how == "benjamini-hochberg over 1 feature"
    assert str(reasons["p_value"]).startswith("p_value ")


def test_the_thresholds_of_a_feature_decide_on_it_alone() -> None:
    rng = np.random.default_rng(5)
    reference, current = ({name: rng.normal(mean, size=50_000) for name in "ab"} for mean in (0.0, 0.1))
    settings = gd.Settings(feature_thresholds={"a": {"ks": 0.03}, "b": {"wasserstein": 0.5}})
    report = gd.check_drift(reference=reference, current=current, settings=settings)
    assert report.drifted == ("a",)
    first = report["a"].reasons[0]
    assert (first.statistic, first.threshold, first.how) == ("ks", 0.03, "calibrated")
    assert report["a"].severity(settings) == report["a"].effects["ks"] / 0.03


def test_too_few_rows_for_a_verdict_says_so() -> None:
    report = gd.check_drift(reference=np.random.default_rng(0).random(500), current=np.full(29, 9.0))
    assert not report["x"].drifted
    assert not report["x"].judged
    assert [str(problem) for problem in report.problems] == [
        "x: has 29 values in the current data, too few for a verdict; collect at least 30"
    ]


def test_missing_values_that_appear_are_drift() -> None:
    rng = np.random.default_rng(3)
    current = rng.normal(size=2000)
    current[:300] = np.nan
    feature = gd.check_drift(reference=rng.normal(size=2000), current=current)["x"]
    assert feature.drifted
    assert [reason.statistic for reason in feature.reasons] == ["missing_rate", "p_value"]
    assert feature.missing_current == 300
    assert feature.missing_rate_current == 0.15


def test_infinite_values_are_counted_apart_and_are_drift() -> None:
    rng = np.random.default_rng(3)
    current = rng.normal(size=2000)
    current[:300] = np.inf
    report = gd.check_drift(reference=rng.normal(size=2000), current=current)
    assert report["x"].drifted
    assert report["x"].infinite_current == 300
    assert report["x"].missing_current == 0
    assert "has 300 infinite values in the current data" in str(report.problems[0])


def test_new_categories_are_drift_and_are_counted() -> None:
    reference, current = ["a", "b"] * 500, ["a", "b", "c", "a", "b"] * 200
    feature = gd.check_drift(reference={"c": reference}, current={"c": current})["c"]
    assert feature.new == 200
    assert feature.drifted
    assert feature.cramers_v is not None
    assert feature.ks is None
    assert [(b.label, b.reference, b.current) for b in feature.bins] == [
        ("a", 500, 400),
        ("b", 500, 400),
        ("new", 0, 200),
    ]


def test_many_rare_categories_without_drift_do_not_alarm() -> None:
    # almost every value is seen once: unpooled, all current ones would be new
    rng = np.random.default_rng(0)
    reference, current = (rng.integers(0, 20_000, 3000).astype(str) for _ in range(2))
    assert not gd.check_drift(reference={"c": reference}, current={"c": current}, columns=["c"]).dataset_drift


@pytest.mark.parametrize(("current", "n"), [("new", 3000), ("new", 40), ("c5", 3000), ("c5", 40)])
def test_one_value_in_place_of_hundreds_of_even_categories_is_drift(current: str, n: int) -> None:
    # each is expected less than 5 times among the current rows: one pool of all would hide everything
    reference = np.repeat([f"c{i}" for i in range(600)], 100)
    feature = gd.check_drift(reference={"c": reference}, current={"c": [current] * n})["c"]
    assert feature.drifted
    assert feature.psi > 1
    assert feature.new == (n if current == "new" else 0)
    assert feature.new_rate == (1.0 if current == "new" else 0.0)


def test_new_categories_beside_a_pool_of_rare_ones_are_drift() -> None:
    # a reference in which each value is rare says little on shares, and much on how many values are new
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 1000, 10_000).astype(str)
    feature = gd.check_drift(reference={"c": reference}, current={"c": [f"new {i}" for i in range(200)]}, columns=["c"])
    assert "new_rate" in [reason.statistic for reason in feature["c"].reasons]


def test_a_few_nulls_among_few_rows_do_not_alarm() -> None:
    # 10 of 5,000 and 1 of 40 are alike; Pearson's law would reject, and the PSI of 40 rows is large by chance
    rng = np.random.default_rng(8)

    def rows(n: int) -> Table:
        return {f"x{j}": np.where(rng.random(n) < 0.002, np.nan, rng.normal(size=n)) for j in range(40)}

    flags = sum(gd.check_drift(reference=rows(5000), current=rows(40)).dataset_drift for _ in range(12))
    assert flags <= 2  # at a true rate of .05 more come with probability .02; Pearson's law gave 5 of 12


def test_a_certain_but_small_change_of_the_missing_rate_is_no_drift_of_the_distribution() -> None:
    rng = np.random.default_rng(9)
    current = rng.normal(size=400)
    current[:8] = np.nan
    feature = gd.check_drift(reference=rng.normal(size=40_000), current=current, thresholds={"psi": 0.001})["x"]
    assert feature.p_value < 1e-6
    assert feature.psi > 0.001
    assert not feature.drifted


def test_drift_share_asks_for_more_than_one_feature() -> None:
    rng = np.random.default_rng(4)
    reference = {f"x{j}": rng.normal(size=1000) for j in range(4)}
    current = reference | {"x0": reference["x0"] + 1}
    assert gd.check_drift(reference=reference, current=current).dataset_drift
    half = gd.check_drift(reference=reference, current=current, drift_share=0.5)
    assert not half.dataset_drift
    assert half.share_drifted == 0.25
    assert half.drifted == ("x0",)


@pytest.mark.parametrize("correction", ["bonferroni", "none"])
def test_other_corrections_name_themselves(correction: str) -> None:
    rng = np.random.default_rng(5)
    report = gd.check_drift(reference=rng.normal(size=1000), current=rng.normal(1, size=1000), correction=correction)
    assert correction.replace("none", "uncorrected") in report["x"].reasons[-1].how


def index_columns(start: int, n: int) -> Table:
    rng = np.random.default_rng(start)
    return {
        "row": np.arange(start, start + n),
        "shuffled id": rng.permutation(np.arange(start, start + n)),
        "hash": rng.integers(0, 2**63 - 1, n),
        "uuid": [f"{a:016x}" for a in rng.integers(0, 2**63 - 1, n)],
        "clock": np.datetime64("2024-01-01", "s") + np.arange(start, start + n).astype("m8[s]"),
        "month": 1 + np.arange(start, start + n) // 1000,
        "x": rng.normal(size=n),
    }


def test_index_like_columns_are_reported_but_not_counted() -> None:
    report = gd.check_drift(reference=index_columns(0, 3000), current=index_columns(3000, 3000))
    index = {"row", "shuffled id", "hash", "uuid", "clock", "month"}
    assert {name for name, feature in report.items() if not feature.counted} == index
    assert {problem.feature for problem in report.problems} == index
    assert not report.dataset_drift
    assert report["row"].psi > 5
    only = next(problem for problem in report.problems if problem.feature == "month")
    assert str(only) == (
        "month: only grows, as an index does: it is no part of the verdict; name it in columns to count it"
    )


def test_an_index_that_is_asked_for_is_counted() -> None:
    report = gd.check_drift(reference=index_columns(0, 3000), current=index_columns(3000, 3000), columns=["row", "x"])
    assert report.drifted == ("row",)
    assert not report.problems


def test_a_sorted_measurement_is_no_index() -> None:
    rng = np.random.default_rng(6)
    report = gd.check_drift(reference=np.sort(rng.normal(size=3000)), current=rng.normal(0.4, 1, size=3000))
    assert report["x"].counted
    assert report["x"].drifted
    assert gd.check_drift(reference=np.sort(rng.normal(size=3000)), current=rng.normal(20, 1, 3000))["x"].drifted


def test_huge_measurements_are_no_identifiers() -> None:
    # beyond 2^53 every double is a whole number
    rng = np.random.default_rng(7)
    report = gd.check_drift(reference=rng.lognormal(60, 5, 3000), current=rng.lognormal(60, 5, 3000))
    assert report["x"].counted


def test_a_report_in_which_nothing_has_a_verdict_says_so() -> None:
    report = gd.check_drift(reference={"id": np.arange(3000)}, current={"id": np.arange(3000)})
    assert str(report).startswith("no verdict: 0 of 0 features drifted")
    assert not report.to_dict()["features"]["id"]["judged"]
