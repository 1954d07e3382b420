"""The source of one package: what the names in its modules stand for, and what changes what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nodegraph.cache.source import SourceModule, Statement
from nodegraph.cache.syntax import Chain, Import, References


class Target(NamedTuple):
    """Something a chain leads to: a name of a module (empty: all of it) and the attributes taken of that."""

    module: str
    name: str
    rest: Chain = ()


class Package:
    """The modules of one top-level package, as their files were when it was first asked for.

    Attributes:
        name: the package's name.
        modules: by absolute name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.modules = {module.name: module for module in _read(name)}
        self._loaded = {name: _identity(name) for name in self.modules}
        self._uses: dict[Statement, list[Target]] = {}
        self._changes: dict[tuple[str, str], list[Statement]] = {}

    @property
    def outdated(self) -> bool:
        """Whether a module was loaded again since, or for the first time from another text."""
        return any(self._is_outdated(name, identity) for name, identity in self._loaded.items())

    def _is_outdated(self, name: str, identity: Any) -> bool:
        now = _identity(name)
        if now is identity:
            return False
        self._loaded[name] = now
        module = self.modules[name]
        return identity is not None or not module.path.exists() or module.path.read_bytes() != module.text

    def short(self, module: str) -> str:
        """A module's name; within the package, the same wherever the package is installed."""
        inside = module == self.name or module.startswith(f"{self.name}.")
        return module.removeprefix(self.name) if inside else f"{module} "

    def uses(self, statement: Statement) -> list[Target]:
        """What a statement refers to within the package."""
        known = self._uses.get(statement)
        if known is None:
            known = self._uses[statement] = list(self._targets(statement, statement.references))
        return known

    def changes(self, module: SourceModule, name: str) -> list[Statement]:
        """The statements anywhere in the package that change what a name of a module is bound to.

        That is: which register in it, call a method of it, or do so by a function of its own module.
        """
        known = self._changes.get((module.name, name))
        if known is None:
            known = self._changes[module.name, name] = list(self._find_changes(module, name))
        return known

    def stars(self, module: SourceModule) -> Iterator[Target]:
        """The modules of which a module imports everything."""
        for target in module.imports.get("*", ()):
            if target.module in self.modules:
                yield Target(target.module, "")

    def _find_changes(self, module: SourceModule, name: str) -> Iterator[Statement]:
        variable = any(statement.is_variable for statement in module.bindings.get(name, ()))
        helpers = module.mentions.get(name, set()) if variable else set()
        plainly = variable or b"__init_subclass__" in module.text
        for statement in self._mentioning({name, *helpers}):
            targets = [t for t in self._targets(statement, statement.effects) if t.module == module.name]
            if any(t.name in helpers or (t.name == name and (plainly or t.rest)) for t in targets):
                yield statement

    def _mentioning(self, names: set[str]) -> Iterator[Statement]:
        wanted = [name.encode() for name in names]
        for module in self.modules.values():
            if any(name in module.text for name in wanted):
                yield from module.effectful

    def _targets(self, statement: Statement, found: References) -> Iterator[Target]:
        for chain in found.chains:
            yield from self._resolve(statement.module, chain, found.imports, set())
        if found.reflects:
            yield Target(statement.module.name, "")
        if found.imports_anything:
            yield from (Target(name, "") for name in self.modules)

    def _resolve(
        self, module: SourceModule, chain: Chain, local: dict[str, set[Import]], seen: set[Any]
    ) -> Iterator[Target]:
        """What a chain in a module may lead to, given the imports of the piece of source it is in."""
        if (module.name, chain) in seen:  # two modules that import the name from each other
            return
        seen.add((module.name, chain))
        name, rest = chain[0], chain[1:]
        if name in module.names:
            yield Target(module.name, name, rest)
        elif name not in local:
            yield from self.stars(module)
        for target in local.get(name, set()) | module.imports.get(name, set()):
            yield from self._follow(target, rest, seen)

    def _follow(self, target: Import, rest: Chain, seen: set[Any]) -> Iterator[Target]:
        """What an import leads to, with the attributes taken of what it binds."""
        module = self.modules.get(target.module)
        attributes = (target.attribute, *rest) if target.attribute else rest
        while module is not None and attributes and attributes[0] not in module.names:
            inner = self.modules.get(f"{module.name}.{attributes[0]}")
            if inner is None:
                yield Target(module.name, "")  # an attribute made while the module runs
                return
            module, attributes = inner, attributes[1:]
        if module is None:
            return
        if attributes:
            yield from self._resolve(module, attributes, {}, seen)
        else:
            yield Target(module.name, "")


def _identity(name: str) -> Any:
    """What differs between two loadings of a module, a reload included."""
    module = sys.modules.get(name)
    return None if module is None else (getattr(module, "__spec__", None) or module)


def _read(name: str) -> Iterator[SourceModule]:
    module = sys.modules.get(name)
    folders = getattr(module, "__path__", None)
    if folders is None:
        path = Path(getattr(module, "__file__", None) or "")
        if path.suffix == ".py" and path.is_file():
            yield SourceModule(name, path)
    for folder in folders or ():
        for path in sorted(Path(folder).rglob("*.py")):
            place = path.relative_to(folder)
            parts = place.parent.parts if place.name == "__init__.py" else place.with_suffix("").parts
            yield SourceModule(".".join((name, *parts)), path)
