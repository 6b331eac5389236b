"""A drift report for people at a terminal: a table worst first, the problems, one line of verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from gpudrift.cli.consoles import line, visible
from gpudrift.cli.fitting import is_wide, print_fitted
from gpudrift.cli.sections import print_slices, print_windows
from gpudrift.report.numerals import before_after, number, percent, probability

if TYPE_CHECKING:
    from rich.console import Console

    from gpudrift import KS, DriftReport, FeatureDrift, Problem

_MOST_FEATURES: Final = 100
_MOST_PROBLEMS: Final = 20
_SHOWN_WIDTH: Final = 1e-4
"""Width of a KS interval that is worth its place in the table."""


def print_report(screen: Console, report: DriftReport) -> None:
    """Print the table, windows and slices where there are any, the problems and the verdict."""
    _print_table(screen, list(report.values())[:_MOST_FEATURES])
    if len(report) > _MOST_FEATURES:
        line(screen, f"{len(report) - _MOST_FEATURES:,} more features: --json and --html hold all of them", "dim")
    print_windows(screen, report)
    print_slices(screen, report)
    if report.windows is not None or report.slices is not None:
        line(screen, "")
    print_problems(screen, report.problems)
    line(screen, verdict(report), "bold red" if report.dataset_drift else "bold")


def _print_table(screen: Console, features: Sequence[FeatureDrift]) -> None:
    """One row a feature."""
    wide = is_wide(screen)
    columns: dict[str, list[str | Text]] = {
        "kind": [f.kind if wide else f.kind[:3] for f in features],
        "drift": [_drifted(f) for f in features],
        "PSI": [number(f.psi) for f in features],
        "KS": [_ks(f.ks) for f in features],
        "JS": [number(f.js_distance) for f in features],
        "W1 | V": [number(f.cramers_v if f.wasserstein is None else f.wasserstein) for f in features],
        "p": [probability(f.p_value) for f in features],
        "missing": [missing(f, wide=wide) for f in features],
    }
    expendable = ("kind", "JS", "W1 | V", "KS", "missing", "p")
    print_fitted(screen, [f.name for f in features], columns, expendable=expendable, left=("kind", "drift"))


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
        line(screen, Text.assemble(("problem: ", "yellow"), visible(str(problem))))
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
    if not feature.counted or math.isnan(feature.log_p_value):  # it had no say in the verdict
        return Text("\N{EN DASH}", "dim")
    return Text("yes", "bold red") if feature.drifted else Text("no")


def _ks(ks: KS | None) -> str:
    if ks is None:
        return number(None)
    lower, upper = number(ks.lower), number(ks.upper)
    return f"{lower}\N{EN DASH}{upper}" if ks.width > _SHOWN_WIDTH and lower != upper else number(ks.statistic)
