"""FeatureDrift: what a comparison found of one feature, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.frames import Kind
from gpudrift.profiles.later import Later
from gpudrift.profiles.row_counts import RowCounts
from gpudrift.stats import KS, Bounded, kl, l_infinity, total_variation

_FURTHER: Final = ("kl", "total_variation", "l_infinity", "mean_change", "std_change", "out_of_range")
"""Statistics that no verdict needs unless settings give them a threshold."""

ADDED: Final = (*_FURTHER, "missing_rate", "new_rate")
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
class Further:
    """Statistics without a threshold of their own; of cells only for numbers, and None for categories."""

    kl: float
    total_variation: float
    l_infinity: float
    mean_change: Bounded | None = None
    std_change: Bounded | None = None
    out_of_range: Bounded | None = None

    @classmethod
    def of_bins(cls, reference: NDArray[Any], current: NDArray[Any]) -> Further:
        """Those that rows by bin say."""
        some = (reference + current) > 0
        return cls(
            kl(reference[some], current[some]), total_variation(reference, current), l_infinity(reference, current)
        )

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

    def material(self, limits: Mapping[str, float]) -> dict[str, float]:
        """The effects that have a threshold in ``Settings.limits``: what a verdict looks at."""
        found = self._decisive
        if not limits.keys().isdisjoint(_FURTHER):
            found |= self._further.value.values
        return {
            name: abs(value)
            for name, value in (found | dict(self.own)).items()
            if name in limits and not math.isnan(value)
        }

    def undecided(self, **changes: Any) -> FeatureDrift:
        """Without a verdict, and with some attributes changed."""
        return self.changed(drifted=False, reasons=(), **changes) if self.drifted or changes else self

    def changed(self, **changes: Any) -> FeatureDrift:
        """``dataclasses.replace``, in a fifth of its time."""
        copy = object.__new__(FeatureDrift)
        vars(copy).update(vars(self) | changes)
        return copy

    def severity(self, settings: Settings) -> float:
        """Largest effect size in units of its threshold: what reports are sorted by."""
        limits = settings.limits(self.name)
        return max((value / limits[name] for name, value in self.material(limits).items()), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """The entry of JSON schema 1; a number that is not finite is None."""
        ks = self.ks
        return {
            "kind": self.kind,
            "psi": finite(self.psi),
            "psi_bins": self.psi_bins,
            "js_distance": finite(self.js_distance),
            "ks": None
            if ks is None
            else {
                "statistic": finite(ks.statistic),
                "lower": finite(ks.lower),
                "upper": finite(ks.upper),
                "exact": ks.exact,
                "log_pvalue": finite(ks.log_pvalue),
            },
            "wasserstein": finite(self.wasserstein),
            "hellinger": finite(self.hellinger),
            "cramers_v": finite(self.cramers_v),
            "p_value": finite(self.p_value),
            "missing": {"reference": self.missing_reference, "current": self.missing_current},
            "infinite": {"reference": self.infinite_reference, "current": self.infinite_current},
            "new": self.new,
            "new_rate": finite(self.new_rate),
            "statistics": {name: finite(value) for name, value in self.statistics.items()},
            "intervals": {name: [finite(end) for end in ends] for name, ends in self.intervals.items()},
            "n": {"reference": self.n_reference, "current": self.n_current},
            "n_effective": {
                "reference": finite(self.reference.n_effective),
                "current": finite(self.current.n_effective),
            },
            "counted": self.counted,
            "judged": self.judged,
            "drifted": self.drifted,
            "reasons": [
                {"statistic": r.statistic, "value": finite(r.value), "threshold": r.threshold, "how": r.how}
                for r in self.reasons
            ],
        }


def finite(value: float | None) -> float | None:
    """As JSON takes it: None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None
