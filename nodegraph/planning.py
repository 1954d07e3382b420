"""Deciding what has to run: keys first, then only what the targets need and no cache holds."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from nodegraph.cache.keys import Key, canonical, node_key
from nodegraph.cache.results import ResultCache
from nodegraph.errors import CodecError, FileProblem, Issue, NodeError, ValidationError
from nodegraph.events import Origin
from nodegraph.files import Folders, OutputFile
from nodegraph.graph import Graph, GraphNode, Links
from nodegraph.handles import Link
from nodegraph.node_type import Node, parameters_of, required_parameters_of
from nodegraph.validation import Analysis, missing_file

NO_NAMES: frozenset[str] = frozenset()


@dataclass
class Plan:
    """What a run will do, and the keys it goes by. A run adds to it what it learns on its way.

    Attributes:
        graph: the graph.
        nodes: its nodes, and those that nodes return as subgraphs while the run goes on.
        targets: ids of the nodes whose results are wanted.
        keys: the key of every node the targets may need.
        steps: for each node that is needed, where its result will come from.
        analysis: what validation learnt.
        skipped: for a node with lazy inputs whose choice is known now, the inputs not chosen.
        file_digests: for each node that names files, their digests by input.
        fingerprints: for each node with a fingerprint, that, encoded.
        folders: where files are found.
        settings: encoded settings that decide what output nodes write.
    """

    graph: Graph
    cache: ResultCache
    folders: Folders
    targets: list[str]
    analysis: Analysis
    settings: bytes = b""
    nodes: dict[str, GraphNode] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    steps: dict[str, Origin] = field(default_factory=dict)
    skipped: dict[str, frozenset[str]] = field(default_factory=dict)
    file_digests: dict[str, dict[str, str]] = field(default_factory=dict)
    fingerprints: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def target_set(self) -> frozenset[str]:
        """The targets, for look-up."""
        return frozenset(self.targets)

    def mapped(self, id: str) -> frozenset[str]:
        """The inputs of a node that it takes element by element."""
        return self.analysis.mapped.get(id, NO_NAMES)

    def links(self, node: GraphNode) -> Links:
        """The links of a node that count: all but those of lazy inputs known not to be chosen."""
        skipped = self.skipped.get(node.id)
        if not skipped:
            return node.links
        return {name: link for name, link in node.links.items() if name not in skipped}

    def eager_links(self, node: GraphNode) -> Links:
        """The links whose results a node needs before it can do anything.

        A lazy input that it takes element by element is among them: it says how often the node runs.
        """
        links = self.links(node)
        if node.known.lazy_inputs and node.id not in self.skipped:
            late = node.known.lazy_inputs - self.mapped(node.id)
            return {name: link for name, link in links.items() if name not in late}
        return links

    def late_links(self, node: GraphNode, chosen: Iterable[str]) -> Links:
        """The links of the lazy inputs that a node has chosen, but for those it had before."""
        eager = self.eager_links(node)
        return {name: node.links[name] for name in chosen if name in node.links and name not in eager}

    def add(self, nodes: Iterable[GraphNode]) -> None:
        """Compute the keys of more nodes, sources before what uses them.

        Raises:
            ValidationError: inputs that cannot be hashed, or that name a file which is gone.
            NodeError: a ``fingerprint=`` failed.
        """
        issues: list[Issue] = []
        for node in nodes:
            self.nodes[node.id] = node
            self._choose(node)
            try:
                self.keys[node.id] = self._key(node)
            except ValidationError as error:
                issues += error.issues
                self.keys[node.id] = secrets.token_bytes(32)  # what follows may have issues of its own
        if issues:
            raise ValidationError(issues)

    def require(self, ids: Iterable[str]) -> list[str]:
        """Mark nodes as needed, and what they need in turn; returns the ids newly marked."""
        new: list[str] = []
        stack = list(ids)
        while stack:
            id = stack.pop()
            if id in self.steps:
                continue
            node = self.nodes[id]
            origin = self._cached(node)
            self.steps[id] = origin or "run"
            new.append(id)
            if origin is None:
                stack.extend(link.node for link in sources(self.eager_links(node)))
        return new

    def forget(self, id: str) -> None:
        """A result that was thought to be cached is not: its node has to run after all."""
        self.steps[id] = "run"

    def askable(self) -> dict[str, Origin | None]:
        """For nodes that lazy inputs may ask for during the run: where their results are, if at hand."""
        found: dict[str, Origin | None] = {}
        stack = [id for id, origin in self.steps.items() if origin == "run"]
        while stack:
            for link in sources(self.links(self.nodes[stack.pop()])):
                if link.node not in self.steps and link.node not in found:
                    found[link.node] = origin = self._cached(self.nodes[link.node])
                    if origin is None:
                        stack.append(link.node)
        return found

    def covered(self, askable: Mapping[str, Origin | None] = MappingProxyType({})) -> dict[str, Origin]:
        """For nodes that nothing needs because a later result is at hand: where that result is.

        Args:
            askable: nodes besides those of the plan that count as needed; see ``askable``.
        """
        found: dict[str, Origin] = {}
        steps, nodes = {**askable, **self.steps}, self.nodes
        stack = [(id, origin) for id, origin in steps.items() if origin and origin != "run"]
        while stack:
            id, origin = stack.pop()
            for link in sources(self.links(nodes[id])):
                source = link.node
                if source not in steps and source not in found:
                    found[source] = origin
                    stack.append((source, origin))
        return found

    def _cached(self, node: GraphNode) -> Origin | None:
        if not node.known.cacheable:
            return None
        key = self.keys[node.id]
        origin = self.cache.find(key)
        if origin and node.known.terminal and not self._files_intact(key):
            return None
        return origin

    def _files_intact(self, key: Key) -> bool:
        found = self.cache.get(key)
        if found is None:
            return False
        files = (file for output in found[0].outputs for file in output_files(output))
        return all(self.folders.intact(file) for file in files)

    def _choose(self, node: GraphNode) -> None:
        """Settle the lazy inputs of a node whose choice depends on constants alone."""
        known = node.known
        if not known.needs or any(name not in known.lazy_inputs for name in node.links):
            return
        constants = {name: value for name, value in node.constants.items() if name not in known.lazy_inputs}
        try:
            chosen = chosen_inputs(node, known, constants)
        except Exception:  # noqa: BLE001 - it is raised again, as the node's failure, when the node runs
            return
        self.skipped[node.id] = known.lazy_inputs - chosen - self.mapped(node.id)

    def _key(self, node: GraphNode) -> Key:
        known, links = node.known, self.links(node)
        extra = b""
        if known.file_inputs or known.fingerprint or known.terminal or not known.cacheable:
            extra = self._extra(node, known)
        mapped = self.analysis.mapped.get(node.id)
        if mapped:
            extra += canonical(mapped)
        try:
            return node_key(known, self._constants(node), links, self.keys, extra)
        except CodecError as error:
            raise ValidationError([_unhashable(node, self._constants(node), error)]) from error

    def _constants(self, node: GraphNode) -> Mapping[str, Any]:
        skipped = self.skipped.get(node.id)
        if not skipped:
            return node.constants
        return {name: value for name, value in node.constants.items() if name not in skipped}

    def _extra(self, node: GraphNode, known: Node) -> bytes:
        if not known.cacheable or any(name in node.links for name in known.file_inputs):
            return secrets.token_bytes(16)  # what it depends on cannot be known now: never the same twice
        parts = [canonical(self._file_digests(node, known))] if known.file_inputs else []
        if known.fingerprint:
            parts.append(self._fingerprint(node, known.fingerprint))
        if known.terminal:
            parts.append(self.settings)
        return b"".join(parts)

    def _file_digests(self, node: GraphNode, known: Node) -> dict[str, str]:
        named = {name: node.constants.get(name) for name in known.file_inputs}
        digests = {
            name: self._digest(node, known.file_inputs[name], name, value)
            for name, value in named.items()
            if isinstance(value, str)
        }
        self.file_digests[node.id] = digests
        return digests

    def _digest(self, node: GraphNode, folder: str, name: str, value: str) -> str:
        try:
            return self.folders.resolve(folder, value).digest
        except (FileProblem, OSError) as error:
            raise ValidationError([missing_file(node.id, name, folder, value, error)]) from error

    def _fingerprint(self, node: GraphNode, fingerprint: Callable[..., Any]) -> bytes:
        names = parameters_of(fingerprint)
        given = {name: node.constants[name] for name in names if name in node.constants}
        if "files" in names:
            given["files"] = self.folders
        if required_parameters_of(fingerprint) - given.keys():
            return secrets.token_bytes(16)  # it depends on a value that is not known yet
        try:
            found = canonical(fingerprint(**given))
        except Exception as error:
            text = f"fingerprint= failed: {type(error).__name__}: {error}"
            raise NodeError(text, node_id=node.id, node_type=node.type) from error
        self.fingerprints[node.id] = found
        return found


def _unhashable(node: GraphNode, constants: Mapping[str, Any], error: CodecError) -> Issue:
    """The issue of a node without a key, for which the code of the node may be to blame as well."""
    for name, value in constants.items():
        try:
            canonical(value)
        except CodecError as cause:
            message, given = f"{name} cannot be hashed: {cause}.", type(value).__name__
            return Issue("unhashable", message, node.id, name, given, "a value with a stable encoding")
    return Issue("unhashable", f"the code of {node.type} cannot be hashed: {error}.", node.id)


def sources(links: Links) -> Iterable[Link]:
    """Every link among ``links``."""
    for link in links.values():
        if type(link) is Link:
            yield link
        else:
            yield from link  # type: ignore[misc]


def chosen_inputs(node: GraphNode, known: Node, eager: Mapping[str, Any]) -> frozenset[str]:
    """The lazy inputs that a node asks for, given its other inputs.

    Raises:
        NodeError: its ``needs`` asks for an input that is not lazy.
    """
    assert known.needs is not None
    names = parameters_of(known.needs)
    chosen = frozenset(known.needs(**{name: eager[name] for name in names if name in eager}))
    if not chosen <= known.lazy_inputs:
        wrong = ", ".join(sorted(chosen - known.lazy_inputs))
        raise NodeError(f"needs= asks for {wrong}, not a lazy input", node_id=node.id, node_type=node.type)
    return chosen


def without_unchosen(node: GraphNode, known: Node, row: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of one call of a node with lazy inputs: ``None`` for each that it does not ask for."""
    chosen = chosen_inputs(node, known, row) if known.needs else NO_NAMES
    return {**row, **dict.fromkeys(known.lazy_inputs - chosen)}


def output_files(value: Any) -> list[OutputFile]:
    """The files that an output value names: itself, or those in a list."""
    found: list[OutputFile] = []
    entered: set[int] = set()  # a list may contain itself
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, OutputFile):
            found.append(item)
        elif isinstance(item, list | tuple) and id(item) not in entered:
            entered.add(id(item))
            stack.extend(reversed(item))
    return found


def make_plan(
    graph: Graph,
    targets: Iterable[str] | None,
    cache: ResultCache,
    *,
    folders: Folders,
    analysis: Analysis | None = None,
    settings: bytes = b"",
) -> Plan:
    """Plan a run of a valid graph: what runs and what is cached is known before anything runs.

    Args:
        targets: ids of the nodes whose results are wanted; all output nodes by default.
        settings: what else decides the files that output nodes write, encoded.

    Raises:
        ValidationError: inputs that cannot be hashed, or that name a file which is gone.
        NodeError: a ``fingerprint=`` failed.
    """
    wanted = list(targets) if targets is not None else graph.terminals()
    plan = Plan(graph, cache, folders, wanted, analysis or Analysis(), settings)
    needed = graph.upstream(wanted)
    nodes = graph.nodes
    everything = len(needed) == len(nodes)
    plan.add(nodes[id] for id in graph.order if everything or id in needed)
    plan.require(reversed(wanted))
    return plan


__all__ = ["Plan", "chosen_inputs", "make_plan", "output_files", "sources", "without_unchosen"]
