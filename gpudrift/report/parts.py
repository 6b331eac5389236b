"""Windows and slices as the page shows them: a heat map, time lines, tables; bounded, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpudrift.report.numerals import integer, number
from gpudrift.report.severities import severity
from gpudrift.report.text import printable
from gpudrift.report.timelines import Strip, Tick, TimeLine, heat_strip, share_area, time_line, window_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpudrift.report.view import PartView, SlicesView, TimeLineView, WindowsView

MAX_WINDOWS = 400
"""Windows older than these are left out; the page says so."""

MAX_STRIPS = 60
"""Features of the heat map; the page says how many more there are."""

MAX_SLICES = 200

_MAX_NAMED = 3


@dataclass(frozen=True)
class Worst:
    """A feature that drifted in one window or slice."""

    name: str
    psi: str
    severity: int | None


@dataclass(frozen=True)
class Count:
    """Rows, as written and as sorted."""

    text: str
    sort: str


@dataclass(frozen=True)
class PartRow:
    """One line of the table of windows or slices."""

    label: str
    position: int
    """Its place before any sorting."""
    reference_rows: Count
    current_rows: Count
    drifted: bool
    judged: bool
    n_drifted: int
    worst: tuple[Worst, ...]


@dataclass(frozen=True)
class StripRow:
    """One feature of the heat map."""

    name: str
    counted: bool
    strip: Strip
    n_drifted: int
    largest: str
    largest_sort: float
    severity: int | None
    when: str
    """The window in which its PSI is largest."""


@dataclass(frozen=True)
class Windows:
    """The section of windows."""

    title: str
    n_windows: int
    n_drifted: int
    n_features: int
    left_out: int
    """Windows older than those drawn."""
    labels: tuple[str, ...]
    share_path: str
    most_drifted: int
    """The largest number of features that drifted in one window."""
    ticks: tuple[Tick, ...]
    strips: tuple[StripRow, ...]
    rows: tuple[PartRow, ...]
    time_lines: Mapping[str, TimeLine]


@dataclass(frozen=True)
class Slices:
    """The section of slices."""

    columns: str
    n_slices: int
    n_drifted: int
    rows: tuple[PartRow, ...]


def windows_section(view: WindowsView, drawn: Sequence[str]) -> Windows:
    """Lay out the newest windows, with a time line of each feature that is drawn.

    Raises
    ------
    ValueError
        A feature has another number of values or of verdicts than there are windows.
    """
    windows = view["windows"]
    for series in view["features"]:
        _check_length(series, len(windows))
    newest = slice(max(0, len(windows) - MAX_WINDOWS), None)
    shown = windows[newest]
    labels = tuple(printable(window["label"]) for window in shown)
    features = [_newest(series, newest) for series in view["features"]]
    most = max((len(window["drifted"]) for window in shown), default=0)
    lines = {series["name"]: time_line(series, labels) for series in features if series["name"] in set(drawn)}
    return Windows(
        title=view["title"],
        n_windows=len(windows),
        n_drifted=sum(window["dataset_drift"] for window in windows),
        n_features=len(features),
        left_out=len(windows) - len(shown),
        labels=labels,
        share_path=share_area([len(window["drifted"]) / max(most, 1) for window in shown]),
        most_drifted=most,
        ticks=window_ticks(labels),
        strips=tuple(_strip_row(series, labels) for series in features[:MAX_STRIPS]),
        rows=_part_rows(shown),
        time_lines={name: line for name, line in lines.items() if line is not None},
    )


def slices_section(view: SlicesView) -> Slices:
    """Lay out the worst slices."""
    slices = view["slices"]
    return Slices(
        columns=", ".join(printable(name) for name in view["columns"]),
        n_slices=len(slices),
        n_drifted=sum(part["dataset_drift"] for part in slices),
        rows=_part_rows(slices[:MAX_SLICES]),
    )


def _check_length(series: TimeLineView, n_windows: int) -> None:
    if not len(series["values"]) == len(series["drifted"]) == n_windows:
        raise ValueError(
            f"feature {series['name']!r} needs {n_windows} values and verdicts, one for each window,"
            f" got {len(series['values'])} and {len(series['drifted'])}"
        )


def _newest(series: TimeLineView, newest: slice) -> TimeLineView:
    return {**series, "values": series["values"][newest], "drifted": series["drifted"][newest]}


def _strip_row(series: TimeLineView, labels: Sequence[str]) -> StripRow:
    values = series["values"]
    known = {k: value for k, value in enumerate(values) if value is not None}
    at = max(known, key=known.__getitem__) if known else None
    largest = None if at is None else known[at]
    return StripRow(
        name=series["name"],
        counted=series["counted"],
        strip=heat_strip(values, series["drifted"], [severity(value) for value in values]),
        n_drifted=sum(series["drifted"]),
        largest=number(largest),
        largest_sort=largest or 0.0,
        severity=severity(largest),
        when="" if at is None else labels[at],
    )


def _part_rows(parts: Sequence[PartView]) -> tuple[PartRow, ...]:
    return tuple(
        PartRow(
            label=part["label"],
            position=position,
            reference_rows=_count(part["rows"]["reference"]),
            current_rows=_count(part["rows"]["current"]),
            drifted=part["dataset_drift"],
            judged=part["judged"],
            n_drifted=len(part["drifted"]),
            worst=tuple(
                Worst(feature["name"], number(feature["psi"]), severity(feature["psi"]))
                for feature in part["drifted"][:_MAX_NAMED]
            ),
        )
        for position, part in enumerate(parts)
    )


def _count(rows: int | None) -> Count:
    return Count(integer(rows), "" if rows is None else str(rows))
