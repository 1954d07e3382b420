"""Input files of this machine for a workflow that runs on a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nodegraph import locations
from nodegraph.client import Client
from nodegraph.errors import FileProblem
from nodegraph.files import INPUTS
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.schema import NodeEntry, Workflow


class InputUploads:
    """Uploads the pictures that workflows name and that are found here, each once.

    Files are found as a run on this machine would find them; those that packs bring with them stay, because
    the server has them too. What is no picture stays as well: a workflow from elsewhere may name anything.

    Args:
        client: what uploads them.
        registry: says which inputs name files.
        tell: is told of each upload, in a line.
    """

    def __init__(self, client: Client, registry: NodeRegistry, tell: Callable[[str], None]) -> None:
        self._client, self._registry, self._tell = client, registry, tell
        self._folders = locations.default_folders(registry, locations.cache_folder(), any_path=True)
        packs = (pack.folder for pack in registry.packs.values() if pack.folder)
        self._shipped = [folder.resolve() / "inputs" for folder in packs]
        self._names: dict[Path, str] = {}

    def sent(self, workflow: Workflow) -> Workflow:
        """The workflow with the names that the server has given to the files.

        Raises:
            ServerError: it does not take one.
        """
        subgraphs = {
            name: entry.model_copy(update={"nodes": self._all(entry.nodes)})
            for name, entry in workflow.subgraphs.items()
        }
        return workflow.model_copy(update={"nodes": self._all(workflow.nodes), "subgraphs": subgraphs})

    def _all(self, nodes: Mapping[str, NodeEntry]) -> dict[str, NodeEntry]:
        return {id: self._one(entry) for id, entry in nodes.items()}

    def _one(self, entry: NodeEntry) -> NodeEntry:
        known = self._registry.get(entry.type)
        for name, folder in known.file_inputs.items() if known else ():
            value = entry.inputs.get(name)
            if folder == INPUTS and isinstance(value, str) and (path := self._found(value)):
                entry = entry.with_input(name, self._name_of(path))
        return entry

    def _found(self, name: str) -> Path | None:
        """The file here that is meant, unless every machine with its pack has it."""
        try:
            path = self._folders.path(self._folders.resolve(INPUTS, name)).resolve()
        except FileProblem:
            return None  # if the server does not have it either, it says so
        shipped = any(path.is_relative_to(folder) for folder in self._shipped)
        return None if shipped or not _is_picture(path) else path

    def _name_of(self, path: Path) -> str:
        if path not in self._names:
            self._names[path] = self._client.upload(path)
            self._tell(f"uploaded {path} as {self._names[path]}")
        return self._names[path]


def _is_picture(path: Path) -> bool:
    """Whether a file begins as one does."""
    import PIL.Image

    try:
        with PIL.Image.open(path):
            return True
    except (OSError, ValueError, PIL.Image.DecompressionBombError):
        return False
