"""``gpudrift stats``: every statistic with its formula, threshold and source."""

import json as json_text
import sys
from typing import Annotated

import typer

from gpudrift.cli.consoles import console
from gpudrift.cli.options import named
from gpudrift.cli.outputs import check_place
from gpudrift.cli.own_statistics import OwnStatistics, load_statistics


def stats(
    json: Annotated[
        str | None, typer.Option(metavar="FILE", callback=named, help="Write them as JSON; '-' is stdout.")
    ] = None,
    statistics: OwnStatistics = None,
) -> None:
    """List the statistics: formulas, kinds of feature, thresholds and sources."""
    from gpudrift.atomic import replacing
    from gpudrift.cli.statistics_table import entry, print_statistics
    from gpudrift.stats import STATISTICS

    if json and json != "-":
        check_place(json, taken=statistics or ())
    load_statistics(statistics)
    if not json:
        print_statistics(console(), list(STATISTICS.values()))
        return
    document = {"schema": 1, "statistics": {name: entry(found) for name, found in STATISTICS.items()}}
    text = json_text.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if json == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    else:
        with replacing(json) as file:
            file.write_text(text, encoding="utf-8")
