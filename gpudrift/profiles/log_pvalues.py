"""The tests of one feature: which are made, and what several of them cost."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gpudrift.profiles.row_counts import RowCounts
from gpudrift.profiles.verdict import MIN_VALUES
from gpudrift.stats import rate_change_log_pvalue


def enough(n: float, m: float) -> bool:
    """Whether the values of both sides suffice for a test."""
    return min(n, m) >= MIN_VALUES


def missing_test(reference: RowCounts, current: RowCounts) -> dict[str, list[float]]:
    """The test of the rate of rows without a value, where there are any; given how many in all, that is fixed."""
    absent = reference.absent_effective, current.absent_effective
    if not sum(absent) or not enough(reference.n_effective, current.n_effective):
        return {}
    return {"missing_rate": [rate_change_log_pvalue(absent[0], reference.n_effective, absent[1], current.n_effective)]}


def corrected(tests: Mapping[str, list[float]]) -> dict[str, float]:
    """log min(1, k p) of each kind of test, for the k tests of a feature."""
    k = sum(map(len, tests.values()))
    return {name: min(0.0, math.log(k) + min(found)) for name, found in tests.items() if found}
