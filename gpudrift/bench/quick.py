"""The quick suite: where gpudrift stands on this machine, in one process and under a minute.

Each question times gpudrift beside the fastest program for the same question that its own dependencies allow, and
checks first that both found the same. A ratio is only given where they did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import gpudrift as gd
from gpudrift.bench import numpy_drift
from gpudrift.bench.agreement import by_definition, counts_disagreement, disagreement, found_by
from gpudrift.bench.limit import BEYOND_CACHES, streaming_sum
from gpudrift.bench.tables import Table, column, table
from gpudrift.bench.timing import Timing, clocked, interleaved

Watch = Callable[[str], None]
Timings = dict[str, Timing[Any]]

REPEATS: Final = 3
OURS: Final = "gpudrift"
SUM: Final = "sum of all values"
FASTEST: Final = "NumPy, its fastest way"
PLAIN: Final = "NumPy, every row searched"
TEN_BINS: Final = "NumPy, ten bins"
VALUE_COUNTS: Final = "Arrow, value_counts"


@dataclass(frozen=True)
class Standing:
    """What one question found.

    Parameters
    ----------
    timings : mapping of candidate to Timing
        gpudrift first.
    n_bytes : int
        Bytes of the values that must be read once; bandwidth says nothing where they are few.
    problem : str or None
        How the results disagree; then there is no ratio.
    """

    question: str
    timings: Timings
    n_bytes: int
    problem: str | None

    @property
    def ratios(self) -> dict[str, float]:
        """Times as long as gpudrift, of each baseline; none where results disagree."""
        ours = self.timings[OURS].median_s
        baselines = {name: timing for name, timing in self.timings.items() if name not in (OURS, SUM)}
        return {} if self.problem else {name: timing.median_s / ours for name, timing in baselines.items()}

    @property
    def share_of_limit(self) -> float | None:
        """Seconds of the streaming sum over the same values, for each second of gpudrift."""
        if SUM not in self.timings or self.n_bytes < BEYOND_CACHES:
            return None
        return self.timings[SUM].median_s / self.timings[OURS].median_s

    def gb_per_s(self, name: str) -> float | None:
        """Values read once, in 10^9 bytes a second, by one candidate."""
        return self.n_bytes / self.timings[name].median_s / 1e9 if self.n_bytes >= BEYOND_CACHES else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "question": self.question,
            "seconds": {name: timing.to_dict() for name, timing in self.timings.items()},
            "ratios": self.ratios,
            "GB_per_s": {name: self.gb_per_s(name) for name in self.timings},
            "share_of_limit": self.share_of_limit,
            "problem": self.problem,
        }


def drift(scale: float, watch: Watch) -> Standing:
    """PSI, JS and a KS interval of a table, from arrays to report."""
    rows = _scaled(1_000_000, scale)
    reference, current = (table(rows, 8, "float32", side) for side in (0, 1))
    columns = [*reference.values(), *current.values()]
    timings: Timings = interleaved(
        {
            OURS: clocked(lambda: gd.check_drift(reference=reference, current=current)),
            FASTEST: clocked(lambda: _each(numpy_drift.fast, reference, current)),
            PLAIN: clocked(lambda: _each(numpy_drift.plain, reference, current)),
            SUM: clocked(lambda: streaming_sum(columns)),
        },
        REPEATS,
        watch=watch,
    )
    expected = by_definition(reference, current)
    problem = disagreement(found_by(timings[OURS].result), expected) or _ks_problem(timings, expected)
    return Standing(f"drift of {rows:,} rows x 8, float32", timings, sum(c.nbytes for c in columns), problem)


def exact_ks(scale: float, watch: Watch) -> Standing:
    """The exact KS distance of one column."""
    rows = _scaled(2_000_000, scale)
    reference, current = ({"x": column(rows, 0, "float64", side)} for side in (0, 1))
    timings: Timings = interleaved(
        {
            OURS: clocked(lambda: gd.check_drift(reference=reference, current=current, exact=True)),
            FASTEST: clocked(lambda: _each(partial(numpy_drift.fast, exact=True), reference, current)),
            PLAIN: clocked(lambda: _each(numpy_drift.plain, reference, current)),
        },
        REPEATS,
        watch=watch,
    )
    expected = by_definition(reference, current)
    problem = disagreement(found_by(timings[OURS].result), expected) or _ks_problem(timings, expected)
    return Standing(f"exact KS of {rows:,} rows, float64", timings, 0, problem)


def count_column(scale: float, watch: Watch) -> Standing:
    """One long column counted against a profile."""
    rows = _scaled(32_000_000, scale)
    x = column(rows, 0, "float32", 1)
    reference = column(min(rows, 1_000_000), 0, "float32", 0)
    profile = gd.profile({"x": reference})
    edges = np.quantile(reference, np.arange(1, 10) / 10).astype(np.float32)
    timings: Timings = interleaved(
        {
            OURS: clocked(lambda: profile.count({"x": x})),
            TEN_BINS: clocked(lambda: np.bincount(np.searchsorted(edges, x), minlength=10)),
            SUM: clocked(lambda: streaming_sum([x])),
        },
        REPEATS,
        watch=watch,
    )
    problem = counts_disagreement(profile, timings[OURS].result, {"x": x}, ["x"])
    return Standing(f"a column of {rows:,} rows counted, float32", timings, x.nbytes, problem)


def count_batch(scale: float, watch: Watch) -> Standing:
    """A small batch of many features counted against a profile, as a service does."""
    rows, features = 1_000, 50
    reference = table(_scaled(50_000, scale), features, "float32", 0)
    batch = table(rows, features, "float32", 1)
    profile = gd.profile(reference)
    edges = {name: np.quantile(x, np.arange(1, 10) / 10).astype(np.float32) for name, x in reference.items()}

    def ten_bins() -> list[Any]:
        return [np.bincount(np.searchsorted(edges[name], x), minlength=10) for name, x in batch.items()]

    timings: Timings = interleaved(
        {OURS: clocked(lambda: profile.count(batch)), TEN_BINS: clocked(ten_bins)}, 20 * REPEATS, watch=watch
    )
    problem = counts_disagreement(profile, timings[OURS].result, batch, batch)
    return Standing(f"a batch of {rows:,} rows x {features} counted", timings, 0, problem)


def categories(scale: float, watch: Watch) -> Standing:
    """One column of texts, from Arrow to report."""
    rows = _scaled(2_000_000, scale)
    n_categories = min(1_000, rows // 200)  # so that each is on both sides, and none is pooled
    names = pa.array([f"category {i}" for i in range(n_categories)])
    rng = np.random.default_rng(0)
    reference, current = (
        names.take(pa.array((rng.random(rows) ** power * n_categories).astype(np.int64))) for power in (2.0, 2.2)
    )
    timings: Timings = interleaved(
        {
            OURS: clocked(
                lambda: gd.check_drift(reference=pa.table({"x": reference}), current=pa.table({"x": current}))
            ),
            VALUE_COUNTS: clocked(lambda: [pc.value_counts(side) for side in (reference, current)]),
        },
        REPEATS,
        watch=watch,
    )
    sides = [dict(zip(*side.flatten(), strict=True)) for side in timings[VALUE_COUNTS].result]
    p, q = (np.array([side[name].as_py() if name in side else 0 for name in names]) for side in sides)
    distance = numpy_drift.psi_js(p, q)[1]
    found = timings[OURS].result["x"].js_distance
    problem = None if abs(found - distance) < 1e-9 else f"JS is {found:.6g}, and {distance:.6g} from value_counts"
    return Standing(f"{n_categories:,} texts in {rows:,} rows", timings, 0, problem)


Question = Callable[[float, Watch], Standing]

QUESTIONS: Final[tuple[Question, ...]] = (drift, exact_ks, count_column, count_batch, categories)


def _scaled(rows: int, scale: float) -> int:
    return max(int(rows * scale), 1_000)


def _each(work: Callable[..., numpy_drift.Drift], reference: Table, current: Table) -> dict[str, numpy_drift.Drift]:
    return {name: work(reference[name], current[name]) for name in reference}


def _ks_problem(timings: Timings, expected: dict[str, numpy_drift.Drift]) -> str | None:
    """The baselines are held to the same KS; their bins are not ours."""
    for name in (FASTEST, PLAIN):
        found = {x: drift._replace(psi=None, js_distance=None) for x, drift in timings[name].result.items()}
        if problem := disagreement(found, expected):
            return f"{name}: {problem}"
    return None
