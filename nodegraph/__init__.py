"""A typed, cached node-graph engine for generative image models."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.body import Body
    from nodegraph.context import DerivedRecipe, FileLocator, ModelRecipe, NodeContext
    from nodegraph.declaration import NodeFunction, node
    from nodegraph.engine import Engine, RunResult, run
    from nodegraph.errors import InputError, NodeError, NodeGraphError, ValidationError, WorkflowError
    from nodegraph.files import File, Folders, InFolder, OutputFile
    from nodegraph.handles import Handle, Subgraph, with_id
    from nodegraph.interface import BodyInterface
    from nodegraph.node_type import Lazy, Node, Widget
    from nodegraph.registry import NodeRegistry
    from nodegraph.specs import Advised, Mismatch, Spec, require_same
    from nodegraph.tracing import trace
    from nodegraph.workflow import Workflow, read_workflow, write_workflow

__all__ = [
    "Advised",
    "Body",
    "BodyInterface",
    "DerivedRecipe",
    "Engine",
    "File",
    "FileLocator",
    "Folders",
    "Handle",
    "InFolder",
    "InputError",
    "Lazy",
    "Mismatch",
    "ModelRecipe",
    "Node",
    "NodeContext",
    "NodeError",
    "NodeFunction",
    "NodeGraphError",
    "NodeRegistry",
    "OutputFile",
    "RunResult",
    "Spec",
    "Subgraph",
    "ValidationError",
    "Widget",
    "Workflow",
    "WorkflowError",
    "node",
    "read_workflow",
    "require_same",
    "run",
    "trace",
    "with_id",
    "write_workflow",
]

_HOMES = {
    "body": ("Body",),
    "context": ("DerivedRecipe", "FileLocator", "ModelRecipe", "NodeContext"),
    "declaration": ("NodeFunction", "node"),
    "engine": ("Engine", "RunResult", "run"),
    "errors": ("InputError", "NodeError", "NodeGraphError", "ValidationError", "WorkflowError"),
    "files": ("File", "Folders", "InFolder", "OutputFile"),
    "handles": ("Handle", "Subgraph", "with_id"),
    "interface": ("BodyInterface",),
    "node_type": ("Lazy", "Node", "Widget"),
    "registry": ("NodeRegistry",),
    "specs": ("Advised", "Mismatch", "Spec", "require_same"),
    "tracing": ("trace",),
    "workflow": ("Workflow", "read_workflow", "write_workflow"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what the package offers when it is first asked for, so that ``nodegraph --help`` is fast."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
