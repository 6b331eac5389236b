"""Regimes: where in a sequence of windows the data changed, and which past stretch is most like the present."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.monitor.windows import Range
from gpudrift.stats import js_distance_each

Floats = NDArray[np.float64]

#: Of Jeffreys' prior for the shares of a histogram.
_PSEUDO_COUNT: Final = 0.5
#: Rows of all windows together below which bins are taken as one. Of 150 drawn runs of 12 windows without a change,
#: with up to 50 features of 10 to 200 bins, 2 to 20 rows a window, none is 95% certain with 10, one in five with 5.
_RARE: Final = 10
_lgamma = np.frompyfunc(math.lgamma, 1, 1)


@dataclass(frozen=True)
class ChangePoint:
    """Where a sequence of windows changed.

    Attributes
    ----------
    at : datetime or int
        Start of the first window after the change.
    earliest, latest : datetime or int
        The change lies between these starts with a probability of 0.95, if there is one.
    probability : float
        That there is one, held as likely as not beforehand.
    feature : str, optional
        The feature it was looked for in; None for any of them.
    """

    at: Any
    earliest: Any
    latest: Any
    probability: float
    feature: str | None = None


@dataclass(frozen=True)
class Regime:
    """A stretch of windows without a change.

    Attributes
    ----------
    start, end : datetime or int
    n_rows : int
    """

    start: Any
    end: Any
    n_rows: int


@dataclass(frozen=True)
class Likeness:
    """A past regime and its distance from the present one: the mean Jensen-Shannon distance over the features."""

    regime: Regime
    distance: float


def log_evidence(bins: NDArray[Any]) -> Floats:
    """Log probability of windows that share one distribution, up to the order of rows: Dirichlet-multinomial.

    Parameters
    ----------
    bins : int64 or float64, shape (..., k)
        Rows of each bin.

    Notes
    -----
    Jeffreys' prior, Dirichlet(1/2, ..., 1/2).

    Examples
    --------
    >>> log_evidence(np.array([[5, 5], [10, 0]])).round(3).tolist()
    [-8.334, -1.736]
    """
    k = bins.shape[-1]
    n = bins.sum(axis=-1)
    inside = np.asarray(_lgamma(bins + _PSEUDO_COUNT), np.float64).sum(axis=-1)
    total = np.asarray(_lgamma(n + k * _PSEUDO_COUNT), np.float64)
    found: Floats = inside - k * math.lgamma(_PSEUDO_COUNT) + math.lgamma(k * _PSEUDO_COUNT) - total
    return found


def change(bins: Sequence[NDArray[Any]]) -> tuple[Floats, float]:
    """Probability of a change right before each window but the first, given that there is one, and of any.

    Parameters
    ----------
    bins : sequence of ndarray, shape (n_windows, k)
        Rows of each window, of one or several features; these are taken as independent.

    Returns
    -------
    (float64 of shape (n_windows - 1,), float)

    Notes
    -----
    The posterior of a single change at an unknown place, all places equally likely beforehand. Of F features one takes
    part at least, and each at odds of 1 to F, so that one that moves is not outvoted by those that stay. Bins with
    fewer than 10 rows in all are taken as one. It takes rows as independent: where windows differ among themselves
    anyway, it is too sure.

    References
    ----------
    Smith (1975), A Bayesian approach to inference about a change-point in a sequence of random variables.
    doi:10.1093/biomet/62.2.407

    Examples
    --------
    >>> where, any_change = change([np.array([[90, 10], [88, 12], [40, 60], [45, 55]])])
    >>> where.round(3).tolist(), round(any_change, 3)
    ([0.0, 1.0, 0.0], 1.0)
    """
    n_features = len(bins)
    part = np.array([_log_odds(_without_rare(counts)) for counts in bins]) - math.log(n_features)
    several = np.logaddexp(0.0, part).sum(axis=0)  # of the product over features of 1 + odds / F
    # exp(several) - 1, less what a double cannot hold: odds are 1e-1000 where many rows speak against a change.
    with np.errstate(divide="ignore"):
        any_part = np.where(several > 1e-8, several + np.log1p(-np.exp(-several)), np.logaddexp.reduce(part, axis=0))
    log_odds = any_part - math.log((1 + 1 / n_features) ** n_features - 1)
    top = float(log_odds.max())
    weights = np.exp(log_odds - top)
    where: Floats = weights / weights.sum()
    return where, 1.0 / (1.0 + math.exp(min(700.0, -top - math.log(float(weights.mean())))))


def credible(where: Floats, level: float = 0.95) -> tuple[int, int]:
    """First and last place of the smallest set that holds the change with a probability of ``level``."""
    order = np.argsort(-where, kind="stable")
    chosen = order[: int(np.searchsorted(np.cumsum(where[order]), level)) + 1]
    return int(chosen.min()), int(chosen.max())


def split_regimes(bins: Mapping[str, NDArray[Any]], *, material: float, probability: float = 0.95) -> list[Range]:
    """Ranges of windows without a change that is both certain and material.

    Parameters
    ----------
    bins : mapping of feature to ndarray, shape (n_windows, k)
    material : float
        Jensen-Shannon distance of the two sides of a change, of some feature, below which it is none.
    probability : float
        Of a change, from which it is certain.

    Notes
    -----
    Binary segmentation: the likeliest change first, then each side again.

    References
    ----------
    Scott and Knott (1974), A Cluster Analysis Method for Grouping Means. doi:10.2307/2529204
    """
    n_windows = next(iter(bins.values())).shape[0]
    found, waiting = [], [(0, n_windows)]
    while waiting:
        first, last = waiting.pop()
        place = _material_change(bins, first, last, material, probability)
        if place is None:
            found.append((first, last))
        else:
            waiting += [(first, place), (place, last)]
    return sorted(found)


def distances(bins: Mapping[str, NDArray[Any]], ranges: Sequence[Range]) -> Floats:
    """Mean Jensen-Shannon distance between all pairs of ranges, over the features that both have values of.

    NaN where there is no such feature.
    """
    total = np.zeros((len(ranges), len(ranges)))
    known = np.zeros(total.shape, np.int64)
    for counts in bins.values():
        sums = np.array([counts[first:last].sum(axis=0) for first, last in ranges])
        found = js_distance_each(*np.broadcast_arrays(sums[:, None], sums[None, :]))
        total += np.nan_to_num(found)
        known += ~np.isnan(found)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)


def _log_odds(counts: NDArray[Any]) -> Floats:
    """Of a change of one feature right before each window but the first against none."""
    before = np.cumsum(counts, axis=0)
    return log_evidence(before[:-1]) + log_evidence(before[-1] - before[:-1]) - log_evidence(before[-1])


def _without_rare(counts: NDArray[Any]) -> NDArray[Any]:
    """The rare bins taken as one."""
    rare = counts.sum(axis=0) < _RARE
    return np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)]) if rare.any() else counts


def _material_change(
    bins: Mapping[str, NDArray[Any]], first: int, last: int, material: float, probability: float
) -> int | None:
    if last - first < 2:
        return None
    part = [counts[first:last] for counts in bins.values()]
    where, any_change = change(part)
    place = int(np.argmax(where)) + 1
    if any_change < probability:
        return None
    sides = [(counts[:place].sum(axis=0), counts[place:].sum(axis=0)) for counts in part]
    largest = max(float(np.nan_to_num(js_distance_each(*side))) for side in sides)
    return first + place if largest >= material else None
