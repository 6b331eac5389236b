"""``gpudrift calibrate``: thresholds for a chosen rate of false alarms, from windows of the reference."""

import re
from typing import Annotated, Literal

import typer

import gpudrift as gd
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.options import (
    Backend,
    Categorical,
    Columns,
    Numeric,
    Time,
    Weights,
    Zone,
    given_settings,
    named,
    split_names,
)
from gpudrift.cli.outputs import check_place
from gpudrift.cli.progress import count_rows, rows_bar


def calibrate(
    reference: Annotated[
        list[str],
        typer.Option(metavar="FILE", callback=named, help="Parquet file, directory or quoted glob (repeatable)."),
    ],
    window: Annotated[
        str, typer.Option(metavar="LENGTH", help="Length of a window as later checks have it: 1d, 6h, '5000 rows'.")
    ],
    false_alarms: Annotated[
        str,
        typer.Option(metavar="RATE", help="How often a report may be flagged without drift: '1 per quarter', or 0.01."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", callback=named, help="Where the thresholds go, as JSON.")
    ],
    time: Time = None,
    zone: Zone = None,
    columns: Columns = None,
    categorical: Categorical = None,
    numeric: Numeric = None,
    how: Annotated[
        Literal["block", "leave-one-out", "multinomial"],
        typer.Option(help="Where windows without drift come from."),
    ] = "block",
    replicates: Annotated[int, typer.Option(metavar="N", help="Windows without drift to draw.")] = 10_000,
    weights: Weights = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same one gives the same thresholds.")] = 0,
    backend: Backend = "auto",
) -> None:
    """Find thresholds that raise false alarms as rarely as asked for.

    The windows are parts of the reference, and taken to be free of drift. A later
    `gpudrift check --calibrate FILE` uses the thresholds.
    """
    settings = given_settings(
        columns=split_names("--columns", columns),
        categorical=split_names("--categorical", categorical),
        numeric=split_names("--numeric", numeric),
        time=time,
        window=window,
        zone=zone,
        weights=weights,
    )
    check_place(output, taken=reference)
    with rows_bar("Reading") as bar:
        if bar.shown:
            bar.start("Reading", 3 * (count_rows(reference, "reference") or 0))  # read twice, then once by window
        report = gd.check_drift(
            reference=reference, current=reference, settings=settings, backend=backend, progress=bar.advance
        )
        windows = report.windows
        if not windows:
            raise gd.DataError(f"the reference has no window of {window}; check {time or 'its rows'}")
        bar.start("Drawing windows without drift")
        try:
            found = gd.calibrate(
                windows.question.profile,
                windows,
                false_alarms=_rate(false_alarms),
                how=how,
                replicates=replicates,
                seed=seed,
                backend=backend,
            )
        except (gd.ConfigError, gd.DataError) as error:
            raise type(error)(_as_options(str(error))) from error
    found.save(output)
    screen = console()
    for text in str(found).splitlines():
        line(screen, visible(_as_options(text)))
    line(screen, f"wrote {visible(output)}")


def _rate(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _as_options(message: str) -> str:
    """A message with the arguments that it names as the options of this command.

    Examples
    --------
    >>> _as_options("pass more, or how='multinomial' if rows are independent")
    'pass more, or --how multinomial if rows are independent'
    """
    named = re.sub(r"\b(how|window)='([^']+)'", r"--\1 \2", message)
    return named.replace("false_alarms", "--false-alarms")
