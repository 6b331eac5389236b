"""``gpudrift models``: the versions of a model, where each comes from, and which of them serve."""

from typing import TYPE_CHECKING, Final

import gpudrift as gd
from gpudrift.cli.consoles import console, line, visible
from gpudrift.cli.options import ModelName, RegistryPlace

if TYPE_CHECKING:
    from gpudrift.store import Version

_COLUMNS: Final = (
    "version", "serves as", "trainer", "update", "rows", "seconds", "metrics", "data", "model", "parent",
)  # fmt: skip


def models(registry: RegistryPlace = None, name: ModelName = "model") -> None:
    """Show the versions of a model, newest first, and which of them serve."""
    from gpudrift.cli.fitting import is_wide, new_table

    opened = gd.Registry(registry, name=name, create=False)
    serving: dict[int, list[str]] = {}
    for alias, number in opened.serving().items():
        serving.setdefault(number, []).append(alias)
    versions = opened.versions()
    screen = console()
    table = new_table(wide=is_wide(screen))
    for heading in _COLUMNS:
        right = heading in ("version", "rows", "seconds")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for version in reversed(versions):
        table.add_row(str(version.number), ", ".join(serving.get(version.number, [])), *_cells(version))
    if versions:
        screen.print(table)
    line(screen, f"{visible(name)}: {len(versions):,} version{'' if len(versions) == 1 else 's'}")


def _cells(version: "Version") -> list[str]:
    metrics = " ".join(f"{visible(key)} {value:.4g}" for key, value in version.metrics.items())
    windows = ", ".join(map(visible, version.windows)) or version.data_digest[:12]
    cost = (f"{version.cost.rows:,}", f"{version.cost.wall_s:.2f}")
    return [version.trainer, version.how, *cost, metrics, windows, version.model_id[:12], (version.parent or "")[:12]]
