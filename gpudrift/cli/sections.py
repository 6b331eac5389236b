"""Windows and slices of a report for people at a terminal: a line each, and one that sums them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.text import Text

from gpudrift.cli.consoles import line, visible
from gpudrift.cli.fitting import is_wide, print_fitted
from gpudrift.monitor.slices import slice_name
from gpudrift.period import Period
from gpudrift.report.moments import moment_labels
from gpudrift.report.numerals import number
from gpudrift.report.text import shorten

if TYPE_CHECKING:
    from rich.console import Console

    from gpudrift import DriftReport

_MOST_WINDOWS: Final = 40
_MOST_SLICES: Final = 30
_MOST_NAMED: Final = 3
_LONGEST_NAME: Final = 24
_LEAST_ROOM: Final = 14
"""Columns that the worst features get, however narrow the terminal."""


def print_windows(screen: Console, report: DriftReport) -> None:
    """The windows in time order; where they are many, those that drifted, the newest of them."""
    windows, settings = report.windows, report.settings
    if windows is None:
        return
    entries = windows.to_list()
    n_drifted = sum(entry["dataset_drift"] for entry in entries)
    against = "the one before" if settings.against == "previous" else "the reference"
    length = Period.parse(settings.window) if settings.window else ""
    title = f"windows of {length}{', expanding' if settings.expanding else ''}, against {against}"
    line(screen, f"\n{title}: {n_drifted:,} of {len(entries):,} drifted", "bold")
    moments = moment_labels([end if settings.expanding else start for start, end in windows])
    shown = list(range(len(entries)))
    if len(entries) > _MOST_WINDOWS:
        shown = [k for k in shown if entries[k]["dataset_drift"]][-_MOST_WINDOWS:]
    by_row = settings.time is None
    heading = ("to" if settings.expanding else "from") + (" row" if by_row else "")
    _print_sections(screen, [moments[k] for k in shown], [entries[k] for k in shown], of=heading)
    if len(shown) < len(entries):
        more = n_drifted - sum(entries[k]["dataset_drift"] for k in shown)
        drifted = f", {more:,} of them drifted," if more else ", none of which drifted,"
        line(screen, f"{len(entries) - len(shown):,} more windows{drifted} are in --json and --html", "dim")


def print_slices(screen: Console, report: DriftReport) -> None:
    """The slices, worst first."""
    if report.slices is None:
        return
    entries = report.slices.to_list()
    n_drifted = sum(entry["dataset_drift"] for entry in entries)
    columns = ", ".join(visible(name) for name in report.settings.slices)
    title = f"slices by {columns}, against the same of the reference"
    line(screen, f"\n{title}: {n_drifted:,} of {len(entries):,} drifted", "bold")
    names = [slice_name(tuple(entry["slice"].values())) for entry in entries]
    _print_sections(screen, names[:_MOST_SLICES], entries[:_MOST_SLICES], of="slice")
    if len(entries) > _MOST_SLICES:
        line(screen, f"{len(entries) - _MOST_SLICES:,} more slices: --json and --html hold all of them", "dim")


def _print_sections(screen: Console, names: Sequence[str], entries: Sequence[Mapping[str, Any]], *, of: str) -> None:
    """One row a section; the features that drifted in it by falling PSI, as many as fit."""
    if not entries:
        return
    columns: dict[str, list[str | Text]] = {
        "rows": [f"{entry['rows']['current']:,}" for entry in entries],
        "drift": [_drift(entry) for entry in entries],
    }
    gap = 2 if is_wide(screen) else 1
    taken = sum(gap + max(cell_len(str(cell)) for cell in (heading, *cells)) for heading, cells in columns.items())
    longest = max(cell_len(visible(name)) for name in (of, *names))
    columns["worst by PSI"] = [
        _worst(entry, room=max(screen.width - taken - longest - gap, _LEAST_ROOM)) for entry in entries
    ]
    print_fitted(screen, names, columns, expendable=("rows", "drift"), left=("drift", list(columns)[-1]), of=of)


def _drift(entry: Mapping[str, Any]) -> Text:
    if all(feature["p_value"] is None for feature in entry["features"].values()):  # nothing had a say
        return Text("\N{EN DASH}", "dim")
    return Text("yes", "bold red") if entry["dataset_drift"] else Text("no")


def _worst(entry: Mapping[str, Any], *, room: int) -> str:
    drifted = {name: feature["psi"] for name, feature in entry["features"].items() if feature["drifted"]}
    ranked = sorted(drifted, key=lambda name: -(drifted[name] or 0.0))
    if not ranked:
        return "\N{EN DASH}"
    words = [f"{shorten(visible(name), length=_LONGEST_NAME)} {number(drifted[name])}" for name in ranked]
    for n in range(min(len(words), _MOST_NAMED), 0, -1):
        rest = f", +{len(words) - n}" if n < len(words) else ""
        text = ", ".join(words[:n]) + rest
        if cell_len(text) <= room:
            return text
    return shorten(words[0], length=max(room - cell_len(rest), 1)) + rest
