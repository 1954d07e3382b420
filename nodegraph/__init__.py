"""A typed, cached node-graph engine for generative image models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.context import FileLocator, ModelRecipe, NodeContext
    from nodegraph.declaration import NodeFunction, node
    from nodegraph.engine import Engine, RunResult, run
    from nodegraph.files import File, InFolder, OutputFile
    from nodegraph.handles import Handle, Subgraph, with_id
    from nodegraph.node import Lazy, Node, Widget
    from nodegraph.registry import NodeRegistry
    from nodegraph.tracing import trace
    from nodegraph.workflow import Workflow, read_workflow, write_workflow

__all__ = [
    "Engine",
    "File",
    "FileLocator",
    "Handle",
    "InFolder",
    "Lazy",
    "ModelRecipe",
    "Node",
    "NodeContext",
    "NodeFunction",
    "NodeRegistry",
    "OutputFile",
    "RunResult",
    "Subgraph",
    "Widget",
    "Workflow",
    "node",
    "read_workflow",
    "run",
    "trace",
    "with_id",
    "write_workflow",
]

_HOMES = {
    "context": ("FileLocator", "ModelRecipe", "NodeContext"),
    "declaration": ("NodeFunction",),
    "engine": ("Engine", "RunResult", "run"),
    "files": ("File", "InFolder", "OutputFile"),
    "handles": ("Handle", "Subgraph", "with_id"),
    "node": ("Lazy", "Node", "Widget"),
    "registry": ("NodeRegistry",),
    "tracing": ("trace",),
    "workflow": ("Workflow", "read_workflow", "write_workflow"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


class _Package(ModuleType):
    """Imports what the package offers when it is first asked for, so that ``nodegraph --help`` is fast."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{self.__name__}.{_HOME_OF[name]}"), name)
        setattr(self, name, value)
        return value

    @property
    def node(self) -> Callable[..., Any]:
        """The decorator, although there is a submodule of that name."""
        decorator: Callable[..., Any] = import_module(f"{self.__name__}.declaration").node
        return decorator

    @node.setter
    def node(self, submodule: ModuleType) -> None:
        """The import system sets submodules as attributes; here the decorator comes first."""


sys.modules[__name__].__class__ = _Package
