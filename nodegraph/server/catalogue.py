"""The catalogue of nodes as JSON text, made once: it is large, and every editor asks for it first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from nodegraph.registry import NodeRegistry
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
        return dump_json({"nodes": nodes, "problems": problems}).encode()

    @cached_property
    def tag(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text).hexdigest()[:32]
