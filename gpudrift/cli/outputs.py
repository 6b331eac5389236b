"""Files that a command writes: their place is checked before the work, not after it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from gpudrift.errors import DataError


def check_place(path: str, *, taken: Iterable[str] = ()) -> None:
    """Refuse a path that could not or must not be written, before hours of work rather than after.

    Raises
    ------
    DataError
        Its folder is not there or is closed, it is a folder itself, or one of the paths that are ``taken``.
    """
    if "://" in path:
        raise DataError(f"{path} is a URL, and only local files are written; name one")
    try:
        _check(path, Path(path), taken)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; choose another place") from error


def _check(path: str, target: Path, taken: Iterable[str]) -> None:
    if target.resolve() in {Path(other).resolve() for other in taken}:
        raise DataError(f"{path} is named twice and would be overwritten; name another file")
    if target.is_dir():
        raise DataError(f"{path} is a directory; name a file in it")
    folder = target.parent
    if not folder.is_dir():
        raise DataError(f"{path}: {folder} is no directory; make it first: mkdir -p {shlex.quote(str(folder))}")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise DataError(f"{path} cannot be written: permission denied; choose another place")
