"""The geometry of pictures over time: one value a window in, SVG path data and axis ticks out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpudrift.report.charts import readable_top
from gpudrift.report.numerals import number
from gpudrift.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpudrift.report.view import TimeLineView

WIDTH, HEIGHT = 600, 100
"""The view box of a time line; the page stretches it, strokes keep their width."""

STRIP_HEIGHT = 12
"""The view box of a strip is this high and as wide as there are windows; its lowest quarter holds the marks."""

_CELL_TOPS = (5.0, 2.5, 0.0)
"""Cells of each severity, the higher the worse: the map reads without its colours."""
_CELL_BOTTOM, _MARK_TOP = 8.0, 9.5
_HEADROOM = 6
_MOST_CUT = 3


@dataclass(frozen=True)
class Tick:
    """A window named below the axis."""

    at: str
    """Position, in percent of the width."""
    anchor: str
    """The SVG text-anchor."""
    label: str


@dataclass(frozen=True)
class Strip:
    """One feature's row of a heat map: a cell for each window, a mark below those that drifted."""

    levels: tuple[str, str, str]
    """Path of the cells of each severity."""
    marks: str
    values: str
    """What the page's script reads: a PSI for each window, ``*`` behind it where the feature drifted."""


@dataclass(frozen=True)
class TimeLine:
    """The PSI of one feature in every window, as steps."""

    path: str
    threshold_y: str
    """Where the threshold lies; empty without one, or where it is above the picture."""
    marks: str
    top: str
    """The PSI at the height of the upper grid line."""
    ticks: tuple[Tick, ...]
    description: str
    cut: str
    """A sentence about windows that are taller than the picture, or empty."""


def heat_strip(values: Sequence[float | None], drifted: Sequence[bool], levels: Sequence[int | None]) -> Strip:
    """Lay out a row of a heat map; neighbours of one severity share a rectangle.

    Parameters
    ----------
    values, drifted, levels
        One each for every window: the PSI, the verdict, the severity 0 to 2; None where unknown, which stays empty.

    Examples
    --------
    >>> strip = heat_strip([0.01, 0.3, 0.4, None], [False, True, True, False], [0, 2, 2, None])
    >>> strip.levels, strip.marks, strip.values
    (('M0 5H1V8H0Z', '', 'M1 0H3V8H1Z'), 'M1 9.5H3V12H1Z', '0.0100 0.300* 0.400* –')
    """
    zero, one, two = (
        _rectangles(_runs(level == wanted for level in levels), top=top, bottom=_CELL_BOTTOM)
        for wanted, top in enumerate(_CELL_TOPS)
    )
    return Strip(
        levels=(zero, one, two),
        marks=_rectangles(_runs(drifted), top=_MARK_TOP, bottom=STRIP_HEIGHT),
        values=" ".join(number(value) + "*" * mark for value, mark in zip(values, drifted, strict=True)),
    )


def time_line(series: TimeLineView, labels: Sequence[str]) -> TimeLine | None:
    """Lay out the PSI of one feature over its windows; None where no window has one.

    Examples
    --------
    >>> line = time_line({
    ...     "name": "x", "values": [0.1, 0.2, 0.4], "drifted": [False, False, True], "counted": True, "threshold": 0.1,
    ... }, ["May", "June", "July"])
    >>> line.path, line.marks
    ('M0 76.5H200V53H400V6H600', 'M400 0H600V4H400Z')
    """
    values = [value if value is not None and math.isfinite(value) else None for value in series["values"]]
    known = {k: value for k, value in enumerate(values) if value is not None}
    if not known:
        return None
    threshold = series["threshold"]
    top = max(readable_top(list(known.values())), 2 * threshold if threshold else 0.0)
    step = WIDTH / len(values)
    return TimeLine(
        path=_steps(values, step, top),
        threshold_y=_coordinate(_y(threshold, top)) if threshold is not None else "",
        marks=_rectangles(_runs(series["drifted"]), top=0, bottom=4, step=step),
        top=number(top),
        ticks=window_ticks(labels),
        description=_describe(series, known, labels),
        cut=_cut_sentence({k: value for k, value in known.items() if value > top}, labels),
    )


def share_area(shares: Sequence[float]) -> str:
    """Path of a step area over as many units as there are shares, 0 to 1, in a height of 30.

    Examples
    --------
    >>> share_area([0.5, 1.0])
    'M0 30V15H1V0H2V30Z'
    """
    parts = ["M0 30"]
    for right, share in enumerate(shares, start=1):
        parts.append(f"V{_coordinate(30 * (1 - share))}H{right}")
    return "".join((*parts, "V30Z"))


def window_ticks(labels: Sequence[str]) -> tuple[Tick, ...]:
    """The first window, the last, and one in the middle where there are five or more.

    Examples
    --------
    >>> [(tick.at, tick.label) for tick in window_ticks(["a", "b", "c", "d", "e"])]
    [('0%', 'a'), ('50%', 'c'), ('100%', 'e')]
    """
    n = len(labels)
    each = ((0, "start", 1), ((n - 1) // 2, "middle", 5), (n - 1, "end", 2))
    chosen = [(k, anchor) for k, anchor, least in each if n >= least]
    places = {"start": 0.0, "middle": ((n - 1) // 2 + 0.5) / max(n, 1), "end": 1.0}
    return tuple(Tick(_coordinate(100 * places[anchor]) + "%", anchor, printable(labels[k])) for k, anchor in chosen)


def _runs(flags: Iterable[bool]) -> list[tuple[int, int]]:
    """First and behind the last of every run of true ones."""
    runs: list[tuple[int, int]] = []
    for k, flag in enumerate(flags):
        if flag and runs and runs[-1][1] == k:
            runs[-1] = runs[-1][0], k + 1
        elif flag:
            runs.append((k, k + 1))
    return runs


def _rectangles(runs: Sequence[tuple[int, int]], *, top: float, bottom: float, step: float = 1.0) -> str:
    y, to = _coordinate(top), _coordinate(bottom)
    edges = [(_coordinate(first * step), _coordinate(last * step)) for first, last in runs]
    return "".join(f"M{left} {y}H{right}V{to}H{left}Z" for left, right in edges)


def _steps(values: Sequence[float | None], step: float, top: float) -> str:
    """A line of steps, broken where there is no value."""
    parts: list[str] = []
    drawn = ""
    for k, value in enumerate(values):
        if value is None:
            drawn = ""
            continue
        y, right = _coordinate(_y(value, top)), _coordinate((k + 1) * step)
        if not drawn:
            parts += [f"M{_coordinate(k * step)} {y}", f"H{right}"]
        elif y == drawn:
            parts[-1] = f"H{right}"
        else:
            parts += [f"V{y}", f"H{right}"]
        drawn = y
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return HEIGHT - (HEIGHT - _HEADROOM) * value / top if value <= top else 0.0


def _describe(series: TimeLineView, known: dict[int, float], labels: Sequence[str]) -> str:
    largest, newest = max(known, key=known.__getitem__), max(known)
    n, n_drifted = len(labels), sum(series["drifted"])
    span = f"PSI over {n:,} windows from {labels[0]} to {labels[-1]}" if n > 1 else f"PSI in the window {labels[0]}"
    threshold = "" if series["threshold"] is None else f" The dashed line is the threshold {series['threshold']:g}."
    return printable(
        f"{span}: largest {number(known[largest])} in {labels[largest]}, newest {number(known[newest])};"
        f" drifted in {n_drifted:,} of {n:,}.{threshold}"
    )


def _cut_sentence(cut: dict[int, float], labels: Sequence[str]) -> str:
    if not cut:
        return ""
    largest = sorted(cut, key=cut.__getitem__, reverse=True)[:_MOST_CUT]
    named = ", ".join(f"{labels[k]} ({number(cut[k])})" for k in largest)
    return printable(f"Cut off at the top: {named}{', ...' if len(cut) > len(largest) else ''}.")


def _coordinate(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
