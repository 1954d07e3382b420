"""Errors at the command line: plain words on standard error, and an exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from nodegraph.console.interrupt import terminated_as_interrupted
from nodegraph.console.output import OutputError, complain, complain_of_output, take_any_character
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
from nodegraph.system_errors import system_message

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

DONE, FAILED, INVALID = 0, 1, 2


class UsageError(NodeGraphError):
    """The command line asks for something that cannot be."""


def guarded(command: Callable[[], int]) -> int:
    """The exit code of a command; its errors are told, not raised."""
    take_any_character()
    if not _has_working_folder():
        complain("error: the folder that this was called in is gone; change to another one with cd")
        return FAILED
    with terminated_as_interrupted():
        try:
            return command()
        except NodeGraphError as error:
            tell(error)
            return exit_code(error)
        except OutputError as error:
            complain_of_output(error)
        except BrokenPipeError:
            raise  # nobody reads on: click ends the program without a word
        except OSError as error:
            complain(f"error: {system_message(error)}")
        except KeyboardInterrupt:
            complain("cancelled")
        return FAILED


def _has_working_folder() -> bool:
    """Without one, libraries that are loaded later end the process in their own ways."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 - the folder counts, not the path
    except OSError:
        return False


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
        complain(f"invalid workflow, {tally(error.issues)}:")
        for issue in listed(error.issues):
            complain(f"  {issue}")
    else:
        complain(f"cancelled: {error}" if isinstance(error, Cancelled) else f"error: {error}")


def tell_problems(registry: NodeRegistry) -> None:
    """Say which packs did not load, and why."""
    for pack, problems in groupby(registry.problems, key=lambda problem: problem.pack):
        complain(f"the pack {pack} did not load:")
        for problem in problems:
            complain(f"  {problem}")


def tell_node_error(error: NodeError, *, traceback: bool) -> None:
    """Say which node failed, on what inputs, where and why; its traceback only where it is wanted."""
    complain(f"error: node {error.node_id} ({error.node_type}) failed: {error}")
    for name, value in error.inputs.items():
        complain(f"  {name} = {value}")
    if error.place:
        complain(f"  at {error.place}")
    if error.traceback:
        complain(error.traceback if traceback else "  --traceback shows the whole way there")
