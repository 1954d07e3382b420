"""The catalogue of nodes as JSON text, made once: it is large, and every editor asks for it first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from nodegraph.registry import NodeRegistry
from nodegraph.sockets import classes_in
from nodegraph.workflow.writing import dump_json


@dataclass
class Catalogue:
    """What there is to build workflows from.

    Attributes:
        registry: the nodes.
    """

    registry: NodeRegistry = field(repr=False)

    @cached_property
    def text(self) -> bytes:
        """Every node type, as ``views.CatalogueView`` describes it."""
        nodes = {node.id: node.describe() for node in self.registry.nodes()}
        problems = [vars(problem) for problem in self.registry.problems]
        return dump_json({"nodes": nodes, "problems": problems, "types": self._types()}).encode()

    def _types(self) -> dict[str, list[str]]:
        """By name each class that a socket carries, with the names of those it derives from."""
        inputs = (input.type for node in self.registry.nodes() for input in node.inputs.values())
        outputs = (output.type for node in self.registry.nodes() for output in node.outputs)
        classes = {cls.__name__: cls for socket in chain(inputs, outputs) for cls in classes_in(socket)}
        return {name: [base.__name__ for base in cls.__mro__[1:-1]] for name, cls in classes.items()}

    @cached_property
    def tag(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text).hexdigest()[:32]
