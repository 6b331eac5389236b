"""What a measurement ran on."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path

import numpy as np

from gpudrift.bench import machine


def test_the_machine_is_described_without_naming_it() -> None:
    described = machine()
    assert np.__version__ in json.dumps(described)
    assert platform.node() not in json.dumps(described).replace('"', " ").split()
    assert "/" not in json.dumps(described)


def test_the_commit_is_that_of_the_repository(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=e")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    git("init")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-m", "first")
    assert (machine(tmp_path)["commit"], machine(tmp_path)["changed"]) == (git("rev-parse", "HEAD").strip(), False)
    (tmp_path / "file").write_text("b")
    assert machine(tmp_path)["changed"] is True


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert machine(tmp_path)["commit"] is None
    assert machine()["commit"] is None
