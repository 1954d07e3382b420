"""Building a graph from Python: calls that have not happened yet, and handles on their outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from nodegraph.errors import WorkflowError

if TYPE_CHECKING:
    from nodegraph.node_type import Node


class Link(NamedTuple):
    """An output of a node that is already in a graph."""

    node: str
    output: str


_serials = count()


class Call:
    """A node and the inputs it will be given: values, handles, links, or lists of handles.

    Attributes:
        node: the node to call.
        inputs: what each input is given.
        id: the id it shall have in the workflow, or ``None`` for one made from the node's name.
        serial: a number larger than that of every call made before.
    """

    __slots__ = ("id", "inputs", "node", "serial")

    def __init__(self, node: Node, inputs: Mapping[str, Any]) -> None:
        unknown = [name for name in inputs if name not in node.inputs]
        if unknown:
            raise WorkflowError(f"{node.id} has no input {unknown[0]!r}; it has {', '.join(node.inputs)}")
        self.node = node
        self.inputs = dict(inputs)
        self.id: str | None = None
        self.serial = next(_serials)


class Handle:
    """Stands for an output of a call until the graph has run.

    The handle of a node with several outputs stands for all of them: name one (``loaded.model``) or
    unpack it (``model, clip, vae = loaded``) before wiring it on.
    """

    __slots__ = ("_call", "_output")

    def __init__(self, call: Call, output: str | None) -> None:
        self._call = call
        self._output = output

    def __getattr__(self, name: str) -> Handle:
        if name in Handle.__slots__:  # asked for by copy() before there is anything in it
            raise AttributeError(name)
        if self._output is None and any(output.name == name for output in self._call.node.outputs):
            return Handle(self._call, name)
        outputs = ", ".join(output.name for output in self._call.node.outputs)
        raise AttributeError(
            f"{name!r} is not an output of {self._call.node.id} (outputs: {outputs}); "
            "a handle has no value before the graph has run"
        )

    def __iter__(self) -> Iterator[Handle]:
        if self._output is not None:
            raise TypeError(
                f"output {self._output!r} of {self._call.node.id} has no value before the graph has run"
            )
        return (Handle(self._call, output.name) for output in self._call.node.outputs)

    def __getitem__(self, index: int) -> Handle:
        return list(self)[index]

    def __repr__(self) -> str:
        return f"<handle on {self._call.node.id}.{self._output or '*'}>"


def new_handle(call: Call) -> Handle:
    """The handle that calling ``.node(...)`` returns."""
    outputs = call.node.outputs
    return Handle(call, outputs[0].name if len(outputs) == 1 else None)


def call_of(handle: Any) -> Call:
    """The call a handle stands on.

    Raises:
        WorkflowError: ``handle`` is something else, such as the result of calling the node at once.
    """
    if not isinstance(handle, Handle):
        raise WorkflowError(f"expected what .node(...) returned, got {type(handle).__name__}")
    return handle._call


def output_of(handle: Handle) -> str:
    """The name of the one output a handle stands for.

    Raises:
        WorkflowError: it stands for several.
    """
    if handle._output is None:
        names = ", ".join(f".{output.name}" for output in handle._call.node.outputs) or "none"
        raise WorkflowError(f"{handle._call.node.id} has several outputs; name one of {names}")
    return handle._output


def _is_text(value: object) -> bool:
    """Whether a value is text without halves of characters, which no file can hold."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def with_id(handle: Any, id: str) -> Any:
    """Give a call the id it shall have in the workflow; returns ``handle`` itself.

    Raises:
        WorkflowError: the id is no text, or holds half a character.
    """
    if not _is_text(id):
        raise WorkflowError(f"the id of a node must be text, not {id!r}")
    call_of(handle).id = id
    return handle


class Subgraph:
    """Returned by a node instead of values: a graph that runs in its place.

    Args:
        also: handles of nodes that shall run although no output needs them, such as ``SaveImage``.
        outputs: for each output of the node a handle, a ``Link``, a plain value, or a list of handles
            that becomes a list value.
    """

    __slots__ = ("also", "outputs")

    def __init__(self, *also: Any, **outputs: Any) -> None:
        self.also = also
        self.outputs = outputs


def handles_in(value: Any) -> list[Handle]:
    """The handles an input of a call, or an output of a subgraph, is wired to."""
    found: list[Handle] = []
    stack = [value]
    open_lists: set[int] = set()  # so that a list which contains itself is entered once
    while stack:
        item = stack.pop()
        if isinstance(item, Handle):
            found.append(item)
        elif isinstance(item, list) and id(item) not in open_lists:
            open_lists.add(id(item))
            stack.extend(reversed(item))
    return found


def calls_upstream(handles: list[Handle]) -> list[Call]:
    """Every call that ``handles`` depend on, each once, sources before what uses them."""
    found: dict[Call, None] = {}
    stack = [(call_of(handle), False) for handle in reversed(handles)]
    while stack:
        call, sources_done = stack.pop()
        if call in found:
            continue
        if sources_done:
            found[call] = None
            continue
        stack.append((call, True))
        wired = [handle for value in call.inputs.values() for handle in handles_in(value)]
        stack.extend((call_of(handle), False) for handle in reversed(wired))
    return list(found)
