"""Are the results right? Every function returns what disagrees in one line, or None; without agreement no ratio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import gpudrift as gd
from gpudrift.bench.numpy_drift import Drift, fast, psi_js
from gpudrift.bench.tables import Table
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import NumericColumn
from gpudrift_kernels import reference as definition

ROUNDING: Final = 1e-9
_CHUNK: Final = 1 << 20


def by_definition(reference: Table, current: Table) -> dict[str, Drift]:
    """What check_drift must find: PSI and JS from the counts of the kernels' definition, KS from sorted rows."""
    expected = {}
    for column in gd.profile(reference).plans:
        if not isinstance(column, NumericColumn):
            raise TypeError(f"{column.name} must hold numbers, got {column.dtype}")
        sides = reference[column.name], current[column.name]
        indices = np.arange(column.plan.n_index)
        p, q = (bin_counts(column.bin_starts, indices, counted(side, column)[: indices.size]) for side in sides)
        ks = fast(*sides, exact=True).ks_lower
        expected[column.name] = Drift(*psi_js(p, q), ks, ks)
    return expected


def found_by(report: Mapping[str, gd.FeatureDrift]) -> dict[str, Drift]:
    """The same statistics of a report of numbers."""
    return {
        name: Drift(feature.psi, feature.js_distance, feature.ks.lower, feature.ks.upper)
        for name, feature in report.items()
        if feature.ks is not None
    }


def disagreement(found: Mapping[str, Drift], expected: Mapping[str, Drift], tolerance: float = ROUNDING) -> str | None:
    """Hold PSI and JS to a tolerance, and the KS interval to the exact distance; for every column expected.

    A statistic that one does not compute is None, and is not looked at.

    Examples
    --------
    >>> disagreement({"x": Drift(0.2, None, 0.1, 0.3)}, {"x": Drift(0.2, 0.1, 0.2, 0.2)})
    >>> disagreement({"x": Drift(0.2, None, 0.1, 0.3)}, {"x": Drift(0.3, 0.1, 0.2, 0.2)})
    'x: PSI is 0.2, not 0.3'
    """
    for name, exact in expected.items():
        if name not in found:
            return f"{name} is missing"
        drift = found[name]
        for statistic, value, right in (("PSI", drift.psi, exact.psi), ("JS", drift.js_distance, exact.js_distance)):
            if value is not None and right is not None and not abs(value - right) <= tolerance:
                return f"{name}: {statistic} is {value:.9g}, not {right:.9g}"
        lower, upper, ks = drift.ks_lower, drift.ks_upper, exact.ks_lower
        if lower is None or upper is None or ks is None:
            continue
        if not lower - ROUNDING <= ks <= upper + ROUNDING:
            return f"{name}: KS is {ks:.9g}, outside {lower:.9g} to {upper:.9g}"
    return None


def counts_disagreement(profile: gd.Profile, counts: gd.Counts, batch: Table, names: Iterable[str]) -> str | None:
    """Every counter of the named columns must be what the kernels' definition counts."""
    wanted = set(names)
    for f, plan in enumerate(profile.plans):
        if plan.name not in wanted or not isinstance(plan, NumericColumn):
            continue
        found = np.zeros(plan.n_counters, np.int64)
        own = counts.keys >> 32 == f
        found[counts.keys[own] & 0xFFFFFFFF] = counts.values[own]
        wrong = int(np.abs(found - counted(batch[plan.name], plan)).sum())
        if wrong:
            return f"{plan.name}: {wrong:,} rows are counted otherwise than by definition"
    return None


def counted(values: NDArray[Any], column: NumericColumn) -> NDArray[np.int64]:
    """Counts of a column by the kernels' definition in plain NumPy, in chunks."""
    total = np.zeros(column.n_counters, np.int64)
    for at in range(0, values.size, _CHUNK):
        total += definition.histogram(values[at : at + _CHUNK], column.plan)
    return total
