"""One case of a question: contenders in processes of their own, timed in turn, checked, and set beside each other.

A ratio is the median of a contender over that of gpudrift doing the same work, in the same run. There is none for a
contender whose result disagrees with the oracle, or when gpudrift's own does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.workers import Unavailable, Worker
from gpudrift.bench import BEYOND_CACHES, Timing, interleaved

BUDGET_S: Final = 15.0
"""Seconds for the measured calls of one contender in one case."""
TINY_ROWS: Final = 1_000
"""Rows of the call that loads code before the inputs come."""
SUM: Final = "sum of all values"

Make = Callable[[Path, int], None]
Check = Callable[["Contender", Any, Path], str | None]


@dataclass(frozen=True)
class Contender:
    """A program that answers a question.

    Parameters
    ----------
    name : str
        As shown.
    peer, function : str
        ``benchmarks/peers/PEER.py`` and the function in it, which reads a folder and returns the work to be timed and
        how to describe its result.
    computes : str
        What it finds, where that is not all that was asked.
    against : str or None
        The contender of gpudrift that does the same work; None for those of gpudrift, and where none does.
    convention : str
        Which definition the oracle holds it to.
    """

    name: str
    peer: str
    function: str
    computes: str = ""
    against: str | None = None
    convention: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Inputs of a size.

    Parameters
    ----------
    facts : dict
        What tells it from the other cases: rows, features, dtype, ...
    make : callable
        Writes the inputs of so many rows into a folder.
    rows : int
    n_bytes : int
        Bytes of the values that must be read once; 0 where bandwidth says nothing.
    times : int
        Calls behind one measurement, for work of milliseconds.
    """

    facts: dict[str, Any]
    make: Make
    rows: int
    n_bytes: int = 0
    times: int = 1


def measure(
    question: str, case: Case, contenders: Sequence[Contender], check: Check, repeats: int, budget_s: float = BUDGET_S
) -> dict[str, Any]:
    """Measure one case, print it, return every figure."""
    print(f"{question}: " + ", ".join(f"{name} {_shown(value)}" for name, value in case.facts.items()), flush=True)
    with TemporaryDirectory(prefix="gpudrift-bench-") as place, ExitStack() as stack:
        tiny, full = Path(place, "tiny"), Path(place, "full")
        for folder, rows in ((tiny, min(TINY_ROWS, case.rows)), (full, case.rows)):
            folder.mkdir()
            case.make(folder, rows)
        found: dict[str, dict[str, Any]] = {}
        workers: dict[str, Worker] = {}
        for contender in contenders:
            try:
                workers[contender.name] = _started(contender, tiny, full, stack, found)
            except Unavailable as reason:
                found[contender.name] = {"unavailable": str(reason)}
        timings = interleaved(
            {name: partial(_measured, worker, case.times) for name, worker in workers.items()},
            repeats,
            budget_s=budget_s,
        )
        for contender in contenders:
            if contender.name in timings:
                figures = found[contender.name]
                figures |= _figures(contender, timings[contender.name], workers[contender.name], case)
                if contender.name != SUM and "unavailable" not in figures:
                    figures["problem"] = _checked(contender, workers[contender.name], check, full)
    _compare(contenders, found)
    for contender in contenders:
        print("  " + line(contender.name, found[contender.name]), flush=True)
    return {"question": question, "case": case.facts, "contenders": found}


def _started(
    contender: Contender, tiny: Path, full: Path, stack: ExitStack, found: dict[str, dict[str, Any]]
) -> Worker:
    """A worker that has loaded its code on a few rows, and then its inputs."""
    worker = stack.enter_context(Worker(contender.peer, contender.function, contender.settings))
    version = worker.ask("prepare", folder=str(tiny))["version"]
    worker.ask("run")
    worker.ask("prepare", folder=str(full))
    found[contender.name] = {"computes": contender.computes, "version": version, "against": contender.against}
    return worker


def _measured(worker: Worker, times: int) -> tuple[float, str | None]:
    """Seconds, or why there are none: a contender that fails must not cost the others their run."""
    try:
        return worker.measured(times), None
    except Unavailable as reason:
        return float("inf"), str(reason)


def _figures(contender: Contender, timing: Timing[str | None], worker: Worker, case: Case) -> dict[str, Any]:
    if timing.result is not None:
        return {"unavailable": timing.result}
    figures: dict[str, Any] = timing.to_dict() | {"peak_bytes": worker.peak_bytes}
    if worker.extra_bytes:
        figures["extra_bytes"] = max(worker.extra_bytes)
    if case.n_bytes >= BEYOND_CACHES:
        figures["GB_per_s"] = case.n_bytes / timing.median_s / 1e9
    return figures


def _checked(contender: Contender, worker: Worker, check: Check, folder: Path) -> str | None:
    try:
        return check(contender, worker.ask("describe")["result"], folder)
    except Unavailable as reason:
        return str(reason)


def _compare(contenders: Sequence[Contender], found: dict[str, dict[str, Any]]) -> None:
    """Add the ratio and the share of the limit where both sides of it are right."""
    limit = found.get(SUM, {}).get("GB_per_s")
    for contender in contenders:
        figures = found[contender.name]
        if limit and "GB_per_s" in figures and contender.name != SUM:
            figures["share_of_limit"] = figures["GB_per_s"] / limit
        ours = found.get(contender.against or "", {})
        if all("median_s" in side and side.get("problem") is None for side in (figures, ours)):
            figures["ratio"] = figures["median_s"] / ours["median_s"]


def line(name: str, figures: dict[str, Any]) -> str:
    """One contender for people."""
    if "unavailable" in figures:
        return f"{name:32} {figures['unavailable']}"
    parts = [
        f"{name:32} {figures['median_s'] * 1e3:11,.2f} ms",
        f"[{figures['min_s'] * 1e3:,.2f}, {figures['max_s'] * 1e3:,.2f}]",
    ]
    if "ratio" in figures:
        parts.append(f"{figures['ratio']:.3g} times {figures['against']}")
    if "GB_per_s" in figures:
        share = figures.get("share_of_limit")
        parts.append(f"{figures['GB_per_s']:.2f} GB/s" + ("" if share is None else f", {share:.0%} of the limit"))
    if "extra_bytes" in figures:
        parts.append(f"+{figures['extra_bytes'] / 1e6:,.0f} MB")
    if figures.get("problem"):
        parts.append(f"NO RATIO: {figures['problem']}")
    return "  ".join(parts)


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
