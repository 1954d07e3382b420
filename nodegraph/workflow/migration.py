"""Bringing workflows up to date: the file format, and the inputs of each node type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.node_type import Migration, Node
from nodegraph.workflow.schema import FORMAT_VERSION, NodeEntry, Workflow
from nodegraph.workflow.strict_json import refuse

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

DocumentMigration = Callable[[dict[str, Any]], dict[str, Any]]

FORMAT_MIGRATIONS: Mapping[int, DocumentMigration] = MappingProxyType({})
"""From each format version but the present one, the step to the next."""


def migrate_document(
    document: dict[str, Any],
    migrations: Mapping[int, DocumentMigration] = FORMAT_MIGRATIONS,
    current: int = FORMAT_VERSION,
) -> dict[str, Any]:
    """The document in the present format version.

    Raises:
        WorkflowError: its version is newer than this program, or not a version at all.
    """
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise WorkflowError(f"version: must be a whole number from 1 to {current}, not {version!r}")
    if version > current:
        raise WorkflowError(
            f"version: the file has format version {version}, this program reads up to {current}; "
            "a newer nodegraph wrote it"
        )
    for step in range(version, current):
        document = {**migrations[step](document), "version": step + 1}
    return document


def migrate_entry(entry: NodeEntry, node: Node) -> NodeEntry:
    """The entry written for the present version of its node type.

    A migration is given one dict in which constants are values and links are ``Link`` objects, or lists
    of them, and returns it as the next version wants it.

    Raises:
        WorkflowError: the entry is newer than the node at hand, or a migration fails.
    """
    if entry.version == node.version:
        return entry
    if entry.version > node.version:
        raise WorkflowError(
            f"was written for version {entry.version} of {node.id}, but version {node.version} is installed; "
            f"update {node.pack or 'the pack it comes from'}"
        )
    inputs: dict[str, Any] = {**entry.inputs, **entry.links}
    for version in range(entry.version, node.version):
        if version in node.migrations:
            inputs = _step(node.migrations[version], inputs, node, version)
    links = {name: value for name, value in inputs.items() if _is_wired(value)}
    constants = {name: value for name, value in inputs.items() if name not in links}
    return entry.model_copy(update={"version": node.version, "inputs": constants, "links": links})


def _step(migration: Migration, inputs: dict[str, Any], node: Node, version: int) -> dict[str, Any]:
    step = f"the migration of {node.id} from version {version} to {version + 1}"
    try:
        migrated = migration(dict(inputs))
    except Exception as error:
        raise WorkflowError(f"{step} failed: {type(error).__name__}: {error}") from error
    if not isinstance(migrated, dict):
        raise WorkflowError(f"{step} returned {type(migrated).__name__}, not the inputs")
    return migrated


def _is_wired(value: Any) -> bool:
    if isinstance(value, Link):
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(item, Link) for item in value)


def migrate_workflow(workflow: Workflow, registry: NodeRegistry) -> Workflow:
    """The workflow with every node of a known type brought to the version at hand.

    Raises:
        WorkflowError: some entries cannot be; the message lists each.
    """
    problems: list[str] = []
    nodes = _migrated(workflow.nodes, registry, "nodes", problems)
    subgraphs = dict(workflow.subgraphs)
    for name, subgraph in workflow.subgraphs.items():
        inner = _migrated(subgraph.nodes, registry, f"subgraphs.{name}.nodes", problems)
        if inner is not subgraph.nodes:
            subgraphs[name] = subgraph.model_copy(update={"nodes": inner})
    refuse(problems)
    if nodes is workflow.nodes and all(subgraphs[name] is workflow.subgraphs[name] for name in subgraphs):
        return workflow
    return workflow.model_copy(update={"nodes": nodes, **({"subgraphs": subgraphs} if subgraphs else {})})


def _migrated(
    nodes: dict[str, NodeEntry], registry: NodeRegistry, place: str, problems: list[str]
) -> dict[str, NodeEntry]:
    changed: dict[str, NodeEntry] = {}
    for node_id, entry in nodes.items():
        node = registry.get(entry.type)
        if node is None or node.version == entry.version:
            continue
        try:
            changed[node_id] = migrate_entry(entry, node)
        except WorkflowError as error:
            problems.append(f"{place}.{node_id}: {error}")
    return {**nodes, **changed} if changed else nodes
