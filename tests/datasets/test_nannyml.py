"""The sets that nannyml carries: its files are read, its code is not."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import gpudrift as gd
from gpudrift.datasets import SERVED, load_served


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of that name whose code cannot run, in front of any other."""
    folder = tmp_path / "nannyml" / "datasets" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "nannyml" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nannyml", raising=False)
    importlib.invalidate_caches()
    return folder


def test_labels_that_came_later_are_joined_by_id_and_rows_keep_their_order(package: Path) -> None:
    served = SERVED["car_price"]
    (package / served.reference).write_text("id,age,y_true,y_pred,timestamp\n0,1.0,10.0,11,2017-01-24 08:00:00.000\n")
    (package / served.analysis).write_text(
        "id,age,y_pred,timestamp\n1,2.0,21,2017-02-16 16:00:00.000\n2,3.0,31,2017-02-16 16:00:01.000\n"
    )
    (package / served.labels).write_text("id,y_true\n2,30.0\n1,20.0\n")
    table = load_served("car_price")
    assert table.column_names == ["id", "age", "y_true", "y_pred", "timestamp"]
    assert table["id"].to_pylist() == [0, 1, 2]
    assert table["y_true"].to_pylist() == [10.0, 20.0, 30.0]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(gd.ConfigError, match="set 'car_lone' is unknown: did you mean 'car_loan'"):
        load_served("car_lone")
    monkeypatch.setattr("gpudrift.datasets.nannyml.find_spec", lambda _: None)
    with pytest.raises(gd.DependencyMissing, match=r"pip install --no-deps nannyml==0\.13\.1$"):
        load_served("car_loan")


@pytest.mark.skipif(find_spec("nannyml") is None, reason="nannyml's files are not installed")
@pytest.mark.parametrize(("name", "n_rows"), [("car_loan", 100_000), ("employment", 277_677), ("car_price", 120_000)])
def test_the_files_are_those_that_the_benchmark_knows(name: str, n_rows: int) -> None:
    table, served = load_served(name), SERVED[name]
    assert table.num_rows == n_rows
    assert table[served.target].null_count == 0
    assert set(served.leaks) < set(table.column_names)
    assert table["id"].to_pylist() == list(range(n_rows))
