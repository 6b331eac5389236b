"""``gpudrift stats`` and ``--statistics``: the list of statistics, and a file with some of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpudrift.stats import STATISTICS

from .conftest import Run

OWN = """
import numpy as np
import gpudrift as gd

@gd.statistic(name="euclidean", formula="sqrt(sum (q - p)^2)", source="a course", threshold=0.05, kinds=["numeric"])
def euclidean(reference, current):
    return float(np.linalg.norm(current / current.sum() - reference / reference.sum()))
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    known = dict(STATISTICS)
    yield
    STATISTICS.clear()
    STATISTICS.update(known)


@pytest.mark.parametrize("columns", [40, 80, 100, 120, 200])
def test_every_statistic_has_its_formula_and_source_at_any_width(run: Run, columns: int) -> None:
    result = run("stats", COLUMNS=str(columns))
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    for name, statistic in STATISTICS.items():
        assert f"{name} " in shown
        assert statistic.source in shown
        for word in statistic.formula.split():
            assert word in shown


def test_a_table_is_no_wider_than_its_terminal(run: Run) -> None:
    for columns in (120, 140):
        table = run("stats", COLUMNS=str(columns)).stdout.splitlines()[:-1]
        assert table[0].split() == ["name", "kind", "threshold", "formula", "source"]
        assert max(map(len, table)) <= columns
    narrow = run("stats", COLUMNS="80").stdout.splitlines()
    assert narrow[0] == "psi  Population stability index (both; threshold 0.1)"


def test_json_holds_the_registry_and_nothing_else_is_printed(run: Run, tmp_path: Path) -> None:
    document = json.loads(run("stats", "--json", "-").stdout, parse_constant=pytest.fail)
    assert document["schema"] == 1
    assert list(document["statistics"]) == list(STATISTICS)
    assert document["statistics"]["kl"] == {
        "title": "Kullback-Leibler divergence",
        "kinds": ["numeric", "categorical"],
        "threshold": None,
        "severe": None,
        "range": [0.0, None],
        "formula": "sum p ln(p / q), shares (c + 0.5) / (n + 0.5 k)",
        "source": "doi:10.1214/aoms/1177729694",
        "own": False,
    }
    assert run("stats", "--json", "stats.json").stdout == ""
    assert json.loads((tmp_path / "stats.json").read_text()) == document


def test_a_file_of_ones_own_is_listed_and_decides(run: Run, files: Path) -> None:
    (files / "mine.py").write_text(OWN)
    listed = json.loads(run("stats", "--statistics", "mine.py", "--json", "-").stdout)["statistics"]["euclidean"]
    assert (listed["own"], listed["source"], listed["kinds"]) == (True, "a course", ["numeric"])
    (files / "drift.toml").write_text("[check.thresholds]\neuclidean = 0.2\n")
    result = run(
        "check", "--reference", "reference.parquet", "--current", "moved.parquet", "--statistics", "mine.py",
        "--config", "drift.toml", "--json", "-",
    )  # fmt: skip
    assert result.exit_code == 1
    age = json.loads(result.stdout)["features"]["age"]
    assert age["statistics"]["euclidean"] > 0.2
    assert ("euclidean", 0.2, "set by user") in [(r["statistic"], r["threshold"], r["how"]) for r in age["reasons"]]


def test_a_statistic_that_fails_is_named_beside_the_verdict(run: Run, files: Path) -> None:
    (files / "mine.py").write_text(OWN.replace("current.sum()", "0 .real.missing"))
    result = run("check", "--reference", "reference.parquet", "--current", "same.parquet", "--statistics", "mine.py")
    assert result.exit_code == 0
    assert "your statistic euclidean raised AttributeError: 'int' object has no attribute 'missing'" in result.stdout


MISTAKES = {
    "absent.py": (None, "absent.py is not there, or no file; check the path"),
    "mine.txt": (OWN, "mine.txt must end in .py: a Python file that declares statistics"),
    "empty.py": ("x = 1", "empty.py declares no statistic; decorate a function in it with gpudrift.statistic"),
    "syntax.py": ("def (", "syntax.py cannot be run: SyntaxError: invalid syntax (syntax.py, line 1); mend it"),
    "raises.py": ("1 / 0", "raises.py cannot be run: ZeroDivisionError: division by zero; mend it"),
    "leaves.py": ("raise SystemExit(0)", "leaves.py cannot be run: SystemExit: 0; mend it"),
    "taken.py": (OWN.replace('"euclidean"', '"psi"'), "taken.py: the name 'psi' is taken by gpudrift; choose another"),
    "twice.py": (
        OWN + OWN.replace("def euclidean", "def another"),
        "twice.py: the name 'euclidean' is taken by another statistic of your own; choose another",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_file_that_declares_nothing_good_is_an_error_before_anything_is_read(
    run: Run, tmp_path: Path, name: str
) -> None:
    text, message = MISTAKES[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    result = run("check", "--reference", "no.parquet", "--current", "no.parquet", "--statistics", name)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_configuration_cannot_run_code(run: Run, files: Path) -> None:
    (files / "mine.py").write_text(OWN)
    (files / "drift.toml").write_text('[check]\nstatistics = ["mine.py"]\n')
    result = run("check", "--reference", "reference.parquet", "--current", "same.parquet", "--config", "drift.toml")
    assert result.exit_code == 2
    assert "check.statistics is unknown" in result.stderr
    assert "euclidean" not in STATISTICS
