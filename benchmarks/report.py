"""Tables and plots from the JSON of a run: ``python -m benchmarks.report [RESULTS]``, the newest by default.

The tables go between the markers of README.md and benchmarks/README.md, the plots into benchmarks/plots.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.workers import ROOT

RESULTS: Final = Path(__file__).parent / "results"
BEGIN: Final = "<!-- benchmarks: made by make bench-report -->"
END: Final = "<!-- benchmarks: end -->"
TITLES: Final = {
    "drift": "PSI + KS + JS",
    "exact_ks": "PSI + exact KS + JS",
    "counting": "a batch counted",
    "categorical": "one column of texts",
    "parquet": "from Parquet",
    "scaling": "PSI + KS + JS",
}
SHORT: Final = ("drift", "exact_ks", "counting", "categorical", "parquet")
"""Questions of the table in README.md."""


@dataclass(frozen=True)
class Row:
    """A contender of gpudrift, and those that do the same work beside it."""

    question: str
    what: str
    ours: str
    figures: dict[str, Any]
    beside: dict[str, dict[str, Any]]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else newest()
    run = json.loads(path.read_text(encoding="utf-8"))
    for file, questions in ((ROOT / "README.md", SHORT), (ROOT / "benchmarks" / "README.md", tuple(TITLES))):
        file.write_text(filled(file.read_text(encoding="utf-8"), section(run, questions, path.name)), encoding="utf-8")
    from benchmarks.plots import draw

    draw(run, ROOT / "benchmarks" / "plots")


def newest() -> Path:
    """The results of the last run of the whole suite."""
    found = sorted(RESULTS.glob("cpu-*.json"))
    if not found:
        sys.exit(f"no results in {RESULTS.name}/: make bench")
    return found[-1]


def filled(text: str, content: str) -> str:
    """The text with everything between the markers replaced.

    Raises
    ------
    ValueError
        A marker is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the markers {BEGIN} and {END} must stand in the text")
    return f"{before}{BEGIN}\n{content}{END}{after}"


def section(run: dict[str, Any], questions: Sequence[str], name: str) -> str:
    """What it ran on, and the table."""
    machine = run["machine"]
    wide = " with AVX-512" if "avx512f" in machine["instructions"] else ""
    lines = [
        f"{machine['processors']} processors of an {machine['processor']}{wide}, NumPy {machine['versions']['numpy']}, "
        f"{machine['date'][:10]} (`{name}`).",
    ]
    if run["quick"]:
        lines.append("**Provisional: a quick run, a tenth of the rows.**")
    lines += [
        "",
        "| | gpudrift | GB/s, of the limit | more memory | times as long as gpudrift |",
        "|---|---|---|---|---|",
    ]
    lines += [_table_row(row) for row in rows(run) if row.question in questions]
    startup = [f"| {name} | {_seconds(figures)} |" for name, figures in _startup(run)]
    if startup:
        lines += ["", "| fresh processes | |", "|---|---|", *startup]
    return "\n".join(lines) + "\n"


def rows(run: dict[str, Any]) -> Iterator[Row]:
    """Every contender of gpudrift in every case."""
    for result in run["results"]:
        if result["question"] not in TITLES:
            continue
        contenders = result["contenders"]
        for name, figures in contenders.items():
            if name.startswith("gpudrift"):
                beside = {other: found for other, found in contenders.items() if found.get("against") == name}
                yield Row(result["question"], _what(result, name), name, figures, beside)


def _what(result: dict[str, Any], ours: str) -> str:
    case, title = result["case"], TITLES[result["question"]]
    if result["question"] == "drift" and "exact" in ours:
        title = "PSI + exact KS + JS"
    if ours.endswith("KS alone"):
        title = "exact KS alone"
    size = compact(case["rows"])
    if "categories" in case:
        source = ours.partition(", ")[2]
        return f"{title} {source}: {size} rows, {compact(case['categories'])} categories"
    tied = ", tied" if case.get("values") == "tied" else ""
    return f"{title}: {size} x {compact(case['features'])} {case['dtype']}{tied}"


def compact(n: int) -> str:
    """A count as one would say it.

    Examples
    --------
    >>> compact(50_000_000), compact(100_000), compact(1_500), compact(8)
    ('50M', '100k', '1,500', '8')
    """
    for unit, suffix in ((1_000_000, "M"), (1_000, "k")):
        if n >= unit and n % unit == 0:
            return f"{n // unit:,}{suffix}"
    return f"{n:,}"


def _table_row(row: Row) -> str:
    figures = row.figures
    if "median_s" not in figures or figures.get("problem"):
        return f"| {row.what} | {figures.get('problem') or figures['unavailable']} | | | |"
    share = figures.get("share_of_limit")
    bandwidth = "" if share is None else f"{figures['GB_per_s']:.1f}, {share:.0%}"
    memory = f"{figures['extra_bytes'] / 1e6:,.0f} MB" if "extra_bytes" in figures else ""
    beside = "; ".join(_beside(name, found) for name, found in row.beside.items())
    return f"| {row.what} | {_seconds(figures)} | {bandwidth} | {memory} | {beside} |"


def _beside(name: str, figures: dict[str, Any]) -> str:
    less = f" ({figures['computes']})" if figures.get("computes") else ""
    if "ratio" not in figures:
        return f"{name}{less} –"
    return f"{name}{less} **{ratio(figures['ratio'])}**"


def ratio(value: float) -> str:
    """Two digits, and no more precision than a ratio of times has.

    Examples
    --------
    >>> ratio(0.4567), ratio(4.567), ratio(45.67), ratio(1234)
    ('0.46', '4.6', '46', '1,230')
    """
    if value >= 100:
        return f"{round(value, -1):,.0f}"
    return f"{value:.2g}"


def _seconds(figures: dict[str, Any]) -> str:
    if "median_s" not in figures:
        return str(figures["unavailable"])
    seconds = figures["median_s"]
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _startup(run: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for result in run["results"]:
        if result["question"] == "startup":
            size = (
                f" ({compact(result['case']['rows'])} x {result['case']['features']})"
                if "rows" in result["case"]
                else ""
            )
            for name, figures in result["contenders"].items():
                yield name + (size if "call" in name else ""), figures


if __name__ == "__main__":
    main()
