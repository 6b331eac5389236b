"""Small Parquet files, and the command line run in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from gpudrift.cli import app

Run = Callable[..., Result]

N_ROWS = 2_000


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in an empty folder; an exception that is no exit fails the test."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(app, arguments, env=environment, catch_exceptions=False)

    return invoke


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with reference.parquet, same.parquet, moved.parquet (x one standard deviation on) and others."""
    write(tmp_path / "reference.parquet", centre=0.0)
    write(tmp_path / "same.parquet", centre=0.0, seed=1)
    write(tmp_path / "moved.parquet", centre=1.0, seed=2)
    return tmp_path


def write(path: Path, *, centre: float, seed: int = 0, n_rows: int = N_ROWS) -> None:
    generator = np.random.default_rng(seed)
    table = {
        "age": generator.normal(centre, 1.0, n_rows),
        "income": generator.random(n_rows),
        "plan, kind": generator.choice(["free", "paid"], n_rows),
    }
    pq.write_table(pa.table(table), path)
