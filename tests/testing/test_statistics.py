"""The checks of statistics: all of ours pass, and each check fails what it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.stats import STATISTICS
from gpudrift.testing import STATISTIC_CHECKS, check_statistic

OF_BINS = [s.name for s in STATISTICS.values() if s.function is not None and not s.own]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    known = dict(STATISTICS)
    yield
    STATISTICS.clear()
    STATISTICS.update(known)


@pytest.mark.parametrize("check", STATISTIC_CHECKS.values(), ids=STATISTIC_CHECKS)
@pytest.mark.parametrize("name", OF_BINS)
def test_every_statistic_of_bins_passes_every_check(name: str, check: Callable[[str], None]) -> None:
    check(name)


def test_all_statistics_of_bins_are_known() -> None:
    assert OF_BINS == ["psi", "js_distance", "hellinger", "kl", "total_variation", "l_infinity"]


def euclidean(f: Any, g: Any) -> float:
    return float(np.sqrt(np.sum((g / g.sum() - f / f.sum()) ** 2)))


def test_a_statistic_of_ones_own_is_checked_by_function_or_by_name() -> None:
    gd.statistic(name="euclidean", formula="sqrt(sum (q - p)^2)", symmetric=True, scale_free=True)(euclidean)
    check_statistic(euclidean)
    check_statistic("euclidean")


calls = itertools.count()


def sorts_in_place(f: Any, g: Any) -> float:
    f.sort()
    return euclidean(f, g)


def total(f: Any, g: Any) -> float:
    return float(abs(g.sum() / f.sum() - 1))


def position(f: Any, g: Any) -> float:
    return float(abs((g / g.sum() - f / f.sum()) @ np.arange(f.size)))


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "text": (lambda f, g: "0", {}, "gives_a_finite_number: .* gives '0', which is no number"),
    "raises": (lambda f, g: 1 / 0, {}, "gives_a_finite_number: .* raises ZeroDivisionError: division by zero"),
    "unsmoothed": (
        lambda f, g: float(np.sum(f / f.sum() * np.log(f / f.sum() / (g / g.sum())))),
        {},
        r"gives_a_finite_number: \[5, 0\] against \[0, 3\] gives nan, which is not finite",
    ),
    "changes the counts": (sorts_in_place, {}, "gives_a_finite_number: .* raises ValueError: .*read-only"),
    "bounds": (euclidean, {"bounds": (0.0, 0.5)}, r"stays_in_its_bounds: .* gives .*, outside the bounds \[0, 0.5\]"),
    "never zero": (lambda f, g: 1.0, {}, "is_zero_on_equal_counts: .* gives 1, not 0"),
    "always zero": (lambda f, g: 0, {}, "tells_a_move: 900, 90, 10 against 10, 90, 900 gives 0"),
    "no rows": (
        lambda f, g: euclidean(f, g) if int(f.sum()) // int(g.sum()) >= 0 else 0.0,
        {},
        "a_side_without_rows_gives_nan: .* raises ZeroDivisionError",
    ),
    "order": (position, {}, "order_of_bins_does_not_count: .* another order of the bins gives"),
    "whole counts only": (
        lambda f, g: euclidean(f, g) * (1 if f.dtype == np.int64 else 2),
        {},
        "whole_and_weighted_counts_agree: .* the same counts as float64 give",
    ),
    "changes its mind": (
        lambda f, g: euclidean(f, g) * (1 + 1e-12 * next(calls)),
        {},
        "leaves_the_counts_alone: .* gives .*, then",
    ),
    "not symmetric": (
        lambda f, g: euclidean(f, g) * float(f.max() / f.sum()),
        {"symmetric": True},
        "is_symmetric_if_it_says_so: .* swapped, it gives",
    ),
    "not scale free": (
        lambda f, g: euclidean(f + 0.5, g + 0.5),
        {"scale_free": True},
        "is_scale_free_if_it_says_so: .* with ten times the rows it gives",
    ),
}


@pytest.mark.parametrize(("function", "options", "message"), BAD.values(), ids=BAD)
def test_a_bad_statistic_fails_the_check_that_is_named(function: Any, options: dict[str, Any], message: str) -> None:
    gd.statistic(name="mine", formula="?", **options)(function)
    with pytest.raises(AssertionError, match=f"^{message}"):
        check_statistic("mine")


def test_every_check_has_something_that_fails_it() -> None:
    assert {message.partition(":")[0] for _, _, message in BAD.values()} == set(STATISTIC_CHECKS)


def test_what_is_no_statistic_of_bins_is_refused() -> None:
    with pytest.raises(gd.ConfigError, match=r"there is no statistic 'pis': did you mean 'psi'\?"):
        check_statistic("pis")
    with pytest.raises(gd.ConfigError, match="ks takes more than the counts of bins"):
        check_statistic("ks")
    with pytest.raises(gd.ConfigError, match=r"is no statistic; decorate it with gpudrift\.statistic"):
        check_statistic(euclidean)
