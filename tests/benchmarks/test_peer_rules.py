"""The restated default rules of other packages give what the packages gave, on the same rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.error_rates.peer_cases import CATEGORICAL, Case, cases, checksum
from benchmarks.error_rates.rules import alibi_detect, evidently, nannyml
from benchmarks.error_rates.sample import Pair, Sample

CASES = {case.name: case for case in cases()}


def frozen(package: str) -> dict[str, Any]:
    """Answers of the package itself, by case; from ``make error-rates-peers``."""
    text = (Path(__file__).parent / "fixtures" / f"{package}.json").read_text()
    answers: dict[str, Any] = json.loads(text)["cases"]
    assert set(answers) == set(CASES)
    return answers


def pairs(case: Case) -> dict[str, Pair]:
    return {
        name: Pair(Sample.of_rows(column), Sample.of_rows(case.current[name]), name in CATEGORICAL)
        for name, column in case.reference.items()
    }


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_evidently_statistic_value_and_verdict_agree(case: Case) -> None:
    answer = frozen("evidently")[case.name]
    assert checksum(case) == pytest.approx(answer["checksum"], rel=1e-12)
    drifted = []
    for name, pair in pairs(case).items():
        score, theirs = evidently.score(pair, exactly=True), answer["columns"][name]
        assert theirs["method"].lower().replace("-", "").startswith(PREFIXES[score.statistic])
        assert score.value == pytest.approx(theirs["value"], rel=1e-9, abs=1e-9)
        assert score.drifted == theirs["drifted"] == evidently.score(pair).drifted
        drifted.append(score.drifted)
    assert (np.mean(drifted) >= evidently.DRIFT_SHARE) == answer["dataset"]


#: How the name that evidently shows of a statistic begins, without hyphens.
PREFIXES = {
    "jensenshannon": "jensenshannon",
    "wasserstein": "wasserstein",
    "ks": "ks",
    "chisquare": "chisquare",
    "z": "z",
}


def test_nannyml_distances_thresholds_and_alerts_agree(case: Case) -> None:
    answer = frozen("nannyml")[case.name]
    for name, pair in pairs(case).items():
        score, theirs = nannyml.score(pair), answer["columns"][name]
        assert score.values == pytest.approx(np.array(theirs["values"]), abs=1e-7)  # of a root of rounding errors
        assert score.threshold == pytest.approx(theirs["threshold"], abs=1e-9)
        assert score.alerts.tolist() == theirs["alerts"]


def test_alibi_detect_p_values_and_verdict_agree(case: Case) -> None:
    answer = frozen("alibi-detect")[case.name]
    named = []
    for name, pair in pairs(case).items():
        p, theirs = alibi_detect.p_value(pair), answer["columns"][name]["p"]
        assert math.isnan(p) if theirs is None else p == pytest.approx(theirs, rel=1e-6)  # theirs is a float32
        named.append(alibi_detect.drifted(pair, len(case.reference)))
        assert named[-1] == (theirs is not None and theirs < answer["level"])
    assert any(named) == answer["dataset"]


def test_counts_and_the_rows_behind_them_give_the_same_scores(case: Case) -> None:
    def counted(column: np.ndarray[Any, np.dtype[np.float64]]) -> Sample:
        rows = Sample.of_rows(column)
        values = np.unique(column)
        counts = np.zeros((10, values.size), np.int64)
        np.add.at(counts, (rows.chunk, np.searchsorted(values, rows.values)), 1)
        if rows.missing:
            counts[0, -1] = rows.missing
        return Sample.of_counts(values, counts)

    for name, pair in pairs(case).items():
        same = Pair(counted(case.reference[name]), counted(case.current[name]), pair.categorical)
        assert evidently.score(same).value == pytest.approx(evidently.score(pair).value, rel=1e-9, abs=1e-12)
        assert nannyml.score(same).values == pytest.approx(nannyml.score(pair).values, abs=1e-7)
        assert alibi_detect.p_value(same) == pytest.approx(alibi_detect.p_value(pair), rel=1e-9, nan_ok=True)
