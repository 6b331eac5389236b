"""The commands put together, and the entry point.

Kept light, so that ``gpudrift --help`` answers at once: a command imports what is heavy when it runs. Command files
do without ``from __future__ import annotations``, because typer reads their signatures.
"""

import io
import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated

import typer

from gpudrift.cli.bench import bench
from gpudrift.cli.calibrate import calibrate
from gpudrift.cli.check import check
from gpudrift.cli.demo import demo
from gpudrift.cli.doctor import doctor
from gpudrift.cli.errors import ERROR, INTERRUPTED, Commands, say, settle
from gpudrift.cli.history import history
from gpudrift.cli.models import models
from gpudrift.cli.profile import profile
from gpudrift.cli.rollback import rollback
from gpudrift.cli.stats import stats
from gpudrift.version import __version__

app = typer.Typer(
    name="gpudrift",
    cls=Commands,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (check, profile, calibrate, stats, models, history, rollback, demo, doctor, bench):
    app.command()(command)


def main() -> None:
    """Run the command line and leave with its exit code: 0 all well, 1 drift, 2 error."""
    closed = _reopen_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our dashes gets question marks, not an error
    try:
        if "stdout" in closed:
            say("error: the standard output is closed; send it to /dev/null where it is not wanted")
            sys.exit(ERROR)
        app()
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(INTERRUPTED)
    except Exception:  # noqa: BLE001  Python would leave with 1, which says drift
        with suppress(OSError):
            traceback.print_exc()
        say("error: this is a bug in gpudrift; please report it with the lines above")
        sys.exit(ERROR)
    finally:
        settle()


def _reopen_closed() -> list[str]:
    """Names of the output streams that came closed; now they lead nowhere, or the next file opened would be one."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    closed = {name: number for number, name in ((1, "stdout"), (2, "stderr")) if getattr(sys, name) is None}
    for name, number in closed.items():
        setattr(sys, name, os.fdopen(number, "w"))
    return list(closed)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gpudrift {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Has the data moved? Drift checks that are fast, reproducible, and right at a stated error rate.

    Start with `gpudrift demo`, then `gpudrift check --reference train.parquet --current today.parquet`.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ERROR)
