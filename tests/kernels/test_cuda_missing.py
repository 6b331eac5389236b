from __future__ import annotations

import numpy as np
import pytest

from .devices import SIMULATED, SMALL

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("n", [0, 1, 130] if SMALL else [0, 1, 130, 1_000_003])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_of_every_sort_is_missing_and_nothing_else(monkeypatch: pytest.MonkeyPatch, n: int, dtype: str) -> None:
    from numba import cuda

    from gpudrift_kernels.cuda import missing

    if SIMULATED:
        monkeypatch.setattr(missing, "NUMBA_THREADS", 8)
    rng = np.random.default_rng(n)
    values = rng.choice(np.array([0, 1, -np.inf, np.inf, np.nan, -np.nan], dtype), n)
    assert missing.missing(cuda.to_device(values)) == np.isnan(values).sum()
