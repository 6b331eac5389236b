"""A statistic of one's own: one decorated function."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from gpudrift.errors import ConfigError
from gpudrift.stats.registry import STATISTICS, BinFunction, Kind, Statistic

_Function = TypeVar("_Function", bound=BinFunction)

_KINDS: Final = ("numeric", "categorical")

TAKEN: Final = (
    "feature", "kind", "dtype", "drifted", "counted", "judged", "reasons", "psi_bins", "p_value", "distribution",
    "missing", "missing_rate_reference", "missing_rate_current", "infinite", "new", "n", "n_reference", "n_current",
    "n_effective",
)  # fmt: skip
"""Names of no statistic that tables, JSON and reasons use."""


def statistic(
    *,
    name: str,
    formula: str,
    kinds: Sequence[Kind] = ("numeric", "categorical"),
    threshold: float | None = None,
    title: str | None = None,
    source: str = "of your own",
    bounds: tuple[float, float] = (0.0, math.inf),
    symmetric: bool = False,
    scale_free: bool = False,
) -> Callable[[_Function], _Function]:
    """Add a function of the counts of PSI bins or categories to the statistics of every report.

    Parameters
    ----------
    name : str
        How settings, reports and JSON call it: an identifier that no other statistic has.
    formula : str
        Definition in plain text, for `gpudrift stats`.
    kinds : sequence of "numeric" and "categorical"
        Kinds of feature it is computed for.
    threshold : float, optional
        Size from which a feature may count as drifted, if the test of its distribution rejects as well: no threshold
        of yours raises the error rate. By default it is reported and decides nothing.
    title, source : str, optional
        Its name for people, and where the definition comes from.
    bounds : (float, float)
        Smallest and largest value it can have.
    symmetric : bool
        Whether swapping the sides changes nothing.
    scale_free : bool
        Whether ten times the rows change nothing.

    Returns
    -------
    callable
        A decorator that returns the function as it was. The function gets the counts of the reference and of the
        current rows, two read-only arrays of shape (k,), both over the k bins (pooled categories) with any row, both
        with a sum above 0, int64 (float64 where rows have weights), and returns a finite number, 0 for equal counts.

    Raises
    ------
    ConfigError
        A name that is taken or is no identifier, an unknown kind, a threshold that is not above 0.

    Notes
    -----
    A function that raises, or whose value is not finite or is out of its bounds, makes a line under ``problems`` and
    NaN; the report goes on. ``gpudrift.testing.check_statistic`` tells beforehand. Decorating the same function again,
    as running a notebook's cell twice does, replaces it.

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> @gd.statistic(name="euclidean", formula="sqrt(sum (q - p)^2)", threshold=0.2, symmetric=True)
    ... def euclidean(reference, current):
    ...     return float(np.linalg.norm(current / current.sum() - reference / reference.sum()))
    >>> rng = np.random.default_rng(0)
    >>> feature = gd.check_drift(reference=rng.random(1000), current=rng.random(1000) / 2)["x"]
    >>> round(feature.statistics["euclidean"], 2), feature.reasons[-2].statistic
    (0.33, 'euclidean')
    >>> _ = gd.stats.STATISTICS.pop("euclidean")
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(f"a statistic needs an identifier as its name, such as 'euclidean', got {name!r}")
    if name in TAKEN or (name in STATISTICS and not STATISTICS[name].own):
        raise ConfigError(f"the name {name!r} is taken by gpudrift; choose another for your statistic")
    for what, text in (("formula", formula), ("title", title or name), ("source", source)):
        if not isinstance(text, str) or not text:
            raise ConfigError(f"{what} of {name} must be a text, got {text!r}")
    if isinstance(kinds, str) or not kinds or not set(kinds) <= set(_KINDS):
        raise ConfigError(f"kinds of {name} must be a sequence of 'numeric' and 'categorical', got {kinds!r}")
    if threshold is not None and not (_is_number(threshold) and 0 < threshold <= sys.float_info.max):
        raise ConfigError(f"threshold of {name} must be above 0 and finite, or None, got {threshold!r}")
    if not (isinstance(bounds, tuple) and len(bounds) == 2 and all(map(_is_number, bounds)) and bounds[0] < bounds[1]):
        raise ConfigError(f"bounds of {name} must be two ascending numbers, got {bounds!r}")

    def add(function: _Function) -> _Function:
        if not callable(function):
            raise ConfigError(f"{name} must decorate a function, got {function!r}")
        known = STATISTICS.get(name)
        if known is not None and known.function is not None and _origin(known.function) != _origin(function):
            raise ConfigError(f"the name {name!r} is taken by another statistic of your own; choose another")
        STATISTICS[name] = Statistic(
            name=name,
            title=title or name.replace("_", " "),
            kinds=tuple(kinds),
            threshold=None if threshold is None else float(threshold),
            severe=None,
            formula=formula,
            source=source,
            bounds=bounds,
            symmetric=symmetric,
            scale_free=scale_free,
            function=function,
            own=True,
        )
        return function

    return add


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _origin(function: BinFunction) -> object:
    """Where a function was written; itself where that cannot be told."""
    place = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    return place if all(place) else function
