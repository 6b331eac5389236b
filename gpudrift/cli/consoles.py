"""Where human words go: stdout or stderr, as wide as the terminal, or as wide as needed where there is none."""

from __future__ import annotations

import os
from typing import Final

from rich.console import Console
from rich.text import Text

#: Columns where nobody watches: wide enough that nothing is cut or wrapped in a file or a pipe.
_UNLIMITED: Final = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the caller: rich would exit with 1, which says drift."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup, no emoji, no guessed colours."""
    made = _Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.file.isatty() and "COLUMNS" not in os.environ:
        made.width = _UNLIMITED
    return made


def visible(text: str) -> str:
    """A text in which nothing can move the cursor, break the line or turn the order of what follows.

    Examples
    --------
    >>> visible("two\\nlines"), visible("left\\u202eright")
    ('two\\\\nlines', 'left\\\\u202eright')
    """
    from gpudrift.report.text import printable  # not with the others: it loads what renders a page

    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in printable(text))


def line(screen: Console, text: str | Text, style: str | None = None) -> None:
    """Print one line and leave its wrapping to the terminal, so that a path or a command can be copied whole."""
    screen.print(text, style=style, soft_wrap=True)
