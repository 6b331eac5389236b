"""The overview: a heat map of windows and features, with a link to the report of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gpudrift.report.glossary import GLOSSARY
from gpudrift.report.numerals import integer, number, percent
from gpudrift.report.page import render
from gpudrift.report.severities import severity

if TYPE_CHECKING:
    from gpudrift.report.view import FeatureSeriesView, OverviewView, WindowView

MAX_FEATURES = 200
"""Features beyond this one are left out; the page says so."""

_LINKABLE_SCHEMES = frozenset({"", "file", "http", "https"})


@dataclass(frozen=True)
class Column:
    """One window: its heading and its verdict."""

    label: str
    href: str
    """Empty where there is nothing to open."""
    drifted: bool
    share_drifted: str
    rows: str


@dataclass(frozen=True)
class HeatCell:
    """The PSI of one feature in one window."""

    text: str
    severity: int | None
    drifted: bool


@dataclass(frozen=True)
class HeatRow:
    """One feature over all windows."""

    name: str
    counted: bool
    cells: tuple[HeatCell, ...]


def render_overview(view: OverviewView) -> str:
    """Render many windows as one HTML document: a heat map of the PSI, features down, windows across.

    Parameters
    ----------
    view
        The `href` of a window becomes a link only if it is relative or of the scheme file, http or https.

    Returns
    -------
    str
        HTML; write it as UTF-8.

    Raises
    ------
    KeyError
        The view lacks a key.
    ValueError
        A feature has another number of values or of verdicts than there are windows.

    Examples
    --------
    >>> page = render_overview({
    ...     "title": "A year", "version": "0.1.0", "created": "", "subtitle": [],
    ...     "windows": [], "features": [], "problems": [],
    ... })
    >>> page.startswith("<!doctype html>")
    True
    """
    windows = view["windows"]
    return render(
        "overview.html.j2",
        overview=view,
        columns=[_column(window) for window in windows],
        rows=[_heat_row(feature, len(windows)) for feature in view["features"][:MAX_FEATURES]],
        n_features=len(view["features"]),
        n_drifted=sum(window["dataset_drift"] for window in windows),
        glossary={key: GLOSSARY[key] for key in ("drifted", "counted", "psi")},
    )


def _column(window: WindowView) -> Column:
    return Column(
        label=window["label"],
        href=_safe_href(window["href"]),
        drifted=window["dataset_drift"],
        share_drifted=percent(window["share_drifted"]),
        rows=integer(window["n"]),
    )


def _safe_href(href: str | None) -> str:
    try:
        return href if href and urlsplit(href).scheme in _LINKABLE_SCHEMES else ""
    except ValueError:  # not a URL at all, such as "//["
        return ""


def _heat_row(feature: FeatureSeriesView, n_windows: int) -> HeatRow:
    if not len(feature["values"]) == len(feature["drifted"]) == n_windows:
        raise ValueError(
            f"feature {feature['name']!r} needs {n_windows} values and verdicts, one for each window,"
            f" got {len(feature['values'])} and {len(feature['drifted'])}"
        )
    return HeatRow(
        name=feature["name"],
        counted=feature["counted"],
        cells=tuple(
            HeatCell(number(psi), severity(psi), drifted)
            for psi, drifted in zip(feature["values"], feature["drifted"], strict=True)
        ),
    )
