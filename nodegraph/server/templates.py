"""The workflows that users start from, as they lie in a folder, each with a picture where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nodegraph.errors import WorkflowError
from nodegraph.workflow.reading import parse_workflow
from nodegraph.workflow.schema import Workflow

PICTURES = "pictures"
PICTURE_SUFFIX = ".webp"


@dataclass(frozen=True)
class Template:
    """One workflow to start from: its name, its file and what people call it."""

    name: str
    path: Path
    workflow: Workflow

    @property
    def title(self) -> str:
        """What people call it."""
        return self.workflow.name or self.name.replace("_", " ").capitalize()

    @property
    def node_types(self) -> list[str]:
        """The node types it uses, each once."""
        subgraphs = self.workflow.subgraphs.values()
        entries = [*self.workflow.nodes.values(), *(e for s in subgraphs for e in s.nodes.values())]
        return sorted({entry.type for entry in entries})

    @property
    def document(self) -> Any:
        """The file's own content."""
        return json.loads(self.path.read_bytes())

    @property
    def picture(self) -> Path | None:
        """What it makes, where a picture of that is there."""
        path = self.path.parent / PICTURES / f"{self.name}{PICTURE_SUFFIX}"
        return path if path.is_file() else None


@dataclass(frozen=True)
class Templates:
    """The templates of a folder, read once.

    Attributes:
        folder: where they lie; there are none where it is missing.
    """

    folder: Path

    def get(self, name: str) -> Template | None:
        """The template of that name, or ``None``."""
        return self.by_name.get(name)

    @cached_property
    def by_name(self) -> dict[str, Template]:
        """Every template, in the order of their names."""
        return {template.name: template for template in self._read()}

    def _read(self) -> Iterator[Template]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield Template(path.stem, path, parse_workflow(path.read_bytes()))
            except WorkflowError as error:
                raise WorkflowError(f"{path}: {error}") from None
