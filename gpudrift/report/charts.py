"""The geometry of the pictures: shares in, SVG path data and axis ticks out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpudrift.report.numerals import percent
from gpudrift.report.text import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpudrift.report.view import DensityView

WIDTH, HEIGHT = 600, 150
"""The view box of a density picture; the page stretches it, strokes keep their width."""

_HEADROOM = 6
_CUT_RATIO = 8.0
"""A spike is cut once it stands this many times above the third tallest bin (zero-inflated columns)."""
_TICK_LENGTH = 20


@dataclass(frozen=True)
class Tick:
    """One label of the horizontal axis."""

    at: str
    """Position, in percent of the width."""
    anchor: str
    """The SVG text-anchor."""
    label: str
    full: str
    minor: bool
    """Left out where the page is narrow."""


@dataclass(frozen=True)
class DensityChart:
    """Two step densities over one axis."""

    reference: str
    current: str
    ticks: tuple[Tick, ...]
    description: str
    cut: str
    """A sentence about a bin that is taller than the picture, or empty."""


@dataclass(frozen=True)
class Steps:
    """Densities of both sides over display bins placed on [0, 1]."""

    places: tuple[float, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


def density_chart(density: DensityView) -> DensityChart | None:
    """Lay out two overlaid step densities; areas are proportional to shares.

    Parameters
    ----------
    density
        k display bins: k + 1 finite edges and labels, k shares on each side.

    Returns
    -------
    DensityChart or None
        None where there is nothing to draw: no bin, no width, or a list of the wrong length.

    Examples
    --------
    >>> chart = density_chart({
    ...     "edges": [0.0, 1.0, 3.0], "labels": ["0", "1", "3"],
    ...     "reference": [0.5, 0.5], "current": [0.2, 0.8],
    ... })
    >>> chart.reference
    'M0 150V6H200V78H600V150Z'
    """
    steps = _steps(density)
    if steps is None:
        return None
    top = _top(steps)
    labels = [printable(label) for label in density["labels"]]
    return DensityChart(
        reference=_path(steps.places, steps.reference, top),
        current=_path(steps.places, steps.current, top),
        ticks=_ticks(steps.places, labels),
        description=_describe(density, steps, labels),
        cut=_cut_sentence(density, steps, labels, top),
    )


def readable_top(sizes: Sequence[float]) -> float:
    """The size that fills the picture: the largest, unless one or two giants would flatten all others.

    Examples
    --------
    >>> readable_top([0.5, 0.3, 0.2]), readable_top([0.95, 0.01, 0.01, 0.01, 0.01, 0.01])
    (0.5, 0.04)
    """
    largest = sorted(sizes, reverse=True)
    if len(largest) >= 6 and 0 < largest[2] * _CUT_RATIO < largest[0]:
        return largest[2] * _CUT_RATIO / 2
    return (largest[0] if largest else 0.0) or 1.0


def _steps(density: DensityView) -> Steps | None:
    edges, n_bins = density["edges"], len(density["reference"])
    if n_bins == 0 or not len(edges) == len(density["labels"]) == n_bins + 1 == len(density["current"]) + 1:
        return None
    if not all(math.isfinite(edge) for edge in edges):
        return None
    half_span = edges[-1] / 2 - edges[0] / 2  # halves, because the whole span may overflow
    if half_span <= 0:
        return None
    places = tuple(min(max((edge / 2 - edges[0] / 2) / half_span, 0.0), 1.0) for edge in edges)
    return Steps(places, _heights(places, density["reference"]), _heights(places, density["current"]))


def _heights(places: Sequence[float], shares: Sequence[float]) -> tuple[float, ...]:
    """Densities: share over width, 0 for a bin without a visible width or a share that is no number."""
    return tuple(
        share / (right - left) if right - left > 1e-9 and math.isfinite(share) else 0.0
        for left, right, share in zip(places, places[1:], shares, strict=False)
    )


def _top(steps: Steps) -> float:
    """The density at the top of the picture."""
    return readable_top([max(pair) for pair in zip(steps.reference, steps.current, strict=True)])


def _path(places: Sequence[float], heights: Sequence[float], top: float) -> str:
    parts = [f"M0 {HEIGHT}"]
    last_y = ""
    for right, height in zip(places[1:], heights, strict=True):
        y = _coordinate(HEIGHT - (HEIGHT - _HEADROOM) * height / top if height <= top else 0.0)
        if y != last_y:
            parts.append(f"V{y}")
            last_y = y
        elif parts[-1].startswith("H"):
            parts.pop()
        parts.append(f"H{_coordinate(WIDTH * right)}")
    return "".join((*parts, f"V{HEIGHT}Z"))


def _coordinate(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _ticks(places: Sequence[float], labels: Sequence[str]) -> tuple[Tick, ...]:
    """Up to five edges near the quarters of the axis, as far apart as their labels need."""
    longest = min(max(len(label) for label in labels), _TICK_LENGTH)
    quarters = (0.0, 0.25, 0.5, 0.75, 1.0) if longest <= 10 else (0.0, 0.5, 1.0)
    apart = 0.6 / (len(quarters) - 1)
    chosen = [0]
    for quarter in quarters[1:-1]:
        nearest = min(range(len(places)), key=lambda b: abs(places[b] - quarter))
        if places[nearest] - places[chosen[-1]] >= apart and 1.0 - places[nearest] >= apart:
            chosen.append(nearest)
    chosen.append(len(places) - 1)
    last = len(chosen) - 1
    return tuple(
        Tick(
            at=_coordinate(100 * places[b]) + "%",
            anchor="start" if position == 0 else "end" if position == last else "middle",
            label=shorten(labels[b], length=_TICK_LENGTH),
            full=labels[b],
            minor=position in (1, 3) if last == 4 else 0 < position < last and longest > 8,
        )
        for position, b in enumerate(chosen)
    )


def _describe(density: DensityView, steps: Steps, labels: Sequence[str]) -> str:
    sides = []
    for side, line, heights, shares in (
        ("reference", "solid blue", steps.reference, density["reference"]),
        ("current", "dashed orange", steps.current, density["current"]),
    ):
        b = max(range(len(heights)), key=heights.__getitem__)
        sides.append(
            f"{side} ({line}) is densest from {_brief(labels[b])} to {_brief(labels[b + 1])}"
            f" with {percent(shares[b])} of its rows"
        )
    return f"Two overlaid densities from {_brief(labels[0])} to {_brief(labels[-1])}: {'; '.join(sides)}."


def _cut_sentence(density: DensityView, steps: Steps, labels: Sequence[str], top: float) -> str:
    cut = [b for b, pair in enumerate(zip(steps.reference, steps.current, strict=True)) if max(pair) > top]
    if not cut:
        return ""
    spans = ", ".join(
        f"{_brief(labels[b])} to {_brief(labels[b + 1])} (reference {percent(density['reference'][b])},"
        f" current {percent(density['current'][b])})"
        for b in cut
    )
    return f"Cut off at the top: {spans}."


def _brief(label: str) -> str:
    return shorten(label, length=40)
