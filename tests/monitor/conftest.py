"""A profile with windows of its reference, counts made without rows, and streams of rows with times."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gpudrift as gd

Table = dict[str, NDArray[Any]]

#: After all times of these tests that are not meant to lie in the future.
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def day(rng: np.random.Generator, n: int = 200, shift: float = 0.0) -> Table:
    """One window: numbers with ties, tails and gaps, and categories."""
    gaps = rng.normal(shift, size=n)
    gaps[rng.random(n) < 0.1] = np.nan
    return {
        "normal": rng.normal(shift, size=n),
        "tails": rng.lognormal(shift, 2, n),
        "count": rng.poisson(3 * np.exp(shift), n),
        "gaps": gaps,
        "category": np.array(list("abcdefgh"))[rng.integers(0, 8, n)],
    }


def joined(days: list[Table]) -> Table:
    return {name: np.concatenate([table[name] for table in days]) for name in days[0]}


@pytest.fixture(scope="session")
def days() -> list[Table]:
    rng = np.random.default_rng(11)
    return [day(rng, shift=float(rng.normal(0, 0.1))) for _ in range(40)]


@pytest.fixture(scope="session")
def champion(days: list[Table]) -> gd.Profile:
    return gd.profile(joined(days))


@pytest.fixture(scope="session")
def windows(champion: gd.Profile, days: list[Table]) -> list[gd.Counts]:
    return [champion.count(table) for table in days]


def category_counts(profile: gd.Profile, rows: NDArray[np.int64]) -> gd.Counts:
    """Counts of the only column of a profile, by category."""
    return gd.Counts.gather(profile.profile_id, int(rows.sum()), [(0, rows, None)])


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
