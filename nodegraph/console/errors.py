"""Errors at the command line: plain words on standard error, and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from nodegraph.errors import (
    Cancelled,
    Issue,
    NodeError,
    NodeGraphError,
    ValidationError,
    WorkflowError,
    errors_among,
    listed,
)

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

DONE, FAILED, INVALID = 0, 1, 2


class UsageError(NodeGraphError):
    """The command line asks for something that cannot be."""


def guarded(command: Callable[[], int]) -> int:
    """The exit code of a command; its errors are told, not raised."""
    try:
        return command()
    except NodeGraphError as error:
        tell(error)
        return exit_code(error)
    except KeyboardInterrupt:
        typer.echo("cancelled", err=True)
        return FAILED


def exit_code(error: NodeGraphError) -> int:
    """2 where the workflow or the command line is at fault, 1 where a run failed."""
    return INVALID if isinstance(error, ValidationError | WorkflowError | UsageError) else FAILED


def counted(number: int, noun: str) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def tally(issues: Sequence[Issue]) -> str:
    """How many issues keep a workflow from running, and how many do not: ``2 issues, 1 warning``."""
    errors = len(errors_among(issues))
    numbers = ((errors, "issue"), (len(issues) - errors, "warning"))
    return ", ".join(counted(number, noun) for number, noun in numbers if number)


def tell(error: NodeGraphError) -> None:
    """Say what went wrong."""
    if isinstance(error, NodeError):
        tell_node_error(error, traceback=False)
    elif isinstance(error, ValidationError):
        typer.echo(f"invalid workflow, {tally(error.issues)}:", err=True)
        for issue in listed(error.issues):
            typer.echo(f"  {issue}", err=True)
    else:
        typer.echo("cancelled" if isinstance(error, Cancelled) else f"error: {error}", err=True)


def tell_problems(registry: NodeRegistry) -> None:
    """Say which packs did not load, and why."""
    for pack, problems in groupby(registry.problems, key=lambda problem: problem.pack):
        typer.echo(f"the pack {pack} did not load:", err=True)
        for problem in problems:
            typer.echo(f"  {problem}", err=True)


def tell_node_error(error: NodeError, *, traceback: bool) -> None:
    """Say which node failed, on what inputs, where and why; its traceback only where it is wanted."""
    typer.echo(f"error: node {error.node_id} ({error.node_type}) failed: {error}", err=True)
    for name, value in error.inputs.items():
        typer.echo(f"  {name} = {value}", err=True)
    if error.place:
        typer.echo(f"  at {error.place}", err=True)
    if error.traceback:
        typer.echo(error.traceback if traceback else "  --traceback shows the whole way there", err=True)
