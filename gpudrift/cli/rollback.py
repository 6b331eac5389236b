"""``gpudrift rollback``: put an older version back."""

from typing import Annotated

import typer

import gpudrift as gd
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.options import AliasName, ModelName, RegistryPlace


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no version; pass its number, such as 1")
    return int(text)


def rollback(
    version: Annotated[
        int | None,
        typer.Argument(metavar="[VERSION]", parser=_number, help="By default the one before the present one."),
    ] = None,
    registry: RegistryPlace = None,
    name: ModelName = "model",
    alias: Annotated[AliasName, typer.Option(help="Which of the aliases goes back.")] = "champion",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept in the history.")] = "",
) -> None:
    """Put an older version back; every byte of it is checked against its digest first."""
    served = gd.Registry(registry, name=name, create=False).rollback(version, alias=alias, reason=reason)
    before = "nothing" if served.previous is None else f"version {served.previous}"
    line(console(), f"{alias} of {visible(name)} is version {served.version} again; it was {before}")
