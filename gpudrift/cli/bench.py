"""``gpudrift bench``: how fast gpudrift is on this machine, beside NumPy and the limit of its memory."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from gpudrift.atomic import replacing
from gpudrift.cli.consoles import console, line
from gpudrift.cli.errors import ERROR
from gpudrift.cli.options import named
from gpudrift.cli.outputs import check_place
from gpudrift.cli.progress import rows_bar

if TYPE_CHECKING:
    from gpudrift.bench.quick import Standing


def bench(
    json_path: Annotated[
        str | None, typer.Option("--json", metavar="FILE", callback=named, help="Write every figure there.")
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.001, max=100, help="Times as many rows; 1 takes less than a minute.")
    ] = 1.0,
) -> None:
    """Measure gpudrift on this machine: beside NumPy, and beside what its memory can deliver.

    Medians of interleaved calls in one process. Results are compared first: where they disagree there is a line
    instead of ratios, and the exit code is 2.
    """
    from gpudrift.bench.machine import machine
    from gpudrift.bench.quick import QUESTIONS

    if json_path:
        check_place(json_path)
    found = []
    with rows_bar("Measuring", "questions") as bar:
        bar.start("Measuring", len(QUESTIONS))
        for question in QUESTIONS:
            found.append(question(scale, bar.start))
            bar.advance(1)
    described = machine()
    screen = console()
    line(screen, f"{described['processor']}, {described['processors']} processors", "bold")
    _show(screen, found)
    if json_path:
        whole = {"schema": 1, "machine": described, "results": [standing.to_dict() for standing in found]}
        with replacing(Path(json_path)) as file:
            file.write_text(json.dumps(whole, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if any(standing.problem for standing in found):
        raise typer.Exit(ERROR)


def _show(screen: Console, found: "Sequence[Standing]") -> None:
    """A block for each question: gpudrift first, what it stands beside below."""
    from gpudrift.cli.fitting import is_wide, new_table

    table = new_table(wide=is_wide(screen))
    table.add_column("median of interleaved calls")
    for heading in ("seconds", "times as long", "GB/s"):
        table.add_column(heading, justify="right")
    for standing in found:
        table.add_row(Text(standing.question, "bold"))
        for name, timing in standing.timings.items():
            ratio = standing.ratios.get(name)
            bandwidth = standing.gb_per_s(name)
            table.add_row(
                f"  {name}",
                _seconds(timing.median_s),
                "" if ratio is None else f"{ratio:.3g}",
                "" if bandwidth is None else f"{bandwidth:.3g}",
            )
    screen.print(table)
    for standing in found:
        if standing.problem:
            line(screen, Text.assemble(("problem: ", "yellow"), f"{standing.question}: {standing.problem}"))
        elif standing.share_of_limit is not None:
            line(
                screen, f"{standing.question}: {standing.share_of_limit:.0%} of the speed of a sum over all processors"
            )


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.1 else f"{seconds:.3g} s"
