"""Pairs of sides on which exact distances differ in kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Sides = tuple[NDArray[Any], NDArray[Any]]


def _pairs() -> dict[str, Sides]:
    rng = np.random.default_rng(4)
    return {
        "normal": (rng.normal(size=3_000), rng.normal(0.1, 1.2, 2_000)),
        "float32": (rng.normal(size=999).astype(np.float32), rng.normal(size=1_001).astype(np.float32)),
        "ties": (rng.poisson(3.0, 2_000).astype(np.float64), rng.poisson(3.2, 1_500).astype(np.float64)),
        "integers": (rng.poisson(3, 2_000), rng.poisson(4, 100)),
        "integers beyond 2**53": (2**60 + rng.integers(0, 9, 300), 2**60 + rng.integers(1, 9, 300)),
        "unsigned integers": (2**63 + rng.integers(0, 99, 700, np.uint64), 2**63 + np.arange(500, dtype=np.uint64)),
        "one atom": (np.zeros(10), np.zeros(7)),
        "signed zeros": (np.zeros(10), np.repeat([-0.0, 0.0], 5)),
        "nothing in common": (np.arange(5.0), np.arange(10.0, 30.0)),
        "two constants": (np.ones(2), np.full(2, 2.0)),
        "the same rows": (np.arange(6_000.0), np.arange(6_000.0)[::-1]),
        "one by one": (np.arange(0.0, 9_000.0, 2), np.arange(1.0, 9_000.0, 2)),
        "an atom among others": (rng.normal(size=3_900).clip(0), np.r_[np.zeros(700), rng.normal(size=2_000)]),
        "all of one within a step of the other": (np.arange(5_000.0), 17 + np.sort(rng.random(5_000))),
        "few against many": (rng.normal(size=3), rng.normal(size=9_973)),
    }  # fmt: skip


#: Ascending.
PAIRS = {name: (np.sort(f), np.sort(g)) for name, (f, g) in _pairs().items()}
