"""The result as Markdown: every figure comes from the JSON of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.error_rates.outcome import OWN, PEERS

README: Final = Path(__file__).parent / "README.md"

#: The share of reports that must name the moved feature for a size to count as found.
FOUND: Final = 0.9
#: Rules in the table of what is found; the parts of gpudrift's verdict are no rules of their own.
FINDERS: Final = (OWN[0], PEERS[0], PEERS[3], PEERS[4])

_UNITS: Final = {
    "mean": "{:g} sd",
    "scale": "× {:g}",
    "tail": "{:g}%",
    "atom": "{:g}%",
    "missing": "{:g}%",
    "new category": "{:g}%",
}


def size_label(family: str, size: float) -> str:
    """A shift's size as a reader says it: shares of rows in percent."""
    unit = _UNITS[family]
    return unit.format(size * 100 if unit.endswith("%") else size)


def write_readme(result: Mapping[str, Any], path: Path = README) -> None:
    """Replace what stands between the markers of each table."""
    text = path.read_text(encoding="utf-8")
    for name, table in tables(result).items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"{path} has no markers {start.strip()!r} and {end!r}; add them where the table goes")
        text = before + start + table + end + after
    path.write_text(text, encoding="utf-8")


def tables(result: Mapping[str, Any]) -> dict[str, str]:
    """Each table of the README by the name of its markers."""
    return {"null streams": _null(result), "what is found": _found(result), "about the run": _about(result)}


def _null(result: Mapping[str, Any]) -> str:
    header = ["rows", "features", "process", "streams", "gpudrift", "limit", *OWN[1:], *PEERS]
    return _markdown(header, (_null_row(entry) for entry in result["results"] if not entry["scenario"]["shift"]))


def _null_row(entry: Mapping[str, Any]) -> list[str]:
    scenario, rules = entry["scenario"], entry["rules"]
    process = scenario["process"] if scenario["process"] == "iid" else f"{scenario['process']} {scenario['phi']:g}"
    own = rules[OWN[0]]["alarm"]
    low, high = own["interval"]
    share = f"{_percent(own['rate'])} [{_percent(low)}, {_percent(high)}]"
    limit = _percent(entry["most_alarms_at_alpha"] / scenario["streams"])
    return [
        f"{scenario['rows']:,}",
        str(scenario["features"]),
        process,
        f"{scenario['streams']:,}",
        share if entry["within_alpha"] else f"**{share}**",
        limit,
        *(_percent(rules[rule]["alarm"]["rate"]) for rule in (*OWN[1:], *PEERS)),
    ]


def _found(result: Mapping[str, Any]) -> str:
    by_setting: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for entry in result["results"]:
        if entry["scenario"]["shift"]:
            by_setting.setdefault((entry["scenario"]["shift"], entry["scenario"]["rows"]), []).append(entry)
    rows = (
        [family, f"{n:,}", *(_smallest(family, entries, rule) for rule in FINDERS)]
        for (family, n), entries in sorted(by_setting.items(), key=lambda item: list(_UNITS).index(item[0][0]))
    )
    return _markdown(["shift", "rows", *FINDERS], rows)


def _smallest(family: str, entries: Sequence[Mapping[str, Any]], rule: str) -> str:
    """The smallest size from which on every size is found."""
    found = ""
    for entry in sorted(entries, key=lambda e: -e["scenario"]["size"]):
        if entry["rules"][rule]["named"]["rate"] < FOUND:
            break
        found = size_label(family, entry["scenario"]["size"])
    return found or "never"


def _about(result: Mapping[str, Any]) -> str:
    seconds = sum(entry["seconds"] for entry in result["results"])
    streams = sum(entry["scenario"]["streams"] for entry in result["results"])
    versions = result["versions"]
    return (
        f"{streams:,} streams on {result['date'][:10]} in {seconds / 60:.0f} minutes on {result['processors']} "
        f"processors ({result['processor']}), NumPy {versions['numpy']}, SciPy {versions['scipy']}, "
        f"commit {(result['commit'] or 'unknown')[:12]}." + (f" {result['note']}" if "note" in result else "") + "\n"
    )


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _markdown(header: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
