"""The result as plots, PNG and SVG, for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.error_rates.outcome import OWN, PEERS
from benchmarks.error_rates.shifts import SIZES
from benchmarks.error_rates.tables import size_label

#: Ink, faint ink and page of either theme.
THEMES: Final = {"light": ("#1b1f24", "#d0d7de", "#ffffff"), "dark": ("#e6edf3", "#3d444d", "#0d1117")}

#: Colour, marker and line of each rule: Okabe and Ito's, which the colour-blind tell apart, as markers do in grey.
STYLES: Final = {
    OWN[0]: ("#0072b2", "o", "-"),
    OWN[1]: ("#56b4e9", "s", "--"),
    OWN[2]: ("#56b4e9", "D", ":"),
    PEERS[0]: ("#e69f00", "^", "-"),
    PEERS[1]: ("#e69f00", "v", ":"),
    PEERS[2]: ("#009e73", "P", ":"),
    PEERS[3]: ("#009e73", "X", "-"),
    PEERS[4]: ("#d55e00", "d", "-"),
}
_POWER: Final = (OWN[0], PEERS[0], PEERS[3], PEERS[4])

Results = list[Mapping[str, Any]]


def save_figures(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write every plot in every theme and format; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for theme in THEMES:
        for name, draw in (("null", _null), ("dependence", _dependence), ("power", _power)):
            with _themed(theme):
                figure = draw(result["results"], result["alpha"])
                for suffix in ("png", "svg"):
                    path = folder / f"{name}-{theme}.{suffix}"
                    # no date and no random ids: the same result gives the same file
                    figure.savefig(path, metadata={"Date": None} if suffix == "svg" else {"Software": None})
                    written.append(path)
                plt.close(figure)
    return written


@contextmanager
def _themed(theme: str) -> Iterator[None]:
    ink, faint, page = THEMES[theme]
    settings: dict[str, Any] = dict.fromkeys(
        ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.titlecolor"), ink
    )
    settings |= dict.fromkeys(("axes.edgecolor", "grid.color"), faint)
    settings |= dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), page)
    settings |= {
        "axes.grid": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "font.size": 9,
        "legend.frameon": False,
        "lines.markersize": 4.5,
        "savefig.dpi": 90,
        "svg.hashsalt": "gpudrift",
        "svg.fonttype": "none",
    }
    with mpl.rc_context(settings):
        yield


def _null(results: Results, alpha: float) -> Figure:
    """Share of reports that alarm with nothing to find; intervals of 95 %."""
    iid = [entry for entry in results if not entry["scenario"]["shift"] and entry["scenario"]["process"] == "iid"]
    rules = (*OWN, *PEERS)
    figure, axes = plt.subplots(1, len(iid), figsize=(2.1 * len(iid) + 1.8, 3.4), sharey=True, layout="constrained")
    for axis, entry in zip(axes, iid, strict=True):
        for place, rule in enumerate(reversed(rules)):
            found = entry["rules"][rule]["alarm"]
            low, high = found["interval"]
            colour, marker, _ = STYLES[rule]
            error = [[found["rate"] - low], [high - found["rate"]]]
            axis.errorbar(found["rate"], place, xerr=error, color=colour, marker=marker, linestyle="none", capsize=2)
        axis.axvline(alpha, linestyle="--", linewidth=1, color=mpl.rcParams["text.color"])
        axis.set(xlim=(-0.04, 1.04), yticks=range(len(rules)), yticklabels=list(reversed(rules)))
        axis.set_title(f"{entry['scenario']['rows']:,} rows\n{entry['scenario']['features']} features")
    figure.suptitle(f"Reports that alarm without drift; dashed: alpha = {alpha:g}", fontsize=11)
    return figure


def _dependence(results: Results, alpha: float) -> Figure:
    """The same where rows depend on each other."""
    rules = (*OWN[:2], PEERS[0], PEERS[3], PEERS[4])
    panels: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for entry in results:
        scenario = entry["scenario"]
        if scenario["process"].endswith("AR(1)") and scenario["features"] == 8 and not scenario["shift"]:
            panels.setdefault((scenario["process"], scenario["rows"]), []).append(entry)
    figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 3.3), sharey=True, layout="constrained")
    for axis, ((process, rows), entries) in zip(axes, panels.items(), strict=True):
        for rule in rules:
            _line(axis, rule, [entry["rules"][rule]["alarm"] for entry in entries])
        axis.axhline(alpha, linestyle="--", linewidth=1, color=mpl.rcParams["text.color"])
        axis.set_xticks(range(len(entries)), [f"{entry['scenario']['phi']:g}" for entry in entries])
        axis.set(title=f"{rows:,} rows, {process}", xlabel="autocorrelation of neighbours", ylim=(-0.03, 1.03))
    figure.suptitle(f"Reports of 8 features that alarm without drift; dashed: alpha = {alpha:g}", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(rules))
    return figure


def _power(results: Results, alpha: float) -> Figure:
    """Share of reports that name the feature that moved."""
    rows = sorted({entry["scenario"]["rows"] for entry in results if entry["scenario"]["shift"]})
    figure, axes = plt.subplots(
        len(rows), len(SIZES), figsize=(2.2 * len(SIZES), 2.1 * len(rows) + 0.8), sharey=True, layout="constrained"
    )
    for line, n in zip(axes.reshape(len(rows), len(SIZES)), rows, strict=True):
        for axis, family in zip(line, SIZES, strict=True):
            entries = [e for e in results if (e["scenario"]["shift"], e["scenario"]["rows"]) == (family, n)]
            for rule in _POWER:
                _line(axis, rule, [entry["rules"][rule]["named"] for entry in entries])
            labels = [size_label(family, e["scenario"]["size"]) for e in entries]
            axis.set_xticks(range(len(entries)), labels, rotation=60, fontsize=7)
            axis.set(title=family if n == rows[0] else "", ylim=(-0.03, 1.03))
        line[0].set_ylabel(f"{n:,} rows")
    figure.suptitle("Reports that name the feature that moved", fontsize=11)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(_POWER))
    return figure


def _line(axis: Axes, rule: str, found: list[Mapping[str, Any]]) -> None:
    colour, marker, line = STYLES[rule]
    places = range(len(found))
    axis.fill_between(places, *zip(*(f["interval"] for f in found), strict=True), color=colour, alpha=0.15, linewidth=0)
    above = 3 if rule == OWN[0] else 2
    axis.plot(places, [f["rate"] for f in found], color=colour, marker=marker, linestyle=line, label=rule, zorder=above)
