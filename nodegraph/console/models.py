"""``nodegraph models``: the model files at hand, what they are, and whether they can be read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodegraph.console.catalogue import INDENT
from nodegraph.console.engines import EngineOptions, make_folders, make_registry
from nodegraph.console.errors import DONE, INVALID, tell_problems
from nodegraph.console.output import say
from nodegraph.digests import DigestCache
from nodegraph.errors import FileProblem, NodeGraphError
from nodegraph.files import Folders
from nodegraph.locations import folder_kinds
from nodegraph.node_type import Node, parameters_of
from nodegraph.registry import NodeRegistry
from nodegraph.specs import Mismatch, Spec
from nodegraph.workflow.writing import dump_json

SAFETENSORS = ".safetensors"
LENGTH_BYTES = 8
MAX_HEADER = 100 << 20
"""What safetensors itself takes for a header at most."""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class ModelFile:
    """What is known of a model file.

    Attributes:
        name: its name in its folder.
        bytes: its size.
        dtypes: types of its tensors, the most frequent first.
        family: the model family that its loader recognises.
        problem: why its loader cannot use it.
        digest: hexadecimal SHA-256; empty where it was not computed.
    """

    name: str
    bytes: int
    dtypes: tuple[str, ...] = ()
    family: str = ""
    problem: str = ""
    digest: str = ""

    @property
    def line(self) -> str:
        """Everything in one line."""
        facts = [self.family, "/".join(self.dtypes), _size(self.bytes), self.digest[:16], self.problem]
        return "  ".join([self.name, *filter(None, facts)])


def list_command(options: EngineOptions, *, as_json: bool) -> int:
    """List the model files that nodes can name, by kind of folder, as far as their headers tell."""
    registry = make_registry()
    folders = make_folders(registry, options)
    unread = dataclasses.replace(folders, digests=_Undigested())
    found = {kind: list(_files(kind, unread, registry)) for kind in folder_kinds(registry, folders)}
    _tell(found, folders, as_json=as_json)
    tell_problems(registry)
    return DONE


def verify_command(options: EngineOptions, *, as_json: bool) -> int:
    """Read every model file, tell its digest, and say which ones their loaders cannot use."""
    registry = make_registry()
    folders = make_folders(registry, options)
    found = {kind: list(_verified(kind, folders, registry)) for kind in folder_kinds(registry, folders)}
    _tell(found, folders, as_json=as_json)
    return INVALID if any(file.problem for files in found.values() for file in files) else DONE


def _tell(found: Mapping[str, list[ModelFile]], folders: Folders, *, as_json: bool) -> None:
    if as_json:
        rows = {kind: [dataclasses.asdict(file) for file in files] for kind, files in found.items()}
        say(dump_json(rows, 2))
        return
    for kind, files in found.items():
        say(kind)
        for file in files:
            say(INDENT + file.line)
        if not files:
            say(f"{INDENT}none; put files into {folders.home(kind)}")


def _verified(kind: str, folders: Folders, registry: NodeRegistry) -> Iterator[ModelFile]:
    for file in _files(kind, folders, registry):
        try:
            yield dataclasses.replace(file, digest=folders.resolve(kind, file.name).digest)
        except (FileProblem, OSError) as error:
            yield dataclasses.replace(file, problem=file.problem or str(error))


def _files(kind: str, folders: Folders, registry: NodeRegistry) -> Iterator[ModelFile]:
    loader = _loader(kind, registry)
    for name in folders.names(kind):
        try:
            found = folders.resolve(kind, name)
            paths = [folders.path(part) for part in found.halves or (found,)]
            file = ModelFile(name, sum(map(_bytes, paths)), _dtypes(paths))
        except (FileProblem, OSError):  # a link that leads nowhere, a pipe, a file of someone else
            yield ModelFile(name, 0, problem="it cannot be read: it is no file, or may not be")
        else:
            yield file if loader is None else _recognised(file, loader, folders)


def _loader(kind: str, registry: NodeRegistry) -> Node | None:
    """The node that loads one file of that kind, and says before the run what is in it."""
    loaders = (node for node in registry.nodes() if list(node.file_inputs.values()) == [kind])
    return next((node for node in loaders if node.infer is not None), None)


def _recognised(file: ModelFile, loader: Node, folders: Folders) -> ModelFile:
    """What the loader says of a file."""
    infer, (chosen,) = loader.infer, loader.file_inputs
    assert infer is not None
    specs = {name: Spec(value=input.default) for name, input in loader.inputs.items()}
    specs[chosen] = Spec(value=file.name)
    given: dict[str, Any] = {**specs, "files": folders}
    try:
        facts = infer(**{name: given[name] for name in parameters_of(infer)})
    except (NodeGraphError, Mismatch) as problem:
        return dataclasses.replace(file, problem=str(problem))
    return dataclasses.replace(file, family=_family(facts))


def _family(facts: Mapping[str, Any]) -> str:
    """The first family among the facts of one output or several."""
    values = [facts, *(value for value in facts.values() if isinstance(value, Mapping))]
    return next((str(value["family"]) for value in values if "family" in value), "")


def _bytes(path: Path) -> int:
    members = [path] if path.is_file() else [member for member in path.rglob("*") if member.is_file()]
    return sum(member.stat().st_size for member in members)


def _dtypes(paths: Sequence[Path]) -> tuple[str, ...]:
    """Types of the tensors in safetensors files or in those of folders, the most frequent first."""
    files = [
        file
        for path in paths
        for file in ([path] if path.is_file() else sorted(path.rglob(f"*{SAFETENSORS}")))
    ]
    found = [dtype for file in files if file.suffix == SAFETENSORS for dtype in _stored(file)]
    return tuple(sorted(set(found), key=lambda dtype: (-found.count(dtype), dtype)))


def _stored(path: Path) -> list[str]:
    """The type of every tensor; none where the header cannot be read, which the loader will say."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        text = file.read(length) if length <= min(MAX_HEADER, path.stat().st_size) else b""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        return []
    entries = header.values() if isinstance(header, dict) else ()
    return [str(entry["dtype"]) for entry in entries if isinstance(entry, dict) and "dtype" in entry]


def _size(count: float) -> str:
    for unit in UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {UNITS[-1]}"


class _Undigested(DigestCache):
    """Takes every file by its path, so that a list need not read gigabytes."""

    def digest(self, path: Path) -> str:
        """The path itself."""
        return str(path)
