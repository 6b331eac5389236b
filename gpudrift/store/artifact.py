"""An artifact: a folder of data files under one digest, which appears whole or not at all.

``model.json`` is the header: JSON whose ``files`` lists every other file with its SHA-256, and whose ``digest``, the
last entry, is the SHA-256 of the header without it. The artifact's digest is the SHA-256 of the whole header, so it
covers every byte of the folder.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from gpudrift.errors import DataError, ModelError

HEADER: Final = "model.json"


def write_artifact(folder: str | os.PathLike[str], header: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """Write beside the target, then move into place; returns the digest.

    Parameters
    ----------
    folder : path
        Not there yet, or empty: an artifact is never changed.
    header : mapping
        JSON values; ``files`` and ``digest`` are added.
    files : mapping of name to bytes

    Raises
    ------
    DataError
        The place is taken or cannot be written, a full disk included; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     digest = write_artifact(f"{place}/first", {"schema": 1}, {"sums.bin": b"123"})
    ...     header, files = read_artifact(f"{place}/first")
    >>> header["schema"], files, len(digest)
    (1, {'sums.bin': b'123'}, 64)
    """
    target = Path(folder).absolute()
    text = _sealed({**header, "files": {name: _sha256(files[name]) for name in sorted(files)}})
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise DataError(f"{folder} is taken; save to a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        with _draft(target) as draft:
            for name, content in {**files, HEADER: text}.items():
                with open(draft / name, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # or a crash could leave the new name with nothing behind it
            draft.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}; choose another place") from error
    return _sha256(text)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A folder beside the target, held by a lock for as long as this process fills it."""
    draft = target.with_name(f"{_drafts(target)}{uuid4().hex}")
    draft.mkdir()
    held = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield draft
    finally:
        os.close(held)
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Remove drafts of this target that a process left when it was killed: nobody holds their lock."""
    for draft in target.parent.glob(f"{glob.escape(_drafts(target))}*"):
        held = os.open(draft, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(draft, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(held)


def _drafts(target: Path) -> str:
    return f".{target.name}.draft-"


def _sync(folder: Path) -> None:
    """Let the new name outlive a crash."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def read_artifact(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The header and the files, each checked against its digest.

    Raises
    ------
    ModelError
        Not there, not an artifact, or a file is missing, altered, or not listed.
    """
    place = Path(folder)
    try:
        content = (place / HEADER).read_bytes()
        header = json.loads(content)
        listed = dict(header["files"])
        del header["digest"]
    except OSError as error:
        raise ModelError(f"{folder} holds no model ({HEADER}: {error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is damaged: {HEADER} is no header; fetch the model again") from error
    if content != _sealed(header):
        raise ModelError(f"{folder} is damaged: the digest of {HEADER} does not match; fetch the model again")
    found = {path.name for path in place.iterdir()} - {HEADER}
    if odd := sorted(found ^ set(listed)):
        what = "is missing" if odd[0] in listed else "is not listed in its header"
        raise ModelError(f"{folder} is damaged: {odd[0]} {what}; fetch the model again")
    try:
        files = {name: (place / name).read_bytes() for name in listed}
    except OSError as error:
        raise ModelError(f"{folder} cannot be read ({error.strerror}); fetch the model again") from error
    for name, content in files.items():
        if _sha256(content) != listed[name]:
            raise ModelError(f"{folder} is damaged: the digest of {name} does not match; fetch the model again")
    return header, files


def artifact_digest(folder: str | os.PathLike[str]) -> str:
    """Digest of an artifact whose files have all been checked.

    Raises
    ------
    ModelError
        As ``read_artifact`` does.
    """
    read_artifact(folder)
    return _sha256((Path(folder) / HEADER).read_bytes())


def _sealed(header: Mapping[str, Any]) -> bytes:
    """The header as it is written, with its own digest: one way only, so that no altered byte reads the same."""
    return _json({**header, "digest": _sha256(_json(header))})


def _json(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, indent=1).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
