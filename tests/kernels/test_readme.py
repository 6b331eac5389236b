from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

_README = Path(__file__).parents[2] / "kernels" / "README.md"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_the_skeleton_to_copy_is_a_kernel_that_works(tmp_path: Path, dtype: str) -> None:
    skeleton = _README.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    path = tmp_path / "below.py"
    path.write_text(skeleton, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("below", path)
    assert spec is not None
    assert spec.loader is not None
    below = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(below)
    values = np.arange(-20, 20).astype(dtype)
    assert below.count_below(values[::-2], 3) == np.sum(values[::-2] < 3)
    if dtype.startswith("f"):
        assert below.count_below(np.array([np.nan, -np.inf], dtype), 3) == 1
