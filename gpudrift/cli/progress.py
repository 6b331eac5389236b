"""A progress bar over rows, on stderr, where somebody watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gpudrift.cli.consoles import console


class RowsBar:
    """A bar that may not be there: without a terminal nothing is shown."""

    def __init__(self, bar: Progress | None, stage: str) -> None:
        self._bar = bar
        self._task = bar.add_task(stage, total=None) if bar else None

    @property
    def shown(self) -> bool:
        return self._bar is not None

    def start(self, stage: str, total: int | None = None) -> None:
        """Name what happens now; ``total`` are the rows of everything, None where unknown."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=stage)
            if total is not None:
                self._bar.update(self._task, total=total)

    def advance(self, n_rows: int) -> None:
        """So many more rows are done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, n_rows)


@contextmanager
def rows_bar(stage: str, unit: str = "rows") -> Iterator[RowsBar]:
    """A bar for as long as the block runs, first for ``stage``; it leaves no trace."""
    screen = console(stderr=True)
    if not screen.file.isatty() or screen.is_dumb_terminal:
        yield RowsBar(None, stage)
        return
    shown = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*shown, console=screen, transient=True) as bar:
        yield RowsBar(bar, stage)


def count_rows(paths: Sequence[str], role: str) -> int | None:
    """Rows of Parquet inputs, from their metadata alone.

    Raises
    ------
    DataError
        One of them cannot be read.
    """
    from gpudrift.frames import open_source

    return open_source(list(paths), role, again=True).n_rows
