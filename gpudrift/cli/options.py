"""Options that several commands share, and how a list of names is written on a command line."""

import csv
from typing import Annotated, Any, Literal, TypeVar

import typer

import gpudrift as gd

_COLUMNS = """Columns to compare; all by default. Those named count in the verdict even if they look like an index.
Repeat it or separate names by commas; quote a name that holds one, as in CSV. Blanks around a name do not count."""

Columns = Annotated[list[str] | None, typer.Option(metavar="NAMES", help=_COLUMNS)]
Categorical = Annotated[
    list[str] | None,
    typer.Option(metavar="NAMES", help="Columns to treat as categories whatever their type. As --columns."),
]
Numeric = Annotated[
    list[str] | None,
    typer.Option(metavar="NAMES", help="Columns to treat as numbers whatever their type. As --columns."),
]
Time = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of timestamps or dates, for windows; it is not compared.")
]
Window = Annotated[
    str | None,
    typer.Option(metavar="LENGTH", help="Report windows too: 1d, 6h, 2w, 1mo (with --time), or '5000 rows'."),
]
Zone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Time zone whose wall clock windows follow, such as Europe/Paris."),
]
Weights = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of row weights, at least 0; it is not compared.")
]
Backend = Annotated[
    str,
    typer.Option(metavar="auto|cpu|cuda|cuda:N", help="Device that counts; 'cuda', or one GPU, never falls back."),
]
RegistryPlace = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Folder of the registry, or the address of an MLflow server; by default what MLFLOW_TRACKING_URI says, "
        "else gpudrift-registry.",
    ),
]
ModelName = Annotated[str, typer.Option(metavar="NAME", help="Name of the registered model.")]
AliasName = Literal["champion", "challenger", "shadow"]
_Paths = TypeVar("_Paths", str | None, list[str])


def named(paths: _Paths) -> _Paths:
    """Refuse an empty path, such as an unset variable leaves behind."""
    if "" in (paths if isinstance(paths, list) else [paths]):
        raise typer.BadParameter("the path is empty; name one")
    return paths


def split_names(option: str, values: list[str] | None) -> tuple[str, ...]:
    """Column names from the values of one option.

    Each value is a line of CSV: names separated by commas, a name in double quotes where it holds a comma. Blanks
    around a name do not count; a name that has some is given in TOML.

    Raises
    ------
    typer.BadParameter
        An empty name, or a quote that is not closed.

    Examples
    --------
    >>> split_names("--columns", ["age, plan", '"price, EUR"', "sex"])
    ('age', 'plan', 'price, EUR', 'sex')
    """
    names: list[str] = []
    for value in values or ():
        try:
            names += [name.strip() for name in next(csv.reader([value], skipinitialspace=True, strict=True), ())]
        except csv.Error as error:
            raise typer.BadParameter(f"{value!r} is no list of names: {error}", param_hint=option) from error
    if values and not any(names):
        raise typer.BadParameter("no column is named; name one, or leave the option out", param_hint=option)
    if not all(names):
        raise typer.BadParameter("a name is empty; leave out the extra comma", param_hint=option)
    return tuple(names)


def given_settings(**options: Any) -> "gd.Settings":
    """Settings from options alone; what they refuse is a mistake on the command line."""
    try:
        return gd.Settings(**options)
    except gd.ConfigError as error:
        raise typer.BadParameter(str(error)) from error
