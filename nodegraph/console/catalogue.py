"""``nodegraph nodes`` and ``nodegraph models``: what there is to work with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import typer

from nodegraph.console.engines import EngineOptions, make_folders, make_registry
from nodegraph.console.errors import DONE, INVALID
from nodegraph.files import INPUTS, Folders
from nodegraph.node_type import Input, Node, plain
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.writing import dump_json

INDENT = "  "


def nodes_command(name: str | None, *, as_json: bool) -> int:
    """List every node type by category, or describe one."""
    registry = make_registry()
    if name is not None:
        return _one(name, registry, as_json)
    if as_json:
        problems = [vars(problem) for problem in registry.problems]
        nodes = {node.id: node.describe() for node in registry.nodes()}
        typer.echo(dump_json({"nodes": nodes, "problems": problems}, 2))
    else:
        _list(registry)
    return DONE


def _list(registry: NodeRegistry) -> None:
    width = max((len(node.id) for node in registry.nodes()), default=0)
    for category, nodes in groupby(registry.nodes(), key=lambda node: node.category):
        typer.echo(category)
        for node in nodes:
            typer.echo(f"{INDENT}{node.id:{width}}  {_first_line(node.description)}".rstrip())
    for problem in registry.problems:
        typer.echo(f"pack {problem.pack} did not load: {problem.message} ({problem.place})", err=True)


def _one(name: str, registry: NodeRegistry, as_json: bool) -> int:
    node = registry.get(name)
    if node is None:
        suggestions = registry.suggest(name)
        hint = f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
        typer.echo(f"error: there is no node {name!r}.{hint}", err=True)
        return INVALID
    typer.echo(dump_json(node.describe(), 2) if as_json else "\n".join(_description(node)))
    return DONE


def _description(node: Node) -> Iterable[str]:
    pack = f", pack {node.pack}" if node.pack else ""
    yield f"{node.id} (version {node.version}, {node.category}{pack})"
    if node.description:
        yield f"\n{node.description}"
    yield "\ninputs:" if node.inputs else "\nno inputs"
    yield from _aligned({name: _input_facts(node.inputs[name]) for name in node.inputs})
    yield "\noutputs:" if node.outputs else "\nno outputs: a workflow may end here"
    yield from _aligned({o.name: [str(o.type), o.description] for o in node.outputs})


def _input_facts(input: Input) -> list[str]:
    schema = input.json_schema
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    facts = [
        "required" if input.required else f"default {plain(input.default)!r}",
        f"one of {', '.join(map(str, input.menu))}" if input.menu else "",
        f"a file in {input.folder}" if input.folder else "",
        *bounds,
        "only by wire" if input.socket_only else "",
        "computed on demand" if input.lazy else "",
    ]
    return [str(input.type), "; ".join(fact for fact in facts if fact), _first_line(input.description)]


BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def _aligned(rows: Mapping[str, list[str]]) -> Iterable[str]:
    width = max(map(len, rows), default=0)
    for name, cells in rows.items():
        yield f"{INDENT}{name:{width}}  {' — '.join(cell for cell in cells if cell)}"


def _first_line(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def models_command(options: EngineOptions, *, as_json: bool) -> int:
    """List the model files that nodes can name, by kind of folder."""
    registry = make_registry()
    folders = make_folders(registry, options)
    found = {kind: folders.names(kind) for kind in _kinds(registry, folders)}
    if as_json:
        typer.echo(dump_json(found, 2))
        return DONE
    for kind, names in found.items():
        typer.echo(kind)
        for name in names:
            typer.echo(INDENT + name)
        if not names:
            typer.echo(f"{INDENT}none; put files into {folders.models[0] / kind}")
    return DONE


def _kinds(registry: NodeRegistry, folders: Folders) -> list[str]:
    """The kinds that nodes ask for, and those that have a folder."""
    asked: set[Any] = {folder for node in registry.nodes() for folder in node.file_inputs.values()}
    present = {
        path.name for root in folders.models if root.is_dir() for path in root.iterdir() if path.is_dir()
    }
    return sorted((asked | present) - {INPUTS})
