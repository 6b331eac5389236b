"""How a command ends: its exit code, and one readable line for whatever went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import typer
from rich.text import Text
from typer.core import TyperGroup

from gpudrift.cli.consoles import console, line, visible
from gpudrift.errors import GpudriftError

#: Exit codes; 0 is success, and for ``check`` no drift.
DRIFT: Final = 1
ERROR: Final = 2
INTERRUPTED: Final = 128 + 2  # as the shell reports a program that SIGINT ended
BROKEN_PIPE: Final = 128 + 13  # and SIGPIPE


class Commands(TyperGroup):
    """The group of all commands: an error that a user can mend ends in one line and exit code 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line; leaves the process with its exit code, or returns it where not ``standalone_mode``."""
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode=False, windows_expand_args=windows_expand_args, **extra
            )
        except typer.TyperException as error:
            say(f"error: {_usage(error)}")
            code = ERROR
        if standalone_mode:
            sys.exit(code or 0)
        return code

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line, which may already show the help or the version."""
        with _one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; here and not in ``main``, where typer has already swallowed interrupts."""
        with _one_line():
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # a reader that has gone shows here, and not while Python shuts down


def say(message: str) -> None:
    """One line on stderr, whatever the message holds; where nobody can hear it, the exit code is all there is."""
    text = Text(f"gpudrift: {visible(' '.join(message.split()))}")
    text.highlight_words(["error:"], "bold red")
    with suppress(OSError):
        line(console(stderr=True), text)


def settle() -> None:
    """Empty stdout and stderr; what one of them does not take goes nowhere.

    Python would try again while it shuts down, and leave with 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except GpudriftError as error:
        say(f"error: {error}")
        raise typer.Exit(ERROR) from error
    except BrokenPipeError as error:
        raise typer.Exit(BROKEN_PIPE) from error
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        remedy = "; check its permissions" if isinstance(error, PermissionError) else ""
        say(f"error: {where}{error.strerror or error}{remedy}")
        raise typer.Exit(ERROR) from error
    except KeyboardInterrupt as error:
        say("stopped")
        raise typer.Exit(INTERRUPTED) from error


def _usage(error: typer.TyperException) -> str:
    """A usage mistake with its remedy."""
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "gpudrift"
    quote = "put a glob in quotes, or " if "unexpected extra argument" in message else ""
    return f"{message}; {quote}see {command} --help"
