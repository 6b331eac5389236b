"""Simulate every scenario: ``python -m benchmarks.error_rates [--quick] [--json OUT]``."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.error_rates.scenarios import Scenario, scenarios
from benchmarks.error_rates.simulate import ALPHA, simulate
from benchmarks.workers import ROOT
from gpudrift.bench import machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.error_rates", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the streams")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure there")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios whose name holds this")
    parser.add_argument("--streams", type=int, metavar="N", help="at most so many of each scenario")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    arguments = parser.parse_args()
    chosen = [s for s in scenarios(quick=arguments.quick) if arguments.only in s.name]
    if arguments.streams is not None:
        if arguments.streams < 1:
            parser.error(f"--streams must be at least 1, got {arguments.streams}")
        chosen = [replace(s, streams=min(s.streams, arguments.streams)) for s in chosen]
    if not chosen:
        parser.error(f"no scenario's name holds {arguments.only!r}")
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*shown, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("", total=sum(s.streams * s.features for s in chosen))

        def progress(scenario: Scenario, streams: int) -> None:
            bar.update(task, description=scenario.name, advance=streams * scenario.features)

        results = []
        for result in simulate(chosen, arguments.workers, progress):
            results.append(result)
            bar.console.print(_line(result), highlight=False, soft_wrap=True)
            if arguments.json:  # after each, so that a run cut short keeps what it found
                document = {"question": "error_rates", "alpha": ALPHA} | machine(ROOT)
                lines = ",\n".join(json.dumps(result) for result in results)
                head = json.dumps(document | {"results": []}).removesuffix("]}")
                arguments.json.write_text(f"{head}\n{lines}\n]}}\n")


def _line(result: dict[str, Any]) -> str:
    scenario = Scenario(**result["scenario"])
    what = "alarm" if scenario.null else "named"
    rates = "  ".join(f"{rule} {found[what]['rate']:.3f}" for rule, found in result["rules"].items())
    return f"{scenario.name}  ({result['seconds']:.0f} s)\n  {rates}"


if __name__ == "__main__":
    main()
