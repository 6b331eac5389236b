"""The statistics for people: a table where it fits, else a few lines for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from gpudrift.cli.consoles import line, visible
from gpudrift.cli.fitting import is_wide, new_table

if TYPE_CHECKING:
    from rich.console import Console

    from gpudrift.stats import Statistic

_LETTERS: Final = (
    "p, F: shares and distribution function of the reference; q, G: of the current data; "
    "c, n: rows of a bin, and of all k bins"
)
_LEAST_FORMULA: Final = 32
"""Columns that a formula needs to be read; with fewer there is no table."""


def print_statistics(screen: Console, statistics: Sequence[Statistic]) -> None:
    """One row for each, formulas wrapped; on a terminal too narrow for that, a block for each."""
    rows = [(visible(s.name), _kinds(s), _threshold(s), visible(s.formula), visible(s.source)) for s in statistics]
    headings = ("name", "kind", "threshold", "formula", "source")
    widths = [max(len(row[k]) for row in (headings, *rows)) for k in range(len(headings))]
    if not is_wide(screen) or sum(widths) - widths[3] + 2 * len(widths) + _LEAST_FORMULA > screen.width:
        for statistic, (name, kind, threshold, formula, source) in zip(statistics, rows, strict=True):
            reach = "no threshold" if statistic.threshold is None else f"threshold {threshold}"
            line(screen, Text.assemble((name, "bold"), f"  {visible(statistic.title)} ({kind}; {reach})"))
            line(screen, f"  {formula}")
            line(screen, f"  {source}", "dim")
        line(screen, _LETTERS)
        return
    table = new_table(wide=True)
    for heading in headings:
        right = heading == "threshold"
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "formula")
    for name, *cells in rows:
        table.add_row(Text(name, "bold"), *map(Text, cells))
    screen.print(table)
    line(screen, _LETTERS)


def entry(statistic: Statistic) -> dict[str, Any]:
    """A statistic as plain values; a bound that is infinite is None."""
    return {
        "title": statistic.title,
        "kinds": list(statistic.kinds),
        "threshold": statistic.threshold,
        "severe": statistic.severe,
        "range": [end if math.isfinite(end) else None for end in statistic.bounds],
        "formula": statistic.formula,
        "source": statistic.source,
        "own": statistic.own,
    }


def _kinds(statistic: Statistic) -> str:
    return statistic.kinds[0] if len(statistic.kinds) == 1 else "both"


def _threshold(statistic: Statistic) -> str:
    return "\N{EN DASH}" if statistic.threshold is None else f"{statistic.threshold:g}"
