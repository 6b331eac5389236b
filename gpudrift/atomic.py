"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from gpudrift.errors import DataError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file to fill, which takes the place of ``path`` at the end: a reader sees the old file or the new one.

    It keeps the permissions of the file that it replaces; a new one has those that the umask leaves. A pipe or a device
    has no place to take and is written as it is.

    Raises
    ------
    DataError
        It cannot be written.
    """
    try:
        with _draft(Path(path)) as draft:
            yield draft
    except BrokenPipeError:  # a reader that has gone is no fault of the place
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        yield target
        return
    target = target.resolve()  # a link stays one
    draft = target.with_name(f".gpudrift-{uuid4().hex}")  # short: the target's own name may be as long as names can be
    try:
        draft.touch(0o666 if mode is None else 0o600, exist_ok=False)
        yield draft
        with open(draft, "rb") as file:
            os.fsync(file.fileno())  # or a crash could leave the new name with nothing behind it
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
