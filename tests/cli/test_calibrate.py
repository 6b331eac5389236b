"""``gpudrift calibrate`` and ``gpudrift check --calibrate``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

from .conftest import Run

CALIBRATE = ("calibrate", "--reference", "reference.parquet", "--time", "ts", "--window", "1d", "-o", "found.json")
ROWS = ("calibrate", "--reference", "reference.parquet", "--window", "500 rows", "-o", "found.json")
CHECK = ("check", "--reference", "reference.parquet", "--current", "current.parquet", "--time", "ts", "--window", "1d")


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Days whose mean wanders by half a standard deviation: 40 of them, and 20 later ones."""
    for name, seed, n_days in (("reference", 0, 40), ("current", 1, 20)):
        rng = np.random.default_rng(seed)
        day = np.repeat(np.arange(n_days), 200)
        start = datetime(2024, 3, 1) + timedelta(days=100 * seed)
        table = {
            "ts": [start + timedelta(days=int(d)) for d in day],
            "x": rng.normal(0, 0.5, n_days)[day] + rng.normal(size=day.size),
            "y": rng.normal(size=day.size),
        }
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    return tmp_path


@pytest.mark.usefixtures("days")
def test_the_file_holds_thresholds_that_check_then_uses(run: Run) -> None:
    result = run(*CALIBRATE, "--false-alarms", "0.05")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("0.05 per window: 0.05 a window; reached 0.05")
    assert result.stdout.splitlines()[-1] == "wrote found.json"
    found = gd.Calibration.load("found.json")
    assert (found.windows, found.how, set(found.thresholds)) == (40, "block", {"x", "y"})
    n_drifted = []
    for options in ((), ("--calibrate", "found.json")):
        run(*CHECK, *options, "--json", "out.json")
        n_drifted.append(sum(window["dataset_drift"] for window in json.loads(Path("out.json").read_text())["windows"]))
    Path("settings").mkdir()
    Path("settings/drift.toml").write_text('[check]\ntime = "ts"\nwindow = "1d"\ncalibrate = "../found.json"\n')
    run(*CHECK[:5], "--config", "settings/drift.toml", "--json", "out.json")
    n_drifted.append(sum(window["dataset_drift"] for window in json.loads(Path("out.json").read_text())["windows"]))
    assert n_drifted[0] > 5
    assert n_drifted[2] == n_drifted[1]
    assert n_drifted[1] <= 4  # of 20 windows at a rate of 0.05: 1 expected, 5 or more with probability 0.003


@pytest.mark.usefixtures("days")
def test_a_file_made_for_other_windows_is_used_and_said(run: Run) -> None:
    assert run(*CALIBRATE, "--false-alarms", "0.05").exit_code == 0
    Path("drift.toml").write_text('[check]\ncalibrate = "found.json"\n')
    for named in (("--calibrate", "found.json"), ("--config", "drift.toml")):
        result = run(*CHECK[:-1], "7d", *named)
        assert "problem: calibration: was made for windows of 1d, these are of 7d; calibrate for these" in result.stdout
    table = pq.read_table("current.parquet")
    pq.write_table(table.rename_columns(["ts", "a", "b"]), "other.parquet")
    other = run("check", "--reference", "other.parquet", "--current", "other.parquet", "--calibrate", "found.json",
                "--columns", "a,b")  # fmt: skip
    assert other.exit_code == 2
    assert "the calibration is of 'x', 'y', and the report has none of them" in other.stderr


@pytest.mark.usefixtures("days")
def test_times_and_weights_in_any_order_are_not_calibrated(run: Run) -> None:
    table = pq.read_table("reference.parquet")
    shuffled = np.random.default_rng(2).permutation(len(table))
    table = table.append_column("w", pa.array(np.linspace(0.5, 1.5, len(table)))).take(shuffled)
    pq.write_table(table, "reference.parquet")
    assert run(*CALIBRATE, "--false-alarms", "0.1", "--weights", "w").exit_code == 0
    found = gd.Calibration.load("found.json")
    assert (set(found.thresholds), found.weights, found.window) == ({"x", "y"}, "w", "1d")
    assert max(of["ks"] for of in found.thresholds.values()) < 1


@pytest.mark.usefixtures("days")
def test_messages_name_options_and_not_arguments(run: Run) -> None:
    result = run(*CALIBRATE[:-4], "--window", "5d", "-o", "found.json", "--false-alarms", "0.1")
    assert result.exit_code == 2
    assert "block needs at least 10 windows, got" in result.stderr
    assert "--how multinomial if rows are independent" in result.stderr


@pytest.mark.usefixtures("days")
def test_the_same_seed_gives_the_same_file(run: Run) -> None:
    made = []
    for _ in range(2):
        run(*CALIBRATE, "--false-alarms", "2 per month", "--columns", "x", "--seed", "7")
        made.append(Path("found.json").read_bytes())
    assert made[0] == made[1]
    assert json.loads(made[0])["asked"] == "2 per month"


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*CALIBRATE, "--false-alarms", "often"), "--false-alarms 'often' is no rate: write '1 per quarter', or"),
        ((*CALIBRATE, "--false-alarms", "1 per century"), "'century' is unknown"),
        ((*ROWS, "--false-alarms", "1 per year"), "windows of 500 rows have no length in time; give --false-alarms as"),
        ((*CALIBRATE, "--false-alarms", "0.1", "-o", "no/where.json"), "no is no directory; make it first: mkdir"),
        ((*CHECK, "--calibrate", "absent.json"), "absent.json cannot be read: No such file or directory; check the"),
        ((*CHECK, "--calibrate", "reference.parquet"), "reference.parquet holds no calibration"),
        ((*CHECK, "--calibrate", "c.json", "--json", "c.json"), "c.json"),
    ],
)
def test_what_cannot_be_calibrated_or_read_is_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
