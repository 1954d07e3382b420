"""Every error the engine raises on purpose, and the record of one problem in a workflow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning"]

MOST_LISTED = 200
"""As many issues of one workflow are told; who has thousands of them has made one mistake, or means harm."""

LONGEST_TOLD = 2000
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem found in a workflow before it runs.

    Attributes:
        code: stable machine-readable kind, such as ``"unknown_node"``.
        message: one sentence that says what is wrong and what would do.
        node: id of the node at fault, or ``None`` for the workflow as a whole.
        input: name of the input at fault, if one is.
        given: what the workflow holds there, as text.
        expected: what would be accepted, as text.
        suggestions: the nearest valid names, best first.
        related: ids of the other nodes that take part (the source of a link, the rest of a cycle).
        remedy: places as ``node.input`` with values there that would mend it.
        severity: an ``"error"`` keeps the workflow from running, a ``"warning"`` never does.
    """

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    given: str | None = None
    expected: str | None = None
    suggestions: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    remedy: tuple[tuple[str, Any], ...] = ()
    severity: Severity = "error"

    def to_json(self) -> dict[str, Any]:
        """The issue as plain JSON data."""
        return asdict(self) | {"remedy": dict(self.remedy)}

    def shortened(self) -> Issue:
        """The issue with texts that somebody can read: a name may be as long as the file that holds it."""
        message, given, expected = map(_shortened, (self.message, self.given, self.expected))
        if (message, given, expected) == (self.message, self.given, self.expected):
            return self
        return replace(self, message=message or "", given=given, expected=expected)

    def __str__(self) -> str:
        place = ".".join(part for part in (self.node, self.input) if part)
        hint = f" Did you mean {' or '.join(map(repr, self.suggestions))}?" if self.suggestions else ""
        text = f"{place}: {self.message}{hint}" if place else f"{self.message}{hint}"
        return text if self.severity == "error" else f"{self.severity}: {text}"


def _shortened(text: str | None) -> str | None:
    return f"{text[:LONGEST_TOLD]}…" if text and len(text) > LONGEST_TOLD else text


def errors_among(issues: Iterable[Issue]) -> list[Issue]:
    """The issues that keep a workflow from running."""
    return [issue for issue in issues if issue.severity == "error"]


def listed(issues: Sequence[Issue], most: int = MOST_LISTED) -> list[Issue]:
    """The issues as they are told: where there are very many the first ones, errors before warnings, and
    an issue ``more_issues`` that says how many more there are.
    """
    if len(issues) <= most:
        return [issue.shortened() for issue in issues]
    wrong = errors_among(issues)
    ordered = [*wrong, *(issue for issue in issues if issue.severity != "error")]
    told = [issue.shortened() for issue in ordered[:most]]
    more = len(issues) - most
    text = f"{more} more {'is' if more == 1 else 'are'} not listed here; mend these, and the rest will be."
    severity: Severity = "error" if len(wrong) > most else "warning"
    return [*told, Issue("more_issues", text, given=str(more), severity=severity)]


class NodeGraphError(Exception):
    """Base of every error raised by nodegraph on purpose."""


class DeclarationError(NodeGraphError, TypeError):
    """A node's declaration contradicts itself, or another's.

    Attributes:
        place: the author's file and line, with which the message starts.
        problem: the rest of the message.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


class WorkflowError(NodeGraphError):
    """A workflow file or document cannot be read as a workflow at all."""


class ValidationError(NodeGraphError):
    """A workflow was read but must not run.

    Attributes:
        issues: every problem found, in node order; at least one is an error.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        lines = (f"- {issue}" for issue in listed(self.issues))
        super().__init__(f"{len(self.issues)} issue(s):\n" + "\n".join(lines))


class NodeError(NodeGraphError):
    """A node failed while it ran.

    Attributes:
        node_id: id of the node in the workflow.
        node_type: its type.
        inputs: a short summary of each input value it was given.
        traceback: the traceback of the original exception, as text.
        place: the line of the node's own code that it came from, such as ``effects.py:12, in blur``, with
            the whole path; empty where none did.
        exception: the class of the original exception, such as ``torch.OutOfMemoryError``.
        frames: the way there, outermost first, as ``module:line, in name``: no path of this machine.
    """

    def __init__(
        self,
        message: str,
        *,
        node_id: str,
        node_type: str,
        inputs: dict[str, str] | None = None,
        traceback: str = "",
        place: str = "",
        exception: str = "",
        frames: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.node_id = node_id
        self.node_type = node_type
        self.inputs = dict(inputs or {})
        self.traceback = traceback
        self.place = place
        self.exception = exception
        self.frames = tuple(frames)

    def to_json(self) -> dict[str, Any]:
        """The error as plain JSON data."""
        return {
            "message": str(self),
            "node": self.node_id,
            "type": self.node_type,
            "inputs": self.inputs,
            "place": self.place,
            "traceback": self.traceback,
        }


class InputError(NodeGraphError, ValueError):
    """Raised by a node to say which input it cannot work with, and what would do.

    Attributes:
        input: name of the input at fault.
    """

    def __init__(self, input: str, message: str) -> None:
        super().__init__(f"{input}: {message}")
        self.input = input


class FileProblem(NodeGraphError):
    """A file that a workflow names is missing, unreadable, or outside the engine's folders."""

    def __init__(self, message: str, *, suggestions: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = tuple(suggestions)


class CodecError(NodeGraphError):
    """A value cannot be hashed, stored or restored."""


class OutOfMemory(NodeGraphError):
    """A device has no room left, even after everything idle was moved off it."""


class Cancelled(NodeGraphError):
    """The run was cancelled."""
