"""What one would write with NumPy alone: PSI, KS and JS of a column, the fastest way and the plain way.

Sorting is what NumPy does best (np.sort has AVX-512 and AVX2 code, and releases the GIL). From two sorted sides the
deciles and every count of a bin are a few searches, and so is a KS that is certain to 1/2048; the exact KS then needs
only the few cells that can hold the maximum. The plain way searches every row in the other side, as SciPy does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_POINTS: Final = 2048
Sides = tuple[NDArray[Any], NDArray[Any]]
Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Drift(NamedTuple):
    """Statistics of one column, None where not computed; the KS distance lies in ``[ks_lower, ks_upper]``."""

    psi: float | None
    js_distance: float | None
    ks_lower: float | None
    ks_upper: float | None


def fast(reference: NDArray[Any], current: NDArray[Any], *, exact: bool = False, spread: Map = map) -> Drift:
    """The fastest way: two sorts, then searches for the quantiles of the reference only.

    ``spread`` maps the two sorts, over threads or not. Values are finite.
    """
    f, g = spread(np.sort, (reference, current))
    ks = ks_sorted(f, g) if exact else None
    lower, upper = (ks, ks) if ks is not None else ks_interval(f, g)
    return Drift(*psi_js(*decile_counts(f, g)), lower, upper)


def plain(reference: NDArray[Any], current: NDArray[Any]) -> Drift:
    """The plain way: sorts, deciles, and the exact KS by searching every row of both sides in both sides."""
    f, g = np.sort(reference), np.sort(current)
    at_f = np.abs(np.searchsorted(f, f, "right") / f.size - np.searchsorted(g, f, "right") / g.size).max()
    at_g = np.abs(np.searchsorted(f, g, "right") / f.size - np.searchsorted(g, g, "right") / g.size).max()
    ks = float(max(at_f, at_g))
    return Drift(*psi_js(*decile_counts(f, g)), ks, ks)


def decile_counts(f: NDArray[Any], g: NDArray[Any]) -> Sides:
    """Rows of two sorted sides between the distinct deciles of the first."""
    edges = np.unique(f[-(-np.arange(1, 10) * f.size // 10) - 1])
    p, q = (np.diff(np.searchsorted(side, edges, "right"), prepend=0, append=side.size) for side in (f, g))
    return p, q


def psi_js(p: NDArray[np.int64], q: NDArray[np.int64]) -> tuple[float, float]:
    """PSI of smoothed shares and JS distance (base 2) of plain ones, from counts of the same bins."""
    p, q = p[p + q > 0], q[p + q > 0]
    smooth_p, smooth_q = ((side + 0.5) / (side.sum() + 0.5 * side.size) for side in (p, q))
    psi = float(np.sum((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)))
    shares = p / p.sum(), q / q.sum()
    middle = (shares[0] + shares[1]) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = sum(np.nansum(side * np.log2(side / middle)) / 2 for side in shares)
    return psi, float(np.sqrt(max(divergence, 0)))


def ks_interval(f: NDArray[Any], g: NDArray[Any]) -> tuple[float, float]:
    """Bounds of the KS distance of two sorted sides, from the quantiles of the first alone."""
    below, above = _steps(f, g)
    return _largest(below, above), float(max(_largest(below, above), _inside(below, above).max(initial=0)))


def ks_sorted(f: NDArray[Any], g: NDArray[Any]) -> float:
    """The exact KS distance of two sorted sides: only cells that can hold the maximum are searched row by row."""
    below, above = _steps(f, g)
    found = _largest(below, above)
    for cell in np.flatnonzero(_inside(below, above) > found):
        inner_f, inner_g = (side[above[i, cell] : below[i, cell + 1]] for i, side in enumerate((f, g)))
        rows = np.concatenate([inner_f, inner_g])
        at_f, at_g = (
            (above[i, cell] + np.searchsorted(inner, rows, "right")) / side.size
            for i, (inner, side) in enumerate(((inner_f, f), (inner_g, g)))
        )
        found = max(found, float(np.abs(at_f - at_g).max(initial=0)))
    return found


def _steps(f: NDArray[Any], g: NDArray[Any]) -> Sides:
    """Rows of each side below each quantile of the first, and up to it: 2 x (points + 2), both ends included."""
    grid = np.unique(f[np.arange(1, _POINTS) * f.size // _POINTS])
    below, above = (
        np.stack([np.concatenate([[0], np.searchsorted(side, grid, where), [side.size]]) for side in (f, g)])
        for where in ("left", "right")
    )
    return below, above


def _largest(below: NDArray[Any], above: NDArray[Any]) -> float:
    n, m = below[:, -1]
    return float(max(np.abs(rows[0] / n - rows[1] / m).max() for rows in (below, above)))


def _inside(below: NDArray[Any], above: NDArray[Any]) -> NDArray[np.float64]:
    """The most that any order of the rows between two quantiles allows."""
    n, m = below[:, -1]
    start, stop = above[:, :-1], below[:, 1:]
    inside: NDArray[np.float64] = np.maximum(stop[0] / n - start[1] / m, stop[1] / m - start[0] / n)
    return inside
