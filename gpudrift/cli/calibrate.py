"""``gpudrift calibrate``: thresholds for a chosen rate of false alarms, from windows of the reference."""

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
        found = gd.calibrate(
            windows.question.profile,
            {span: windows.counts(span) for span in windows},
            false_alarms=_rate(false_alarms),
            window=window,
            how=how,
            settings=settings,
            seed=seed,
            backend=backend,
        )
    found.save(output)
    screen = console()
    for text in str(found).splitlines():
        line(screen, visible(text))
    line(screen, f"wrote {visible(output)}")


def _rate(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
