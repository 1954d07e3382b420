"""The context a running node is given, backed by the engine."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nodegraph.context import ModelRecipe
from nodegraph.errors import FileProblem
from nodegraph.events import NodePreview, NodeProgress
from nodegraph.execution.base import RunEnvironment
from nodegraph.files import File, OutputFile
from nodegraph.graph import GraphNode
from nodegraph.handles import Link

if TYPE_CHECKING:
    import torch

M = TypeVar("M")
MAX_NUMBERED_FILES = 100_000


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


def write_numbered(root: Path, prefix: str, suffix: str, data: bytes, closed: Collection[str] = ()) -> Path:
    """Write ``<root>/<prefix>_00001<suffix>`` or the next free number, whole or not at all.

    Args:
        closed: names of folders in ``root`` that nothing is written to, however their letters are cased.

    Raises:
        FileProblem: ``prefix`` leads outside ``root``, or the file cannot be written.
    """
    home, base = root.resolve(), (root / prefix.replace("\0", "")).resolve()
    if "\0" in prefix or home not in base.parents:
        raise FileProblem(f"{prefix!r} leads outside the output folder; use a name, or folder/name")
    if base.parent != home and base.relative_to(home).parts[0].casefold() in closed:
        raise FileProblem(f"{prefix!r} leads to the files of other users; use another folder")
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        return _write_next(base, suffix, data)
    except OSError as error:
        raise FileProblem(f"{base.parent} cannot be written: {error.strerror}") from error


def _write_next(base: Path, suffix: str, data: bytes) -> Path:
    path = _reserve(base, suffix)
    handle, temporary = tempfile.mkstemp(dir=base.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return path


def _reserve(base: Path, suffix: str) -> Path:
    """Create the next free name, so that no other process takes it too."""
    for number in range(_last_number(base, suffix) + 1, MAX_NUMBERED_FILES):
        path = base.with_name(f"{base.name}_{number:05}{suffix}")
        try:
            path.open("xb").close()
        except FileExistsError:
            continue
        return path
    raise FileProblem(f"there are {MAX_NUMBERED_FILES} files called {base.name}_*{suffix} already")


def _last_number(base: Path, suffix: str) -> int:
    start = len(base.name) + 1
    names = (path.name for path in base.parent.iterdir() if path.name.startswith(f"{base.name}_"))
    digits = (name[start : -len(suffix)] for name in names if name.endswith(suffix))
    return max((int(text) for text in digits if text.isdecimal()), default=0)
