"""A workflow as the Python program that builds and runs it."""

from __future__ import annotations

import builtins
import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nodegraph.body import Body
from nodegraph.errors import ValidationError, errors_among
from nodegraph.graph import Graph, GraphNode, build_graph
from nodegraph.handles import Link
from nodegraph.hints import bounded_hints
from nodegraph.node_type import Node, plain
from nodegraph.registry import NodeRegistry
from nodegraph.validation import analyse
from nodegraph.workflow.building import snake_case
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import refuse

WIDTH = 100
INDENT = "    "
PLUGIN = "nodegraph_plugin_"
"""How modules are called that were loaded from a file of the plugins folder, which no import finds."""
OWN_NAMES = frozenset({"Workflow", "run", "trace", "workflow", "file", *dir(builtins), *keyword.kwlist})
MAIN = (
    f'\nif __name__ == "__main__":\n{INDENT}for file in run(workflow).files:\n{INDENT * 2}print(file.path)\n'
)


def export_python(workflow: Workflow, registry: NodeRegistry) -> str:
    """The workflow as a Python program.

    It builds ``workflow``, whose nodes have the same keys as those of the original, and runs it when it is
    started. Subgraphs are unfolded; the body of a loop becomes a function. Nodes that no output needs are
    left out.

    Raises:
        ValidationError: the workflow must not run; files that it names need not be there.
        WorkflowError: a node comes from a plugin that no import finds, or a loop saves pictures.
    """
    with bounded_hints():
        graph = build_graph(workflow, registry)
        found = analyse(graph, need_terminal=False).issues
    issues = [issue for issue in found if issue.code != "unusable_file"]  # those are not looked at here
    if errors_among(issues):
        raise ValidationError(issues)
    targets = graph.terminals() or [id for id in graph.nodes if not _is_used(id, graph)]
    writer = _Writer(graph)
    lines = writer.calls(graph, targets, {})
    refuse(writer.problems)
    ends = ", ".join(writer.names[id] for id in targets)
    title = [_literal(text), ""] if (text := _title(workflow)) else []
    last = f"workflow = Workflow.from_outputs({ends})"
    return "\n".join([*title, *writer.imports(), "", *writer.functions(), *lines, "", last, MAIN])


def _is_used(id: str, graph: Graph) -> bool:
    return any(link.node == id for node in graph.nodes.values() for link in node.sources())


def _title(workflow: Workflow) -> str:
    return ": ".join(filter(None, (workflow.name, workflow.description)))


def _all_graphs(graph: Graph) -> Iterator[Graph]:
    """A graph, and those of the loop bodies in it."""
    yield graph
    for body in _bodies_in(graph):
        yield from _all_graphs(body.graph)


def _bodies_in(graph: Graph) -> Iterator[Body]:
    for node in graph.nodes.values():
        yield from (value for value in node.constants.values() if isinstance(value, Body))


class _Writer:
    """Writes graphs as statements.

    Attributes:
        names: the variable that stands for each node of the graph written last.
        problems: what cannot be written.
    """

    def __init__(self, graph: Graph) -> None:
        self.names: dict[str, str] = {}
        self._functions: list[str] = []
        self.problems: list[str] = []
        self._imported: dict[str, tuple[str, str]] = {}
        self._body_names: dict[Body, str] = {}
        self._written: set[Body] = set()
        self._taken = set(OWN_NAMES)
        graphs = list(_all_graphs(graph))
        for inner in graphs:
            self._import_functions(inner)
        for inner in graphs:
            self._name_bodies(inner)

    def _import_functions(self, graph: Graph) -> None:
        """Keep the names of functions, which hold everywhere, from becoming those of variables."""
        for node in graph.nodes.values():
            alias, place = _alias(_home(node.known), self._imported)
            self._imported[alias] = place
            self._taken.add(alias)

    def _name_bodies(self, graph: Graph) -> None:
        """Name the functions that are loop bodies, as nothing else is named."""
        for body in _bodies_in(graph):
            if body not in self._body_names:
                self._body_names[body] = name = _free(_identifier(body.name, "body"), self._taken)
                self._taken.add(name)

    def imports(self) -> Iterator[str]:
        """The lines that import what the others use."""
        own = ["Workflow", "run", *(["trace"] if self._written else [])]
        yield f"from nodegraph import {', '.join(own)}"
        modules: dict[str, list[str]] = {}
        for alias, (module, name) in sorted(self._imported.items()):
            modules.setdefault(module, []).append(name if name == alias else f"{name} as {alias}")
        for module, names in sorted(modules.items()):
            yield from _wrapped(f"from {module} import ", names)

    def functions(self) -> list[str]:
        """The lines of the functions that are loop bodies."""
        return [*self._functions, ""] if self._functions else []

    def calls(self, graph: Graph, targets: Iterable[str], given: Mapping[tuple[str, str], str]) -> list[str]:
        """A statement for each node that the targets need; ``given`` are the parameters that feed inputs."""
        needed = graph.upstream(targets)
        used = {*self._taken, *given.values()}
        names: dict[str, str] = {}
        lines: list[str] = []
        for node in (graph.nodes[id] for id in graph.order if id in needed):
            kind = snake_case(node.type.rpartition(".")[2])
            names[node.id] = _free(_identifier(node.id, kind), used)
            used.add(names[node.id])
            arguments = list(self._arguments(node, graph, names, given))
            lines += _wrapped(f"{names[node.id]} = {self._function(node)}.node(", arguments, ")")
        self.names = names
        return lines

    def _arguments(
        self,
        node: GraphNode,
        graph: Graph,
        names: Mapping[str, str],
        given: Mapping[tuple[str, str], str],
    ) -> Iterator[str]:
        for name in node.known.inputs:
            if (node.id, name) in given:
                yield f"{name}={given[node.id, name]}"
            elif name in node.links:
                yield f"{name}={_handles(node.links[name], graph, names)}"
            elif name in node.constants and not _is_default(node.constants[name], node.known, name):
                yield f"{name}={self._constant(node.constants[name])}"

    def _constant(self, value: Any) -> str:
        if not isinstance(value, Body):
            return _literal(plain(value))
        if value not in self._written:
            self._written.add(value)
            outer = self.names
            self._functions += ["", *self._function_lines(self._body_names[value], value), ""]
            self.names = outer
        return f"trace({self._body_names[value]})"

    def _function_lines(self, name: str, body: Body) -> Iterator[str]:
        lost = body.graph.terminals()
        if lost:
            text = f"{body.name}: the loop saves pictures in {', '.join(lost)}, which a function cannot say"
            self.problems.append(text)
        self.problems += [
            f"{body.name}: {parameter!r} cannot be the name of a parameter; rename that input"
            for parameter in body.inputs
            if not self._may_be_parameter(parameter)
        ]
        given = {place: parameter for parameter, places in body.inputs.items() for place in places}
        ends = [link.node for link in body.outputs.values()]
        lines = self.calls(body.graph, ends, given)
        yield f"def {name}({', '.join(body.inputs)}):"
        yield from (INDENT + line for line in lines)
        results = (
            f"{_literal(key)}: {_handles(link, body.graph, self.names)}" for key, link in body.outputs.items()
        )
        yield f"{INDENT}return {{{', '.join(results)}}}"

    def _may_be_parameter(self, name: str) -> bool:
        """Whether it is a name, to Python the same letter by letter, and hides no function."""
        same = unicodedata.normalize("NFKC", name) == name
        plain_name = name.isidentifier() and not keyword.iskeyword(name) and name != "__debug__"
        hides = name == "trace" or name in self._imported or name in self._body_names.values()
        return same and plain_name and not hides

    def _function(self, node: GraphNode) -> str:
        """What the function of a node is called here; it is imported."""
        alias, (module, _) = _alias(_home(node.known), self._imported)
        if module.startswith(PLUGIN):
            self.problems.append(
                f"{node.id}: {node.type} comes from a file of the plugins folder, which no program can "
                "import; make it an installed pack"
            )
        return alias


def _alias(place: tuple[str, str], imported: Mapping[str, tuple[str, str]]) -> tuple[str, tuple[str, str]]:
    """What the function at a place is called where two of the same name are imported; and the place."""
    module, alias = place
    while imported.get(alias, place) != place:
        alias = f"{module.partition('.')[0]}_{alias}"
    return alias, place


def _home(node: Node) -> tuple[str, str]:
    """The shortest module that offers the function of a node, and its name there."""
    module, name = node.function.__module__, getattr(node.function, "__name__", node.id)
    top = module.partition(".")[0]
    offered = getattr(sys.modules.get(top), name, None)
    return (top if getattr(offered, "record", None) is node else module), name


def _handles(link: Link | tuple[Link, ...], graph: Graph, names: Mapping[str, str]) -> str:
    if not isinstance(link, Link):
        return f"[{', '.join(_handles(item, graph, names) for item in link)}]"
    several = len(graph.nodes[link.node].known.outputs) > 1
    return f"{names[link.node]}.{link.output}" if several else names[link.node]


def _is_default(value: Any, node: Node, name: str) -> bool:
    default = node.defaults.get(name)
    return name in node.defaults and type(value) is type(default) and bool(value == default)


def _literal(value: Any) -> str:
    """A constant as Python source; whatever is in a text, it stays one."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _identifier(text: str, otherwise: str) -> str:
    """A name made of a text, with another before it where that alone is none."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII)
    return name if name.isidentifier() else f"{otherwise}_{name}"


def _free(name: str, used: Iterable[str]) -> str:
    candidate, number = name, 1
    while candidate in used:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _wrapped(start: str, parts: list[str], end: str = "") -> list[str]:
    """A statement on one line, or with a line for each part where that would be too long."""
    line = f"{start}{', '.join(parts)}{end}"
    if len(line) <= WIDTH or not parts:
        return [line]
    opened = start if end else f"{start}("
    return [opened, *(f"{INDENT}{part}," for part in parts), end or ")"]
