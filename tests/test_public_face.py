"""The public page: what it names exists, and importing it loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gpudrift as gd


def test_every_public_name_exists_and_nothing_else_is_promised() -> None:
    assert len(set(gd.__all__)) == len(gd.__all__)
    for name in gd.__all__:
        assert getattr(gd, name) is not None
    assert set(dir(gd)) == set(gd.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gd.nothing  # noqa: B018


def test_importing_loads_no_heavy_library() -> None:
    heavy = (
        "cupy", "cudf", "torch", "dask", "sklearn", "xgboost", "mlflow", "pandas", "polars", "scipy", "pyarrow",
        "numba", "typer", "rich", "numpy",
    )  # fmt: skip
    code = f"import sys, gpudrift; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_settings_alone_load_no_kernel() -> None:
    code = "import sys, gpudrift as gd; gd.Settings(); print('numba' in sys.modules, 'pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_errors_share_one_root() -> None:
    for name in ("BackendUnavailable", "ConfigError", "DataError", "DependencyMissing", "PlanError", "ProfileError"):
        assert issubclass(getattr(gd, name), gd.GpudriftError)


def test_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    gd.show_versions()
    shown = capsys.readouterr().out
    assert f"gpudrift       {gd.__version__}" in shown
    assert "numba" in shown
