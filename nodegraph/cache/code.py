"""The digest of a function's code and of what it calls in its own package."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from typing import Any

from nodegraph.cache.live import LiveDigest
from nodegraph.cache.package import Package, Target
from nodegraph.cache.source import SourceModule, Statement
from nodegraph.cache.syntax import Import

_packages: dict[str, Package] = {}
_lock = threading.Lock()


def code_digest(function: Any) -> str:
    """Hexadecimal SHA-256 of a function's source and of all that it uses of its own top-level package.

    Found by reading, never by running: the statements that bind the names it mentions, and the names those
    mention, across modules, through imports, annotations, decorators, defaults, base classes and methods.
    Of other packages only the names count. Where names are looked up while the code runs (``import *``,
    a module passed around, ``eval``), the whole module counts; where modules are imported by computed
    names, the whole package. What is registered in a table by a decorator or a call at the top of a
    module counts for whoever uses the table. Comments, layout and docstrings do not count.

    The source counts as it was when the package's first digest was taken, and again after a reload.

    A function without a source file counts by its bytecode and the globals it names; a closure by the
    source of what made it and by what it closes over.

    Raises:
        CodecError: it closes over something that has no stable encoding, such as a live model.
    """
    return LiveDigest(_source_digest).of(function)


def remember_sources(package: str) -> None:
    """Read the sources of a loaded package now, so that later edits do not count before a reload."""
    _package(package)


def _package(name: str) -> Package:
    with _lock:
        package = _packages.get(name)
        if package is None or package.outdated:
            package = _packages[name] = Package(name)
        return package


def _source_digest(module: str, name: str, line: int | None) -> bytes | None:
    """Digest of what a module binds to a name, else of its statement at a line; ``None`` without a source."""
    package = _package(module.partition(".")[0])
    source = package.modules.get(module)
    if source is None:
        return None
    if name in source.names:
        return _Closure(package, [Target(module, name)]).digest()
    around = [s for s in source.statements if line and s.node.lineno <= line <= (s.node.end_lineno or 0)]
    return _Closure(package, [], around).digest() if around else None


class _Closure:
    """All that some code of a package is made of and uses, found step by step."""

    def __init__(self, package: Package, targets: list[Target], statements: Iterable[Statement] = ()) -> None:
        self._package = package
        self._found: dict[tuple[str, str], bytes] = {}
        self._pending = targets
        self._add(("", ""), statements)
        while self._pending:
            module, name, _ = self._pending.pop()
            if (module, name) not in self._found:
                self._expand(package.modules[module], name)

    def digest(self) -> bytes:
        """Digest of all of it, in whatever order it was found."""
        total = hashlib.sha256()
        for (module, name), content in sorted(self._found.items()):
            total.update(f"{self._package.short(module)}\0{name}\0".encode() + content)
        return total.digest()

    def _expand(self, module: SourceModule, name: str) -> None:
        if name:
            statements = (*module.bindings.get(name, ()), *self._package.changes(module, name))
            self._add((module.name, name), statements, module.imports.get(name, ()))
        else:
            self._found[module.name, ""] = module.shape
            self._pending.extend(Target(module.name, inner) for inner in module.names)
            self._pending.extend(self._package.stars(module))

    def _add(
        self, key: tuple[str, str], statements: Iterable[Statement], imports: Iterable[Import] = ()
    ) -> None:
        """Note what a name is bound to: by which imports, and by which statements in their order."""
        total = hashlib.sha256()
        for module, attribute in sorted(imports):
            total.update(f"{self._package.short(module)}\0{attribute}\0".encode())
        for statement in statements:
            total.update(statement.shape)
            self._pending.extend(self._package.uses(statement))
        self._found[key] = total.digest()
