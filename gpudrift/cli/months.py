"""What a series of monthly reports shows, against one reference: tables, sentences, the values of an overview page."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gpudrift.cli.fitting import new_table, print_fitted
from gpudrift.cli.tables import missing
from gpudrift.version import __version__

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from gpudrift import DriftReport, FeatureDrift, Problem
    from gpudrift.report import OverviewView

    Reports = Mapping[int, DriftReport]

_MOST_FEATURES: Final = 12
_FOUR_NUMBERS: Final = 50
"""Columns of a terminal from which on a name and its four numbers fit."""
_GROUP_WIDTH: Final = 28
"""Columns of the terminal that a feature's name and four numbers take, gaps apart."""


def print_psi(screen: Console, reports: Reports) -> None:
    """Features down, months across; the latest where the terminal is narrow."""
    features = dict(ranked(reports)[:_MOST_FEATURES])
    columns = {
        f"{calendar.month_abbr[month]} ": [
            f"{series[k].psi:.2f}{'*' if series[k].drifted else ' '}" for series in features.values()
        ]
        for k, month in enumerate(reports)
    }
    print_fitted(screen, list(features), columns, expendable=list(columns)[:-1])


def worst_table(reports: Reports, *, width: int, wide: bool) -> Table:
    """Months down; across, how many features drifted, and the first of each report, as many as fit up to three."""
    headings = ("PSI", "KS", "JS", "missing") if width >= _FOUR_NUMBERS else ("PSI", "missing")
    n_features = max(1, min(3, (width - 12) // (_GROUP_WIDTH + (10 if wide else 5))))
    table = new_table(wide=wide)
    table.add_column("month")
    table.add_column("drift", justify="right")
    for _ in range(n_features):
        table.add_column("feature", overflow="fold")
        for heading in headings:
            table.add_column(heading, justify="right")
    for month, report in reports.items():
        cells = []
        for feature in list(report.values())[:n_features]:
            ks = f"{feature.ks.statistic:.2f}" if feature.ks else "\N{EN DASH}"
            numbers = {
                "PSI": f"{feature.psi:.2f}",
                "KS": ks,
                "JS": f"{feature.js_distance:.2f}",
                "missing": missing(feature, wide=False),
            }
            cells += [feature.name, *(numbers[heading] for heading in headings)]
        table.add_row(calendar.month_abbr[month], str(len(report.drifted)), *cells)
    return table


def seen(reports: Reports) -> list[str]:
    """Two sentences on what the reports show."""
    temperature = {month: report["temp"] for month, report in reports.items()}
    peak = max(temperature, key=lambda month: temperature[month].psi)
    last = max(reports)
    delay = {month: report["arr_delay"] for month, report in reports.items()}
    latest = max(delay, key=lambda month: delay[month].psi)
    drifted = {name: sum(f.drifted for f in months) for name, months in ranked(reports)}
    return [
        f"The season: temperature (temp) drifted in {drifted['temp']} of {len(reports)} months, furthest in"
        f" {calendar.month_name[peak]} (PSI {temperature[peak].psi:.2f}), and is nearly back in"
        f" {calendar.month_name[last]} (PSI {temperature[last].psi:.2f}).",
        f"Delays and the schedule move with it: arr_delay drifted in {drifted['arr_delay']} months, most in"
        f" {calendar.month_name[latest]}; where flights go (dest) in {drifted['dest']}, which aircraft fly (tailnum) in"
        f" {drifted['tailnum']}.",
    ]


def overview(reports: Reports, *, title: str, links: Mapping[int, str], created: str) -> OverviewView:
    """The values behind the page that shows all months: PSI by feature and month, and a link to each month."""
    return {
        "title": title,
        "version": __version__,
        "created": created,
        "subtitle": seen(reports),
        "windows": [
            {
                "label": calendar.month_abbr[month],
                "href": links[month],
                "dataset_drift": report.dataset_drift,
                "share_drifted": report.share_drifted,
                "n": report.n_current,
            }
            for month, report in reports.items()
        ],
        "features": [
            {
                "name": name,
                "values": [feature.psi for feature in series],
                "drifted": [feature.drifted for feature in series],
                "counted": all(feature.counted for feature in series),
            }
            for name, series in ranked(reports)
        ],
        "problems": [{"feature": p.feature, "what": p.what, "remedy": p.remedy} for p in problems(reports)],
    }


def ranked(reports: Reports) -> list[tuple[str, list[FeatureDrift]]]:
    """Features with their results in every month: those that drifted in most months first, index-like ones last."""
    series = {name: [report[name] for report in reports.values()] for name in next(iter(reports.values()))}

    def rank(entry: tuple[str, list[FeatureDrift]]) -> tuple[bool, int, float]:
        _, months = entry
        return not all(f.counted for f in months), -sum(f.drifted for f in months), -sum(f.psi for f in months)

    return sorted(series.items(), key=rank)


def problems(reports: Reports) -> list[Problem]:
    """Each once, however many months have it."""
    return list(dict.fromkeys(problem for report in reports.values() for problem in report.problems))
