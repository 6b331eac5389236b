"""Entries from the table of all windows or slices, against those from the reports themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.monitor.entries import report_entry

WINDOWS: list[dict[str, Any]] = [
    {},
    {"against": "previous"},
    {"expanding": True},
    {"window": "200 rows", "every": "100 rows"},
    {"weights": "weight"},
    {"drift_share": 0.6},
]


def _table(rng: np.random.Generator, n: int, *, shift: float) -> dict[str, Any]:
    """Numbers, numbers with gaps that come and go, few values, categories with new ones, a slice, weights."""
    late = np.arange(n) > n // 2
    gaps = rng.normal(size=n)
    gaps[rng.random(n) < np.where(late, 0.05 + 0.3 * shift, 0.05)] = np.nan
    return {
        "x": rng.normal(shift * late, size=n),
        "gaps": gaps,
        "few": np.where(np.arange(n) < 40, rng.normal(size=n), np.nan),
        "plan": np.where(late & (rng.random(n) < 0.2 * shift), "new", rng.choice(["a", "b", "c"], n)),
        "slice": rng.choice(["p", "q", "r"], n),
        "weight": rng.random(n),
    }


def _report(**options: Any) -> gd.DriftReport:
    rng = np.random.default_rng(5)
    settings = gd.Settings(**{"window": "100 rows", "slices": ("slice",), **options})
    reference, current = _table(rng, 900, shift=0.0), _table(rng, 800, shift=1.0)
    return gd.check_drift(reference=reference, current=current, settings=settings)


def _same(found: dict[str, Any], one: gd.DriftReport) -> None:
    expected = report_entry(one)
    assert found["rows"] == expected["rows"]
    assert found["dataset_drift"] == expected["dataset_drift"]
    assert found["share_drifted"] == pytest.approx(expected["share_drifted"], nan_ok=True)
    assert found["features"].keys() == expected["features"].keys()
    for name, entry in expected["features"].items():
        other = found["features"][name]
        assert (other.keys(), other["drifted"]) == (entry.keys(), entry["drifted"])
        for key in ("psi", "js_distance", "ks", "p_value"):
            assert other[key] == (None if entry[key] is None else pytest.approx(entry[key], rel=1e-6, abs=1e-300)), key
    drifted = [name for name in found["features"] if found["features"][name]["drifted"]]
    assert drifted == list(one.drifted)  # worst first, too


@pytest.mark.parametrize("options", WINDOWS)
def test_the_entry_of_a_window_says_what_its_report_says(options: dict[str, Any]) -> None:
    windows = _report(**options).windows
    assert windows is not None
    assert len(windows) >= 7
    for found, (span, one) in zip(windows.to_list(), windows.items(), strict=True):
        assert (found["start"], found["end"]) == span
        _same(found, one)


@pytest.mark.parametrize("options", [{}, {"weights": "weight"}])
def test_the_entry_of_a_slice_says_what_its_report_says(options: dict[str, Any]) -> None:
    slices = _report(**options).slices
    assert slices is not None
    assert [entry["slice"] for entry in slices.to_list()] == [{"slice": text} for (text,) in slices]
    for found, one in zip(slices.to_list(), slices.values(), strict=True):
        _same(found, one)
    assert slices.drifted == tuple(label for label, one in slices.items() if one.dataset_drift)


def test_the_windows_of_a_slice_are_compared_with_that_slice() -> None:
    report = _report()
    assert report.slices is not None
    windows = report.slices.windows("p")
    for found, one in zip(windows.to_list(), windows.values(), strict=True):
        _same(found, one)


def test_thresholds_of_other_statistics_still_give_entries() -> None:
    report = _report(thresholds={"kl": 0.2})
    assert report.windows is not None
    assert [e["dataset_drift"] for e in report.windows.to_list()] == [
        one.dataset_drift for one in report.windows.values()
    ]
