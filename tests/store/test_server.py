"""The registry against an MLflow server that runs: ``make registry-test`` starts one in an environment of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gpudrift as gd

pytestmark = pytest.mark.server

ROWS = {"x": np.arange(100.0), "y": 2 * np.arange(100.0)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder where it keeps artifacts."""
    place = tmp_path_factory.mktemp("server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        os.environ["GPUDRIFT_MLFLOW"], "server", "--backend-store-uri", f"sqlite:///{place / 'server.db'}",
        "--artifacts-destination", str(place / "artifacts"), "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""}
    with (
        open(place / "log", "wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as running,
    ):
        try:
            _wait_for(url, running, place / "log")
            yield url, place / "artifacts"
        finally:
            os.killpg(running.pid, 15)


def _wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers; it makes its tables first."""
    while running.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            try:
                running.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(f"the server ended: {log.read_text()[-2000:]}", pytrace=False)


@pytest.fixture(scope="module")
def models() -> list[gd.Model]:
    trainer = gd.get_trainer("ridge", device="cpu")
    first = trainer.fit(ROWS, target="y")
    return [first, trainer.update(first, {**ROWS, "y": 3 * ROWS["x"]}, target="y")]


def test_versions_moves_and_rollback_are_kept_by_a_server(
    server: tuple[str, Path], models: list[gd.Model], capfd: pytest.CaptureFixture[str]
) -> None:
    url, _ = server
    with pytest.raises(gd.RegistryError, match=f"^{url} holds no model 'late': there is none$"):
        gd.Registry(url, name="late", create=False)
    registry = gd.Registry(url, name="late")
    receipt = {"policy": "drift", "psi": 0.3}
    one = registry.register(models[0], windows=["2026-01"], metrics={"mae": 0.5}, receipt=receipt)
    two = registry.register(models[1])
    assert registry.register(models[0]) == one
    registry.promote(one, reason="first")
    registry.promote(two, reason="better for 72 h")
    assert registry.rollback(reason="worse").version == 1
    again = gd.Registry(url, name="late", create=False)
    assert again.versions() == [one, two]
    assert [(e.verb, e.version, e.previous, e.reason) for e in again.history()] == [
        ("promote", 1, None, "first"),
        ("promote", 2, 1, "better for 72 h"),
        ("rollback", 1, 2, "worse"),
    ]
    assert again.serving() == {"champion": 1}
    loaded = gd.load_model(again.folder(again.at()))
    assert loaded.id == models[0].id
    assert np.array_equal(loaded.predict(ROWS), models[0].predict(ROWS))
    assert capfd.readouterr() == ("", "")


def test_what_was_altered_on_the_server_does_not_serve(server: tuple[str, Path], models: list[gd.Model]) -> None:
    url, artifacts = server
    registry = gd.Registry(url, name="fare")
    registry.promote(registry.register(models[0]))
    before = set(artifacts.rglob("sums.safetensors"))
    two = registry.register(models[1])
    (sums,) = set(artifacts.rglob("sums.safetensors")) - before
    sums.write_bytes(sums.read_bytes()[:-1] + b"?")
    with pytest.raises(gd.ModelError, match=r"the digest of sums.safetensors does not match; fetch the model again"):
        registry.promote(two)
    assert registry.serving() == {"champion": 1}
    sums.unlink()
    with pytest.raises(gd.ModelError, match=r"sums.safetensors is missing; fetch the model again"):
        registry.promote(two)
    assert registry.serving() == {"champion": 1}


def test_two_names_on_one_server_are_kept_apart(server: tuple[str, Path], models: list[gd.Model]) -> None:
    url, _ = server
    gd.Registry(url, name="north").register(models[0])
    south = gd.Registry(url, name="south")
    assert south.versions() == []
    with pytest.raises(gd.RegistryError, match=f"^{url} holds no model 'nord': did you mean 'north'"):
        gd.Registry(url, name="nord", create=False)
