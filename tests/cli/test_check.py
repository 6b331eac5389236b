"""``gpudrift check``: exit codes, the table, JSON, HTML, options and configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

import gpudrift as gd

from .conftest import N_ROWS, Run, write

SAME = ("check", "--reference", "reference.parquet", "--current", "same.parquet")
MOVED = ("check", "--reference", "reference.parquet", "--current", "moved.parquet")


def the_json(result: Result) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    parsed = json.loads(result.stdout, parse_constant=refuse)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.usefixtures("files")
def test_no_drift_leaves_with_0_and_says_so(run: Run) -> None:
    result = run(*SAME)
    assert result.exit_code == 0
    assert f"no drift: 0 of 3 features drifted ({N_ROWS:,} reference rows, {N_ROWS:,} current rows)" in result.stdout
    assert result.stderr == ""


@pytest.mark.usefixtures("files")
def test_drift_leaves_with_1_and_lists_the_worst_feature_first(run: Run) -> None:
    result = run(*MOVED)
    assert result.exit_code == 1
    heading, _, first, *_ = result.stdout.splitlines()
    assert heading.split() == ["feature", "kind", "drift", "PSI", "KS", "JS", "W1", "|", "V", "p", "missing"]
    assert first.split()[:3] == ["age", "numeric", "yes"]
    assert "drift: 1 of 3 features drifted" in result.stdout


@pytest.mark.usefixtures("files")
def test_json_on_stdout_is_alone_there(run: Run) -> None:
    result = run(*MOVED, "--json", "-")
    assert result.exit_code == 1
    report = the_json(result)
    assert (report["schema"], report["dataset_drift"]) == (1, True)
    assert report["rows"] == {"reference": N_ROWS, "current": N_ROWS}
    assert "drift: 1 of 3 features drifted" in result.stderr


@pytest.mark.usefixtures("files")
def test_json_and_html_are_written_where_asked(run: Run, tmp_path: Path) -> None:
    result = run(*MOVED, "--json", "report.json", "--html", "report.html")
    assert result.stdout.splitlines()[-2:] == ["wrote report.json", "wrote report.html"]
    whole = gd.check_drift(reference=tmp_path / "reference.parquet", current=tmp_path / "moved.parquet")
    assert json.loads(Path("report.json").read_text()) == whole.to_dict()
    page = Path("report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "plan, kind" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "moved.parquet", "reference.parquet", "report.html", "report.json", "same.parquet",
    ]  # fmt: skip


@pytest.mark.usefixtures("files")
def test_a_name_with_a_comma_is_quoted_as_in_csv(run: Run) -> None:
    result = run(*SAME, "--columns", 'income,"plan, kind"', "--columns", "age", "--json", "-")
    assert set(the_json(result)["features"]) == {"age", "income", "plan, kind"}
    result = run(*SAME, "--columns", '"plan, kind"', "--json", "-")
    assert list(the_json(result)["features"]) == ["plan, kind"]


def test_categorical_and_numeric_change_the_kind(run: Run, tmp_path: Path) -> None:
    rows = pa.table({"code": [1, 2, 3] * 100, "flag": [True, False, True] * 100})
    pq.write_table(rows, tmp_path / "rows.parquet")
    both = ("check", "--reference", "rows.parquet", "--current", "rows.parquet", "--json", "-")
    features = the_json(run(*both, "--categorical", "code", "--numeric", "flag"))["features"]
    assert {name: feature["kind"] for name, feature in features.items()} == {
        "code": "categorical",
        "flag": "numeric",
    }


@pytest.mark.usefixtures("files")
def test_options_win_over_the_configuration(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[gd.Settings] = []

    def look(*, settings: gd.Settings, **_: object) -> None:
        seen.append(settings)
        raise gd.DataError("seen enough")

    monkeypatch.setattr(gd, "check_drift", look)
    Path("drift.toml").write_text('[check]\ncolumns = ["income"]\nexact = true\nalpha = 0.001\n')
    run(*MOVED, "--config", "drift.toml")
    run(*MOVED, "--config", "drift.toml", "--columns", "age", "--no-exact", "--alpha", "0.2")
    assert seen == [
        gd.Settings(columns=("income",), exact=True, alpha=0.001),
        gd.Settings(columns=("age",), exact=False, alpha=0.2),
    ]


@pytest.mark.usefixtures("files")
def test_a_drift_share_that_is_not_reached_is_no_drift_and_is_named(run: Run) -> None:
    Path("drift.toml").write_text("[check]\ndrift_share = 0.5\n")
    result = run(*MOVED, "--config", "drift.toml")
    assert result.exit_code == 0
    assert "no drift: 1 of 3 features drifted, fewer than a share of 0.5" in result.stdout


@pytest.mark.usefixtures("files")
def test_exact_gives_the_exact_distance(run: Run) -> None:
    features = the_json(run(*MOVED, "--exact", "--json", "-"))["features"]
    assert features["age"]["ks"]["exact"] is True


@pytest.mark.usefixtures("files")
def test_a_profile_stands_for_its_reference(run: Run) -> None:
    assert run("profile", "reference.parquet", "-o", "champion.gdp").exit_code == 0
    from_profile = run("check", "--reference", "champion.gdp", "--current", "moved.parquet", "--json", "-")
    assert the_json(from_profile) == the_json(run(*MOVED, "--json", "-"))


def test_directories_globs_and_repeated_options_are_inputs(run: Run, tmp_path: Path) -> None:
    for k, day in enumerate(("monday", "tuesday")):
        (tmp_path / day).mkdir()
        write(tmp_path / day / "rows.parquet", centre=0.0, seed=k)
    for current in (("*day/*.parquet",), ("monday", "--current", "tuesday/rows.parquet")):
        result = run("check", "--reference", "monday", "--current", *current, "--json", "-")
        assert the_json(result)["rows"] == {"reference": N_ROWS, "current": 2 * N_ROWS}


def test_problems_come_after_the_table_and_before_the_verdict(run: Run, tmp_path: Path) -> None:
    rows = {"x": [float(i % 50) for i in range(200)]}
    pq.write_table(pa.table(rows | {"gone": rows["x"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table(rows), tmp_path / "b.parquet")
    result = run("check", "--reference", "a.parquet", "--current", "b.parquet")
    *_, problem, verdict = result.stdout.splitlines()
    assert problem.startswith("problem: gone: is missing from the current data; ")
    assert verdict.startswith("no drift: 0 of 1 feature drifted")


def test_too_few_rows_are_no_verdict(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "few.parquet", centre=0.0, n_rows=5)
    result = run("check", "--reference", "few.parquet", "--current", "few.parquet")
    assert result.exit_code == 0
    assert "no verdict: no feature that counts has enough values on both sides" in result.stdout
    assert "collect at least 30" in result.stdout
    assert [line.split()[2] for line in result.stdout.splitlines()[2:4]] == ["–", "–"]


@pytest.mark.parametrize(
    ("width", "headings", "left_out"),
    [
        (80, "feature kind drift PSI KS JS W1 | V p missing", None),
        (60, "feature drift PSI KS W1 | V p missing", "kind, JS"),
        (50, "feature drift PSI KS p missing", "kind, JS, W1 | V"),
        (40, "feature drift PSI p", "kind, JS, W1 | V, KS, missing"),
    ],
)
def test_on_a_narrow_terminal_the_least_important_columns_go_and_names_stay(
    run: Run, tmp_path: Path, width: int, headings: str, left_out: str | None
) -> None:
    rows = np.random.default_rng(0).random(300)
    pq.write_table(pa.table({"a_feature_with_quite_a_long_name": rows, "b": rows}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a_feature_with_quite_a_long_name": 2 * rows, "b": rows}), tmp_path / "b.parquet")
    said = run("check", "--reference", "a.parquet", "--current", "b.parquet", COLUMNS=str(width)).stdout.splitlines()
    assert said[0].split() == headings.split()
    assert max(map(len, said[:4])) <= width
    name = said[2].split()[0]
    head, tail = name.split("…")
    assert "a_feature_with_quite_a_long_name".startswith(head)
    assert "a_feature_with_quite_a_long_name".endswith(tail)
    assert len(name) >= 16
    note = [f"left out where it is so narrow: {left_out}"] if left_out else []
    assert said[4:-1] == note


def test_a_long_name_is_whole_in_a_pipe_up_to_200_characters(run: Run, tmp_path: Path) -> None:
    name, endless = "a_feature_with_a_name_" * 6, "x" * 5_000
    pq.write_table(pa.table({name: list(range(60)) * 5, endless: list(range(60)) * 5}), tmp_path / "rows.parquet")
    result = run("check", "--reference", "rows.parquet", "--current", "rows.parquet", "--json", "a.json")
    assert any(line.startswith(f"{name} ") for line in result.stdout.splitlines())
    assert any(line.startswith(f"{'x' * 100}…{'x' * 99} ") for line in result.stdout.splitlines())
    assert set(json.loads(Path("a.json").read_text())["features"]) == {name, endless}


def test_a_name_cannot_move_the_cursor_or_turn_the_line(run: Run, tmp_path: Path) -> None:
    name = "red\x1b[31m[bold]\u202e\n"
    pq.write_table(pa.table({name: list(range(60)) * 5}), tmp_path / "rows.parquet")
    pq.write_table(pa.table({name: list(range(60)) * 5, "x": [1] * 300}), tmp_path / "more.parquet")
    result = run("check", "--reference", "more.parquet", "--current", "rows.parquet", "--json", "a.json")
    assert result.stdout.splitlines()[2].startswith("red\\x1b[31m[bold]\\u202e\\n ")
    assert not {"\x1b", "\u202e"} & set(result.stdout)
    assert set(json.loads(Path("a.json").read_text())["features"]) == {name}
    problem = run("check", "--reference", "rows.parquet", "--current", "more.parquet", "--columns", "x")
    assert not {"\x1b", "\u202e"} & set(problem.stderr)


def test_a_table_of_very_many_features_stops_and_says_where_the_rest_is(run: Run, tmp_path: Path) -> None:
    pq.write_table(pa.table({f"f{k}": [k, k + 1] for k in range(130)}), tmp_path / "rows.parquet")
    result = run("check", "--reference", "rows.parquet", "--current", "rows.parquet", "--json", "all.json")
    assert "30 more features: --json and --html hold all of them" in result.stdout
    assert len(json.loads(Path("all.json").read_text())["features"]) == 130
