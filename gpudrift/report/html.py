"""The drift report: one self-contained HTML page about one reference and one batch of current rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpudrift.report.charts import DensityChart, density_chart, readable_top
from gpudrift.report.glossary import GLOSSARY
from gpudrift.report.moves import Move, moves
from gpudrift.report.numerals import (
    before_after,
    integer,
    number,
    percent,
    points,
    probability,
    probability_from_log,
    ratio,
)
from gpudrift.report.page import render
from gpudrift.report.parts import slices_section, windows_section
from gpudrift.report.severities import severity
from gpudrift.report.text import printable, reasons_sentence

if TYPE_CHECKING:
    from gpudrift.report.view import FeatureView, KsView, ReportView

MAX_PICTURES = 200
"""Features beyond this one are in the table only."""

_MAX_OPEN = 10
_MAX_NAMED = 12
_MAX_BARS = 20
_MAX_MOVES = 6
_MAX_CATEGORIES_NAMED = 12


@dataclass(frozen=True)
class Cell:
    """One number of the table: as written, and as sorted."""

    text: str
    sort: str


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    anchor: str
    """Id of the feature's section; empty where it has none."""
    kind: str
    drifted: bool
    counted: bool
    severity: int | None
    """0 below a PSI of 0.1, 1 up to 0.25, 2 above; None where unknown."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Bar:
    """Two paired horizontal bars; widths in percent."""

    label: str
    reference_width: str
    current_width: str
    shares: str


@dataclass(frozen=True)
class MoveRow:
    """One line of the bins that moved most; the bar is placed in percent of its cell."""

    label: str
    shares: str
    change: str
    grew: bool
    bar_x: str
    bar_width: str
    psi: str


@dataclass(frozen=True)
class Statistic:
    """One value as written; its key names it in the glossary, or is the name of a user's own."""

    key: str
    value: str
    note: str = ""

    @property
    def title(self) -> str:
        """Name for people."""
        return GLOSSARY[self.key][0] if self.key in GLOSSARY else printable(self.key).replace("_", " ")


@dataclass(frozen=True)
class Section:
    """Everything below one feature's heading."""

    row: Row
    dtype: str
    open: bool
    psi: str
    why: str
    reference_rows: str
    current_rows: str
    density: DensityChart | None
    bars: tuple[Bar, ...]
    bars_left_out: int
    bars_cut: tuple[str, ...]
    """Labels of bars that are longer than the picture."""
    moves: tuple[MoveRow, ...]
    moves_left_out: str
    gone: tuple[str, ...]
    appeared: tuple[str, ...]
    unseen: str
    statistics: tuple[Statistic, ...]


def render_report(view: ReportView) -> str:
    """Render a drift report as one HTML document that needs no other file and no network.

    The same view gives the same bytes. Every name and label is escaped. The pictures are drawn for the first
    200 features; the table holds all of them. Windows are the newest 400, slices the worst 200.

    Parameters
    ----------
    view
        Plain dictionaries, lists, texts and numbers; the features come worst first.

    Returns
    -------
    str
        HTML; write it as UTF-8.

    Raises
    ------
    KeyError
        The view lacks a key.

    Examples
    --------
    >>> page = render_report({
    ...     "title": "March", "version": "0.1.0", "backend": "cpu", "created": "", "settings": "",
    ...     "rows": {"reference": 100, "current": 90}, "dataset_drift": False, "share_drifted": 0.0,
    ...     "alpha": 0.05, "correction": "none", "features": [], "windows": None, "slices": None, "problems": [],
    ... })
    >>> page.startswith("<!doctype html>")
    True
    """
    features = view["features"]
    rows = [_row(feature, position) for position, feature in enumerate(features)]
    pairs = list(zip(features, rows, strict=True))[:MAX_PICTURES]
    n_open = max(1, min(_MAX_OPEN, sum(row.drifted for _, row in pairs)))
    drifted = [row for row in rows if row.drifted and row.counted]
    windows, slices = view["windows"], view["slices"]
    return render(
        "report.html.j2",
        report=view,
        rows=rows,
        sections=[_section(feature, row, is_open=i < n_open) for i, (feature, row) in enumerate(pairs)],
        n_counted=sum(feature["counted"] and feature["p_value"] is not None for feature in features),
        n_drifted=len(drifted),
        worst=drifted[:_MAX_NAMED],
        windows=windows_section(windows, [row.name for _, row in pairs]) if windows is not None else None,
        slices=slices_section(slices) if slices is not None else None,
        anchors={row.name: row.anchor for row in rows if row.anchor},
        glossary=GLOSSARY,
    )


def _row(feature: FeatureView, position: int) -> Row:
    ks = feature["ks"]
    return Row(
        name=feature["name"],
        anchor=f"f{position + 1}" if position < MAX_PICTURES else "",
        kind=feature["kind"],
        drifted=feature["drifted"],
        counted=feature["counted"],
        severity=severity(feature["psi"]),
        cells=(
            _cell(feature["psi"]),
            _cell(ks["statistic"] if ks else None),
            _cell(feature["js_distance"]),
            _cell(feature["wasserstein"]),
            _cell(feature["hellinger"]),
            _cell(feature["cramers_v"]),
            Cell(probability(feature["p_value"]), _sort_key(feature["p_value"])),
            Cell(_missing(feature), _sort_key(ratio(feature["missing"]["current"], feature["n"]["current"]))),
            Cell(integer(feature["new"]), _sort_key(feature["new"])),
        ),
    )


def _missing(feature: FeatureView) -> str:
    n, missing = feature["n"], feature["missing"]
    return before_after(
        percent(ratio(missing["reference"], n["reference"])), percent(ratio(missing["current"], n["current"]))
    )


def _cell(value: float | None) -> Cell:
    return Cell(number(value), _sort_key(value))


def _sort_key(value: float | None) -> str:
    """What the page's script reads as a number; empty where unknown."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:.6g}".replace("inf", "Infinity")


def _section(feature: FeatureView, row: Row, *, is_open: bool) -> Section:
    bins = moves(feature)
    categorical = feature["kind"] == "categorical"
    density = feature["density"]
    chart = density_chart(density) if density is not None else None
    ordered = sorted(bins, key=_size, reverse=True)[:_MAX_BARS] if categorical else bins
    return Section(
        row=row,
        dtype=feature["dtype"],
        open=is_open,
        psi=number(feature["psi"]),
        why=reasons_sentence(feature["reasons"]),
        reference_rows=integer(feature["n"]["reference"]),
        current_rows=integer(feature["n"]["current"]),
        density=chart,
        bars=() if chart else _bars(ordered),
        bars_left_out=0 if chart else len(bins) - len(ordered),
        bars_cut=() if chart else tuple(move.label for move in ordered if _size(move) > _longest(ordered)),
        moves=_move_rows(bins),
        moves_left_out=_moves_left_out(bins),
        gone=_categories(bins, present="reference") if categorical else (),
        appeared=_categories(bins, present="current") if categorical else (),
        unseen=integer(feature["new"]) if feature["new"] else "",
        statistics=_statistics(feature),
    )


def _size(move: Move) -> float:
    return max(move.reference_share, move.current_share)


def _longest(bins: list[Move]) -> float:
    return readable_top([_size(move) for move in bins])


def _bars(bins: list[Move]) -> tuple[Bar, ...]:
    longest = _longest(bins)
    return tuple(
        Bar(
            label=move.label,
            reference_width=_percent_of(min(move.reference_share, longest), longest),
            current_width=_percent_of(min(move.current_share, longest), longest),
            shares=before_after(percent(move.reference_share), percent(move.current_share)),
        )
        for move in bins
    )


def _move_rows(bins: list[Move]) -> tuple[MoveRow, ...]:
    most = _by_psi(bins)[:_MAX_MOVES]
    longest = max((abs(move.change) for move in most), default=0.0) or 1.0
    rows = []
    for move in most:
        length = 50 * abs(move.change) / longest
        rows.append(
            MoveRow(
                label=move.label,
                shares=before_after(percent(move.reference_share), percent(move.current_share)),
                change=points(move.change),
                grew=move.change > 0,
                bar_x=_percent_of(50.0 if move.change > 0 else 50.0 - length, 100.0),
                bar_width=_percent_of(length, 100.0),
                psi=number(move.psi),
            )
        )
    return tuple(rows)


def _moves_left_out(bins: list[Move]) -> str:
    rest = _by_psi(bins)[_MAX_MOVES:]
    if not rest:
        return ""
    others = "other bin adds" if len(rest) == 1 else f"other {len(rest)} bins add"
    return f"The {others} {number(sum(move.psi for move in rest))}."


def _by_psi(bins: list[Move]) -> list[Move]:
    return sorted(bins, key=lambda move: move.psi, reverse=True)


def _categories(bins: list[Move], *, present: str) -> tuple[str, ...]:
    """Labels of categories that only one side has, the most frequent first."""
    if present == "reference":
        only = [move for move in bins if move.reference and not move.current]
    else:
        only = [move for move in bins if move.current and not move.reference]
    only.sort(key=_size, reverse=True)
    named = [move.label for move in only[:_MAX_CATEGORIES_NAMED]]
    return (*named, f"and {len(only) - len(named)} more") if len(only) > len(named) else tuple(named)


def _statistics(feature: FeatureView) -> tuple[Statistic, ...]:
    numeric = feature["kind"] == "numeric"
    missing = feature["missing"]
    k, ks = feature["psi_bins"], feature["ks"]
    found = [Statistic("psi", number(feature["psi"]), f"{k} bin{'' if k == 1 else 's'}" if k else "")]
    if ks is not None:
        found.append(Statistic("ks", number(ks["statistic"]), _ks_note(ks)))
        found.append(Statistic("ks_p", probability_from_log(ks["log_pvalue"])))
    found.append(Statistic("js_distance", number(feature["js_distance"])))
    found.append(Statistic("hellinger", number(feature["hellinger"])))
    if numeric:
        found.append(Statistic("wasserstein", number(feature["wasserstein"])))
    else:
        found.append(Statistic("cramers_v", number(feature["cramers_v"])))
    found.append(Statistic("p_value", probability(feature["p_value"])))
    missing_rows = before_after(integer(missing["reference"]), integer(missing["current"]))
    found.append(Statistic("missing", _missing(feature), f"{missing_rows} rows"))
    if not numeric:
        found.append(Statistic("new", integer(feature["new"])))
    shown = {*(statistic.key for statistic in found), "missing_rate"}
    more = [(name, value) for name, value in feature["statistics"].items() if name not in shown]
    found += [Statistic(name, number(value), _interval_note(feature, name)) for name, value in more]
    return tuple(found)


def _interval_note(feature: FeatureView, name: str) -> str:
    """The ends of its interval, where they read differently from each other."""
    ends = feature["intervals"].get(name)
    if ends is None or None in ends:
        return ""
    lower, upper = map(number, ends)
    return "" if lower == upper else f"{lower} to {upper}"


def _ks_note(ks: KsView) -> str:
    if ks["exact"]:
        return "exact"
    if ks["lower"] is None or ks["upper"] is None:
        return ""
    return f"{ks['lower']:.4f} to {ks['upper']:.4f}"


def _percent_of(value: float, whole: float) -> str:
    return f"{100 * value / whole:.1f}".removesuffix(".0") + "%"
