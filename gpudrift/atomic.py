"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpudrift.errors import DataError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
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
    draft = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        yield draft
        with open(draft, "rb") as file:
            os.fsync(file.fileno())  # or a crash could leave the new name with nothing behind it
        draft.replace(target)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; choose another place") from error
    finally:
        draft.unlink(missing_ok=True)
