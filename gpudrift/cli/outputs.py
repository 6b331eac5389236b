"""Files that a command writes: their place is checked before the work, and they appear whole or not at all."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gpudrift.errors import DataError


def check_place(path: str, *, taken: Iterable[str] = ()) -> None:
    """Refuse a path that could not or must not be written, before hours of work rather than after.

    Raises
    ------
    DataError
        Its folder is not there or is closed, it is a folder itself, or one of the paths that are ``taken``.
    """
    target = Path(path)
    if target.resolve() in {Path(other).resolve() for other in taken}:
        raise DataError(f"{path} is named twice and would be overwritten; name another file")
    if target.is_dir():
        raise DataError(f"{path} is a directory; name a file in it")
    folder = target.parent
    if not folder.is_dir():
        raise DataError(f"{path}: {folder} is no directory; make it first: mkdir -p {shlex.quote(str(folder))}")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise DataError(f"{path} cannot be written: permission denied; choose another place")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A file to fill, which takes the place of ``path`` at the end: a reader sees the old file or the new one.

    A pipe or a device has no place to take and is written as it is.

    Raises
    ------
    DataError
        It cannot be written.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        yield target
        return
    target = target.resolve()  # a link stays one
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(target)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; choose another place") from error
    finally:
        draft.unlink(missing_ok=True)
