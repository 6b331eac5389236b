"""Windows and slices on the command line: options, tables, JSON."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Run

N_DAYS, N_A_DAY = 6, 240
DATES = [f"2024-03-0{day}" for day in range(1, N_DAYS + 2)]
CHECK = ("check", "--reference", "reference.parquet", "--current", "current.parquet")
BY_DAY = (*CHECK, "--time", "ts", "--window", "1d")


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """A reference, and six days of which the last two moved in x; plan "b" moved in y on all days."""
    _write(tmp_path / "reference.parquet", n_days=8)
    _write(tmp_path / "current.parquet", n_days=N_DAYS, moved_days=2, moved_plan="b")
    return tmp_path


def _write(path: Path, *, n_days: int, moved_days: int = 0, moved_plan: str = "", a_day: int = N_A_DAY) -> None:
    rng = np.random.default_rng(n_days)
    n = n_days * a_day
    plan = np.tile(["a", "b", "c"], n)[:n]
    day = np.arange(n) // a_day
    table = {
        "ts": [datetime(2024, 3, 1) + timedelta(days=int(d)) for d in day],
        "plan": plan,
        "x": rng.normal(size=n) + 3.0 * (day >= n_days - moved_days),
        "y": rng.normal(size=n) + 3.0 * (plan == moved_plan),
        "weight": np.ones(n),
    }
    pq.write_table(pa.table(table), path)


def _block(stdout: str, title: str) -> list[str]:
    """Lines of the table below a title."""
    lines = stdout.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(title)) + 3
    return lines[start : start + lines[start:].index("")]


@pytest.mark.usefixtures("days")
def test_windows_have_a_line_each_and_a_line_that_sums_them_up(run: Run) -> None:
    said = run(*BY_DAY, "--columns", "x,plan").stdout
    assert "windows of 1 day, against the reference: 2 of 6 drifted" in said
    assert [line.split()[:3] for line in _block(said, "windows of 1 day")] == [
        [f"2024-03-0{day}", str(N_A_DAY), "yes" if day > 4 else "no"] for day in range(1, 7)
    ]
    assert _block(said, "windows of 1 day")[-1].split()[3] == "x"


@pytest.mark.usefixtures("days")
def test_slices_come_worst_first(run: Run) -> None:
    said = run(*CHECK, "--slices", "plan", "--columns", "y").stdout
    assert "slices by plan, against the same of the reference: 1 of 3 drifted" in said
    first, *others = [line.split() for line in _block(said, "slices by plan")]
    assert first[:4] == ["b", str(N_DAYS * N_A_DAY // 3), "yes", "y"]
    assert [line[2] for line in others] == ["no", "no"]


@pytest.mark.usefixtures("days")
def test_a_drifted_window_does_not_change_the_exit_code(run: Run) -> None:
    Path("drift.toml").write_text("[check]\ndrift_share = 1.0\n")
    result = run(*BY_DAY, "--columns", "x,plan", "--config", "drift.toml", "--against", "previous")
    assert result.exit_code == 0
    assert "windows of 1 day, against the one before: 0 of 5 drifted" in result.stdout
    result = run(*BY_DAY, "--columns", "plan,x", "--alpha", "1e-12")
    assert (result.exit_code, "2 of 6 drifted" in result.stdout) == (1, True)


@pytest.mark.usefixtures("days")
def test_json_holds_windows_and_slices(run: Run) -> None:
    run(*BY_DAY, "--slices", "plan", "--json", "out.json")
    whole: dict[str, Any] = json.loads(Path("out.json").read_text())
    assert [window["dataset_drift"] for window in whole["windows"]][-2:] == [True, True]
    assert whole["windows"][0]["start"] == "2024-03-01T00:00:00"
    assert whole["slices"][0]["slice"] == {"plan": "b"}


@pytest.mark.usefixtures("days")
def test_many_windows_show_those_that_drifted_and_count_the_rest(run: Run, tmp_path: Path) -> None:
    _write(tmp_path / "current.parquet", n_days=45, moved_days=2, a_day=60)
    said = run(*BY_DAY, "--columns", "x,plan").stdout
    assert [line.split()[0] for line in _block(said, "windows of 1 day")][:2] == ["2024-04-13", "2024-04-14"]
    assert "43 more windows, none of which drifted, are in --json and --html" in said


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize(
    ("options", "title", "firsts"),
    [
        (("--window", "480 rows"), "windows of 480 rows", ["0", "480", "960"]),
        (("--time", "ts", "--window", "2d", "--every", "1d"), "windows of 2 days", DATES[:5]),
        (("--time", "ts", "--window", "1d", "--expanding"), "windows of 1 day, expanding", DATES[1:]),
    ],
)  # fmt: skip
def test_windows_are_named_by_where_they_begin_or_by_where_they_grow_to(
    run: Run, options: tuple[str, ...], title: str, firsts: list[str]
) -> None:
    said = run(*CHECK, "--columns", "x,plan", *options).stdout
    assert [line.split()[0] for line in _block(said, title)] == firsts


@pytest.mark.usefixtures("days")
def test_settings_of_windows_come_from_toml_and_options_win(run: Run) -> None:
    Path("drift.toml").write_text(
        '[check]\ntime = "ts"\nwindow = "1d"\nslices = ["plan"]\nweights = "weight"\nmax_slices = 2\n'
    )
    run(*CHECK, "--config", "drift.toml", "--json", "out.json")
    whole = json.loads(Path("out.json").read_text())
    assert (len(whole["windows"]), len(whole["slices"]), "weight" in whole["features"]) == (6, 3, False)
    run(*CHECK, "--config", "drift.toml", "--window", "2d", "--every", "1d", "--max-slices", "9", "--json", "out.json")
    whole = json.loads(Path("out.json").read_text())
    assert (len(whole["windows"]), len(whole["slices"])) == (5, 3)


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "1d"), "windows of 1 day need time, the name of a column of timestamps"),
        (("--time", "ts"), 'time is for windows; give window too, such as "1d"'),
        (("--time", "plan", "--window", "1d"), "convert it to timestamps or dates"),
        (("--window", "soon", "--time", "ts"), "got 'soon'; see gpudrift check --help"),
        (("--slices", "plann"), "plann"),
        (("--max-slices", "0"), "max_slices must be between 1 and 1000, got 0"),
    ],
)
def test_what_windows_and_slices_refuse_is_one_line(run: Run, options: tuple[str, ...], message: str) -> None:
    result = run(*CHECK, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize("width", [100, 60, 36])
def test_tables_of_windows_and_slices_fit_the_terminal(run: Run, width: int) -> None:
    said = run(*BY_DAY, "--slices", "plan", COLUMNS=str(width)).stdout
    for title in ("windows of", "slices by"):
        assert max(map(len, _block(said, title))) <= width
        assert len(_block(said, title)) >= 3
