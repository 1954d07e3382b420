"""The nodes an engine knows: built-ins and third-party packs, found the same way."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from nodegraph.declaration import NodeFunction, collected_declarations, collected_mistakes
from nodegraph.errors import DeclarationError
from nodegraph.hints import nearest
from nodegraph.node_type import Node

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "nodegraph.nodes"
BUILTIN_DISTRIBUTION = "nodegraph"


@dataclass(frozen=True)
class Pack:
    """A pack that loaded: its name, its top module, where it lies, and the ids of its nodes."""

    name: str
    module: str
    folder: Path | None
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class PackProblem:
    """Something that kept a pack from loading.

    Attributes:
        pack: its name.
        place: file and line of the fault, as far as known.
        message: what went wrong.
    """

    pack: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class NodeRegistry:
    """The node types of one engine; two registries never see each other's nodes.

    Attributes:
        packs: the packs that loaded, by name.
        problems: what kept other packs from loading.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self.packs: dict[str, Pack] = {}
        self.problems: list[PackProblem] = []

    @classmethod
    def with_plugins(cls, plugins: Path | None = None) -> NodeRegistry:
        """A registry of every installed pack, and of the packs in a plugins folder."""
        registry = cls()
        registry.discover_installed()
        if plugins:
            registry.discover_folder(plugins)
        return registry

    def get(self, id: str) -> Node | None:
        """The node of that id, or ``None``."""
        return self._nodes.get(id)

    def ids(self) -> list[str]:
        """All ids, sorted."""
        return sorted(self._nodes)

    def nodes(self) -> list[Node]:
        """All nodes, sorted by category, then id."""
        return sorted(self._nodes.values(), key=lambda node: (node.category, node.id))

    def suggest(self, id: str) -> tuple[str, ...]:
        """The nearest known ids, best first; letter case counts for nothing."""
        return nearest(id, self._nodes)

    def add(self, item: Node | NodeFunction[Any, Any, Any, Any], pack: str = "") -> Node:
        """Add one node; in a pack its id becomes ``pack.Name``.

        Raises:
            DeclarationError: another node already has that id.
        """
        record = item if isinstance(item, Node) else item.record
        if pack and not record.pack:
            record = replace(record, id=f"{pack}.{record.id}", pack=pack)
        self._refuse_clash(record)
        if isinstance(item, NodeFunction):
            item.record = record  # so that graphs built from Python use the namespaced id as well
        self._nodes[record.id] = record
        return record

    def _refuse_clash(self, node: Node) -> None:
        known = self._nodes.get(node.id)
        if known is not None and known.function is not node.function:
            raise DeclarationError(
                _where(node), f"two nodes are called {node.id!r}; the other is at {_where(known)}"
            )

    def extended(self, nodes: Iterable[Node]) -> NodeRegistry:
        """A registry with these nodes besides its own; where ids meet, these win."""
        registry = NodeRegistry()
        registry._nodes = {**self._nodes, **{node.id: node for node in nodes}}
        registry.packs, registry.problems = self.packs, self.problems
        return registry

    def discover_installed(self) -> None:
        """Load the packs that installed distributions offer in the group ``nodegraph.nodes``."""
        for point in entry_points(group=ENTRY_POINT_GROUP):
            builtin = point.dist is not None and point.dist.name == BUILTIN_DISTRIBUTION
            self._load(point.name, _importer(point), namespace="" if builtin else point.name)

    def discover(self, module: str, namespace: str = "") -> None:
        """Load the pack that is an importable package; ids get no prefix where ``namespace`` is empty."""
        self._load(namespace or module, lambda: importlib.import_module(module), namespace)

    def discover_folder(self, folder: Path) -> None:
        """Load every package and every ``.py`` file of a plugins folder as a pack of its own."""
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix == ".py" or (path / "__init__.py").is_file():
                self._load(path.stem, lambda path=path: _import_file(path), namespace=path.stem)  # type: ignore[misc]

    def _load(self, name: str, importer: Callable[[], ModuleType], namespace: str) -> None:
        known = set(sys.modules)
        try:
            with collected_mistakes() as mistakes, collected_declarations() as declared:
                package = importer()
                functions = list(_functions(package))
            functions = [*_overwritten(declared, functions), *functions]
            staged = self._staged(functions, namespace, mistakes)
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - whatever a pack does, the others load
            self._report(name, mistakes or [error])  # what a mistake left undone may be why the rest failed
        else:
            if mistakes:
                self._report(name, mistakes)
            else:
                self._accept(name, package, staged)
        if mistakes:
            _forget_modules(mistakes, set(sys.modules) - known)

    def _staged(
        self,
        functions: Iterable[NodeFunction[Any, Any, Any, Any]],
        namespace: str,
        mistakes: list[DeclarationError],
    ) -> NodeRegistry:
        """The nodes of a pack; those whose ids clash become mistakes."""
        staged = NodeRegistry()
        for function in functions:
            try:
                self._refuse_clash(staged.add(function, namespace))
            except DeclarationError as error:
                mistakes.append(error)
        return staged

    def _accept(self, name: str, package: ModuleType, staged: NodeRegistry) -> None:
        self._nodes.update(staged._nodes)
        place = next(iter(getattr(package, "__path__", ())), None)
        self.packs[name] = Pack(name, package.__name__, Path(place) if place else None, tuple(staged._nodes))

    def _report(self, pack: str, errors: Iterable[BaseException]) -> None:
        for error in errors:
            problem = PackProblem(pack, _place(error), _message(error))
            logger.warning("node pack %s is skipped: %s", pack, problem)
            self.problems.append(problem)


def _importer(point: EntryPoint) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(point.module)


def _import_file(path: Path) -> ModuleType:
    """Import a plugin under a name of its own, so that a plugin ``json.py`` shadows nothing."""
    source = path if path.suffix == ".py" else path / "__init__.py"
    name = f"nodegraph_plugin_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    search = None if path.suffix == ".py" else [str(path)]
    spec = importlib.util.spec_from_file_location(name, source, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError(f"{source} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        if info.name.endswith(".nodes") or info.ispkg or package.__name__.startswith("nodegraph_plugin_"):
            yield importlib.import_module(info.name)


def _functions(package: ModuleType) -> Iterator[NodeFunction[Any, Any, Any, Any]]:
    """The nodes a package defines: in itself, its subpackages, and modules called ``nodes``."""
    for module in _modules(package):
        for item in vars(module).values():
            if isinstance(item, NodeFunction) and item.__module__ == module.__name__:
                yield item


def _overwritten(
    declared: Iterable[NodeFunction[Any, Any, Any, Any]], found: Iterable[NodeFunction[Any, Any, Any, Any]]
) -> Iterator[NodeFunction[Any, Any, Any, Any]]:
    """Nodes of modules whose names went to others further down, as the author will hardly have meant."""
    names = {_name(item): item for item in found}
    for item in declared:
        if names.get(_name(item), item) is not item:
            yield item


def _name(item: NodeFunction[Any, Any, Any, Any]) -> tuple[str, str]:
    return item.__module__, item.record.function.__qualname__


def _where(node: Node) -> str:
    code = getattr(node.function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(node.function)


def _forget_modules(mistakes: Iterable[DeclarationError], new: Iterable[str]) -> None:
    """Drop the modules of a pack with mistakes, whose faulty nodes were left plain functions."""
    files = {mistake.place.rpartition(":")[0] for mistake in mistakes}
    names = {name for name in new if getattr(sys.modules[name], "__file__", None) in files}
    packages = {name.partition(".")[0] for name in names}
    for name in new:
        if name.partition(".")[0] in packages:
            del sys.modules[name]


def _message(error: BaseException) -> str:
    return error.problem if isinstance(error, DeclarationError) else f"{type(error).__name__}: {error}"


def _place(error: BaseException) -> str:
    if isinstance(error, DeclarationError):
        return error.place
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
