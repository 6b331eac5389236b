"""The drift statistics by name: what each is for, its threshold, its range, its formula and its source.

These thresholds are the only ones: reports, settings and documentation read them here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from gpudrift.stats.hellinger import hellinger
from gpudrift.stats.js import js_distance
from gpudrift.stats.kl import kl
from gpudrift.stats.l_infinity import l_infinity
from gpudrift.stats.psi import psi
from gpudrift.stats.total_variation import total_variation

Kind = Literal["numeric", "categorical"]

#: Counts of the reference and of the current rows in the same bins or categories in, the statistic out.
BinFunction: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], float]

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
        Size from which a feature may count as drifted; None where it never does unless settings give one.
    severe : float or None
        Effect size from which drift is called severe, where there is a convention.
    formula : str
        Definition in plain text; p, F reference and q, G current shares and distribution functions.
    source : str
        Where the definition comes from.
    bounds : (float, float)
        Smallest and largest value it can have.
    symmetric : bool
        Whether swapping the sides changes nothing.
    scale_free : bool
        Whether it sees shares only, so that ten times the rows change nothing; smoothing does see rows.
    function : callable or None
        What makes it from the counts of PSI bins or categories; None where it takes more than these.
    own : bool
        A user's own: see `statistic`.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    threshold: float | None
    severe: float | None
    formula: str
    source: str
    bounds: tuple[float, float] = (0.0, math.inf)
    symmetric: bool = False
    scale_free: bool = False
    function: BinFunction | None = None
    own: bool = False


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
            symmetric=True,
            function=psi,
        ),
        Statistic(
            name="ks",
            title="Kolmogorov-Smirnov distance",
            kinds=("numeric",),
            threshold=0.1,
            severe=None,
            formula="max |F - G|",
            source="doi:10.1214/aoms/1177730256",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
        ),
        Statistic(
            name="js_distance",
            title="Jensen-Shannon distance",
            kinds=_BOTH,
            threshold=0.1,
            severe=None,
            formula="sqrt((KL(p, m) + KL(q, m)) / 2), m = (p + q) / 2, base 2",
            source="doi:10.1109/TIT.2003.813506",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
            function=js_distance,
        ),
        Statistic(
            name="wasserstein",
            title="Wasserstein distance",
            kinds=("numeric",),
            threshold=0.1,
            severe=None,
            formula="integral |F - G| dx / std(reference, ddof 0)",
            source="doi:10.1137/1118101",
            scale_free=True,
        ),
        Statistic(
            name="hellinger",
            title="Hellinger distance",
            kinds=_BOTH,
            threshold=0.1,
            severe=None,
            formula="sqrt(1 - sum sqrt(p q))",
            source="doi:10.1515/crll.1909.136.210",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
            function=hellinger,
        ),
        Statistic(
            name="cramers_v",
            title="Cramer's V",
            kinds=("categorical",),
            threshold=0.1,
            severe=None,
            formula="sqrt(X^2 / (n + m)), rare categories pooled",
            source="doi:10.1515/9781400883868",
            bounds=(0.0, 1.0),
            symmetric=True,
        ),
        Statistic(
            name="missing_rate",
            title="Change of the missing rate",
            kinds=_BOTH,
            threshold=0.05,
            severe=None,
            formula="|missing current / rows current - missing reference / rows reference|",
            source="a convention of gpudrift",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
        ),
        Statistic(
            name="new_rate",
            title="Rate of new categories",
            kinds=("categorical",),
            threshold=0.05,
            severe=None,
            formula="new current / values current - categories seen once / values reference, at least 0",
            source="doi:10.1093/biomet/40.3-4.237",
            bounds=(0.0, 1.0),
        ),
        Statistic(
            name="kl",
            title="Kullback-Leibler divergence",
            kinds=_BOTH,
            threshold=None,
            severe=None,
            formula="sum p ln(p / q), shares (c + 0.5) / (n + 0.5 k)",
            source="doi:10.1214/aoms/1177729694",
            function=kl,
        ),
        Statistic(
            name="total_variation",
            title="Total variation distance",
            kinds=_BOTH,
            threshold=None,
            severe=None,
            formula="sum |q - p| / 2",
            source="doi:10.1111/j.1751-5823.2002.tb00178.x",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
            function=total_variation,
        ),
        Statistic(
            name="l_infinity",
            title="L-infinity distance",
            kinds=_BOTH,
            threshold=None,
            severe=None,
            formula="max |q - p|",
            source="doi:10.1007/978-3-642-00234-2",
            bounds=(0.0, 1.0),
            symmetric=True,
            scale_free=True,
            function=l_infinity,
        ),
        Statistic(
            name="mean_change",
            title="Change of the mean",
            kinds=("numeric",),
            threshold=None,
            severe=None,
            formula="(mean current - mean reference) / std(reference, ddof 0)",
            source="doi:10.3102/0013189X005010003",
            bounds=(-math.inf, math.inf),
            scale_free=True,
        ),
        Statistic(
            name="std_change",
            title="Change of the standard deviation",
            kinds=("numeric",),
            threshold=None,
            severe=None,
            formula="ln(std current / std reference), ddof 0",
            source="doi:10.1111/2041-210X.12309",
            bounds=(-math.inf, math.inf),
            scale_free=True,
        ),
        Statistic(
            name="out_of_range",
            title="Rate of values out of range",
            kinds=("numeric",),
            threshold=None,
            severe=None,
            formula="current values below the least or above the largest of the reference / values current",
            source="a convention of gpudrift",
            bounds=(0.0, 1.0),
        ),
    )
}
