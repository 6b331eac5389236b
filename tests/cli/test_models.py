"""``gpudrift models``, ``history`` and ``rollback``: what serves, what served, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import gpudrift as gd

from .conftest import Run

pytest.importorskip("mlflow")
pytest.importorskip("safetensors")

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = {"x": np.arange(100.0), "y": 2 * np.arange(100.0)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions, the second promoted on the second of March; each test that moves something moves it back."""
    folder = tmp_path_factory.mktemp("registry") / "registry"
    days = iter(START + timedelta(days=k) for k in range(9))
    registry = gd.Registry(folder, name="late", clock=lambda: next(days))
    trainer = gd.get_trainer("ridge", device="cpu")
    model = trainer.fit(ROWS, target="y")
    registry.promote(registry.register(model, windows=["2026-01"], metrics={"mae": 0.25}), reason="first")
    newer = trainer.update(model, ROWS, target="y")
    registry.promote(registry.register(newer, windows=["2026-02"]), reason="better for 72 h")
    return folder


def test_models_shows_versions_newest_first_and_what_serves(run: Run, place: Path) -> None:
    result = run("models", "--registry", str(place), "--name", "late")
    assert result.exit_code == 0
    heading, rule, second, first, total = result.stdout.splitlines()
    assert heading.split()[:3] == ["version", "serves", "as"]
    assert set(rule.strip()) <= {"\N{BOX DRAWINGS LIGHT HORIZONTAL}", " "}
    assert second.split()[:5] == ["2", "champion", "ridge", "exact_sums", "100"]
    assert first.split()[:4] == ["1", "ridge", "full", "100"]
    assert "mae 0.25" in first
    assert "2026-01" in first
    assert second.split()[-1] == first.split()[-1]  # its parent is the first, which has none
    assert total == "late: 2 versions"


def test_history_tells_what_served_when_and_why(run: Run, place: Path) -> None:
    result = run("history", "--registry", str(place), "--name", "late", "--alias", "champion")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[2:]]
    assert rows[0] == ["2026-03-01", "12:00:00+00:00", "champion", "1", "promote", "first"]
    assert rows[1][3:] == ["2", "1", "promote", "better", "for", "72", "h"]


def test_rollback_puts_the_one_before_back_or_any_other(run: Run, place: Path) -> None:
    result = run("rollback", "--registry", str(place), "--name", "late", "--reason", "worse")
    assert (result.exit_code, result.stdout) == (0, "champion of late is version 1 again; it was version 2\n")
    registry = gd.Registry(place, name="late")
    assert (registry.at().number, registry.history()[-1].reason) == (1, "worse")
    result = run("rollback", "2", "--registry", str(place), "--name", "late")
    assert (result.exit_code, registry.at().number) == (0, 2)


BAD = {
    "no registry": (
        ("models", "--registry", "absent"),
        "absent holds no registry; check the path, or register a model there first",
    ),
    "another name": (
        ("history", "--registry", "{place}", "--name", "lat"),
        "holds no model 'lat': did you mean 'late'?",
    ),
    "no such version": (("rollback", "7", "--registry", "{place}", "--name", "late"), "'late' has no version 7"),
    "never served": (
        ("rollback", "--alias", "shadow", "--registry", "{place}", "--name", "late"),
        "no version served as shadow before the present one; name one to roll back to",
    ),
    "an unknown alias": (("rollback", "--alias", "best", "--registry", "{place}", "--name", "late"), "'best'"),
    "no number": (("rollback", "two", "--registry", "{place}"), "'two'"),
    "no server": (
        ("models", "--registry", "http://127.0.0.1:9"),
        "registry http://127.0.0.1:9 does not answer (",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_done_is_one_line(run: Run, place: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run(*(argument.format(place=place) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("gpudrift: error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("absent").exists()


def test_a_damaged_version_is_not_put_back(run: Run, place: Path) -> None:
    trainer = gd.get_trainer("ridge", device="cpu")
    registry = gd.Registry(place, name="fare")
    first = registry.register(trainer.fit(ROWS, target="y"))
    registry.promote(first)
    registry.promote(registry.register(trainer.fit({**ROWS, "y": -ROWS["y"]}, target="y")))
    sums = registry.folder(first) / "sums.safetensors"
    sums.write_bytes(sums.read_bytes()[:-1] + b"?")
    result = run("rollback", "--registry", str(place), "--name", "fare")
    assert result.exit_code == 2
    assert "the digest of sums.safetensors does not match; fetch the model again" in result.stderr
    assert registry.serving() == {"champion": registry.versions()[-1].number}
