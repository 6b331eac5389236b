"""``--statistics``: Python files with statistics of the user's own, run because the command line names them.

No setting of a TOML file does the same: reading a configuration must not run code.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from gpudrift.cli.options import named
from gpudrift.errors import ConfigError

OwnStatistics = Annotated[
    list[str] | None,
    typer.Option(
        "--statistics",
        metavar="FILE.py",
        callback=lambda paths: named(paths or []),
        help="Run a Python file that declares statistics of your own with gpudrift.statistic (repeatable).",
    ),
]


def load_statistics(paths: list[str] | None) -> None:
    """Run the files, which add their statistics to those of every report.

    Raises
    ------
    ConfigError
        A file that is not there, is no Python, raises, or declares nothing.
    """
    from gpudrift.stats import STATISTICS

    for path in paths or ():
        before = dict(STATISTICS)
        _run(path)
        if before == STATISTICS:
            raise ConfigError(f"{path} declares no statistic; decorate a function in it with gpudrift.statistic")


def _run(path: str) -> None:
    place = Path(path)
    if place.suffix != ".py":
        raise ConfigError(f"{path} must end in .py: a Python file that declares statistics")
    if not place.is_file():
        raise ConfigError(f"{path} is not there, or no file; check the path")
    name = f"gpudrift_statistics:{place.resolve()}"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be run as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # what a file defines may look for its own module, as dataclasses do
    try:
        spec.loader.exec_module(module)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:  # leaving with 0 would say that nothing drifted
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}; mend it") from error
