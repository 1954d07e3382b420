"""Finding every mistake of a graph before anything runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nodegraph.body import Body
from nodegraph.constants import summary, unknown_input
from nodegraph.errors import FileProblem, InputError, Issue, NodeGraphError
from nodegraph.files import Folders
from nodegraph.graph import Graph, GraphNode, body_inputs
from nodegraph.handles import Link
from nodegraph.hints import nearest
from nodegraph.loops import Fed, Looks, LoopCheck, Types
from nodegraph.node_type import Input, Node, parameters_of
from nodegraph.sockets import (
    ANY,
    SocketType,
    bind,
    list_of,
    substitute,
    type_of_value,
    union_of,
    variables_in,
    wiring,
)
from nodegraph.specs import NO_FACTS, Advised, Mismatch, Spec

logger = logging.getLogger(__name__)

NO_NAMES: frozenset[str] = frozenset()
NOTHING_FED: Fed = {}
UNKNOWN = ("unknown_node", "unknown_subgraph")
MOST_OF_CYCLE = 10
"""Nodes of a cycle that its message names."""
"""Issues of nodes that might be the ones to end in, if only their type were known."""


@dataclass
class Analysis:
    """What a look at the whole graph tells.

    Attributes:
        issues: everything that is wrong, in the order of the graph.
        mapped: for each node that runs once per element, the inputs that are taken apart.
        types: the types of outputs that differ from their declaration (mapped or generic nodes).
        facts: what ``infer`` found out about outputs, by ``(node, output)``.
        bodies: the bodies of loops that were looked into; their issues are told once.
    """

    issues: list[Issue] = field(default_factory=list)
    mapped: dict[str, frozenset[str]] = field(default_factory=dict)
    types: dict[Link, SocketType] = field(default_factory=dict)
    facts: dict[Link, Spec] = field(default_factory=dict)
    bodies: Looks = field(default_factory=Looks)


def validate(graph: Graph, folders: Folders | None = None) -> list[Issue]:
    """All issues of a graph; it may run if none of them is an error.

    Args:
        folders: where the files that inputs name are looked up; ``None`` leaves files unchecked.
    """
    return analyse(graph, folders).issues


def analyse(graph: Graph, folders: Folders | None = None, *, need_terminal: bool = True) -> Analysis:
    """Validate a graph and keep what was learnt on the way.

    Args:
        need_terminal: whether a graph without a node to end in is an issue.
    """
    analysis = Analysis(list(graph.issues))
    _check_all(graph, folders, analysis)
    if need_terminal and not graph.terminals() and not any(issue.code in UNKNOWN for issue in graph.issues):
        analysis.issues.append(_no_output(graph))
    return analysis


def _check_all(graph: Graph, folders: Folders | None, analysis: Analysis, fed: Fed = NOTHING_FED) -> _Checker:
    checker = _Checker(graph, folders, analysis, fed)
    for id in _walk(graph, analysis):
        checker.check(graph.nodes[id])
    return checker


def check_nodes(graph: Graph, ids: Iterable[str], folders: Folders | None, analysis: Analysis) -> list[Issue]:
    """Check nodes added to a graph that was analysed before, in topological order; their issues."""
    before = len(analysis.issues)
    checker = _Checker(graph, folders, analysis)
    for id in ids:
        checker.check(graph.nodes[id])
    new = analysis.issues[before:]
    del analysis.issues[before:]
    return new


def _walk(graph: Graph, analysis: Analysis) -> Iterator[str]:
    """Ids in topological order; in the order of the file where cycles leave no better one."""
    cycles = graph.cycles if _has_cycle(graph) else []
    for cycle in cycles:
        text = " → ".join(_shortened([*cycle, cycle[0]]))
        message = f"these nodes wait for one another: {text}; remove one of the links."
        analysis.issues.append(Issue("cycle", message, cycle[0], given=text, related=tuple(cycle)))
    return iter(graph.nodes if cycles else graph.order)


def _shortened(way: list[str]) -> list[str]:
    """A way through nodes as it is told: its two ends where it is long."""
    if len(way) <= MOST_OF_CYCLE:
        return way
    end = MOST_OF_CYCLE // 2
    return [*way[:end], f"… {len(way) - 2 * end} more …", *way[-end:]]


def _has_cycle(graph: Graph) -> bool:
    try:
        return len(graph.order) < len(graph.nodes)
    except NodeGraphError:
        return True


def _no_output(graph: Graph) -> Issue:
    if graph.left_out:
        return _all_left_out(graph)
    given = f"{len(graph.nodes)} nodes, none of which saves or shows anything"
    return Issue("no_output", "nothing would come out: add an output node such as SaveImage.", given=given)


def _all_left_out(graph: Graph) -> Issue:
    causes = tuple(dict.fromkeys(graph.left_out.values()))
    names = f"{', '.join(causes)} {'is' if len(causes) == 1 else 'are'}"
    message = f"nothing would come out: {names} muted or bypassed, and no output node can do without."
    given = f"{len(graph.left_out)} nodes left out"
    return Issue("no_output", message, causes[0], given=given, related=causes[1:])


class _Checker:
    def __init__(
        self, graph: Graph, folders: Folders | None, analysis: Analysis, fed: Fed = NOTHING_FED
    ) -> None:
        self.graph = graph
        self.fed = fed
        self.folders = folders
        self.analysis = analysis
        self.issues = analysis.issues
        self._reported = {(issue.node, issue.input) for issue in graph.issues}

    def check(self, node: GraphNode) -> None:
        known = node.node
        if known is None:
            return
        mapped = self._check_links(node, known) if node.links else NO_NAMES
        if self.fed:
            mapped = self._check_fed(node, known, mapped)
        if not (known.required <= node.constants.keys() | node.links.keys()):
            self._check_missing(node, known)
        bodies = body_inputs(known)
        if mapped or known.generic or bodies:
            bindings = self._bindings(node, known, mapped)
            for name in bodies:
                self._check_body(node, known.inputs[name], bindings)
            self._note_types(node, known, mapped, bindings)
        complete = self._check_files(node, known) if known.file_inputs else True
        if known.infer is not None and complete and not mapped:  # what holds for one element need not for all
            self._infer(node, known, known.infer)

    def _check_links(self, node: GraphNode, known: Node) -> frozenset[str]:
        mapped = NO_NAMES
        for name, link in node.links.items():
            input = known.inputs.get(name)
            if input is None:
                self.issues.append(unknown_input(known, name, node.id))
                continue
            source = self._source_type(node, name, link)
            if source is None:
                continue
            how = wiring(source, input.type)
            if how == "map":
                mapped |= {name}
            elif how is None:
                self._refuse(node, name, link, source, input.type)
        if mapped:
            self.analysis.mapped[node.id] = mapped
        return mapped

    def _check_fed(self, node: GraphNode, known: Node, mapped: frozenset[str]) -> frozenset[str]:
        """``mapped``, and the inputs fed by a loop that are taken element by element."""
        lists = {
            name
            for name, input in known.inputs.items()
            if wiring(self.fed.get((node.id, name), ANY), input.type) == "map"
        }
        if lists:
            self.analysis.mapped[node.id] = mapped = mapped | lists
        return mapped

    def _source_type(self, node: GraphNode, name: str, link: Link | tuple[Link, ...]) -> SocketType | None:
        if type(link) is Link:
            return self._output_type(node, name, link)
        members = [self._output_type(node, name, item) for item in link]
        found = [member for member in members if member is not None and isinstance(member, SocketType)]
        return list_of(union_of(*found)) if found and len(found) == len(members) else None

    def _output_type(self, node: GraphNode, name: str, link: Any) -> SocketType | None:
        source = self.graph.nodes.get(link.node)
        if source is None:
            self.issues.append(_dangling(node, name, link, self.graph))
            return None
        if source.node is None:
            return ANY  # its type is unknown, which is an issue of its own
        output = source.node.output(link.output)
        if output is None:
            self.issues.append(_unknown_output(node, name, link, source.node))
            return None
        return self.analysis.types.get(link, output.type) if self.analysis.types else output.type

    def _refuse(
        self,
        node: GraphNode,
        name: str,
        link: Link | tuple[Link, ...],
        source: SocketType,
        target: SocketType,
    ) -> None:
        origins = (link,) if isinstance(link, Link) else link
        text = " and ".join(f"{origin.node}.{origin.output}" for origin in origins)
        message = f"{text} carries {source}, but {node.type}.{name} takes {target}."
        related = tuple(origin.node for origin in origins)
        self.issues.append(
            Issue("wrong_type", message, node.id, name, source.name, target.name, related=related)
        )

    def _check_missing(self, node: GraphNode, known: Node) -> None:
        for name, input in known.inputs.items():
            given = name in node.constants or name in node.links or (node.id, name) in self.graph.open_places
            if input.required and not given and (node.id, name) not in self._reported:
                how = "wire" if input.socket_only else "value or wire"
                message = f"the required input {name} has no {how}; it takes {input.type}."
                self.issues.append(Issue("missing_input", message, node.id, name, expected=input.type.name))

    def _bindings(self, node: GraphNode, known: Node, mapped: frozenset[str]) -> dict[str, SocketType]:
        """What the type variables of a node stand for, as far as its inputs tell."""
        bindings: dict[str, SocketType] = {}
        for name, input in known.inputs.items():
            actual = self._actual_type(node, name) if variables_in(input.type) else None
            if actual is not None:
                bind(input.type, actual.args[0] if name in mapped else actual, bindings)
        return bindings

    def _note_types(
        self, node: GraphNode, known: Node, mapped: frozenset[str], bindings: dict[str, SocketType]
    ) -> None:
        for output in known.outputs:
            type = substitute(output.type, bindings) if known.generic else output.type
            self.analysis.types[Link(node.id, output.name)] = list_of(type) if mapped else type

    def _actual_type(self, node: GraphNode, name: str) -> SocketType | None:
        if (node.id, name) in self.fed:
            return self.fed[node.id, name]
        link = node.links.get(name)
        if link is None:
            return type_of_value(node.constants[name]) if node.constants.get(name) is not None else None
        links = (link,) if isinstance(link, Link) else link
        types = [self.quiet_type(item) for item in links]
        return types[0] if isinstance(link, Link) else list_of(union_of(*types))

    def quiet_type(self, link: Link) -> SocketType:
        """The type of an output, ``Any`` where it is not known."""
        source = self.graph.nodes.get(link.node)
        output = source.node.output(link.output) if source and source.node else None
        return self.analysis.types.get(link, output.type) if output else ANY

    def _check_files(self, node: GraphNode, known: Node) -> bool:
        """Whether every file that the node names is there."""
        problems = [
            self._file_problem(node, name, folder)
            for name, folder in known.file_inputs.items()
            if isinstance(node.constants.get(name), str) and (node.id, name) not in self.fed
        ]
        self.issues.extend(problem for problem in problems if problem)
        return not any(problems)

    def _file_problem(self, node: GraphNode, name: str, folder: str) -> Issue | None:
        value = node.constants[name]
        try:
            if self.folders is not None:
                self.folders.resolve(folder, value)
        except (FileProblem, OSError) as error:
            return missing_file(node.id, name, folder, value, error)
        return None

    def _infer(self, node: GraphNode, known: Node, infer: Callable[..., Any]) -> None:
        try:
            found = infer(**self._specs(node, infer))
            if isinstance(found, Advised):
                doubts = (self._mismatch(node, doubt) for doubt in found.doubts)
                self.issues.extend(replace(doubt, severity="warning") for doubt in doubts)
                found = found.facts
            self._note_facts(node, known, found)
        except Mismatch as mismatch:
            self.issues.append(self._mismatch(node, mismatch))
        except (FileProblem, InputError) as problem:
            input = getattr(problem, "input", None) or next(iter(known.file_inputs), None)
            self.issues.append(Issue("unusable_file", f"{problem}.".replace("..", "."), node.id, input))
        except Exception as error:
            logger.exception("infer= of %s failed", known.id)
            text = f"its infer= failed, which is for its author to mend: {type(error).__name__}: {error}."
            self.issues.append(Issue("infer_failed", text, node.id))

    def _specs(self, node: GraphNode, infer: Callable[..., Any]) -> dict[str, Any]:
        specs: dict[str, Any] = {
            name: self._spec(node, name) for name in parameters_of(infer) if name != "files"
        }
        if "files" in parameters_of(infer):
            specs["files"] = self.folders or Folders(output=_nowhere())
        return specs

    def _spec(self, node: GraphNode, name: str) -> Spec:
        if (node.id, name) in self.fed:
            return Spec(source=node.id)
        link = node.links.get(name)
        if type(link) is Link:
            return self.analysis.facts.get(link) or Spec(source=link.node)
        if link is None and name in node.constants:
            return Spec(value=node.constants[name], source=node.id)
        return Spec(source=node.id)

    def _note_facts(self, node: GraphNode, known: Node, found: Any) -> None:
        facts: Mapping[str, Any] = found.facts if isinstance(found, Spec) else (found or NO_FACTS)
        for output in known.outputs:
            own = facts if len(known.outputs) == 1 else facts.get(output.name, NO_FACTS)
            own = own.facts if isinstance(own, Spec) else own
            if own:
                self.analysis.facts[Link(node.id, output.name)] = Spec(own, source=node.id)

    def _mismatch(self, node: GraphNode, mismatch: Mismatch) -> Issue:
        sources = (self._spec(node, name).source for name in mismatch.inputs)
        related = tuple(dict.fromkeys(s for s in sources if s is not None and s != node.id))
        where = f" (from {' and '.join(related)})" if related else ""
        input = mismatch.inputs[0] if mismatch.inputs else None
        return Issue(
            mismatch.code,
            f"{mismatch}{where}.",
            node.id,
            input,
            mismatch.given,
            mismatch.expected,
            mismatch.suggestions,
            related,
            self._remedy(node, mismatch),
        )

    def _remedy(self, node: GraphNode, mismatch: Mismatch) -> tuple[tuple[str, Any], ...]:
        """Where the values go that would do; nothing where a wire feeds one of the places."""
        places = []
        for place, value in mismatch.remedy.items():
            feeding, _, name = place.rpartition(".")
            target = self.graph.nodes.get(self._spec(node, feeding).source or "") if feeding else node
            if (
                target is None
                or target.node is None
                or name not in target.node.inputs
                or name in target.links
            ):
                return ()
            places.append((f"{target.id}.{name}", value))
        return tuple(places)

    def _check_body(self, node: GraphNode, input: Input, bindings: dict[str, SocketType]) -> None:
        """Check the body of a loop; what it gives is added to ``bindings``."""
        body = node.constants.get(input.name)
        if not isinstance(body, Body):
            return  # missing, which is an issue of its own, or not known before the run
        if body not in self.analysis.bodies:
            self.issues.extend(_broken_interface(body, node.id, input.name))
        look = partial(self._look, node.id, body)
        if input.interface is None:
            look(dict.fromkeys(body.graph.open_places, ANY))
            return
        check = LoopCheck(body, input.interface, bindings, look)
        check.run()
        bindings.update(check.bindings)
        self.issues.extend(replace(issue, node=node.id, input=input.name) for issue in check.issues)

    def _look(self, id: str, body: Body, fed: Fed) -> Types:
        types, issues = self.analysis.bodies.take(body, fed, partial(self._look_inside, body))
        self.issues.extend(_inside(issue, id) for issue in issues)
        return types

    def _look_inside(self, body: Body, fed: Fed) -> tuple[Types, list[Issue]]:
        inner = Analysis(list(body.graph.issues), bodies=self.analysis.bodies)
        checker = _check_all(body.graph, self.folders, inner, fed)
        return {name: checker.quiet_type(link) for name, link in body.outputs.items()}, inner.issues


def missing_file(id: str, name: str, folder: str, value: str, error: Exception) -> Issue:
    """The issue of an input that names a file which is missing or unreadable."""
    suggestions = getattr(error, "suggestions", ())
    return Issue("missing_file", f"{error}.", id, name, value, f"a file in {folder!r}", suggestions)


def _inside(issue: Issue, id: str) -> Issue:
    place = f"{id}/{issue.node}" if issue.node else id
    return replace(issue, node=place, related=tuple(f"{id}/{related}" for related in issue.related))


def _broken_interface(body: Body, id: str, input: str) -> Iterator[Issue]:
    for name, places in body.inputs.items():
        for node, place in places:
            target = body.graph.nodes.get(node)
            if target is None or (target.node and place not in target.node.inputs):
                text = (
                    f"input {name!r} of subgraph {body.name!r} leads to {node}.{place}, which does not exist."
                )
                yield Issue("dangling_link", text, id, input, given=f"{node}.{place}")
    for name, link in body.outputs.items():
        source = body.graph.nodes.get(link.node)
        if source is None or (source.node and source.node.output(link.output) is None):
            place = f"{link.node}.{link.output}"
            text = f"output {name!r} of subgraph {body.name!r} is {place}, which does not exist."
            yield Issue("dangling_link", text, id, input, given=place)


def _dangling(node: GraphNode, name: str, link: Link, graph: Graph) -> Issue:
    message = f"{name} is linked to node {link.node!r}, which is not in the workflow."
    suggestions = nearest(link.node, graph.nodes)
    return Issue("dangling_link", message, node.id, name, link.node, "an existing node", suggestions)


def _unknown_output(node: GraphNode, name: str, link: Link, source: Node) -> Issue:
    outputs = [output.name for output in source.outputs]
    expected = ", ".join(outputs) or "none at all"
    place = f"output {summary(link.output)} of {link.node} ({source.id})"
    message = f"{name} is linked to {place}, which has {expected}."
    suggestions = nearest(link.output, outputs)
    return Issue("unknown_output", message, node.id, name, link.output, expected, suggestions, (link.node,))


def _nowhere() -> Any:
    from pathlib import Path

    return Path("output")
