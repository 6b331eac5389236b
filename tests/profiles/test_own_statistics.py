"""A statistic of the user's own: in every report, and never in the way of one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.stats import STATISTICS
from gpudrift.stats.own import TAKEN


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    known = dict(STATISTICS)
    yield
    STATISTICS.clear()
    STATISTICS.update(known)


def euclidean(reference: Any, current: Any) -> float:
    return float(np.linalg.norm(current / current.sum() - reference / reference.sum()))


def declare(function: Any = euclidean, **options: Any) -> None:
    gd.statistic(**{"name": "euclidean", "formula": "sqrt(sum (q - p)^2)"} | options)(function)


@pytest.fixture
def moved() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    number, plan = rng.normal(size=2000), rng.choice(list("abc"), 2000)
    return {
        "reference": {"number": number, "plan": plan},
        "current": {"number": number + 1, "plan": np.where(rng.random(2000) < 0.5, "a", plan)},
    }


def test_it_appears_in_statistics_json_and_tables(moved: dict[str, Any]) -> None:
    declare()
    report = gd.check_drift(**moved)
    for name, feature in report.items():
        f, g = (np.array(side) for side in zip(*((b.reference, b.current) for b in feature.bins), strict=True))
        assert feature.statistics["euclidean"] == feature.own["euclidean"] == euclidean(f, g)
        assert json.loads(report.to_json())["features"][name]["statistics"]["euclidean"] == euclidean(f, g)
    assert report.to_frame().column("euclidean").to_pylist() == [f.own["euclidean"] for f in report.values()]
    assert "euclidean" not in [reason.statistic for f in report.values() for reason in f.reasons]


def test_it_is_computed_for_its_kinds_only(moved: dict[str, Any]) -> None:
    declare(kinds=("categorical",))
    report = gd.check_drift(**moved)
    assert "euclidean" in report["plan"].statistics
    assert "euclidean" not in report["number"].statistics
    assert report.to_frame().column("euclidean").null_count == 1


def test_its_threshold_decides_together_with_the_test_of_the_distribution(moved: dict[str, Any]) -> None:
    declare(threshold=0.2)
    strict = dict.fromkeys(("psi", "ks", "js_distance", "wasserstein", "hellinger", "cramers_v"), 1000.0)
    report = gd.check_drift(**moved, thresholds=strict)
    for feature in report.values():
        assert [reason.statistic for reason in feature.reasons] == ["euclidean", "p_value"]
        assert feature.reasons[0].how == "default"
    calm = gd.check_drift(**moved, thresholds=strict | {"euclidean": 1.5})
    assert not calm.dataset_drift


def test_no_threshold_of_it_alarms_where_nothing_moved() -> None:
    declare(lambda f, g: 7.0, threshold=0.001)
    # 200 reports: at a true rate of .05 more than 19 flags come with probability .005
    rng = np.random.default_rng(0)
    flags = sum(gd.check_drift(reference=rng.normal(size=200), current=rng.normal(size=200)).dataset_drift
                for _ in range(200))  # fmt: skip
    assert flags <= 19


def fails(_f: Any, _g: Any) -> float:
    raise KeyError("no\nsuch   thing")


def leaves(_f: Any, _g: Any) -> float:
    raise SystemExit(0)


FAULTS: dict[str, tuple[Any, str]] = {
    "raises": (fails, "raised KeyError: 'no\\\\nsuch thing'"),
    "leaves": (leaves, "raised SystemExit: 0"),
    "divides": (lambda f, g: 1 / 0, "raised ZeroDivisionError: division by zero"),
    "NaN": (lambda f, g: float("nan"), "gave nan, which is not finite"),
    "infinity": (lambda f, g: np.float64("inf"), "gave inf, which is not finite"),
    "text": (lambda f, g: "much", "gave 'much', which is no number"),
    "too large": (lambda f, g: 10**400, "raised OverflowError: int too large to convert to float"),
    "nothing": (lambda f, g: None, "gave None, which is no number"),
    "truth": (lambda f, g: True, "gave True, which is no number"),
    "an array": (lambda f, g: np.zeros(1), r"gave array\(\[0.\]\), which is no number"),
    "out of bounds": (lambda f, g: -1, r"gave -1, outside its bounds \[0, inf\]"),
    "changes the counts": (lambda f, g: f.sort() or 0.0, "raised ValueError: .*read-only"),
    "too few arguments": (lambda f: 0.0, "raised TypeError: .*takes 1 positional argument but 2 were given"),
}


@pytest.mark.parametrize(("function", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_statistic_that_fails_is_one_problem_and_the_report_goes_on(
    moved: dict[str, Any], function: Any, fault: str
) -> None:
    declare(function, threshold=0.1)
    report = gd.check_drift(**moved)
    assert report.drifted == ("number", "plan")
    assert np.isnan(report["number"].own["euclidean"])
    assert report.to_dict()["features"]["plan"]["statistics"]["euclidean"] is None
    (problem,) = report.problems
    assert problem.feature == "number"
    assert re.fullmatch(f"your statistic euclidean {fault}, and failed for 1 more feature", problem.what)
    assert "\n" not in str(problem)


def test_a_side_without_rows_is_not_its_to_judge() -> None:
    declare(fails)
    rng = np.random.default_rng(0)
    report = gd.check_drift(
        reference={"x": rng.normal(size=100), "gone": rng.normal(size=100)},
        current={"x": rng.normal(size=100), "gone": np.full(100, np.nan)},
        columns=["gone"],
    )
    assert [problem.what for problem in report.problems] == ["has only missing values in the current data"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "my l2"}, "needs an identifier as its name, such as 'euclidean', got 'my l2'"),
    "built in": ({"name": "psi"}, "the name 'psi' is taken by gpudrift"),
    "column of tables": ({"name": "kind"}, "the name 'kind' is taken by gpudrift"),
    "formula": ({"formula": None}, "formula of euclidean must be a text, got None"),
    "kinds": ({"kinds": "numeric"}, "kinds of euclidean must be a sequence of .*, got 'numeric'"),
    "unknown kind": ({"kinds": ("numbers",)}, r"kinds of euclidean must be a sequence of .*, got \('numbers',\)"),
    "threshold": ({"threshold": 0}, "threshold of euclidean must be above 0 and finite, or None, got 0"),
    "bounds": ({"bounds": (1, 0)}, r"bounds of euclidean must be two ascending numbers, got \(1, 0\)"),
    "no function": ({"function": 3}, "euclidean must decorate a function, got 3"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_a_wrong_declaration_is_refused_where_it_is_made(options: dict[str, Any], message: str) -> None:
    before = dict(STATISTICS)
    with pytest.raises(gd.ConfigError, match=message):
        declare(**options)
    assert before == STATISTICS


def test_the_same_function_replaces_itself_and_another_one_does_not() -> None:
    declare()
    declare(threshold=0.5)
    assert STATISTICS["euclidean"].threshold == 0.5
    with pytest.raises(gd.ConfigError, match="'euclidean' is taken by another statistic of your own"):
        declare(fails)


def test_a_threshold_for_one_that_is_not_declared_is_refused() -> None:
    with pytest.raises(gd.ConfigError, match=r"thresholds\.euclidean is unknown"):
        gd.Settings(thresholds={"euclidean": 1})
    declare()
    assert gd.Settings(thresholds={"euclidean": 1}).threshold("euclidean") == 1


def test_every_other_name_of_a_table_or_of_json_is_taken(moved: dict[str, Any]) -> None:
    report = gd.check_drift(**moved)
    used = {*report.to_frame().column_names, *report["number"].to_dict(), *report["number"].tests, "p_value"}
    assert used - STATISTICS.keys() <= {*TAKEN, "statistics", "intervals"}
