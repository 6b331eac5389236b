"""``gpudrift history``: what served when, and why."""

from typing import Annotated

import typer

import gpudrift as gd
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.options import AliasName, ModelName, RegistryPlace


def history(
    registry: RegistryPlace = None,
    name: ModelName = "model",
    alias: Annotated[AliasName | None, typer.Option(help="Only moves of this one.")] = None,
) -> None:
    """Show what served when, oldest first, and why it moved."""
    from gpudrift.cli.fitting import is_wide, new_table

    moves = gd.Registry(registry, name=name, create=False).history(alias=alias)
    screen = console()
    table = new_table(wide=is_wide(screen))
    for heading in ("since", "serves as", "version", "before", "by", "why"):
        table.add_column(heading, justify="right" if heading in ("version", "before") else "left", overflow="fold")
    for move in moves:
        before = "" if move.previous is None else str(move.previous)
        since = move.time.isoformat(" ", "seconds")
        table.add_row(since, move.alias, str(move.version), before, move.verb, visible(move.reason))
    if moves:
        screen.print(table)
    line(screen, f"{visible(name)}: {len(moves):,} move{'' if len(moves) == 1 else 's'}")
