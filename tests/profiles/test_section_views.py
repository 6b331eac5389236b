"""From a report with windows and slices to the plain values of its page."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd

N_DAYS, N_A_DAY = 4, 100


@pytest.fixture(scope="module")
def report() -> gd.DriftReport:
    """Four days, the last of which moved in x; a slice without a name."""
    rng = np.random.default_rng(0)

    def rows(shift: float) -> pa.Table:
        day = np.arange(N_DAYS * N_A_DAY) // N_A_DAY
        return pa.table(
            {
                "ts": [datetime(2024, 3, 1) + timedelta(days=int(d)) for d in day],
                "plan": pa.array(["a", None] * (day.size // 2)),
                "x": rng.normal(size=day.size) + shift * (day == N_DAYS - 1),
                "row": np.arange(day.size),
            }
        )

    return gd.check_drift(reference=rows(0.0), current=rows(3.0), time="ts", window="1d", slices=["plan"])


def test_each_window_has_its_label_its_rows_and_its_worst_features(report: gd.DriftReport) -> None:
    windows = report.to_view()["windows"]
    assert windows is not None
    assert windows["title"] == "Windows of 1 day, compared with the reference"
    assert [window["label"] for window in windows["windows"]] == [f"2024-03-0{day}" for day in range(1, 5)]
    assert [window["rows"]["current"] for window in windows["windows"]] == [N_A_DAY] * N_DAYS
    assert [window["dataset_drift"] for window in windows["windows"]] == [False, False, False, True]
    last = list(report.windows.values())[-1]  # type: ignore[union-attr]
    assert windows["windows"][-1]["drifted"][0] == {"name": "x", "psi": last["x"].psi}


def test_time_lines_come_by_windows_drifted_and_index_like_ones_last(report: gd.DriftReport) -> None:
    features = report.to_view()["windows"]["features"]  # type: ignore[index]
    assert [series["name"] for series in features] == ["x", "plan", "row"]
    assert [series["counted"] for series in features] == [True, True, False]
    assert features[0]["drifted"] == [False, False, False, True]
    assert features[0]["values"] == [one["x"].psi for one in report.windows.values()]  # type: ignore[union-attr]
    assert features[0]["threshold"] == 0.1


def test_slices_keep_their_order_and_a_missing_category_has_a_name(report: gd.DriftReport) -> None:
    slices = report.to_view()["slices"]
    assert slices is not None
    assert slices["columns"] == ["plan"]
    assert {part["label"] for part in slices["slices"]} == {"a", "(missing)"}
    assert [part["dataset_drift"] for part in slices["slices"]] == [one.dataset_drift for one in report.slices.values()]  # type: ignore[union-attr]


def test_a_report_without_windows_or_slices_has_none() -> None:
    view = gd.check_drift(reference=np.arange(100.0), current=np.arange(100.0)).to_view()
    assert (view["windows"], view["slices"]) == (None, None)


def test_the_page_and_the_json_hold_windows_and_slices(report: gd.DriftReport, tmp_path: Path) -> None:
    report.save_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Windows of 1 day, compared with the reference. 1 of 4 drifted." in page
    assert "Slices by plan" in page

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    whole = json.loads(report.to_json(), parse_constant=refuse)
    assert [len(whole[part]) for part in ("windows", "slices")] == [N_DAYS, 2]


@pytest.mark.parametrize(
    ("options", "title", "labels"),
    [
        ({"window": "50 rows", "expanding": True}, "Windows of 50 rows, each from the first one on, compared with the"
         " reference", ["50", "100"]),
        ({"window": "50 rows", "against": "previous"}, "Windows of 50 rows, compared with the window before", ["50"]),
    ],
)  # fmt: skip
def test_windows_of_rows_are_named_by_the_row(options: dict[str, Any], title: str, labels: list[str]) -> None:
    rows = {"x": np.linspace(0, 1, 100) % 0.3}
    windows = gd.check_drift(reference=rows, current=rows, **options).to_view()["windows"]
    assert windows is not None
    assert windows["title"] == title
    assert [window["label"] for window in windows["windows"]] == labels
