"""The program as a process: entry points, exit codes, streams and signals."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gpudrift import __version__
from gpudrift.cli import main

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


@pytest.mark.parametrize(
    "command", [("check", "--reference", "reference.parquet", "--current", "moved.parquet"), ("--help",)]
)
def test_a_reader_that_goes_away_is_no_traceback_and_no_verdict(files: Path, command: tuple[str, ...]) -> None:
    with subprocess.Popen((*PROGRAM, *command), cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, b"")


COMMANDS = {
    "drift": "check --reference reference.parquet --current moved.parquet",
    "error": "check --reference absent.parquet --current moved.parquet",
    "usage": "check",
    "help": "--help",
    "help of a command": "check --help",
    "version": "--version",
}
FULL = "gpudrift: error: No space left on device\n"
CLOSED = "gpudrift: error: the standard output is closed; send it to /dev/null where it is not wanted\n"


@pytest.mark.parametrize(
    ("command", "streams", "code", "said"),
    [
        ("error", "2>/dev/full", 2, ""),
        ("usage", "2>/dev/full", 2, ""),
        ("error", "2>&-", 2, ""),
        ("drift", "2>&- >/dev/null", 1, ""),
        ("drift", ">/dev/full", 2, FULL),
        ("help", ">/dev/full", 2, FULL),
        ("help of a command", ">/dev/full", 2, FULL),
        ("version", ">/dev/full", 2, FULL),
        ("drift", ">&-", 2, CLOSED),
        ("version", ">&-", 2, CLOSED),
        ("drift", "<&- >&- 2>&-", 2, ""),
    ],
)
def test_a_stream_that_takes_nothing_is_an_error_and_no_verdict(
    files: Path, command: str, streams: str, code: int, said: str
) -> None:
    line = f"{shlex.join(PROGRAM)} {COMMANDS[command]} {streams}"
    done = subprocess.run(["sh", "-c", line], cwd=files, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


def test_a_path_may_hold_any_bytes(files: Path) -> None:
    odd = os.fsdecode(b"od\xffd")
    (files / "same.parquet").rename(files / f"{odd}.parquet")
    assert process("profile", f"{odd}.parquet", "-o", f"{odd}.gdp", folder=files).stdout.startswith(
        "wrote od\\udcffd.gdp"
    )
    done = process("check", "--reference", f"{odd}.gdp", "--current", f"{odd}*t", "--html", f"{odd}.html", folder=files)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("wrote od\\udcffd.html\n")
    done = process("check", "--reference", "reference.parquet", "--current", f"{odd}x", folder=files)
    assert (done.returncode, done.stderr) == (
        2,
        "gpudrift: error: current od\\udcffdx is not there; check the path\n",
    )


def test_an_interrupt_while_it_loads_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")  # what Ctrl-C does in the midst of an import
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*PROGRAM, "doctor"], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


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


@pytest.mark.parametrize(
    "command", [(), ("check",), ("profile",), ("models",), ("history",), ("rollback",), ("demo",), ("doctor",)]
)
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
