"""The Dockerfile against the files that it is built from, as far as that goes without building it."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]
_DOCKERFILE = (_REPOSITORY / "Dockerfile").read_text()
_PROJECT = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text())


def _context() -> list[str]:
    """Names at the top of the checkout that .dockerignore lets through."""
    lines = [line for line in (_REPOSITORY / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    sent = []
    for name in (path.name for path in _REPOSITORY.iterdir()):
        rules = [line for line in lines if fnmatch(name, line.lstrip("!").rstrip("/"))]
        if rules and rules[-1].startswith("!"):
            sent.append(name)
    return sent


def test_the_context_holds_what_the_wheel_is_built_from() -> None:
    wheel = _PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {Path(package).parts[0] for package in wheel["packages"]}
    needed |= {_PROJECT["project"]["readme"], *_PROJECT["project"]["license-files"], "pyproject.toml"}
    copied = set(re.findall(r"^COPY ([^-.]\S*)", _DOCKERFILE, re.MULTILINE))
    assert copied == {"constraints-cpu.txt"}
    assert needed | copied == set(_context())


def test_its_extras_pythons_and_targets_are_those_of_the_project() -> None:
    extras = set(re.findall(r'\)\[(\w+)\]"', _DOCKERFILE))
    assert extras == {"gpu"} <= set(_PROJECT["project"]["optional-dependencies"])
    (python,) = set(re.findall(r"^FROM python:(3\.\d+)-slim", _DOCKERFILE, re.MULTILINE))
    assert f"Programming Language :: Python :: {python}" in _PROJECT["project"]["classifiers"]
    targets = set(re.findall(r"^FROM .* AS (\w+)$", _DOCKERFILE, re.MULTILINE))
    assert set(re.findall(r"--target (\w+)", (_REPOSITORY / "README.md").read_text())) == targets - {"wheel"}
