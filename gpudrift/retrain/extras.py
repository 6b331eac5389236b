"""Optional libraries, loaded when a learner first needs them."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from gpudrift.errors import DependencyMissing


def library(module: str, *, extra: str = "train") -> Any:
    """A module of an optional library.

    Raises
    ------
    DependencyMissing
        With the line that installs it.
    """
    top = module.partition(".")[0]
    if find_spec(top) is None:
        raise DependencyMissing(f'training needs {top}: pip install "gpudrift[{extra}]"')
    return importlib.import_module(module)
