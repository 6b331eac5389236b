"""The plain dictionaries that the HTML pages are made from; nothing here is a live object."""

from __future__ import annotations

from typing import Literal, TypedDict


class RowCounts(TypedDict):
    """Rows on the two sides; None where unknown."""

    reference: int | None
    current: int | None


class KsView(TypedDict):
    """The Kolmogorov-Smirnov test of one numeric feature."""

    statistic: float | None
    lower: float | None
    upper: float | None
    exact: bool
    log_pvalue: float | None
    """Natural logarithm, so that it never underflows."""


class ReasonView(TypedDict):
    """One comparison behind a verdict."""

    statistic: str
    """A key of the feature (``psi``, ``p_value``, ...) or any other name."""
    value: float | None
    threshold: float | None
    how: str
    """How the threshold came about: ``default``, ``after Benjamini-Hochberg``, ..."""


class BinView(TypedDict):
    """One PSI bin or one category, with its rows on the two sides."""

    label: str
    reference: float
    current: float


class DensityView(TypedDict):
    """Shares of rows in k display bins (k <= 64) of possibly unequal width."""

    edges: list[float]
    """k + 1 finite, increasing numbers."""
    labels: list[str]
    """k + 1 texts, one for each edge (a date, a number with its unit)."""
    reference: list[float]
    current: list[float]


class FeatureView(TypedDict):
    """One feature: its statistics, its verdict and what is needed to draw it."""

    name: str
    kind: Literal["numeric", "categorical"]
    dtype: str
    drifted: bool
    counted: bool
    """False: reported, but no part of the verdict (an index-like column)."""
    reasons: list[ReasonView]
    psi: float | None
    psi_bins: int | None
    js_distance: float | None
    hellinger: float | None
    wasserstein: float | None
    """None for categorical features."""
    cramers_v: float | None
    """None for numeric features."""
    ks: KsView | None
    p_value: float | None
    n: RowCounts
    """All rows of the feature, the missing ones included."""
    missing: RowCounts
    new: int | None
    """Current rows in categories that the reference does not have; 0 for numeric features."""
    statistics: dict[str, float | None]
    """Every statistic by name, those above and the user's own too."""
    intervals: dict[str, list[float | None]]
    """Lower and upper end of the statistics that counts only bound."""
    bins: list[BinView]
    """The PSI bins in order, or the categories; up to 40."""
    density: DensityView | None


class ProblemView(TypedDict):
    """Something that a reader should know before trusting a number."""

    feature: str | None
    what: str
    remedy: str


class FeatureSeriesView(TypedDict):
    """The PSI of one feature, one value for each window."""

    name: str
    values: list[float | None]
    drifted: list[bool]
    counted: bool


class WorstView(TypedDict):
    """A feature that drifted in one window or slice."""

    name: str
    psi: float | None


class PartView(TypedDict):
    """A part of the current rows with a report of its own: a window or a slice."""

    label: str
    rows: RowCounts
    dataset_drift: bool
    judged: bool
    """False: no feature had values enough for a verdict."""
    drifted: list[WorstView]
    """Worst first."""


class TimeLineView(FeatureSeriesView):
    """The PSI of one feature in every window, and the threshold that counts."""

    threshold: float | None


class WindowsView(TypedDict):
    """The windows of the current rows, in time order."""

    title: str
    """How long they are, and what they are compared with."""
    windows: list[PartView]
    features: list[TimeLineView]
    """One value for each window; drawn in this order."""


class SlicesView(TypedDict):
    """The slices of the current rows."""

    columns: list[str]
    slices: list[PartView]
    """Worst first; drawn in this order."""


class ReportView(TypedDict):
    """A drift report: one reference against one batch of current rows."""

    title: str
    version: str
    backend: str
    created: str
    """ISO 8601 text, or empty: the renderer has no clock."""
    rows: RowCounts
    dataset_drift: bool
    share_drifted: float | None
    alpha: float | None
    correction: str
    settings: str
    features: list[FeatureView]
    """Worst first; drawn in this order."""
    windows: WindowsView | None
    """None where no windows were asked for."""
    slices: SlicesView | None
    problems: list[ProblemView]


class WindowView(TypedDict):
    """One window of time in an overview."""

    label: str
    href: str | None
    """Where the report of this window lies, relative to the overview."""
    dataset_drift: bool
    share_drifted: float | None
    n: int | None


class OverviewView(TypedDict):
    """Many windows against one reference."""

    title: str
    version: str
    created: str
    subtitle: list[str]
    windows: list[WindowView]
    features: list[FeatureSeriesView]
    """Drawn in this order."""
    problems: list[ProblemView]
