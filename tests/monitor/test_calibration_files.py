"""Calibrations on disk and beside a report, and one line for what cannot be calibrated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import NOW, Table


def test_a_calibration_goes_through_a_file(champion: gd.Profile, windows: list[gd.Counts], tmp_path: Path) -> None:
    found = gd.calibrate(champion, windows, false_alarms=0.1, replicates=500)
    found.save(tmp_path / "thresholds.json")
    assert gd.Calibration.load(tmp_path / "thresholds.json") == found
    assert str(found).startswith("0.1 per window: 0.1 a window; reached 0.1")
    assert "note: new_rate keeps its threshold" in str(found)


def test_a_report_says_what_its_thresholds_were_not_made_for() -> None:
    rng = np.random.default_rng(18)
    table = {"x": rng.normal(size=4000), "y": rng.normal(size=4000), "w": rng.exponential(size=4000)}
    first = {name: table[name] for name in ("x", "y")}
    alike = gd.check_drift(reference=first, current=first, window="100 rows")
    assert alike.windows is not None
    profile = alike.windows.question.profile
    found = gd.calibrate(profile, alike.windows, false_alarms=0.2, replicates=500)
    assert (found.window, found.columns, found.weights, found.rows) == ("100 rows", ("x", "y"), None, 100)
    assert found.problems(alike) == ()

    def said(**options: Any) -> list[str]:
        report = gd.check_drift(**{"reference": first, "current": first, **options})
        return [str(problem) for problem in found.problems(report)]

    assert said(window="300 rows") == [
        "calibration: was made for windows of 100 rows, these are of 300 rows; calibrate for these",
        "calibration: is of windows of 100 rows; 13 of 14 windows have more than twice of that, which is flagged less "
        "often; calibrate windows of that size",
    ]
    assert said(window="100 rows", against="previous") == [
        "calibration: is of windows against the reference, not against the one before; leave against out"
    ]
    assert said(reference=table, current=table, window="100 rows", weights="w") == [
        "calibration: was made with no weights, the report has weights 'w'; use the same in both"
    ]
    assert said(reference=table, current=table, window="100 rows") == [
        "calibration: has no thresholds of 'w': theirs stay; calibrate with them"
    ]
    few = {name: values[:40] for name, values in first.items()}
    assert said(current=few) == [
        "calibration: is of windows of 100 rows; the current data have less than half of that, which is flagged more "
        "often; calibrate windows of that size"
    ]
    with pytest.raises(gd.DataError, match=r"^the calibration is of 'x', 'y', and the report has none of them; "):
        said(reference={"z": table["x"]}, current={"z": table["x"]})


def test_a_file_that_holds_no_calibration_is_named(
    champion: gd.Profile, windows: list[gd.Counts], tmp_path: Path
) -> None:
    path = tmp_path / "thresholds.json"
    whole = gd.calibrate(champion, windows, false_alarms=0.1, how="leave-one-out").to_dict()
    cases: list[tuple[Any, str]] = [
        ([], "schema 2 is expected, got '\\[\\]'"),
        ({"schema": 1}, "schema 2 is expected, got '1'"),
        ({name: value for name, value in whole.items() if name != "rate"}, "rate is missing; "),
        ({**whole, "thresholds": {"a": {"psi": -1}}}, "feature_thresholds.a.psi must be above 0 and finite, got -1"),
        ({**whole, "columns": "x"}, "columns must be a list of texts"),
        ({**whole, "weights": 7}, "weights must be a text or null"),
        ({**whole, "window": "often"}, "window must be a length such as"),
        ({**whole, "rate": 3}, "rate, reached, average_run_length and rows must be finite numbers"),
    ]
    for content, message in cases:
        path.write_text(json.dumps(content))
        with pytest.raises(gd.DataError, match=rf"thresholds\.json holds no calibration: {message}"):
            gd.Calibration.load(path)
    path.write_bytes(b"\x80\x04")
    with pytest.raises(gd.DataError, match=r"thresholds\.json holds no calibration: "):
        gd.Calibration.load(path)
    with pytest.raises(gd.DataError, match=r"none\.json cannot be read: No such file or directory; check the path$"):
        gd.Calibration.load(tmp_path / "none.json")


def test_windows_compared_with_another_reference_are_refused_by_what_sets_it_apart() -> None:
    rows = {"x": np.arange(2000.0), "ts": np.datetime64("2024-01-01", "us") + np.arange(2000).astype("m8[h]")}
    report = gd.check_drift(reference=rows, current=rows, time="ts", window="1d", now=NOW)
    assert report.windows is not None
    for other, message in (
        ({"x": rows["x"]}, "is not that of the profile, of which only one has 'ts'; profile the same rows and columns"),
        (rows | {"x": rows["x"] + 1}, "is not that of the profile; profile the same rows and columns"),
    ):
        with pytest.raises(gd.DataError, match=f"^the reference of the windows {message}$"):
            gd.calibrate(gd.profile(other), report.windows, false_alarms=0.2)


def test_what_cannot_be_calibrated_gets_one_line(
    champion: gd.Profile, windows: list[gd.Counts], days: list[Table]
) -> None:
    stranger = gd.profile({"x": np.arange(100.0)}).reference
    empty = gd.Counts.empty(champion.profile_id)
    cases: list[tuple[Any, dict[str, Any], type[gd.GpudriftError], str]] = [
        ([], {}, gd.DataError, "there are no windows; count some parts of the reference with profile.count"),
        ({}, {}, gd.DataError, "there are no windows; "),
        (7, {}, gd.DataError, "windows must be a sequence of Counts or a mapping to them, got int"),
        (champion, {}, gd.DataError, "windows must be a sequence of Counts or a mapping to them, got Profile"),
        (days, {}, gd.DataError, "window 0 is no Counts but dict; count it with profile.count"),
        (windows[:1], {}, gd.DataError, "block needs at least 10 windows, got 1; pass more, or how='multinomial'"),
        ([*windows, stranger], {}, gd.DataError, "window 40 was counted with another profile; count it with this one"),
        ({"monday": empty}, {}, gd.DataError, "window monday has no rows; leave it out"),
        (windows, {"how": "blocks"}, gd.ConfigError, r"how 'blocks' is unknown: did you mean 'block'\?"),
        (windows, {"replicates": 0}, gd.ConfigError, "replicates must be a whole number of at least 1, got 0"),
        (windows, {"replicates": 50}, gd.ConfigError, "a rate of 0.1 a window needs 100 replicates, got 50"),
        (windows, {"block": 21}, gd.ConfigError, "block must be at most half of the 40 windows, got 21"),
        (windows, {"seed": -1}, gd.ConfigError, "seed must be a whole number of at least 0, got -1"),
        (windows, {"false_alarms": 0}, gd.ConfigError, "false_alarms must be a probability between 0 and 1 a window"),
        (windows, {"false_alarms": "never"}, gd.ConfigError, "false_alarms 'never' is no rate: "),
        (
            windows,
            {"settings": gd.Settings(columns=("norml",))},
            gd.DataError,
            "the profile has no column 'norml'",
        ),
    ]
    for given, options, error, message in cases:
        with pytest.raises(error, match=f"^{message}") as caught:
            gd.calibrate(champion, given, **{"false_alarms": 0.1, **options})
        assert "\n" not in str(caught.value)


def test_a_table_instead_of_a_profile_is_named(days: list[Table]) -> None:
    with pytest.raises(gd.DataError, match=r"^calibrate takes a Profile, got dict; make one with gpudrift\.profile$"):
        gd.calibrate(days[0], days, false_alarms=0.1)  # type: ignore[arg-type]
