"""Parameters of a trainer: of the type that their field states, as JSON, and in words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, Final

from gpudrift.errors import ConfigError
from gpudrift.retrain.learner import Learner

_WANTED: Final = {"int": "a whole number", "float": "a finite number", "bool": "True or False"}


def check_types(owner: str, kind: type, values: Mapping[str, Any]) -> None:
    """Raise ConfigError for a value that its field cannot hold; fields of other types than numbers are not looked at.

    Examples
    --------
    >>> from gpudrift.retrain.settings import Settings
    >>> check_types("ridge", Settings, {"refit_every": "3"})
    Traceback (most recent call last):
        ...
    gpudrift_kernels.errors.ConfigError: ridge.refit_every must be a whole number, got '3'
    """
    stated = {field.name: str(field.type) for field in fields(kind)}
    for name, value in values.items():
        wanted, _, optional = stated[name].partition(" | ")
        if wanted in _WANTED and not _fits(value, wanted) and not (value is None and optional == "None"):
            raise ConfigError(f"{owner}.{name} must be {_WANTED[wanted]}, got {value!r}")


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "bool" or isinstance(value, bool):
        return isinstance(value, bool) and wanted == "bool"
    if wanted == "int":
        return isinstance(value, Integral)
    return isinstance(value, Real) and math.isfinite(value)


def as_json(learner: Learner) -> dict[str, Any]:
    """Parameters that JSON holds: what a saved model is made again with."""
    return {name: value for name, value in _values(learner).items() if _is_json(value)}


def described(learner: Learner) -> dict[str, str]:
    """The other parameters (a network, an estimator) in words that are the same in every process."""
    return {name: _described(value) for name, value in _values(learner).items() if not _is_json(value)}


def _values(learner: Learner) -> dict[str, Any]:
    return {field.name: getattr(learner, field.name) for field in fields(learner)}  # type: ignore[arg-type]


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _described(value: Any) -> str:
    kind = value if hasattr(value, "__qualname__") else type(value)
    given = sorted(value.get_params().items()) if hasattr(value, "get_params") else ""
    return re.sub(r" at 0x[0-9a-f]+", "", f"{kind.__module__}.{kind.__qualname__}{given}")
