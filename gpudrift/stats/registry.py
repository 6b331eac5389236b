"""The drift statistics by name: what each is for, its threshold, its formula and its source.

These thresholds are the only ones: reports, settings and documentation read them here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "categorical"]

_BOTH: tuple[Kind, ...] = ("numeric", "categorical")


@dataclass(frozen=True, slots=True)
class Statistic:
    """One drift statistic as users meet it.

    Attributes
    ----------
    name : str
        Key in `STATISTICS`, in reports and in settings.
    title : str
        Name for people.
    kinds : tuple of "numeric" and "categorical"
        Kinds of feature it is computed for.
    threshold : float or None
        Effect size from which a feature may count as drifted; None where the statistic never decides.
    severe : float or None
        Effect size from which drift is called severe, where there is a convention.
    formula : str
        Definition in plain text; p, F reference and q, G current shares and distribution functions.
    source : str
        Where the definition comes from.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    threshold: float | None
    severe: float | None
    formula: str
    source: str


STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic
    for statistic in (
        Statistic(
            name="psi",
            title="Population stability index",
            kinds=_BOTH,
            threshold=0.1,
            severe=0.25,
            formula="sum (q - p) ln(q / p), shares (c + 0.5) / (n + 0.5 k)",
            source="doi:10.21314/JRMV.2020.227",
        ),
        Statistic(
            name="ks",
            title="Kolmogorov-Smirnov distance",
            kinds=("numeric",),
            threshold=0.1,
            severe=None,
            formula="max |F - G|",
            source="doi:10.1214/aoms/1177730256",
        ),
        Statistic(
            name="js_distance",
            title="Jensen-Shannon distance",
            kinds=_BOTH,
            threshold=0.1,
            severe=None,
            formula="sqrt((KL(p, m) + KL(q, m)) / 2), m = (p + q) / 2, base 2",
            source="doi:10.1109/TIT.2003.813506",
        ),
        Statistic(
            name="wasserstein",
            title="Wasserstein distance",
            kinds=("numeric",),
            threshold=0.1,
            severe=None,
            formula="integral |F - G| dx / std(reference, ddof 0)",
            source="doi:10.1137/1118101",
        ),
        Statistic(
            name="hellinger",
            title="Hellinger distance",
            kinds=_BOTH,
            threshold=0.1,
            severe=None,
            formula="sqrt(1 - sum sqrt(p q))",
            source="doi:10.1515/crll.1909.136.210",
        ),
        Statistic(
            name="cramers_v",
            title="Cramer's V",
            kinds=("categorical",),
            threshold=0.1,
            severe=None,
            formula="sqrt(X^2 / (n + m)), rare categories pooled",
            source="doi:10.1515/9781400883868",
        ),
        Statistic(
            name="missing_rate",
            title="Change of the missing rate",
            kinds=_BOTH,
            threshold=0.05,
            severe=None,
            formula="|missing current / rows current - missing reference / rows reference|",
            source="a convention of gpudrift",
        ),
        Statistic(
            name="new_rate",
            title="Rate of new categories",
            kinds=("categorical",),
            threshold=0.05,
            severe=None,
            formula="new current / values current - categories seen once / values reference, at least 0",
            source="doi:10.1093/biomet/40.3-4.237",
        ),
        Statistic(
            name="kl",
            title="Kullback-Leibler divergence",
            kinds=_BOTH,
            threshold=None,
            severe=None,
            formula="sum p ln(p / q), shares (c + 0.5) / (n + 0.5 k)",
            source="doi:10.1214/aoms/1177729694",
        ),
    )
}
