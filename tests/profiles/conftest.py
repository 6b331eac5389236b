"""The columns that a KS interval must be narrow for, by name; seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]


def hard_columns(seed: int, n: int) -> Columns:
    """Every shape the certified interval is promised for."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(n)
    return {
        "normal": normal,
        "lognormal, sigma 1": rng.lognormal(0, 1, n),
        "lognormal, sigma 3": rng.lognormal(0, 3, n),
        "t(2)": rng.standard_t(2, n),
        "uniform": rng.random(n),
        "Poisson": rng.poisson(3, n),
        "Poisson as floats": rng.poisson(300, n).astype(np.float64),
        "geometric": rng.geometric(0.05, n),
        "zero-inflated 30%": np.where(rng.random(n) < 0.3, 0.0, rng.gamma(2, 3, n)),
        "zero-inflated 60%": np.where(rng.random(n) < 0.6, 0.0, rng.lognormal(0, 1, n)),
        "atom of 50%": np.where(rng.random(n) < 0.5, 0.7390851, normal),
        "bimodal": normal + np.where(rng.random(n) < 0.5, -50, 50),
        "constant plus noise": 1000 + 1e-3 * normal,
        "prices": np.round(rng.gamma(2, 20, n), 2),
        "timestamps": np.datetime64("2013-01-01", "ns") + rng.integers(0, 90 * 86_400 * 10**9, n).astype("m8[ns]"),
        "beyond 2**53": 2**60 + rng.poisson(40, n),
        "64-bit hashes": rng.integers(-(2**63), 2**63 - 1, n),
        "constant": np.full(n, 7.25),
        "two values": rng.integers(0, 2, n),
    }


@pytest.fixture(scope="session")
def reference_columns() -> Columns:
    return hard_columns(seed=0, n=120_000)


@pytest.fixture(scope="session")
def current_columns() -> Columns:
    return hard_columns(seed=1, n=40_000)


@pytest.fixture
def mixed() -> dict[str, Any]:
    """Numbers, categories, nulls and infinities; 5,000 rows."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=5000)
    x[::50] = np.nan
    x[1::500] = np.inf
    x[2::700] = -np.inf
    return {
        "x": x,
        "small": rng.normal(size=5000).astype(np.float32),
        "count": rng.poisson(4, 5000),
        "plan": [None if i % 40 == 0 else "abcd"[int(k)] for i, k in enumerate(rng.integers(0, 4, 5000))],
        "active": rng.random(5000) < 0.3,
    }
