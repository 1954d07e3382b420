"""The context a running node is given, backed by the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nodegraph.context import ModelRecipe
from nodegraph.events import NodePreview, NodeProgress
from nodegraph.execution.base import RunEnvironment
from nodegraph.execution.numbered_files import write_numbered
from nodegraph.files import File, OutputFile
from nodegraph.graph import GraphNode
from nodegraph.handles import Link

if TYPE_CHECKING:
    import torch

M = TypeVar("M")


class RunContext:
    """A ``NodeContext`` for one call of one node."""

    __slots__ = ("_elements", "_environment", "_node", "node_id")

    def __init__(self, environment: RunEnvironment, node: GraphNode, elements: Mapping[str, Any]) -> None:
        """``elements`` are the inputs that this call was given one element of."""
        self._elements = elements
        self._environment = environment
        self._node = node
        self.node_id = node.id

    @property
    def device(self) -> torch.device:
        """The compute device."""
        return self._environment.devices.device

    @property
    def dtype(self) -> torch.dtype:
        """The type models compute in."""
        return self._environment.devices.dtype

    @property
    def metadata(self) -> Mapping[str, str]:
        """Text for saved files."""
        return self._environment.metadata

    @property
    def pickles(self) -> bool:
        """Whether tensors may be read from pickled files."""
        return self._environment.folders.pickles

    def progress(self, value: int, total: int, message: str = "") -> None:
        """Publish progress; the place where a cancelled run stops."""
        self._environment.token.check()
        self._environment.bus.publish(
            NodeProgress(self._environment.run, self.node_id, int(value), int(total), str(message))
        )

    def preview(self, image: Any) -> None:
        """Publish an unfinished result."""
        self._environment.bus.publish(NodePreview(self._environment.run, self.node_id, image))

    def check_cancelled(self) -> None:
        """Raise ``Cancelled`` if the run was cancelled."""
        self._environment.token.check()

    def generator(self, seed: int) -> torch.Generator:
        """A seeded CPU generator."""
        import torch

        return torch.Generator("cpu").manual_seed(seed % 2**64)

    def lease(self, recipe: ModelRecipe[M]) -> AbstractContextManager[M]:
        """Hold a model's weights."""
        return self._environment.devices.lease(recipe)

    def resolve(self, folder: str, name: str) -> File:
        """A file by folder and name."""
        return self._environment.folders.resolve(folder, name)

    def path(self, file: File) -> Path:
        """Where a file lies."""
        return self._environment.folders.path(file)

    def save(
        self, data: bytes, *, prefix: str, suffix: str, media_type: str, temporary: bool = False
    ) -> OutputFile:
        """Write a numbered file below the output (or preview) folder."""
        folders = self._environment.folders
        root = (folders.temporary or folders.output) if temporary else folders.output
        path = write_numbered(root, prefix, suffix, data, () if temporary else folders.closed)
        return OutputFile(str(path), hashlib.sha256(data).hexdigest(), media_type)

    def input(self, name: str) -> Any:
        """The link, or list of links, that an input is wired to, else its value; an element is a value."""
        if name in self._elements:
            return self._elements[name]
        link = self._node.links.get(name)
        if link is None:
            return self._node.constants.get(name)
        return link if isinstance(link, Link) else list(link)
