"""For the tests of node authors: a context that needs no engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nodegraph.context import DerivedRecipe, ModelRecipe
from nodegraph.files import File, Folders, OutputFile

if TYPE_CHECKING:
    import torch

M = TypeVar("M")


class TestContext:
    """A ``NodeContext`` that remembers what a node told it.

    Args:
        folders: where files are read and written.
        metadata: what saved pictures carry.
        device: where models compute.
        dtype: the floating-point type that models compute in; float32 where it is not given.

    Attributes:
        progressed: every ``(value, total)`` reported.
        previews: every preview shown.
        saved: every file written.
    """

    __test__ = False  # not a test class, whatever its name says

    def __init__(
        self,
        folders: Folders,
        metadata: Mapping[str, str] | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        import torch

        self.folders = folders
        self.node_id = "test"
        self.device = torch.device(device)
        self.dtype = dtype or torch.float32
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.progressed: list[tuple[int, int]] = []
        self.previews: list[Any] = []
        self.saved: list[OutputFile] = []
        self._models: dict[Any, Any] = {}

    @property
    def pickles(self) -> bool:
        """What ``folders`` says."""
        return self.folders.pickles

    def progress(self, value: int, total: int, message: str = "") -> None:
        """Note the progress."""
        self.progressed.append((value, total))

    def preview(self, image: Any) -> None:
        """Note the preview."""
        self.previews.append(image)

    def check_cancelled(self) -> None:
        """Never cancelled."""

    def generator(self, seed: int) -> torch.Generator:
        """A seeded CPU generator."""
        import torch

        return torch.Generator("cpu").manual_seed(seed % 2**64)

    @contextmanager
    def lease(self, recipe: ModelRecipe[M]) -> Iterator[M]:
        """Build the model at its first lease and keep it."""
        if recipe not in self._models:
            self._models[recipe] = self._make(recipe).to(self.device)
        yield self._models[recipe]

    def _make(self, recipe: ModelRecipe[Any]) -> Any:
        if not isinstance(recipe, DerivedRecipe):
            return recipe.build(self.folders, self.dtype)
        with self.lease(recipe.base) as base:
            return recipe.derive(base, self.folders, self.dtype)

    def resolve(self, folder: str, name: str) -> File:
        """Look the file up in ``folders``."""
        return self.folders.resolve(folder, name)

    def path(self, file: File) -> Path:
        """Where the file lies."""
        return self.folders.path(file)

    def save(
        self, data: bytes, *, prefix: str, suffix: str, media_type: str, temporary: bool = False
    ) -> OutputFile:
        """Write below the output folder."""
        path = self.folders.output / f"{prefix}_{len(self.saved) + 1:05}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.saved.append(OutputFile(str(path), hashlib.sha256(data).hexdigest(), media_type))
        return self.saved[-1]

    def input(self, name: str) -> Any:
        """Not available outside a graph."""
        raise NotImplementedError("ctx.input needs a running graph")
