"""Errors at the command line: plain words on standard error, and an exit code."""

from __future__ import annotations

from collections.abc import Callable

import typer

from nodegraph.errors import Cancelled, NodeError, NodeGraphError, ValidationError, WorkflowError

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


def tell(error: NodeGraphError) -> None:
    """Say what went wrong."""
    if isinstance(error, ValidationError):
        count = len(error.issues)
        typer.echo(f"invalid workflow, {count} {'issue' if count == 1 else 'issues'}:", err=True)
        for issue in error.issues:
            typer.echo(f"  {issue}", err=True)
    else:
        typer.echo("cancelled" if isinstance(error, Cancelled) else f"error: {error}", err=True)


def tell_node_error(error: NodeError, *, traceback: bool) -> None:
    """Say which node failed, on what inputs, and why; its traceback only where it is wanted."""
    typer.echo(f"error: node {error.node_id} ({error.node_type}) failed: {error}", err=True)
    for name, value in error.inputs.items():
        typer.echo(f"  {name} = {value}", err=True)
    if traceback:
        typer.echo(error.traceback, err=True)
