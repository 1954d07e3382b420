"""What a piece of Python source says: its shape without looks, and the names it refers to."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Chain = tuple[str, ...]
"""A name and the attributes taken of it: ``a.b.c`` is ``("a", "b", "c")``."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
LOOKS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
REFLECTION = frozenset({("globals",), ("eval",), ("exec",), ("sys", "modules")})


class Import(NamedTuple):
    """What one imported name stands for: a module, or with ``attribute`` something in it."""

    module: str
    attribute: str = ""


@dataclass
class References:
    """The names that a piece of source refers to.

    Attributes:
        chains: names with their attributes.
        imports: names bound by imports within the piece, inside functions as well.
        reflects: whether it looks names up while it runs, so that any of its module's may be meant.
        imports_anything: whether it imports modules by names made while it runs.
    """

    chains: set[Chain] = field(default_factory=set)
    imports: dict[str, set[Import]] = field(default_factory=dict)
    reflects: bool = False
    imports_anything: bool = False


Locate = Callable[[ast.ImportFrom], str]


def shape(root: ast.AST) -> bytes:
    """A digest of the syntax tree that comments, layout, positions and docstrings do not change."""
    parts: list[bytes] = []
    stack: list[Any] = [root]
    while stack:
        item = stack.pop()
        if type(item) is bytes:
            parts.append(item)
        elif isinstance(item, ast.AST):
            parts.append(b"(" + type(item).__name__.encode())
            stack.append(b")")
            stack.extend(reversed(list(_parts(item))))
        elif isinstance(item, list):
            parts.append(b"[")
            stack.append(b"]")
            stack.extend(reversed([_shown(member) for member in item if not _does_nothing(member)]))
    return hashlib.sha256(b"".join(parts)).digest()


def _parts(node: ast.AST) -> Iterator[Any]:
    """The fields that say something, each after its name; one that Python adds later changes nothing."""
    for name in node._fields:
        value = getattr(node, name, None)
        if name not in LOOKS and value != [] and (value is not None or isinstance(node, ast.Constant)):
            yield f" {name}=".encode()
            yield _shown(value)


def _shown(value: Any) -> Any:
    """A literal or identifier as text that nothing else has; syntax as it is."""
    if isinstance(value, ast.AST | list):
        return value
    text = (hex(value) if type(value) is int else repr(value)).encode("utf-8", "surrogatepass")
    return b"%b%d:%b" % (type(value).__name__.encode(), len(text), text)


def _does_nothing(item: Any) -> bool:
    """Whether it is a docstring, or any other constant on a line of its own."""
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


def chain_of(node: ast.AST) -> Chain | None:
    """The chain that an expression is, if it is nothing but names joined by dots."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None


def references(roots: Iterable[ast.AST], locate: Locate) -> References:
    """The names that pieces of source refer to; ``locate`` gives the absolute module of a ``from`` import."""
    found = References()
    stack = [(root, frozenset[str]()) for root in roots]
    while stack:
        node, hidden = stack.pop()
        chain = chain_of(node)
        if chain:
            _note_chain(found, chain, node, hidden)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, target in imported_names(node, locate):
                found.imports.setdefault(name, set()).add(target)
        else:
            if isinstance(node, ast.Global):
                found.chains.update((name,) for name in node.names)
            elif isinstance(node, ast.Call):
                _note_dynamic_import(found, node)
            stack.extend((part, hidden) for part in _written_annotations(node))
            stack.extend(_inside(node, hidden))
    return found


def _inside(node: ast.AST, hidden: frozenset[str]) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """The children of a node, each with the names that parameters hide there."""
    inner = hidden | _parameters(getattr(node, "args", None))
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST):
                yield child, inner if name == "body" else hidden


def _parameters(arguments: Any) -> frozenset[str]:
    """The names of a function's parameters."""
    if not isinstance(arguments, ast.arguments):
        return frozenset()
    plain = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return frozenset(arg.arg for arg in (*plain, arguments.vararg, arguments.kwarg) if arg)


def _note_chain(found: References, chain: Chain, node: ast.AST, hidden: frozenset[str]) -> None:
    stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    if not stored and chain[0] not in hidden:
        found.chains.add(chain)
        found.reflects |= chain[:1] in REFLECTION or chain[:2] in REFLECTION


def _note_dynamic_import(found: References, call: ast.Call) -> None:
    chain = chain_of(call.func) or ("",)
    if chain[-1] not in ("import_module", "__import__"):
        return
    name = next(iter(call.args), None)
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and not name.value.startswith("."):
        found.imports.setdefault("", set()).add(Import(name.value))
        found.chains.add(("",))  # a name no source can have: the module as a whole
    else:
        found.imports_anything = True


def _written_annotations(node: ast.AST) -> Iterator[ast.AST]:
    """Expressions inside annotations that are written as strings."""
    for name in ("annotation", "returns"):
        annotation = getattr(node, name, None)
        for part in ast.walk(annotation) if annotation else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    yield ast.parse(part.value, mode="eval").body
                except SyntaxError:
                    continue  # text, as in Literal["two words"]


def imported_names(node: ast.Import | ast.ImportFrom, locate: Locate) -> Iterator[tuple[str, Import]]:
    """The names that an import binds; of ``import *`` the name is ``*``."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, Import(locate(node), alias.name)
        elif alias.asname:
            yield alias.asname, Import(alias.name)
        else:
            yield alias.name.partition(".")[0], Import(alias.name.partition(".")[0])


def bound_names(statement: ast.AST) -> set[str]:
    """The names that a statement of a module binds when it runs, imports aside."""
    names: set[str] = set()
    stack = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, Definition):
            names.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            names.add(node.name)
        if not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return names


def imports_of(statement: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run with a statement of a module: those not inside a function or class."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield statement
    elif not isinstance(statement, Definition):
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from imports_of(child)


def effects_of(statement: ast.AST) -> Iterator[ast.AST]:
    """The expressions through which a statement may change something defined elsewhere when it runs.

    ``@table.register(…)``, ``table.update(…)``, ``table[name] = …``, ``class Euler(Registered)``; what a
    decorator is merely given (``@node(category=CATEGORY)``) is not among them.
    """
    if isinstance(statement, Definition):
        outside = statement.decorator_list + (statement.bases if isinstance(statement, ast.ClassDef) else [])
        yield from map(_innermost, outside)
    elif isinstance(statement, ast.Expr):
        yield statement.value
    elif isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
        yield from _changed(statement)
    else:
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from effects_of(child)


def _innermost(expression: ast.expr) -> ast.expr:
    """What is called or subscripted, without what it is given."""
    while isinstance(expression, ast.Call | ast.Subscript):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression


def _changed(statement: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> Iterator[ast.AST]:
    single = isinstance(statement, ast.AugAssign | ast.AnnAssign)
    targets = [statement.target] if single else statement.targets  # type: ignore[union-attr]
    yield from (target for target in targets if not isinstance(target, ast.Name))
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call):
        yield _innermost(value)
