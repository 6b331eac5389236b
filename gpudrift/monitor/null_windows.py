"""Windows without drift, in three ways: their largest standardised effect size, which thresholds come from.

What is returned is the law of the maximum over all features and statistics at once, so that a threshold on it is one on
every false alarm of a whole report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.monitor.effective_rows import amounts, effective_rows, squares
from gpudrift.monitor.max_statistic import NullScale
from gpudrift.monitor.resampled_columns import NumericGroups, resampled_column
from gpudrift.profiles import Counts, Profile
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.compare import compare
from gpudrift.profiles.counts import merged
from gpudrift.stats import STATISTICS
from gpudrift_kernels.backend import Backend

#: Groups for the middle of a column: drawing costs by the group; adding up windows costs next to nothing.
_GROUPS_DRAWN: Final = 10
_GROUPS_ADDED: Final = 30

#: Windows times cells that leave-one-out holds at once: 16 MiB an array, and a handful of them a thread.
_CELLS_AT_ONCE: Final = 1 << 21


@dataclass(frozen=True, eq=False)
class NullLaw:
    """The largest z of each window without drift.

    Attributes
    ----------
    largest : float64, shape (replicates,)
        Over all features and statistics.
    feature, statistic : int64, shape (replicates,)
        Where it was: index into ``scales``, and into the names of that scale.
    scales : mapping of feature to NullScale
    run : int
        Neighbouring replicates that are windows in a row, one after the other; 1 where all are independent.
    """

    largest: NDArray[np.float64]
    feature: NDArray[np.int64]
    statistic: NDArray[np.int64]
    scales: dict[str, NullScale]
    run: int = 1


def leave_one_out(
    profile: Profile, windows: Sequence[Counts], places: Sequence[int], *, held_out: bool, backend: Backend
) -> NullLaw:
    """Each window against the reference without it: the effect sizes of its report."""
    numeric = {f: plan for f in places if isinstance(plan := profile.plans[f], NumericColumn)}
    numbers = backend.map(lambda f: _numbers_left_out(profile, windows, f, numeric[f], held_out), numeric)
    found = dict(zip(numeric, numbers, strict=True))
    found |= _categories_left_out(profile, windows, [f for f in places if f not in found], held_out, backend)
    typical = _typical_rows(windows)
    scales = {profile.columns[f]: NullScale.of(names, effects, typical) for f, (names, effects) in found.items()}
    return _law(scales, [scales[profile.columns[f]].standardised(effects) for f, (_, effects) in found.items()])


def block_resampling(
    profile: Profile,
    windows: Sequence[Counts],
    places: Sequence[int],
    *,
    held_out: bool,
    backend: Backend,
    replicates: int,
    block: int,
    seed: int,
) -> NullLaw:
    """Stretches of neighbouring windows, against references put together from blocks of the others.

    A replicate is a stretch of ``block`` windows in a row, of all features at once: what features share and what
    neighbours share stays. Its reference is the profile's, with the windows in it replaced by blocks drawn from those
    outside the stretch: the reference is itself a sample of correlated windows. Half as many are drawn, each counted
    twice, which doubles the variance of that sample: windows that made the reference lie closer to it than new ones
    will, by just that variance once more.

    Kuensch (1989), The Jackknife and the Bootstrap for General Stationary Observations. doi:10.1214/aos/1176347265
    """
    n_windows = len(windows)
    n_stretches = math.ceil(replicates / block)
    rng, *streams = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(len(profile.plans) + 1))
    in_a_row = np.arange(block)
    # one more stretch from each window, for the scales: they too must know how much the reference varies
    begins = np.concatenate([rng.integers(n_windows, size=n_stretches), np.arange(n_windows)])
    stretch = (begins[:, np.newaxis] + in_a_row) % n_windows
    times = _times_drawn(rng, stretch, n_windows, block)
    typical = _typical_rows(windows)
    of_window, of_whole = squares(windows), squares([profile.reference])
    of_reference = None
    if of_window is not None and of_whole is not None:
        of_reference = of_whole + (0.0 if held_out else times @ of_window - of_window.sum())

    def one(f: int) -> tuple[NullScale, NDArray[np.float64]]:
        column = resampled_column(profile, f, rows=typical, groups=_GROUPS_ADDED)
        counts = np.stack([column.group(amounts(window, f)) for window in windows])
        whole = column.group(amounts(profile.reference, f))
        # sums of rows are below 2^53 and exact in float64, which BLAS multiplies; those of weights are as good as exact
        fixed = whole if held_out else whole - counts.sum(axis=0)
        drawn = np.zeros((len(stretch), whole.size)) if held_out else times @ counts.astype(np.float64)
        references = effective_rows(fixed + drawn, of_reference)
        counts = effective_rows(counts, of_window)
        scale = NullScale.of(column.statistics, column.effects(references[n_stretches:], counts, streams[f]), typical)
        references = np.repeat(references[:n_stretches], block, axis=0)[:replicates]
        chosen = stretch.ravel()[:replicates]
        return scale, scale.standardised(column.effects(references, counts[chosen], streams[f]), chosen)

    found = list(backend.map(one, places))
    scales = {profile.columns[f]: scale for f, (scale, _) in zip(places, found, strict=True)}
    return _law(scales, [z for _, z in found], run=block)


def multinomial_resampling(
    profile: Profile,
    windows: Sequence[Counts],
    places: Sequence[int],
    *,
    backend: Backend,
    replicates: int,
    seed: int,
) -> NullLaw:
    """Independent rows from the reference's shares, for a reference and a window of the sizes that there are.

    Of rows with weights as many are drawn, all of one weight, as are worth the same.

    Features are drawn apart: where they move together, the largest of them is smaller than here, and the rate below
    what was asked for.
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(len(profile.plans))]
    typical = _typical_rows(windows)

    def one(f: int) -> tuple[NullScale, NDArray[np.float64]]:
        column = resampled_column(profile, f, rows=typical, groups=_GROUPS_DRAWN)
        whole = column.group(amounts(profile.reference, f))
        sizes = np.array([max(round(w.n_effective), 1) for w in windows if w.column(f)[0].size])
        share = whole / whole.sum()
        references = streams[f].multinomial(round(profile.reference.n_effective), share, size=replicates)
        currents = streams[f].multinomial(np.resize(sizes, replicates), share)
        effects = column.effects(references, currents, streams[f])
        scale = NullScale.of(column.statistics, effects, typical)
        return scale, scale.standardised(effects)

    found = list(backend.map(one, places))
    scales = {profile.columns[f]: scale for f, (scale, _) in zip(places, found, strict=True)}
    return _law(scales, [z for _, z in found])


def _numbers_left_out(
    profile: Profile, windows: Sequence[Counts], f: int, plan: NumericColumn, held_out: bool
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Effect sizes of a column of numbers, a few windows at a time: all cells of all windows would be gigabytes."""
    counted = amounts(profile.reference, f)
    cells, _ = plan.value_counts(counted)
    if held_out:
        cells = reduce(merged, [plan.value_counts(window.column(f))[0] for window in windows], cells)
    column = NumericGroups.of_cells(plan, counted, cells)
    whole, unused = column.group(counted), np.random.default_rng(0)
    parts = []
    step = max(1, _CELLS_AT_ONCE // whole.size)
    of_whole = squares([profile.reference])
    for i in range(0, len(windows), step):
        of_window = squares(windows[i : i + step])
        counts = np.stack([column.group(amounts(window, f)) for window in windows[i : i + step]])
        others = np.broadcast_to(whole, counts.shape) if held_out else whole - counts
        of_others = None
        if of_whole is not None and of_window is not None:
            of_others = of_whole - (0.0 if held_out else 1.0) * of_window
        found = column.effects(effective_rows(others, of_others), effective_rows(counts, of_window), unused)
        parts.append(found)
    return column.statistics, np.concatenate(parts)


def _categories_left_out(
    profile: Profile, windows: Sequence[Counts], places: Sequence[int], held_out: bool, backend: Backend
) -> dict[int, tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Effect sizes of columns of categories, whose pooling is another for every pair."""
    names = tuple(s.name for s in STATISTICS.values() if s.threshold is not None and "categorical" in s.kinds)
    found = {f: (names, np.full((len(windows), len(names)), math.nan)) for f in places}
    for i, window in enumerate(windows if places else []):
        if not any(window.column(f)[0].size for f in places):
            continue
        others = profile if held_out else replace(profile, reference=profile.reference - window)
        report = compare(others, window, Settings(columns=tuple(profile.columns[f] for f in places)), backend)
        for f in places:
            feature = report.features.get(profile.columns[f])
            if feature is not None and feature.judged:
                found[f][1][i] = [feature.effects.get(name, math.nan) for name in names]
    return found


def _times_drawn(
    rng: np.random.Generator, stretch: NDArray[np.int64], n_windows: int, block: int
) -> NDArray[np.float64]:
    """How often each window is in the reference of each stretch: twice each of half as many, in blocks outside it."""
    n_stretches, n_drawn = stretch.shape[0], n_windows // 2
    n_blocks = math.ceil(n_drawn / block)
    # a block begins behind the stretch and ends before it, so that it holds none of it; the circle closes the ends
    room = max(n_windows - 2 * block + 1, 1)
    begin = stretch[:, -1:] + 1 + rng.integers(room, size=(n_stretches, n_blocks))
    drawn = (begin[:, :, np.newaxis] + np.arange(block)).reshape(n_stretches, -1)[:, :n_drawn] % n_windows
    cells = drawn + n_windows * np.arange(n_stretches)[:, np.newaxis]
    times = np.bincount(cells.ravel(), minlength=n_stretches * n_windows).reshape(n_stretches, n_windows)
    return (2 * times).astype(np.float64)


def _law(scales: dict[str, NullScale], z: Sequence[NDArray[np.float64]], run: int = 1) -> NullLaw:
    """The largest of each replicate, and where it was."""
    of_feature = np.stack([values.max(axis=1) for values in z])
    feature = of_feature.argmax(axis=0)
    statistic = np.stack([values.argmax(axis=1) for values in z])
    columns = np.arange(feature.size)
    return NullLaw(of_feature[feature, columns], feature, statistic[feature, columns], scales, run)


def _typical_rows(windows: Sequence[Counts]) -> float:
    return float(np.median([window.n_effective for window in windows]))
