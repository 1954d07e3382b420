"""The workflow document: one versioned JSON format for editor, command line, library and server."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, PrivateAttr
from pydantic_core import CoreSchema, core_schema

from nodegraph.collector import collector_paused
from nodegraph.errors import WorkflowError
from nodegraph.handles import Link, call_of, calls_upstream
from nodegraph.node_type import Node
from nodegraph.workflow.bodies import BodyNames
from nodegraph.workflow.building import Links, name_calls, split_inputs

FORMAT: Final = "nodegraph"
FORMAT_VERSION = 1
SUBGRAPH_PREFIX = "subgraph/"


class _Says:
    """Replaces whatever pydantic would say about a value by one plain sentence."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(handler(source), "workflow", custom_error_message=self.message)


Mode = Literal["muted", "bypassed"]
LINK_WORDS = 'must be a link ["node", "output"]'
Text = Annotated[str, _Says("must be text")]
Version = Annotated[int, Field(strict=True, ge=1), _Says("must be a whole number from 1 up")]
Object = Annotated[dict[str, Any], _Says("must be an object")]
OneLink = Annotated[Link, _Says(LINK_WORDS)]
AnyLinks = Annotated[Links, Field(union_mode="left_to_right"), _Says(f"{LINK_WORDS} or a list of links")]
ManyLinks = Annotated[list[Link], _Says('must be a list of [node, input], such as [["sampler", "cfg"]]')]


class _Record(BaseModel):
    """Frozen; fields it does not know survive reading and writing."""

    model_config = ConfigDict(frozen=True, extra="allow")


class NodeEntry(_Record):
    """One node of a workflow.

    Attributes:
        type: id of its node type, or ``subgraph/<name>`` for a subgraph of the same file.
        version: version of the node type that the inputs were written for.
        pack: the pack the type comes from, so that a missing one can be named.
        inputs: constants by input name.
        links: by input name the output it is wired to, or several that are gathered into a list.
        mode: ``muted`` leaves the node out of the run, with all that needs it; ``bypassed`` puts what comes
            into it in the place of what it would give.
        ui: what an editor keeps here (place, title, …); it never influences a run.
    """

    type: Text
    version: Version = 1
    pack: Text = ""
    inputs: Object = Field(default_factory=dict)
    links: dict[str, AnyLinks] = Field(default_factory=dict)
    mode: Annotated[Mode | None, _Says('must be "muted", "bypassed" or null')] = None
    ui: Object = Field(default_factory=dict)

    @property
    def subgraph(self) -> str | None:
        """Name of the subgraph this node stands for, or ``None``."""
        name = self.type.removeprefix(SUBGRAPH_PREFIX)
        return name if name != self.type else None

    def with_input(self, name: str, value: Any) -> NodeEntry:
        """A copy in which one input is a constant, whatever it was wired to before."""
        links = {key: link for key, link in self.links.items() if key != name}
        return self.model_copy(update={"inputs": {**self.inputs, name: value}, "links": links})


class SubgraphEntry(_Record):
    """A graph used as a node.

    Attributes:
        inputs: by the name it has outside, the inner inputs (``[node, input]``) that get the value.
        outputs: by the name it has outside, the inner output.
        nodes: the inner nodes, as in a workflow.
        ui: what an editor keeps about the inside; it never influences a run.
    """

    inputs: dict[str, ManyLinks] = Field(default_factory=dict)
    outputs: dict[str, OneLink] = Field(default_factory=dict)
    nodes: dict[str, NodeEntry] = Field(default_factory=dict)
    ui: Object = Field(default_factory=dict)


class Workflow(_Record):
    """A graph of nodes as it stands in a file; immutable.

    Attributes:
        format: always ``"nodegraph"``.
        version: version of the file format.
        id: a stable id, if the author wants one.
        name: what people call it.
        description: what it does.
        nodes: by id.
        subgraphs: by name; a node of type ``subgraph/<name>`` runs one.
        ui: what an editor keeps about the whole; it never influences a run.
    """

    format: Literal["nodegraph"] = FORMAT
    version: Version = FORMAT_VERSION
    id: Text | None = None
    name: Text = ""
    description: Text = ""
    nodes: dict[str, NodeEntry] = Field(default_factory=dict)
    subgraphs: dict[str, SubgraphEntry] = Field(default_factory=dict)
    ui: Object = Field(default_factory=dict)

    _node_types: tuple[Node, ...] = PrivateAttr(default=())
    _targets: tuple[str, ...] = PrivateAttr(default=())

    def __repr__(self) -> str:
        title = f" {self.name!r}" if self.name else ""
        inner = f" and {_counted(len(self.subgraphs), 'subgraph')}" if self.subgraphs else ""
        return f"<workflow{title} of {_counted(len(self.nodes), 'node')}{inner}>"

    __str__ = __repr__  # else pydantic prints the whole document

    @property
    def node_types(self) -> tuple[Node, ...]:
        """Node types met while building in Python, which need not be in any registry."""
        return self._node_types

    @property
    def targets(self) -> tuple[str, ...]:
        """Ids of the nodes whose outputs were asked for; empty when it was not built in Python."""
        return self._targets

    @classmethod
    @collector_paused()
    def from_outputs(cls, *handles: Any, name: str = "") -> Workflow:
        """The workflow that computes what ``handles`` stand for.

        Args:
            handles: what ``.node(...)`` returned.
            name: what people call it.

        Raises:
            WorkflowError: something else than a handle was given, two nodes have the same id, or a list
                mixes handles and values.
        """
        ids = name_calls(calls_upstream(list(handles)))
        types: dict[str, Node] = {}
        bodies = BodyNames(new_entry, lambda node: _note_type(types, node))
        nodes: dict[str, NodeEntry] = {}
        for call, node_id in ids.items():
            _note_type(types, call.node)
            constants, links = split_inputs(call, ids)
            nodes[node_id] = new_entry(call.node, inputs=bodies.replace(constants), links=links)
        subgraphs = {"subgraphs": bodies.subgraphs} if bodies.subgraphs else {}
        workflow = cls.model_validate({"name": name, "nodes": nodes, **subgraphs})
        workflow._node_types = tuple(types.values())
        workflow._targets = tuple(dict.fromkeys(ids[call_of(handle)] for handle in handles))
        return workflow

    def with_input(self, node: str, name: str, value: Any) -> Workflow:
        """A copy in which one input of one node is a constant, whatever it was wired to before.

        Raises:
            WorkflowError: there is no such node.
        """
        if node not in self.nodes:
            raise WorkflowError(f"there is no node {node!r}; there are: {', '.join(self.nodes)}")
        changed = self.nodes[node].with_input(name, value)
        return self.model_copy(update={"nodes": {**self.nodes, node: changed}})


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def new_entry(node: Node, **fields: Any) -> NodeEntry:
    """An entry of a node type at its present version; fields that hold nothing are left out."""
    known = {"pack": node.pack, **fields}
    return NodeEntry(
        type=node.id, version=node.version, **{key: value for key, value in known.items() if value}
    )


def _note_type(types: dict[str, Node], node: Node) -> None:
    if types.setdefault(node.id, node) is not node:
        raise WorkflowError(f"two different nodes are named {node.id!r}; rename one")
