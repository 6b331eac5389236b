"""The table of all windows or slices says what their reports say, one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.monitor.drift_table import DriftTable

from .conftest import NOW


def messy(n: int, seed: int, *, shift: float = 0.0) -> dict[str, Any]:
    """A column for every turn that the arithmetic takes; the later half is moved."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=n)
    later = seed > 0
    return {
        "normal": normal + shift * (np.arange(n) > n // 2),
        "gaps": np.where(rng.random(n) < 0.1, np.nan, normal),
        "infinite": np.where(rng.random(n) < 0.05, np.inf, normal),
        "constant": np.full(n, 7.25),
        "zero-inflated": np.where(rng.random(n) < 0.7, 0, rng.gamma(1, 1, n)),
        "count": rng.poisson(3, n),
        "near 2**63": rng.integers(2**63 - 20, 2**63 + 20, n, dtype=np.uint64),
        "time": np.datetime64("2020-01-01", "us") + rng.integers(0, 10**12, n).astype("m8[us]"),
        "float32": normal.astype(np.float32),
        "missing": np.full(n, np.nan),
        "nearly missing": np.where(rng.random(n) < 0.98, np.nan, normal),
        "plan": rng.choice(list("abc"), n),
        "rare": np.minimum(rng.geometric(0.3, n), 12).astype(str),
        "many": np.minimum(rng.geometric(0.005, n), 2000).astype(str),
        "nulls": rng.choice(np.array(["u", None, "v"], object), n),
        "new": np.where(rng.random(n) < 0.03 * later, "new", rng.choice(list("pq"), n)),
        "id": np.arange(n) + later * n,
        "grows": np.repeat(np.arange(-(-n // 4)), 4)[:n] + later * n / 4,
        "huge": rng.choice([1e308, -1e308, 0.0, 5e-324], n),
        "hash": rng.integers(-(2**63), 2**63 - 1, n),
        "w": rng.exponential(size=n) * (rng.random(n) < 0.9),
        "s": rng.choice(list("abcde"), n, p=[0.5, 0.3, 0.15, 0.04, 0.01]),
        "ts": np.datetime64("2024-01-01", "us") + (np.arange(n) * 86_400e6 * 12 / n).astype("m8[us]"),
    }


def check_alike(table: DriftTable, reports: list[gd.DriftReport]) -> None:
    assert table.dataset_drift.tolist() == [report.dataset_drift for report in reports]
    for i, report in enumerate(reports):
        assert set(table.features) == set(report)
        for j, name in enumerate(table.features):
            one = report[name]
            assert (table.judged[i, j], table.drifted[i, j]) == (one.judged, one.drifted), (i, name)
            assert table.log_p_value[i, j] == pytest.approx(one.log_p_value, rel=1e-7, abs=1e-9, nan_ok=True), name
            for statistic, values in table.statistics.items():
                expected = one.statistics.get(statistic, math.nan)
                assert values[i, j] == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), (i, name, statistic)


@pytest.fixture(scope="module")
def sides() -> tuple[dict[str, Any], dict[str, Any]]:
    return messy(6000, 0), messy(2400, 1, shift=0.5)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize(
    "settings",
    [
        {"window": "1d", "time": "ts"},
        {"window": "20 rows"},
        {"window": "3d", "every": "1d", "time": "ts"},
        {"window": "4d", "time": "ts", "expanding": True},
        {"window": "1d", "time": "ts", "against": "previous"},
        {"window": "150 rows", "every": "50 rows", "against": "previous"},
        {"window": "1d", "time": "ts", "correction": "bonferroni", "drift_share": 0.3},
        {"window": "1d", "time": "ts", "correction": "none", "thresholds": {"psi": 0.01}},
    ],
    ids=str,
)
def test_the_table_says_what_the_reports_say(sides, settings, weights):
    report = gd.check_drift(
        reference=sides[0], current=sides[1], now=NOW, weights=weights, slices=["s"], backend="cpu", **settings
    )
    check_alike(report.windows.table, list(report.windows.values()))
    assert report.windows.drifted == tuple(s for s, one in report.windows.items() if one.dataset_drift)
    check_alike(report.slices._table, [report.slices[label] for label in report.slices._known])
    for label in ("a", "d", "e"):
        windows = report.slices.windows(label)
        check_alike(windows.table, list(windows.values()))
