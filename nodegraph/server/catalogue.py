"""The catalogue of nodes as JSON text, made once: it is large, and every editor asks for it first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from nodegraph.node_type import Node
from nodegraph.registry import NodeRegistry
from nodegraph.server.templates import Templates
from nodegraph.sockets import classes_in
from nodegraph.workflow.writing import dump_json


@dataclass
class Catalogue:
    """What there is to build workflows from.

    Attributes:
        registry: the nodes.
        templates: the workflows to start from, which are examples of their nodes.
    """

    registry: NodeRegistry = field(repr=False)
    templates: Templates

    @cached_property
    def text(self) -> bytes:
        """Every node type, as ``views.CatalogueView`` describes it."""
        nodes = {node.id: self.describe(node) for node in self.registry.nodes()}
        problems = [vars(problem) for problem in self.registry.problems]
        return dump_json({"nodes": nodes, "problems": problems, "types": self._types()}).encode()

    def _types(self) -> dict[str, list[str]]:
        """By name each class that a socket carries, with the names of those it derives from."""
        inputs = (input.type for node in self.registry.nodes() for input in node.inputs.values())
        outputs = (output.type for node in self.registry.nodes() for output in node.outputs)
        classes = {cls.__name__: cls for socket in chain(inputs, outputs) for cls in classes_in(socket)}
        return {name: [base.__name__ for base in cls.__mro__[1:-1]] for name, cls in classes.items()}

    def describe(self, node: Node) -> dict[str, Any]:
        """One node type, as ``views.NodeView`` describes it."""
        return {**node.describe(), "examples": self._examples.get(node.id, [])}

    @cached_property
    def _examples(self) -> dict[str, list[str]]:
        """Names of the templates that use each node type."""
        found: dict[str, list[str]] = {}
        for template in self.templates.by_name.values():
            for type in template.node_types:
                found.setdefault(type, []).append(template.name)
        return found

    @cached_property
    def tag(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text).hexdigest()[:32]
