"""Plots of a run, as PNG and SVG, for light and for dark pages. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.harness import SUM
from benchmarks.report import Row, ratio, rows

THEMES: Final = {
    "light": {"text": "#1f2328", "page": "#ffffff", "grid": "#d1d9e0", "ours": "#0969da", "others": "#8c959f"},
    "dark": {"text": "#e6edf3", "page": "#0d1117", "grid": "#3d444d", "ours": "#4493f8", "others": "#6e7681"},
}
LINES: Final = {"gpudrift": "o", "NumPy, its fastest way": "s", SUM: "^"}


def draw(run: dict[str, Any], folder: Path) -> None:
    """``ratios`` and ``scaling`` in both themes and both formats, as far as they were measured."""
    folder.mkdir(exist_ok=True)
    pictures = {"ratios": (_ratios, chosen(run)), "scaling": (_scaling, of_scaling(run))}
    for theme, colours in THEMES.items():
        with plt.rc_context(_style(colours)):
            for name, (picture, measured) in pictures.items():
                if not measured:
                    continue
                figure = picture(measured, colours)
                figure.savefig(folder / f"{name}-{theme}.png", dpi=110)
                figure.savefig(folder / f"{name}-{theme}.svg", metadata={"Date": None})
                plt.close(figure)


def _style(colours: dict[str, str]) -> dict[str, Any]:
    text, page = colours["text"], colours["page"]
    return {
        "figure.facecolor": page, "axes.facecolor": page, "savefig.facecolor": page, "text.color": text,
        "axes.labelcolor": text, "xtick.color": text, "ytick.color": text, "axes.edgecolor": colours["grid"],
        "grid.color": colours["grid"], "axes.spines.top": False, "axes.spines.right": False, "font.size": 9,
        "svg.hashsalt": "gpudrift", "figure.constrained_layout.use": True,
    }  # fmt: skip


def chosen(run: dict[str, Any]) -> list[Row]:
    """Rows that have ratios, the first two of each question and kind of work."""
    kept: dict[tuple[str, str], list[Row]] = {}
    for row in rows(run):
        if row.question != "scaling" and any("ratio" in found for found in row.beside.values()):
            kept.setdefault((row.question, row.ours), []).append(row)
    return [row for group in kept.values() for row in group[:2]]


def of_scaling(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Cases that ask for the time of a value."""
    return [result for result in run["results"] if result["question"] == "scaling"]


def _ratios(measured: list[Row], colours: dict[str, str]) -> Any:
    """One bar a contender: how many times as long as gpudrift it takes."""
    bars: list[tuple[str, float | None]] = []
    for row in measured:
        bars.append((f"{row.what}", None))
        bars += [(name, found["ratio"]) for name, found in row.beside.items() if "ratio" in found]
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.19 * len(bars)))
    for y, (name, value) in enumerate(bars):
        if value is None:
            axes.text(-0.01, y, name, transform=axes.get_yaxis_transform(), ha="right", va="center", weight="bold")
            continue
        axes.barh(y, value - 1, left=1, color=colours["ours" if value >= 1 else "others"], height=0.7)
        axes.text(-0.01, y, name, transform=axes.get_yaxis_transform(), ha="right", va="center")
        axes.annotate(
            ratio(value), (value, y), (3 if value >= 1 else -3, 0), textcoords="offset points",
            ha="left" if value >= 1 else "right", va="center",
        )  # fmt: skip
    axes.set(xscale="log", ylim=(len(bars) - 0.5, -0.5), yticks=[], xlabel="times as long as gpudrift (log scale)")
    axes.axvline(1, color=colours["text"], linewidth=1)
    axes.grid(axis="x", alpha=0.5)
    axes.set_axisbelow(True)
    axes.margins(x=0.1)
    return figure


def _scaling(results: list[dict[str, Any]], colours: dict[str, str]) -> Any:
    """Nanoseconds a value, by rows of one feature and by features of as many rows each."""
    figure, panels = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    most_features = max(result["case"]["features"] for result in results)
    rows_of_wide = next(r["case"]["rows"] for r in results if r["case"]["features"] == most_features)
    for axes, by, kept in (
        (panels[0], "rows", [r for r in results if r["case"]["features"] == 1]),
        (panels[1], "features", [r for r in results if r["case"]["rows"] == rows_of_wide]),
    ):
        for name, marker in LINES.items():
            points = sorted(
                (
                    r["case"][by],
                    r["contenders"][name]["median_s"] * 1e9 / (2 * r["case"]["rows"] * r["case"]["features"]),
                )
                for r in kept
                if "median_s" in r["contenders"].get(name, {})
            )
            colour = colours["ours" if name == "gpudrift" else "others"]
            axes.plot(*(zip(*points, strict=True) if points else ([], [])), marker=marker, color=colour, label=name)
        axes.set(xscale="log", yscale="log", xlabel=by if by == "rows" else f"features of {rows_of_wide:,} rows")
        axes.grid(alpha=0.5)
    panels[0].set_ylabel("ns a value")
    panels[1].legend(frameon=False)
    return figure
