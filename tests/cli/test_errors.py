"""Whatever a user gets wrong ends in one readable line and exit code 2, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd
from gpudrift.cli.errors import say

from .conftest import Run, write

CHECK = ("check", "--reference", "reference.parquet", "--current")
SAME = (*CHECK, "same.parquet")

MISTAKES = {
    "missing reference": (
        ("check", "--reference", "absent.parquet", "--current", "same.parquet"),
        "reference absent.parquet is not there; check the path",
    ),
    "missing current": ((*CHECK, "absent.parquet"), "current absent.parquet is not there; check the path"),
    "missing profile": (
        ("check", "--reference", "absent.gdp", "--current", "same.parquet"),
        "absent.gdp cannot be read: No such file or directory; check the path",
    ),
    "directory without Parquet": ((*CHECK, "nothing"), "current nothing holds no Parquet file; check the path"),
    "glob without a match": ((*CHECK, "no*.parquet"), "current no*.parquet holds no Parquet file; check the path"),
    "truncated Parquet": ((*CHECK, "truncated.parquet"), "truncated.parquet"),
    "no Parquet at all": ((*CHECK, "drift.toml"), "current holds no readable Parquet in drift.toml"),
    "damaged profile": (
        ("check", "--reference", "damaged.gdp", "--current", "same.parquet"),
        "damaged.gdp is damaged: its digest does not match; make the profile again",
    ),
    "unknown column": ((*SAME, "--columns", "agee"), "reference has no column 'agee': did you mean 'age'?"),
    "unknown column to profile": (
        ("profile", "reference.parquet", "-o", "x.gdp", "--numeric", "incom"),
        "reference has no column 'incom': did you mean 'income'?",
    ),
    "unknown key": ((*SAME, "--config", "drift.toml"), "drift.toml: check.alhpa is unknown: did you mean 'alpha'?"),
    "missing configuration": ((*SAME, "--config", "absent.toml"), "absent.toml cannot be read"),
    "alpha out of range": (
        (*SAME, "--alpha", "2"),
        "alpha must be between 0 and 1, got 2.0; see gpudrift check --help",
    ),
    "alpha that is no number": (
        (*SAME, "--alpha", "few"),
        "for '--alpha': 'few' is no number; pass one between 0 and 1, such as 0.01; see gpudrift check --help",
    ),
    "two kinds": ((*SAME, "--categorical", "age", "--numeric", "age"), "'age' is named under categorical and numeric"),
    "empty name": ((*SAME, "--columns", "age,,income"), "a name is empty; leave out the extra comma"),
    "no name": ((*SAME, "--columns", ""), "no column is named; name one, or leave the option out; see gpudrift check"),
    "blank name": ((*SAME, "--numeric", " "), "no column is named; name one, or leave the option out"),
    "kind of a column left out": (
        (*SAME, "--columns", "age", "--categorical", "income"),
        "'income' is named under categorical but not under columns; name it in both",
    ),
    "kind of a column left out of a profile": (
        ("profile", "reference.parquet", "-o", "x.gdp", "--columns", "age", "--numeric", "income"),
        "'income' is named under numeric but not under columns; name it in both; see gpudrift profile --help",
    ),
    "another kind than the profile's": (
        ("check", "--reference", "champion.gdp", "--current", "same.parquet", "--categorical", "age"),
        "'age' was not profiled as categorical; make the profile again and name it under categorical",
    ),
    "empty path": ((*CHECK, ""), "Invalid value for '--current': the path is empty; name one"),
    "empty output": ((*SAME, "--html", ""), "Invalid value for '--html': the path is empty; name one"),
    "empty configuration": ((*SAME, "--config", ""), "Invalid value for '--config': the path is empty; name one"),
    "no folder for the demo": (("demo", "-o", ""), "the path is empty; name one; see gpudrift demo --help"),
    "URL": (
        (*CHECK, "s3://bucket/*.parquet"),
        "current s3://bucket/*.parquet is a URL, and only local files are read; copy it here first",
    ),
    "URL to write": (
        (*SAME, "--json", "s3://bucket/a.json"),
        "s3://bucket/a.json is a URL, and only local files are written; name one",
    ),
    "device as data": (
        (*CHECK, "/dev/zero"),
        "current /dev/zero is a device or a pipe, and Parquet cannot be streamed; write it to a file first",
    ),
    "profile as current data": (
        (*CHECK, "champion.gdp"),
        "current champion.gdp is a profile, which holds no rows; pass rows",
    ),
    "profile of a profile": (
        ("profile", "champion.gdp", "-o", "x.gdp"),
        "reference champion.gdp is a profile, which holds no rows; pass rows",
    ),
    "device without room": (
        (*SAME, "--html", "/dev/full"),
        "/dev/full cannot be written: No space left on device; choose another place",
    ),
    "name too long": (
        ("profile", "reference.parquet", "-o", "x" * 260 + ".gdp"),
        "x.gdp cannot be written: File name too long; choose another place",
    ),
    "open quote": ((*SAME, "--columns", '"age,income'), "is no list of names"),
    "no CUDA": ((*SAME, "--backend", "cuda"), "use 'cpu' or 'auto'"),
    "unknown backend": (
        (*SAME, "--backend", "tpu"),
        "backend must be auto, cpu, cuda or a GPU such as cuda:1, got 'tpu'",
    ),
    "no such GPU": ((*SAME, "--backend", "cuda:999"), "backend 'cuda:999' cannot be used: "),
    "exact without rows": (
        ("check", "--reference", "champion.gdp", "--current", "same.parquet", "--exact"),
        "exact needs the rows of the reference, a profile has only counts; pass the reference itself",
    ),
    "two references, one a profile": (
        ("check", "--reference", "champion.gdp", "--reference", "reference.parquet", "--current", "same.parquet"),
        "champion.gdp is a profile and must be the only one",
    ),
    "no folder for JSON": (
        (*SAME, "--json", "out/report.json"),
        "out/report.json: out is no directory; make it first: mkdir -p out",
    ),
    "no folder for HTML": ((*SAME, "--html", "my out/report.html"), "make it first: mkdir -p 'my out'"),
    "no folder for a profile": (("profile", "reference.parquet", "-o", "out/x.gdp"), "make it first: mkdir -p out"),
    "a folder for a file": ((*SAME, "--json", "nothing"), "nothing is a directory; name a file in it"),
    "one file for both": ((*SAME, "--json", "a.out", "--html", "./a.out"), "a.out is named twice"),
    "output over input": ((*SAME, "--json", "same.parquet"), "same.parquet is named twice and would be overwritten"),
    "HTML to stdout": ((*SAME, "--html", "-"), "a page goes to a file; name one"),
    "profile by another name": (("profile", "reference.parquet", "-o", "x.bin"), "x.bin must end in .gdp"),
    "nothing in common": ((*CHECK, "other.parquet"), "reference and current have no column in common"),
    "empty current": ((*CHECK, "empty.parquet"), "current has no rows; pass at least one"),
    "empty reference": (
        ("check", "--reference", "empty.parquet", "--current", "same.parquet"),
        "reference has no rows; pass at least one",
    ),
    "unquoted glob": ((*SAME, "moved.parquet"), "put a glob in quotes"),
    "missing option": (("check", "--reference", "reference.parquet"), "Missing option '--current'; see gpudrift check"),
    "unknown option": ((*SAME, "--jsn", "-"), "--json"),
    "unknown command": (("chekc",), "Did you mean 'check'?"),
    "demo among other files": (
        ("demo", "--output", "."),
        "error: . holds files that the demo did not write; choose another --output",
    ),
    "demo in a file": (("demo", "--output", "same.parquet"), "same.parquet cannot be made: File exists"),
}


@pytest.fixture
def mistaken(files: Path) -> Path:
    """The files that mistakes are made with."""
    (files / "nothing").mkdir()
    whole = (files / "reference.parquet").read_bytes()
    (files / "truncated.parquet").write_bytes(whole[: len(whole) // 2])
    (files / "drift.toml").write_text("[check]\nalhpa = 0.1\n")
    pq.write_table(pa.table({"other": [1, 2, 3]}), files / "other.parquet")
    write(files / "empty.parquet", centre=0.0, n_rows=0)
    gd.profile(files / "reference.parquet").save(files / "champion.gdp")
    content = bytearray((files / "champion.gdp").read_bytes())
    content[-1] ^= 1
    (files / "damaged.gdp").write_bytes(content)
    return files


@pytest.mark.parametrize(("command", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_its_remedy(
    run: Run, mistaken: Path, command: tuple[str, ...], message: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in mistaken.iterdir()}
    result = run(*command)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("gpudrift: error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in mistaken.iterdir()} == before


@pytest.mark.usefixtures("files")
def test_json_on_stdout_stays_empty_after_an_error(run: Run) -> None:
    result = run(*CHECK, "absent.parquet", "--json", "-")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.usefixtures("files")
def test_an_interrupt_leaves_with_130_and_no_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(self: object, *_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(gd.DriftReport, "to_view", interrupted)
    result = run(*SAME, "--html", "report.html")
    assert (result.exit_code, result.stderr) == (130, "gpudrift: stopped\n")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("files")
def test_an_error_of_the_system_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device", "/data/scratch")

    monkeypatch.setattr(gd, "check_drift", full)
    result = run(*SAME)
    assert (result.exit_code, result.stderr) == (2, "gpudrift: error: /data/scratch: No space left on device\n")


@pytest.mark.usefixtures("files")
def test_a_file_that_is_closed_to_the_reader_gets_its_remedy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: str, *_: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("gpudrift.frames.parquet.describe", closed)
    said = "gpudrift: error: reference reference.parquet cannot be read: permission denied; check its permissions\n"
    assert run(*SAME).stderr == said


def test_a_message_is_said_in_one_line_that_no_name_can_break(capsys: pytest.CaptureFixture[str]) -> None:
    say("error: first\n  second\x1b[31m\u202e")
    said = capsys.readouterr().err
    assert said.startswith("gpudrift: error: first second")
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert "\u202e" not in said
