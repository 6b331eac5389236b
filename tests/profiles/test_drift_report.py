"""DriftReport: a mapping worst first, JSON without NaN, tables and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd


@pytest.fixture
def report(mixed: dict[str, Any]) -> gd.DriftReport:
    current = mixed | {"x": mixed["x"] + 2, "small": mixed["small"] + np.float32(0.3)}
    return gd.check_drift(reference=mixed, current=current)


def test_it_is_a_mapping_worst_first(report: gd.DriftReport) -> None:
    assert list(report)[:2] == ["x", "small"]
    assert report.drifted == ("x", "small")
    assert report.dataset_drift
    assert report.share_drifted == 2 / 5
    assert report["x"].kind == "numeric"
    assert "nobody" not in report
    with pytest.raises(KeyError):
        report["nobody"]


def test_truth_of_a_report_is_refused(report: gd.DriftReport) -> None:
    with pytest.raises(TypeError, match=r"ask for report\.dataset_drift"):
        bool(report)


def test_json_follows_schema_1(report: gd.DriftReport) -> None:
    document = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert set(document) == {
        "schema", "gpudrift", "backend", "rows", "dataset_drift", "share_drifted", "features", "problems",
    }  # fmt: skip
    assert document["schema"] == 1
    assert document["backend"] == "cpu"
    assert document["rows"] == {"reference": 5000, "current": 5000}
    feature = document["features"]["x"]
    assert {"kind", "psi", "js_distance", "ks", "wasserstein", "hellinger", "p_value", "missing", "n", "drifted",
            "reasons"} <= set(feature)  # fmt: skip
    assert set(feature["ks"]) == {"statistic", "lower", "upper", "exact", "log_pvalue"}
    assert feature["missing"] == {"reference": 100, "current": 100}
    assert document["features"]["plan"]["ks"] is None
    assert [set(problem) for problem in document["problems"]] == [{"feature", "what", "remedy"}] * len(report.problems)


def test_numbers_that_are_not_finite_become_null_with_a_problem() -> None:
    x = np.random.default_rng(0).normal(size=100)
    report = gd.check_drift(reference={"x": x, "gone": x}, current={"x": x, "gone": np.full(100, np.nan)})
    document = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert document["features"]["gone"]["psi"] is None
    assert document["features"]["gone"]["ks"]["statistic"] is None
    assert [p["what"] for p in document["problems"] if p["feature"] == "gone"] == [
        "has only missing values in the current data"
    ]


@pytest.mark.parametrize(
    ("library", "kind"), [("pyarrow", pa.Table), ("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
def test_to_frame_gives_a_row_a_feature(report: gd.DriftReport, library: Any, kind: type) -> None:
    frame = report.to_frame(library)
    assert isinstance(frame, kind)
    assert list(frame["feature"]) if library != "pyarrow" else frame["feature"].to_pylist() == list(report)


def test_text_and_page_name_every_feature(report: gd.DriftReport, tmp_path: Path) -> None:
    report.save_html(tmp_path / "report.html", created="2024-05-01")
    page = (tmp_path / "report.html").read_text()
    for name in report:
        assert name in str(report)
        assert name in page
    assert "<iframe" in report._repr_html_()
    assert "5,000" in str(report)
    with pytest.raises(gd.DataError, match="cannot be written: No such file or directory"):
        report.save_html(tmp_path / "none" / "report.html")


def test_a_page_of_fifty_features_stays_below_a_megabyte_and_holds_no_row(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    secret = 1234.5678901234
    table = {f"feature {j}": rng.normal(size=2000) for j in range(49)} | {
        "odd": np.append(rng.normal(size=1999), secret)
    }
    gd.check_drift(reference=table, current=table).save_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert "1234.56789" not in (tmp_path / "report.html").read_text()


def test_times_are_shown_as_times() -> None:
    start = np.datetime64("2024-03-01T12:00", "s")
    reference = start + np.random.default_rng(0).integers(0, 86_400, 5000).astype("m8[s]")
    feature = gd.check_drift(reference={"at": reference}, current={"at": reference + np.timedelta64(3600, "s")})["at"]
    assert feature.bins[0].label.startswith("<= 2024-03-01T1")
