"""A table that fits the terminal: the least important columns go first, then the middle of a long name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from gpudrift.cli.consoles import line, visible
from gpudrift.report.text import shorten

if TYPE_CHECKING:
    from rich.console import Console

_WIDE: Final = 100
"""Columns of a terminal from which on tables need not be dense."""
_LEAST_NAME: Final = 16
"""Columns of the terminal that a name gets before any other column does."""
_MOST_NAME: Final = 200


def is_wide(screen: Console) -> bool:
    """Whether tables need not be dense."""
    return screen.width >= _WIDE


def new_table(*, wide: bool) -> Table:
    """An empty table in the look that all of ours have; columns stand two apart where it is wide, else one."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1 if wide else 0, 0, 0), show_edge=False)


def print_fitted(
    screen: Console,
    names: Sequence[str],
    columns: Mapping[str, Sequence[str | Text]],
    *,
    expendable: Sequence[str],
    left: Collection[str] = (),
    of: str = "feature",
) -> None:
    """Print a row for each feature, or for each of whatever else has a name.

    Parameters
    ----------
    names : sequence of str
        Of the rows; shortened in the middle where the terminal is too narrow.
    columns : mapping of heading to cells
        From left to right.
    expendable : sequence of headings
        Those that may be left out, the least important first; a line says which were.
    left : collection of headings
        Those of words, which stand to the left.
    of : str
        What the names are of: the first heading.
    """
    gap = 2 if is_wide(screen) else 1
    widths = {heading: gap + max(cell_len(str(cell)) for cell in (heading, *columns[heading])) for heading in columns}
    shown = [visible(name) for name in names]
    longest = min(max(map(cell_len, (of, *shown))), _MOST_NAME)
    left_out: list[str] = []
    for heading in expendable:
        if min(longest, _LEAST_NAME) + sum(widths.values()) <= screen.width:
            break
        del widths[heading]
        left_out.append(heading)
    room = min(longest, max(screen.width - sum(widths.values()), _LEAST_NAME))
    table = new_table(wide=is_wide(screen))
    table.add_column(of, no_wrap=True)
    for heading in widths:
        table.add_column(heading, justify="left" if heading in left else "right", no_wrap=True)
    for name, *cells in zip(shown, *(columns[heading] for heading in widths), strict=True):
        table.add_row(shorten(name, length=room), *cells)
    screen.print(table)
    if left_out:
        line(screen, f"left out where it is so narrow: {', '.join(heading.strip() for heading in left_out)}", "dim")
