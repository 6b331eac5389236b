"""Settings from a TOML file, with the calibration that it names."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from gpudrift.config import Settings, unknown
from gpudrift.errors import ConfigError, DataError
from gpudrift.monitor.calibration import Calibration

_CALIBRATE: Final = "calibrate"
_MOST_BYTES: Final = 1 << 20
"""Of a TOML file: far more than settings take, far less than a mistaken path may hold."""


def load_settings(path: str | Path, **overrides: Any) -> Settings:
    """Settings from the ``[check]`` table of a TOML file, whose keys are the attributes of ``Settings``.

    One key more, ``calibrate``, names a file that ``Calibration.save`` wrote, from the folder of the TOML file on: its
    thresholds win. ``overrides`` that are not None win over keys; ``columns`` among them also narrow the file's
    ``categorical`` and ``numeric``. The backend is no setting, since no result depends on it.

    Raises
    ------
    ConfigError
        With the file and the key path; an unknown key comes with the nearest known one.
    """
    table = _table(path)
    calibrate = calibration_file(path)
    table.pop(_CALIBRATE, None)
    if table.get("columns") == []:
        raise ConfigError(f"{path}: check.columns is empty; leave it out to compare all columns")
    try:
        settings = Settings(**table)
    except ConfigError as error:
        raise ConfigError(f"{path}: check.{error}") from error
    given = {name: value for name, value in overrides.items() if value is not None}
    if columns := given.get("columns"):
        of_file = {kind: getattr(settings, kind) for kind in ("categorical", "numeric")}
        given = {kind: [name for name in names if name in columns] for kind, names in of_file.items()} | given
    other = given.pop(_CALIBRATE, None)
    settings = replace(settings, **given)
    if other is not None:
        return Calibration.load(other).settings(settings)
    if calibrate is None:
        return settings
    try:
        return Calibration.load(calibrate).settings(settings)
    except DataError as error:
        raise ConfigError(f"{path}: check.{_CALIBRATE}: {error}") from error


def calibration_file(path: str | Path) -> Path | None:
    """The file that ``calibrate`` names in the ``[check]`` table of a TOML file; None without that key.

    Raises
    ------
    ConfigError
        As ``load_settings``.
    """
    named = _table(path).get(_CALIBRATE)
    if named is None:
        return None
    if not isinstance(named, str) or not named:
        raise ConfigError(f"{path}: check.{_CALIBRATE} must be the path of a file, got {named!r}")
    return Path(path).parent / named


def _table(path: str | Path) -> dict[str, Any]:
    """The ``[check]`` table, of keys that are known."""
    try:
        document = tomllib.loads(_read(path).decode())
    except OSError as error:
        remedy = "check its permissions" if isinstance(error, PermissionError) else "check the path"
        raise ConfigError(f"{path} cannot be read: {error.strerror}; {remedy}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for key in document:
        if key != "check":
            raise ConfigError(f"{path}: {unknown('', key, ['check'])}")
    table = document.get("check", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: check must be a table, got {table!r}")
    known = [*(f.name for f in fields(Settings)), _CALIBRATE]
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: {unknown('check', key, known)}")
    return table


def _read(path: str | Path) -> bytes:
    """The whole file, unless it is not one or does not end."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
        raise ConfigError(f"{path} is not a regular file; write the settings to one")
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than 1 MiB, which settings never are; check the path")
    return content
