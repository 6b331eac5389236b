"""A drift report for people at a terminal: a table worst first, the problems, one line of verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from gpudrift.cli.consoles import line
from gpudrift.report.numerals import before_after, number, percent, probability
from gpudrift.report.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from gpudrift import KS, DriftReport, FeatureDrift, Problem

_MOST_FEATURES: Final = 100
_MOST_PROBLEMS: Final = 20
_WIDE: Final = 100
"""Columns of a terminal from which on tables need not be dense."""
_SHOWN_WIDTH: Final = 1e-4
"""Width of a KS interval that is worth its place in the table."""


def print_report(screen: Console, report: DriftReport) -> None:
    """Print the table, the problems and the verdict."""
    screen.print(drift_table(report, wide=is_wide(screen)))
    if len(report) > _MOST_FEATURES:
        line(screen, f"{len(report) - _MOST_FEATURES:,} more features: --json and --html hold all of them", "dim")
    print_problems(screen, report.problems)
    line(screen, verdict(report), "bold red" if report.dataset_drift else "bold")


def drift_table(report: DriftReport, *, wide: bool) -> Table:
    """One row a feature, worst first; names are folded, never cut."""
    table = new_table(wide=wide)
    table.add_column("feature", overflow="fold")
    table.add_column("kind")
    table.add_column("drift")
    for heading in ("PSI", "KS", "JS", "W1 | V", "p", "missing"):
        table.add_column(heading, justify="right")
    for feature in list(report.values())[:_MOST_FEATURES]:
        table.add_row(
            printable(feature.name),
            feature.kind if wide else feature.kind[:3],
            _drifted(feature),
            number(feature.psi),
            _ks(feature.ks),
            number(feature.js_distance),
            number(feature.cramers_v if feature.wasserstein is None else feature.wasserstein),
            probability(feature.p_value),
            missing(feature, wide=wide),
        )
    return table


def is_wide(screen: Console) -> bool:
    """Whether tables need not be dense."""
    return screen.width >= _WIDE


def new_table(*, wide: bool) -> Table:
    """An empty table in the look that all of ours have; columns stand two apart where it is wide, else one."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1 if wide else 0, 0, 0), show_edge=False)


def missing(feature: FeatureDrift, *, wide: bool) -> str:
    """Share of rows without a value, reference to current, once where they read alike; dense in whole percents."""
    shares = feature.missing_rate_reference, feature.missing_rate_current
    reference, current = (percent(share) if wide else f"{share:.0%}" for share in shares)
    if reference == current:
        return reference
    return before_after(reference, current) if wide else f"{reference[:-1]}\N{RIGHTWARDS ARROW}{current}"


def print_problems(screen: Console, problems: Sequence[Problem]) -> None:
    """One line each."""
    for problem in problems[:_MOST_PROBLEMS]:
        line(screen, Text.assemble(("problem: ", "yellow"), printable(str(problem))))
    if len(problems) > _MOST_PROBLEMS:
        line(screen, f"{len(problems) - _MOST_PROBLEMS:,} more problems: --json and --html hold all of them", "dim")


def verdict(report: DriftReport) -> str:
    """The answer in one line."""
    n_judged = sum(f.counted and not math.isnan(f.log_p_value) for f in report.values())
    rows = f"({report.n_reference:,} reference rows, {report.n_current:,} current rows)"
    if not n_judged:
        return f"no verdict: no feature that counts has enough values on both sides {rows}"
    features = f"{len(report.drifted):,} of {n_judged:,} feature{'s' if n_judged > 1 else ''} drifted"
    if report.drifted and not report.dataset_drift:
        features += f", fewer than a share of {report.settings.drift_share:g}"
    return f"{'drift' if report.dataset_drift else 'no drift'}: {features} {rows}"


def _drifted(feature: FeatureDrift) -> Text:
    if not feature.counted:
        return Text("\N{EN DASH}", "dim")
    return Text("yes", "bold red") if feature.drifted else Text("no")


def _ks(ks: KS | None) -> str:
    if ks is None:
        return number(None)
    lower, upper = number(ks.lower), number(ks.upper)
    return f"{lower}\N{EN DASH}{upper}" if ks.width > _SHOWN_WIDTH and lower != upper else number(ks.statistic)
