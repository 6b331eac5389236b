"""The program as a process: entry points, exit codes, streams and signals."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import gpudrift_kernels.backend
from gpudrift import __version__
from gpudrift.cli import main
from gpudrift.cli.options import BackendName

from .conftest import Run

PROGRAM = (sys.executable, "-m", "gpudrift")
HEAVY = ("numpy", "numba", "pyarrow", "narwhals", "jinja2", "pandas", "polars", "scipy")


def process(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_exit_code_of_the_process_is_the_verdict(files: Path) -> None:
    check = ("check", "--reference", "reference.parquet", "--current")
    done = process(*check, "moved.parquet", "--json", "-", folder=files)
    assert done.returncode == 1
    assert json.loads(done.stdout)["dataset_drift"] is True
    done = process(*check, "same.parquet", folder=files)
    assert (done.returncode, done.stderr) == (0, "")
    done = process(*check, "absent.parquet", folder=files)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gpudrift: error: current absent.parquet is not there; check the path\n"


def test_a_reader_that_goes_away_is_no_traceback_and_no_verdict(files: Path) -> None:
    command = (*PROGRAM, "check", "--reference", "reference.parquet", "--current", "moved.parquet")
    with subprocess.Popen(command, cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, b"")


def test_a_bar_is_shown_where_stderr_is_a_terminal(files: Path) -> None:
    command = (*PROGRAM, "check", "--reference", "reference.parquet", "--current", "same.parquet", "--json", "-")
    parent, child = pty.openpty()
    try:
        environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1"}
        with subprocess.Popen(command, cwd=files, env=environment, stdout=subprocess.PIPE, stderr=child) as running:
            os.close(child)
            shown = b"".join(iter(lambda: _read(parent), b""))
            assert running.stdout is not None
            assert json.loads(running.stdout.read())["dataset_drift"] is False
    finally:
        os.close(parent)
    assert b"6000/6000 rows" in shown  # the reference is read twice
    assert re.search(rb"\x1b\[[0-9;]*[34][0-9]m", shown) is None


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, gpudrift.cli; print(*set({HEAVY!r}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("command", [(), ("check",), ("profile",), ("demo",), ("doctor",)])
def test_every_command_explains_itself(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: gpudrift" in result.stdout


def test_without_a_command_the_help_is_shown_and_nothing_is_said_about_drift(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.stdout


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").stdout == f"gpudrift {__version__}\n"


def test_the_backends_on_offer_are_those_of_the_kernels() -> None:
    assert get_args(BackendName) == get_args(gpudrift_kernels.backend.BackendName)


def test_a_bug_is_a_traceback_and_not_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["gpudrift.cli.main"], "app", broken)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert said.endswith("gpudrift: error: this is a bug in gpudrift; please report it with the lines above\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other side has closed
        return b""
