"""What the command line says: answers on standard output, everything else on standard error.

Whatever a workflow, a file or a server put into a text, a terminal shows it and does not obey it.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper

import typer

from nodegraph.printable import printable


class OutputError(Exception):
    """Standard output takes nothing more, so there is no use in telling it there."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"standard output cannot be written: {cause.strerror or cause}")


def say(text: object, *, newline: bool = True) -> None:
    """Write an answer to standard output.

    Raises:
        OutputError: it cannot be written: the disk is full, say.
        BrokenPipeError: nobody reads on, which is no error: ``nodegraph nodes | head``.
    """
    try:
        typer.echo(printable(str(text)), nl=newline)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise OutputError(error) from None


def complain(text: object) -> None:
    """Write to standard error; where that cannot be written either, the exit code has to do."""
    with suppress(OSError):
        typer.echo(printable(str(text)), err=True)


def take_any_character() -> None:
    """Let standard output take characters that it has no bytes for: halves of them, and all in ASCII."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def complain_of_output(error: OutputError) -> None:
    """Say that standard output is lost, and forget what is still to be written to it.

    Python would try that once more as it ends, and print a traceback.
    """
    complain(f"error: {error}")
    with suppress(OSError, ValueError, AttributeError):  # no file, as in a test
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
