"""What a reader of a feature's numbers should know, and columns that look like an index."""

from __future__ import annotations

from typing import Final

from gpudrift.frames import Problem
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.profiles.verdict import MIN_VALUES

#: A KS interval as wide says little.
VAGUE: Final = 1 / 4


def index_like(column: Column, reference: Counts, current: Counts, f: int) -> str | None:
    """Why a column looks like an index: unique values, or one that grows and has left the reference's range."""
    if column.unique:
        return "holds a different value in every row"
    if not column.grows or not isinstance(column, NumericColumn):
        return None
    indices, _ = column.value_counts(reference.column(f))
    if not indices.size:  # as in a slice of the reference that has no value
        return None
    later, rows = column.value_counts(current.column(f))
    beyond = int(rows[later > indices[-1]].sum())
    return "only grows" if 2 * beyond >= int(rows.sum()) > 0 else None


def remarks_on(feature: FeatureDrift, column: Column) -> list[Problem]:
    """What a reader of a feature's numbers should know."""
    remarks: list[Problem] = []
    for side, counts in (("reference", feature.reference), ("current", feature.current)):
        rows, absent, infinite = counts.n, counts.missing, counts.infinite
        values, effective = rows - absent - infinite, counts.n_effective - counts.absent_effective
        if absent == rows:
            remarks.append(
                Problem(feature.name, f"has only missing values in the {side} data", "check where it comes from")
            )
        elif values == 0:
            remarks.append(
                Problem(
                    feature.name,
                    f"has only infinite or missing values in the {side} data",
                    "check where it comes from",
                )
            )
        elif values < MIN_VALUES:
            remarks.append(
                Problem(
                    feature.name,
                    f"has {values:,} value{'s' if values > 1 else ''} in the {side} data, too few for a verdict",
                    f"collect at least {MIN_VALUES}",
                )
            )
        elif effective < MIN_VALUES:
            what = f"has values in the {side} data that say as much as {effective:.3g} of equal weight"
            remarks.append(
                Problem(feature.name, f"{what}, too few for a verdict", "collect more, or cut the largest weights")
            )
        elif infinite:
            remarks.append(
                Problem(
                    feature.name,
                    f"has {infinite:,} infinite value{'s' if infinite > 1 else ''} in the {side} data",
                    "they are in no bin; mend or drop them",
                )
            )
    remarks += vague(feature)
    if isinstance(column, CategoricalColumn) and column.truncated:
        remarks.append(
            Problem(
                feature.name,
                f"has more categories in the reference than are kept; the {len(column.vocabulary):,} most frequent are",
                "the rest is pooled as other; group the values or drop the column",
            )
        )
    return remarks


def vague(feature: FeatureDrift) -> list[Problem]:
    """That counts cannot tell how far apart the sides are: a cell holds much of both."""
    ks, sides = feature.ks, (feature.reference, feature.current)
    few = any(side.n - side.missing - side.infinite < MIN_VALUES for side in sides)
    if ks is None or few or not ks.upper - ks.lower > VAGUE:  # NaN is not
        return []
    what = f"has a KS distance anywhere between {ks.lower:.2g} and {ks.upper:.2g}: a cell holds much of both sides"
    return [Problem(feature.name, what, "compare these rows alone, with those of the reference")]
