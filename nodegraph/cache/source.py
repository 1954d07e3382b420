"""The source of one module: its statements, and what the names in it are bound to."""

from __future__ import annotations

import ast
import hashlib
from functools import cached_property
from pathlib import Path

from nodegraph.cache.syntax import (
    Definition,
    Import,
    References,
    bound_names,
    effects_of,
    imported_names,
    imports_of,
    references,
    shape,
)


class Statement:
    """One statement at the top level of a module."""

    def __init__(self, node: ast.stmt, module: SourceModule) -> None:
        self.node = node
        self.module = module

    @cached_property
    def shape(self) -> bytes:
        """Digest of what it says."""
        return shape(self.node)

    @cached_property
    def references(self) -> References:
        """The names it refers to."""
        return references([self.node], self.module.locate)

    @cached_property
    def effects(self) -> References:
        """The names of other things that it may change when it runs."""
        return references(effects_of(self.node), self.module.locate)

    @cached_property
    def is_variable(self) -> bool:
        """Whether it binds a value, not a function or class."""
        return not isinstance(self.node, Definition)


class SourceModule:
    """One module's source; parsed only when something of it is needed.

    Attributes:
        name: absolute dotted name.
        path: its file.
        text: what the file said.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.text = path.read_bytes()
        self._home = name if path.name == "__init__.py" else name.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; empty for a file that is no Python this interpreter reads."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError):
            return ast.Module([], [])

    @cached_property
    def shape(self) -> bytes:
        """Digest of all that the module says."""
        return shape(self.tree) if self.tree.body else hashlib.sha256(self.text).digest()

    @cached_property
    def statements(self) -> list[Statement]:
        """Its statements."""
        return [Statement(node, self) for node in self.tree.body]

    @cached_property
    def effectful(self) -> list[Statement]:
        """Those that may change something defined elsewhere."""
        return [statement for statement in self.statements if statement.effects.chains]

    @cached_property
    def bindings(self) -> dict[str, list[Statement]]:
        """The statements that bind each name, imports aside."""
        found: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in self._bound(statement):
                found.setdefault(name, []).append(statement)
        return found

    def _bound(self, statement: Statement) -> set[str]:
        if b"global " not in self.text:
            return bound_names(statement.node)
        declared = (node.names for node in ast.walk(statement.node) if isinstance(node, ast.Global))
        return bound_names(statement.node).union(*declared)

    @cached_property
    def imports(self) -> dict[str, set[Import]]:
        """What each imported name stands for; several things where a ``try`` or ``if`` decides."""
        found: dict[str, set[Import]] = {}
        for statement in self.statements:
            for node in imports_of(statement.node):
                for name, target in imported_names(node, self.locate):
                    found.setdefault(name, set()).add(target)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names it has, those of ``import *`` aside."""
        return frozenset(self.bindings) | frozenset(self.imports) - {"*"}

    @cached_property
    def mentions(self) -> dict[str, set[str]]:
        """For each name, the functions and classes of this module that mention it."""
        found: dict[str, set[str]] = {}
        for definition, statements in self.bindings.items():
            for statement in statements:
                for chain in () if statement.is_variable else statement.references.chains:
                    found.setdefault(chain[0], set()).add(definition)
        return found

    def locate(self, node: ast.ImportFrom) -> str:
        """The absolute name of the module that a ``from`` import in this module names."""
        home = self._home.split(".")
        base = home[: len(home) - node.level + 1] if node.level else []
        return ".".join([*base, *([node.module] if node.module else [])])
