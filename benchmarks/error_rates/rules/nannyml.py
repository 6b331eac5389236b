"""nannyml 0.13: ``UnivariateDriftCalculator(column_names)``, fitted on the reference, on the current rows.

Jensen-Shannon distance, base 2, of each of ten chunks against the whole reference, on "doane" edges of the reference
and one leftover bin; a chunk alerts above the mean plus three standard deviations (ddof 0) of the same distances of the
reference's own ten chunks (nannyml/drift/univariate/methods.py, thresholds.py, chunk.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from benchmarks.error_rates.kinds import Values
from benchmarks.error_rates.sample import N_CHUNKS, Pair, Sample


class Score(NamedTuple):
    """Distances of the ten current chunks, the threshold, and which of them alert."""

    values: Values
    threshold: float
    alerts: np.ndarray[tuple[int], np.dtype[np.bool_]]


def score(pair: Pair) -> Score:
    """Distances and alerts of one column; none for a reference without a value, which nothing is fitted to."""
    if not pair.reference.n:
        return Score(np.full(N_CHUNKS, np.nan), np.nan, np.zeros(N_CHUNKS, np.bool_))
    edges = None if pair.categorical else _doane(pair.reference)
    whole = _shares(pair.reference, pair, edges).sum(axis=0)
    whole = whole / whole.sum()
    own, values = (_distances(_shares(side, pair, edges), whole) for side in (pair.reference, pair.current))
    threshold = float(np.nanmean(own) + 3 * np.nanstd(own))
    return Score(values, threshold, values > threshold)


def _shares(side: Sample, pair: Pair, edges: Values | None) -> Values:
    """Rows by chunk and bin; the last bin holds what is in none of the reference's."""
    if edges is None:
        known = np.unique(pair.reference.values)
        place = np.searchsorted(known, side.values)
        place[~np.isin(side.values, known)] = known.size
        size = known.size + 1
    else:
        size = edges.size
        place = np.searchsorted(edges, side.values, side="right") - 1
        place[side.values == edges[-1]] = size - 2
        place[(side.values < edges[0]) | (side.values > edges[-1])] = size - 1
    flat = np.bincount(side.chunk * size + place, weights=side.rows, minlength=N_CHUNKS * size)
    return flat.reshape(N_CHUNKS, size)


def _distances(rows: Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):
        chunk = rows / rows.sum(axis=1, keepdims=True)
    middle = (chunk + whole) / 2
    divergence = rel_entr(chunk, middle).sum(axis=1) + rel_entr(whole, middle).sum(axis=1)
    return np.sqrt(np.maximum(divergence, 0) / 2 / np.log(2))


def _doane(side: Sample) -> Values:
    """numpy's "doane" edges of values with repeats."""
    mean, std = side.mean_std()
    first, last = side.values.min(), side.values.max()
    n = side.n
    bins = 1
    if n > 2 and std > 0:
        skewness = float(np.dot(((side.values - mean) / std) ** 3, side.rows)) / n
        spread = np.sqrt(6.0 * (n - 2) / ((n + 1.0) * (n + 3)))
        width = (last - first) / (1.0 + np.log2(n) + np.log2(1.0 + abs(skewness) / spread))
        bins = int(np.ceil((last - first) / width))
    if first == last:
        first, last = first - 0.5, last + 0.5
    return np.linspace(first, last, bins + 1)
