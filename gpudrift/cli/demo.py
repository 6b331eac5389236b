"""``gpudrift demo``: a year of real flights, each month against the winter it began with."""

import calendar
import json
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

import gpudrift as gd
from gpudrift.atomic import replacing
from gpudrift.cli.consoles import console, line
from gpudrift.cli.options import named
from gpudrift.cli.progress import RowsBar, rows_bar

if TYPE_CHECKING:
    from gpudrift import DriftReport
    from gpudrift.cli.months import Reports

_YEAR: Final = 2013
_REFERENCE_MONTHS: Final = (1, 2, 3)
_EXAMPLE_MONTH: Final = 7
"""Kept as Parquet, for the command to run next."""
_NOTE: Final = "Written by `gpudrift demo`, which writes over everything here when it runs again.\n"
"""By this text in README.txt the demo knows its folder."""
_TITLE: Final = "Flights out of New York in 2013: each month against January to March"


def demo(
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="DIR", callback=named, help="Folder for what it writes: a new one, or its own."
        ),
    ] = "gpudrift-demo",
) -> None:
    """Show the drift in a year of real flights: nothing to configure.

    The reference is January to March of 2013; each later month is counted and compared with it.
    """
    folder = Path(output)
    _claim(folder)
    with rows_bar("Reading the flights") as bar:
        reports = _compare(folder, bar)
        bar.start("Writing the reports")
        _write(folder, reports, created=datetime.now().astimezone().isoformat(" ", "minutes"))
    _show(folder, reports)


def _claim(folder: Path) -> None:
    """Make the folder, or take one that is empty or was taken before: nothing else is ever written over."""
    note = folder / "README.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (note.is_file() and note.read_bytes() == _NOTE.encode()):
            raise gd.DataError(f"{folder} holds files that the demo did not write; choose another --output")
        note.write_text(_NOTE, encoding="utf-8")
    except OSError as error:
        raise gd.DataError(f"{folder} cannot be made: {error.strerror}; choose another --output") from error


def _compare(folder: Path, bar: RowsBar) -> dict[int, "DriftReport"]:
    """Profile the reference, then count and compare month by month."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from gpudrift.datasets import by_month, load_flights

    months = by_month(load_flights().sort_by("time_hour"))
    winter = pa.concat_tables([months.pop(month) for month in _REFERENCE_MONTHS])
    later = sum(flights.num_rows for flights in months.values())
    bar.start("Profiling January to March", 2 * winter.num_rows + later)  # a reference is read twice
    profile = gd.profile(winter, progress=bar.advance)
    profile.save(folder / "reference.gdp")
    with replacing(folder / f"{_name(_EXAMPLE_MONTH)}.parquet") as file:
        pq.write_table(months[_EXAMPLE_MONTH], file)
    reports = {}
    for month, flights in months.items():
        bar.start(f"Comparing {calendar.month_name[month]}")
        reports[month] = profile.compare(profile.count(flights))
        bar.advance(flights.num_rows)
    return reports


def _write(folder: Path, reports: "Reports", *, created: str) -> None:
    """One page a month, an overview of them, and everything as JSON."""
    from gpudrift.cli.months import overview
    from gpudrift.report import render_overview

    for month, report in reports.items():
        title = f"Flights of {calendar.month_name[month]} {_YEAR} against January to March"
        report.save_html(folder / f"{_name(month)}.html", title=title, created=created)
    with replacing(folder / "index.html") as file:
        links = {month: f"{_name(month)}.html" for month in reports}
        page = render_overview(overview(reports, title=_TITLE, links=links, created=created))
        file.write_text(page, encoding="utf-8")
    whole = {
        "schema": 1,
        "gpudrift": gd.__version__,
        "windows": {_name(month): report.to_dict() for month, report in reports.items()},
    }
    with replacing(folder / "drift.json") as file:
        file.write_text(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _name(month: int) -> str:
    return f"{_YEAR}-{month:02}"


def _show(folder: Path, reports: "Reports") -> None:
    from gpudrift.cli.fitting import is_wide
    from gpudrift.cli.months import print_psi, problems, seen, worst_table
    from gpudrift.cli.tables import print_problems

    screen = console()
    line(screen, _TITLE, "bold")
    line(screen, "\nPSI of the features that drifted in most months (* drifted; 0.1 is moderate, 0.25 severe)")
    print_psi(screen, reports)
    n_counted = sum(feature.counted for feature in next(iter(reports.values())).values())
    line(screen, f"\nThe most drifted features of each month, of {n_counted}")
    screen.print(worst_table(reports, width=screen.width, wide=is_wide(screen)))
    line(screen, "")
    print_problems(screen, problems(reports))
    for sentence in seen(reports):
        line(screen, sentence)
    line(screen, "\nWritten", "bold")
    line(screen, f"  {folder / 'index.html'}  the overview, for a browser; each month links to its report")
    line(screen, f"  {folder / 'drift.json'}  every number, for programs")
    line(screen, f"  {folder / 'reference.gdp'}  the profile of January to March")
    line(screen, "\nNext", "bold")
    for what, command in next_commands(folder, command_name(sys.argv[0])).items():
        line(screen, f"  {what}\n    {command}")


def next_commands(folder: Path, program: str) -> dict[str, str]:
    """Commands that work from where the user is, by what they are for."""
    reference, current, page = (
        shlex.quote(str(folder / name)) for name in ("reference.gdp", f"{_name(_EXAMPLE_MONTH)}.parquet", "check.html")
    )
    return {
        "the check of one month, whose exit code 1 says drift:": (
            f"{program} check --reference {reference} --current {current} --html {page}"
        ),
        "your own data:": f"{program} check --reference train.parquet --current today.parquet",
    }


def command_name(called: str) -> str:
    """How this program was called, so that a printed command can be pasted."""
    if Path(called).parts[-2:] == ("gpudrift", "__main__.py"):
        return f"{shlex.quote(_shortest(sys.executable))} -m gpudrift"
    return shlex.quote(_shortest(called)) if Path(called).name == "gpudrift" else "gpudrift"


def _shortest(program: str) -> str:
    """The bare name, where the shell would find the same program by it."""
    name = Path(program).name
    found = shutil.which(name)
    return name if found and Path(found).absolute() == Path(program).absolute() else program
