"""Streams of rows with times."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

#: After all times of these tests that are not meant to lie in the future.
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def columns(n: int, seed: int = 0) -> dict[str, Any]:
    """A column of every sort, with gaps; the numbers and categories of one stream."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    x[::50] = np.nan
    x[1::99] = np.inf
    plan: NDArray[Any] = rng.choice(np.array(["free", "paid", "team", None], object), n)
    return {
        "x": x,
        "price": np.round(rng.gamma(2, 20, n), 2).astype(np.float32),
        "visits": rng.poisson(3, n),
        "plan": plan,
        "active": rng.random(n) < 0.3,
    }


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    return columns(6000)
