"""Checks that every statistic of bins passes, built in or your own: a list by name.

import pytest
from gpudrift.testing import STATISTIC_CHECKS

@pytest.mark.parametrize("check", STATISTIC_CHECKS.values(), ids=STATISTIC_CHECKS)
def test_my_statistic(check):
    check(my_statistic)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.stats import STATISTICS, BinFunction, Statistic

Counts: TypeAlias = NDArray[Any]

_TOLERANCE: Final = 1e-9
"""Relative, and absolute below 1: sums of a few hundred doubles in another order."""


def check_statistic(statistic: str | BinFunction) -> None:
    """Run every check of ``STATISTIC_CHECKS`` on a statistic.

    Parameters
    ----------
    statistic : str or callable
        Its name, or the function that ``gpudrift.statistic`` decorated.

    Raises
    ------
    AssertionError
        A check failed; the message begins with its name.
    ConfigError
        There is no such statistic, or it is not one of bins.

    Examples
    --------
    >>> check_statistic("kl")
    """
    for name, check in STATISTIC_CHECKS.items():
        try:
            check(statistic)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def check_gives_a_finite_number(statistic: str | BinFunction) -> None:
    """One finite number for any counts, few or trillions, with empty bins or with one bin only."""
    for reference, current in _pairs():
        value = _call(statistic, reference, current)
        _require(math.isfinite(value), f"{_shown(reference, current)} gives {value}, which is not finite")


def check_stays_in_its_bounds(statistic: str | BinFunction) -> None:
    """No value lies outside the bounds that were declared."""
    lowest, highest = _entry(statistic).bounds
    for reference, current in _pairs():
        value = _call(statistic, reference, current)
        _require(
            lowest - _TOLERANCE <= value <= highest + _TOLERANCE,
            f"{_shown(reference, current)} gives {value:g}, outside the bounds [{lowest:g}, {highest:g}]",
        )


def check_is_zero_on_equal_counts(statistic: str | BinFunction) -> None:
    """Nothing moved: 0."""
    for side in (side for pair in _pairs() for side in pair):
        value = _call(statistic, side, side.copy())
        _require(abs(value) <= _TOLERANCE, f"{_shown(side, side)} gives {value:g}, not 0")


def check_tells_a_move(statistic: str | BinFunction) -> None:
    """Rows that all changed bins are no 0."""
    value = _call(statistic, np.array([900, 90, 10]), np.array([10, 90, 900]))
    _require(abs(value) > _TOLERANCE, "900, 90, 10 against 10, 90, 900 gives 0")


def check_a_side_without_rows_gives_nan(statistic: str | BinFunction) -> None:
    """No rows, no distribution: NaN, or a finite number, and no error."""
    nothing, something = np.zeros(3, np.int64), np.array([1, 2, 3])
    for pair in ((nothing, something), (something, nothing), (nothing, nothing)):
        value = _call(statistic, *pair)
        _require(not math.isinf(value), f"{_shown(*pair)} gives {value}")


def check_order_of_bins_does_not_count(statistic: str | BinFunction) -> None:
    """The same bins in another order give the same value: categories have none."""
    rng = np.random.default_rng(1)
    for reference, current in _pairs():
        order = rng.permutation(reference.size)
        _same(statistic, (reference, current), (reference[order], current[order]), "another order of the bins gives")


def check_whole_and_weighted_counts_agree(statistic: str | BinFunction) -> None:
    """float64 counts, which weighted rows have, give what the same int64 counts give."""
    for reference, current in _pairs():
        floats = reference.astype(np.float64), current.astype(np.float64)
        _same(statistic, (reference, current), floats, "the same counts as float64 give")


def check_leaves_the_counts_alone(statistic: str | BinFunction) -> None:
    """The arrays are read-only, and the same call again gives the same value to the bit."""
    for reference, current in _pairs():
        first, again = _call(statistic, reference, current), _call(statistic, reference, current)
        _require(first == again, f"{_shown(reference, current)} gives {first}, then {again}")


def check_is_symmetric_if_it_says_so(statistic: str | BinFunction) -> None:
    """Swapped sides give the same value, where ``symmetric`` was declared."""
    if _entry(statistic).symmetric:
        for reference, current in _pairs():
            _same(statistic, (reference, current), (current, reference), "swapped, it gives")


def check_is_scale_free_if_it_says_so(statistic: str | BinFunction) -> None:
    """Ten times the rows on one side or both give the same value, where ``scale_free`` was declared."""
    if _entry(statistic).scale_free:
        for reference, current in _pairs():
            for more in ((10 * reference, current), (reference, 10 * current), (10 * reference, 10 * current)):
                _same(statistic, (reference, current), more, "with ten times the rows it gives")


#: The checks by name, in an order where the first failure tells most.
STATISTIC_CHECKS: Final[Mapping[str, Callable[[str | BinFunction], None]]] = MappingProxyType(
    {
        check.__name__.removeprefix("check_"): check
        for check in (
            check_gives_a_finite_number,
            check_stays_in_its_bounds,
            check_is_zero_on_equal_counts,
            check_tells_a_move,
            check_a_side_without_rows_gives_nan,
            check_order_of_bins_does_not_count,
            check_whole_and_weighted_counts_agree,
            check_leaves_the_counts_alone,
            check_is_symmetric_if_it_says_so,
            check_is_scale_free_if_it_says_so,
        )
    }
)


def _pairs() -> Iterator[tuple[Counts, Counts]]:
    """Counts of both sides over the same bins, each side with rows."""
    rng = np.random.default_rng(0)
    yield np.array([7]), np.array([1_000_000])
    yield np.array([5, 0]), np.array([0, 3])
    yield np.array([1, 1, 1]), np.array([1, 1, 1])
    for n_bins in (2, 10, 300):
        for n_rows in (30, 10_000, 10**12):
            shares, moved = rng.dirichlet(np.ones(n_bins)), rng.dirichlet(np.full(n_bins, 0.3))
            yield rng.multinomial(n_rows, shares), rng.multinomial(2 * n_rows, moved)


def _entry(statistic: str | BinFunction) -> Statistic:
    if isinstance(statistic, str):
        if statistic not in STATISTICS:
            raise ConfigError(f"there is no statistic {statistic!r}: {hint(statistic, STATISTICS)}")
        return STATISTICS[statistic]
    for entry in STATISTICS.values():
        if entry.function is statistic:
            return entry
    raise ConfigError(f"{statistic!r} is no statistic; decorate it with gpudrift.statistic")


def _call(statistic: str | BinFunction, reference: Counts, current: Counts) -> float:
    function = _entry(statistic).function
    if function is None:
        raise ConfigError(f"{statistic} takes more than the counts of bins; only statistics of bins are checked")
    sides = reference.copy(), current.copy()
    for side in sides:
        side.flags.writeable = False
    try:
        with np.errstate(all="ignore"):
            value: object = function(*sides)
    except Exception as error:
        raise AssertionError(f"{_shown(reference, current)} raises {type(error).__name__}: {error}") from error
    if isinstance(value, bool) or not isinstance(value, Real):
        raise AssertionError(f"{_shown(reference, current)} gives {value!r}, which is no number")
    return float(value)


def _same(
    statistic: str | BinFunction, pair: tuple[Counts, Counts], other: tuple[Counts, Counts], otherwise: str
) -> None:
    expected, found = _call(statistic, *pair), _call(statistic, *other)
    if not math.isclose(expected, found, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
        raise AssertionError(f"{_shown(*pair)} gives {expected:.12g}; {otherwise} {found:.12g}")


def _shown(reference: Counts, current: Counts) -> str:
    return " against ".join(
        f"{side[:6].tolist()}" + (f" and {side.size - 6} more bins" if side.size > 6 else "")
        for side in (reference, current)
    )


def _require(held: bool, otherwise: str) -> None:
    if not held:
        raise AssertionError(otherwise)
