"""DriftReport and FeatureDrift: what a comparison found, as plain values."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, Literal

import narwhals as nw

from gpudrift.atomic import replacing
from gpudrift.config import Settings
from gpudrift.frames import Kind, Problem
from gpudrift.profiles.later import Later
from gpudrift.stats import KS, Bounded
from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift.monitor.slice_reports import SliceReports
    from gpudrift.monitor.window_reports import WindowReports
    from gpudrift.profiles.counts import Counts
    from gpudrift.profiles.reference_profile import Profile
    from gpudrift.report import ReportView

FrameLibrary = Literal["pyarrow", "pandas", "polars"]

_FURTHER: Final = ("kl", "total_variation", "l_infinity", "mean_change", "std_change", "out_of_range")
"""Statistics that no verdict needs unless settings give them a threshold."""

_ADDED: Final = (*_FURTHER, "missing_rate", "new_rate")
"""Statistics at the end of a table's row, before the user's own."""


@dataclass(frozen=True)
class Reason:
    """One comparison behind a verdict: ``value`` reached ``threshold``, which came about by ``how``."""

    statistic: str
    value: float
    threshold: float
    how: str

    def __str__(self) -> str:
        sign = "<" if self.statistic == "p_value" else ">="
        return f"{self.statistic} {self.value:.3g} {sign} {self.threshold:.3g} ({self.how})"


@dataclass(frozen=True)
class Bin:
    """A PSI bin or a category, with its rows on both sides: of average weight, where rows have weights."""

    label: str
    reference: float
    current: float


@dataclass(frozen=True)
class RowCounts:
    """Rows of one side of a feature.

    Attributes
    ----------
    n, missing, infinite : int
        Rows; those of them that are null or NaN, and that are +inf or -inf.
    n_effective, missing_effective, infinite_effective : float
        Rows of equal weight that say as much; the same numbers without weights.
    """

    n: int
    missing: int
    infinite: int
    n_effective: float
    missing_effective: float
    infinite_effective: float

    @property
    def missing_rate(self) -> float:
        """Share of the rows that are missing, by weight; NaN without rows."""
        return self.missing_effective / self.n_effective if self.n_effective else math.nan

    @property
    def absent_effective(self) -> float:
        """Effective rows without a finite value; a rounding of their sum makes no more of them than there are rows."""
        return min(self.missing_effective + self.infinite_effective, self.n_effective)


@dataclass(frozen=True)
class Further:
    """Statistics without a threshold of their own; of cells only for numbers, and None for categories."""

    kl: float
    total_variation: float
    l_infinity: float
    mean_change: Bounded | None = None
    std_change: Bounded | None = None
    out_of_range: Bounded | None = None

    @property
    def values(self) -> dict[str, float]:
        """By name, those that there are."""
        changes = {"mean_change": self.mean_change, "std_change": self.std_change, "out_of_range": self.out_of_range}
        binned = {"kl": self.kl, "total_variation": self.total_variation, "l_infinity": self.l_infinity}
        return binned | {name: change.value for name, change in changes.items() if change}


@dataclass(frozen=True)
class FeatureDrift:
    """Every statistic of one feature, and its verdict.

    Attributes
    ----------
    kind : {"numeric", "categorical"}
    psi : float
        Population stability index over ``psi_bins`` bins: those, or pooled categories, with any row.
    js_distance, hellinger : float
        In [0, 1]; base 2.
    ks : KS or None
        Kolmogorov-Smirnov distance and its certified interval; None for categories.
    wasserstein : float or None
        In standard deviations of the reference, between ``wasserstein_lower`` and ``wasserstein_upper``; None for
        categories.
    cramers_v : float or None
        None for numbers.
    new_rate : float or None
        How much larger the share of new categories is than the reference foretells, at least 0; None for numbers, and
        where the reference has more categories than are kept.
    own : mapping of str to float
        Statistics of the user's own, by name; NaN where one has no rows, or failed and is named under problems.
    tests : mapping of str to float
        Natural logarithm of the p-value of each test made, times their number: "distribution", "missing_rate",
        "new_rate". The smallest is the one p-value of the feature.
    reference, current : RowCounts
        Rows of either side, and how many of them are missing or infinite: ``n_reference``, ``missing_current``, ...
    new : int
        Current rows in categories that the reference does not have.
    drifted : bool
        A test rejected after correction, and an effect size of its own at its threshold: the rate of missing values
        for the test of that rate, the rate of new categories for its test, all others for that of the distribution.
    counted : bool
        Whether the feature is part of the verdict on the dataset; an index-like column is not.
    reasons : tuple of Reason
        Why it drifted; empty where it did not.

    ``bins`` and the statistics that have no threshold of their own, ``kl`` to ``out_of_range``, are made when they are
    first read.

    A number that the data do not give (no rows, one value) is NaN here and null in JSON.
    """

    name: str
    kind: Kind
    dtype: str
    psi: float
    js_distance: float
    hellinger: float
    ks: KS | None
    wasserstein: float | None
    wasserstein_lower: float | None
    wasserstein_upper: float | None
    cramers_v: float | None
    new_rate: float | None
    tests: Mapping[str, float]
    reference: RowCounts
    current: RowCounts
    new: int
    psi_bins: int
    _bins: Later[tuple[Bin, ...]] = field(repr=False)
    _further: Later[Further] = field(repr=False)
    own: Mapping[str, float] = field(default_factory=dict)
    counted: bool = True
    drifted: bool = False
    reasons: tuple[Reason, ...] = ()

    @property
    def bins(self) -> tuple[Bin, ...]:
        """PSI bins, or pooled categories, in their order."""
        return self._bins.value

    @property
    def kl(self) -> float:
        """Kullback-Leibler divergence from reference to current, in nats."""
        return self._further.value.kl

    @property
    def total_variation(self) -> float:
        """In [0, 1]; of the same bins as PSI."""
        return self._further.value.total_variation

    @property
    def l_infinity(self) -> float:
        """In [0, 1]; of the same bins as PSI."""
        return self._further.value.l_infinity

    @property
    def mean_change(self) -> Bounded | None:
        """Of either sign, in standard deviations of the reference; None for categories."""
        return self._further.value.mean_change

    @property
    def std_change(self) -> Bounded | None:
        """Natural logarithm of current over reference; None for categories."""
        return self._further.value.std_change

    @property
    def out_of_range(self) -> Bounded | None:
        """Share of current values beyond the reference's range, of which it is the lower bound; None for categories."""
        return self._further.value.out_of_range

    @property
    def judged(self) -> bool:
        """Whether the feature has a part in the verdict: counted, and with values enough for a p-value."""
        return self.counted and not math.isnan(self.log_p_value)

    @property
    def log_p_value(self) -> float:
        """Natural logarithm of the one p-value that the verdict uses, before correction; NaN without any test."""
        return min(0.0, *self.tests.values()) if self.tests else math.nan

    @property
    def p_value(self) -> float:
        """0.0 where ``log_p_value`` is below about -745."""
        return math.exp(self.log_p_value)

    @property
    def n_reference(self) -> int:
        """Rows of the reference, the missing ones included."""
        return self.reference.n

    @property
    def n_current(self) -> int:
        """Current rows, the missing ones included."""
        return self.current.n

    @property
    def missing_reference(self) -> int:
        """Rows of the reference that are null or NaN."""
        return self.reference.missing

    @property
    def missing_current(self) -> int:
        """Current rows that are null or NaN."""
        return self.current.missing

    @property
    def infinite_reference(self) -> int:
        """Rows of the reference that are +inf or -inf; counted apart, in no bin."""
        return self.reference.infinite

    @property
    def infinite_current(self) -> int:
        """Current rows that are +inf or -inf; counted apart, in no bin."""
        return self.current.infinite

    @property
    def missing_rate_reference(self) -> float:
        """Share of the reference's rows that are missing, by weight."""
        return self.reference.missing_rate

    @property
    def missing_rate_current(self) -> float:
        """Share of the current rows that are missing, by weight."""
        return self.current.missing_rate

    @property
    def statistics(self) -> dict[str, float]:
        """Every statistic of this kind of feature by its name in ``gpudrift.stats.STATISTICS``, the user's own too."""
        return self._decisive | self._further.value.values | dict(self.own)

    @property
    def _decisive(self) -> dict[str, float]:
        """Statistics that have a threshold of their own."""
        change = math.nan
        if self.reference.n_effective and self.current.n_effective:
            change = abs(
                self.current.absent_effective / self.current.n_effective
                - self.reference.absent_effective / self.reference.n_effective
            )
        found = {
            "psi": self.psi,
            "ks": self.ks.statistic if self.ks else None,
            "js_distance": self.js_distance,
            "wasserstein": self.wasserstein,
            "hellinger": self.hellinger,
            "cramers_v": self.cramers_v,
            "missing_rate": change,
            "new_rate": self.new_rate,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Where the statistics lie of which counts give no more than an interval, by name."""
        found: dict[str, tuple[float, float]] = {}
        if self.ks:
            found["ks"] = self.ks.lower, self.ks.upper
        if self.wasserstein_lower is not None and self.wasserstein_upper is not None:
            found["wasserstein"] = self.wasserstein_lower, self.wasserstein_upper
        changes = {"mean_change": self.mean_change, "std_change": self.std_change, "out_of_range": self.out_of_range}
        return found | {name: (change.lower, change.upper) for name, change in changes.items() if change}

    @property
    def effects(self) -> dict[str, float]:
        """Sizes of the statistics, which make the feature drift where they have a threshold; NaN left out."""
        return {name: abs(value) for name, value in self.statistics.items() if not math.isnan(value)}

    def material(self, settings: Settings) -> dict[str, float]:
        """The effects that settings give a threshold: what a verdict looks at."""
        found = self._decisive
        if any(settings.threshold(name, self.name) < math.inf for name in _FURTHER):
            found |= self._further.value.values
        return {
            name: abs(value)
            for name, value in (found | dict(self.own)).items()
            if not math.isnan(value) and settings.threshold(name, self.name) < math.inf
        }

    def severity(self, settings: Settings) -> float:
        """Largest effect size in units of its threshold: what reports are sorted by."""
        effects = self.material(settings)
        return max((value / settings.threshold(name, self.name) for name, value in effects.items()), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """The entry of JSON schema 1; a number that is not finite is None."""
        ks = self.ks
        return {
            "kind": self.kind,
            "psi": _finite(self.psi),
            "psi_bins": self.psi_bins,
            "js_distance": _finite(self.js_distance),
            "ks": None
            if ks is None
            else {
                "statistic": _finite(ks.statistic),
                "lower": _finite(ks.lower),
                "upper": _finite(ks.upper),
                "exact": ks.exact,
                "log_pvalue": _finite(ks.log_pvalue),
            },
            "wasserstein": _finite(self.wasserstein),
            "hellinger": _finite(self.hellinger),
            "cramers_v": _finite(self.cramers_v),
            "p_value": _finite(self.p_value),
            "missing": {"reference": self.missing_reference, "current": self.missing_current},
            "infinite": {"reference": self.infinite_reference, "current": self.infinite_current},
            "new": self.new,
            "new_rate": _finite(self.new_rate),
            "statistics": {name: _finite(value) for name, value in self.statistics.items()},
            "intervals": {name: [_finite(end) for end in ends] for name, ends in self.intervals.items()},
            "n": {"reference": self.n_reference, "current": self.n_current},
            "n_effective": {
                "reference": _finite(self.reference.n_effective),
                "current": _finite(self.current.n_effective),
            },
            "counted": self.counted,
            "judged": self.judged,
            "drifted": self.drifted,
            "reasons": [
                {"statistic": r.statistic, "value": _finite(r.value), "threshold": r.threshold, "how": r.how}
                for r in self.reasons
            ],
        }


@dataclass(frozen=True, eq=False)
class DriftReport(Mapping[str, FeatureDrift]):
    """What a comparison found: a mapping from feature to FeatureDrift, worst first.

    Attributes
    ----------
    dataset_drift : bool
        At least one feature drifted (or ``settings.drift_share`` of them).
    share_drifted : float
        Drifted features among those that had a verdict.
    drifted : tuple of str
        Names of the drifted features, worst first.
    problems : tuple of Problem
        What could not be compared, and what a reader should know.
    windows : WindowReports, optional
        The report of each window by its (start, end), where windows were asked for.
    slices : SliceReports, optional
        The report of each slice, worst first, where slices were asked for.

    ``bool(report)`` raises: ask for ``report.dataset_drift``.
    """

    features: Mapping[str, FeatureDrift]
    dataset_drift: bool
    share_drifted: float
    problems: tuple[Problem, ...]
    n_reference: int
    n_current: int
    backend: str
    settings: Settings
    _profile: Profile = field(repr=False)
    _counts: Counts = field(repr=False)
    windows: WindowReports | None = None
    slices: SliceReports | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        return tuple(name for name, feature in self.features.items() if feature.drifted)

    def __getitem__(self, name: str) -> FeatureDrift:
        return self.features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def __bool__(self) -> bool:
        raise TypeError("a report is neither true nor false; ask for report.dataset_drift")

    def to_dict(self) -> dict[str, Any]:
        """JSON schema 1 as plain values; no NaN, no infinity."""
        whole: dict[str, Any] = {
            "schema": 1,
            "gpudrift": __version__,
            "backend": self.backend,
            "rows": {"reference": self.n_reference, "current": self.n_current},
            "dataset_drift": self.dataset_drift,
            "share_drifted": _finite(self.share_drifted),
            "features": {name: feature.to_dict() for name, feature in self.features.items()},
            "problems": [problem.to_dict() for problem in self.problems],
        }
        if self.windows is not None:
            whole["windows"] = self.windows.to_list()
        if self.slices is not None:
            whole["slices"] = self.slices.to_list()
        return whole

    def to_json(self, *, indent: int | None = 2) -> str:
        """JSON schema 1 as text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_frame(self, library: FrameLibrary = "pyarrow") -> Any:
        """One row a feature, as a table of the library named.

        Examples
        --------
        >>> import numpy as np
        >>> import gpudrift as gd
        >>> report = gd.check_drift(reference=np.arange(100.0), current=np.arange(100.0))
        >>> report.to_frame().column("psi").to_pylist()
        [0.0]
        """
        own = list(dict.fromkeys(name for f in self.features.values() for name in f.own))
        rows = [
            {
                "feature": f.name, "kind": f.kind, "drifted": f.drifted, "psi": f.psi, "psi_bins": f.psi_bins,
                "ks": f.ks.statistic if f.ks else None, "js_distance": f.js_distance, "wasserstein": f.wasserstein,
                "hellinger": f.hellinger, "cramers_v": f.cramers_v, "p_value": f.p_value,
                "missing_rate_reference": f.missing_rate_reference, "missing_rate_current": f.missing_rate_current,
                "new": f.new, "n_reference": f.n_reference, "n_current": f.n_current, "counted": f.counted,
                **{name: f.statistics.get(name) for name in (*_ADDED, *own)},
            }
            for f in self.features.values()
        ]  # fmt: skip
        names = list(rows[0]) if rows else []
        columns = {name: [row[name] for row in rows] for name in names}
        return nw.from_dict(columns, backend=library).to_native()

    def save_html(self, path: str | PathLike[str], *, title: str = "Drift report", created: str = "") -> None:
        """Write the report as one self-contained page; ``created`` is a time to show, as text."""
        from gpudrift.report import render_report

        text = render_report(self.to_view(title=title, created=created))
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")

    def to_view(self, *, title: str = "Drift report", created: str = "") -> ReportView:
        """The plain values that the HTML page is made from: counts by bin, and no row of the data."""
        from gpudrift.profiles.pictures import report_view

        return report_view(self, self._profile, self._counts, title=title, created=created)

    def _repr_html_(self) -> str:
        from gpudrift.report import render_report

        page = html.escape(render_report(self.to_view()), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="allow-scripts" style="width:100%;height:32rem;border:0"></iframe>'

    def __str__(self) -> str:
        n_judged = sum(f.judged for f in self.features.values())
        head = "drift" if self.dataset_drift else "no drift" if n_judged else "no verdict"
        lines = [
            f"{head}: {len(self.drifted)} of {n_judged} features drifted "
            f"({self.n_reference:,} reference rows, {self.n_current:,} current rows)",
            f"{'feature':24} {'drifted':7} {'PSI':>8} {'KS':>8} {'JS':>8} {'W1':>8} {'p':>9} {'missing':>15}",
        ]
        for f in self.features.values():
            verdict = "yes" if f.drifted else "no" if f.judged else "-"
            missing = f"{f.missing_rate_reference:.1%} -> {f.missing_rate_current:.1%}"
            lines.append(
                f"{f.name[:24]:24} {verdict:7} {f.psi:8.4f} {_cell(f.ks.statistic if f.ks else None)} "
                f"{f.js_distance:8.4f} {_cell(f.wasserstein)} {f.p_value:9.1e} {missing:>15}"
            )
        lines += [f"problem: {problem}" for problem in self.problems]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"DriftReport(dataset_drift={self.dataset_drift}, drifted={len(self.drifted)} of {len(self)} features, "
            f"rows {self.n_reference:,} -> {self.n_current:,})"
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _cell(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:8.4f}"
