"""``gpudrift profile``: read a reference once, keep what every later check needs."""

from typing import Annotated

import typer

import gpudrift as gd
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.options import Backend, Categorical, Columns, Numeric, given_settings, named, split_names
from gpudrift.cli.outputs import check_place
from gpudrift.cli.progress import count_rows, rows_bar


def profile(
    reference: Annotated[
        list[str],
        typer.Argument(metavar="REFERENCE...", callback=named, help="Parquet files, directories or quoted globs."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE.gdp", callback=named, help="The profile to write.")
    ],
    columns: Columns = None,
    categorical: Categorical = None,
    numeric: Numeric = None,
    backend: Backend = "auto",
) -> None:
    """Read a reference once and write its profile.

    A later `gpudrift check --reference FILE.gdp` reads only the current data.
    """
    from gpudrift.cli.tables import print_problems

    if not output.lower().endswith(".gdp"):
        raise typer.BadParameter(f"{output} must end in .gdp, by which check knows a profile", param_hint="--output")
    settings = given_settings(
        columns=split_names("--columns", columns),
        categorical=split_names("--categorical", categorical),
        numeric=split_names("--numeric", numeric),
    )
    check_place(output)
    with rows_bar("Reading") as bar:
        if bar.shown:
            bar.start("Reading", 2 * (count_rows(reference, "reference") or 0))  # it is read twice
        made = gd.profile(
            reference,
            columns=settings.columns,
            categorical=settings.categorical,
            numeric=settings.numeric,
            backend=backend,
            progress=bar.advance,
        )
    made.save(output)
    screen = console()
    print_problems(screen, made.problems)
    n_columns = len(made.columns)
    line(screen, f"wrote {visible(output)}: {made.n_rows:,} rows, {n_columns:,} column{'s' if n_columns > 1 else ''}")
