"""``nodegraph nodes``: what there is to work with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from nodegraph.console.engines import make_registry
from nodegraph.console.errors import DONE, INVALID, tell_problems
from nodegraph.console.output import complain, say
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
        say(dump_json({"nodes": nodes, "problems": problems}, 2))
    else:
        width = max(map(len, registry.ids()), default=0)
        for category, members in groupby(registry.nodes(), key=lambda node: node.category):
            say("\n".join([category, *(_row(node, width) for node in members)]))
        tell_problems(registry)
    return DONE


def _row(node: Node, width: int) -> str:
    return f"{INDENT}{node.id:{width}}  {_first_line(node.description)}".rstrip()


def _one(name: str, registry: NodeRegistry, as_json: bool) -> int:
    node = registry.get(name)
    if node is None:
        _tell_unknown(name, registry)
        return INVALID
    say(dump_json(node.describe(), 2) if as_json else "\n".join(_description(node)))
    return DONE


def _tell_unknown(name: str, registry: NodeRegistry) -> None:
    """Say that there is no node of that name, and which the user may have had in mind."""
    alike = [id for id in registry.ids() if name.strip() and name.lower() in id.lower()]
    ids = list(dict.fromkeys([*registry.suggest(name), *alike]))
    hint = ". Did you mean one of these?" if ids else "; nodegraph nodes lists them all"
    complain(f"error: there is no node {name!r}{hint}")
    width = max(map(len, ids), default=0)
    for node in filter(None, map(registry.get, ids)):
        complain(_row(node, width))
    if not ids or any(name.startswith(f"{problem.pack}.") for problem in registry.problems):
        tell_problems(registry)


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
