"""What a running node may ask of the engine: the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from nodegraph.files import File, OutputFile

if TYPE_CHECKING:
    import torch

M_co = TypeVar("M_co", covariant=True)
M = TypeVar("M")


class FileLocator(Protocol):
    """Finds on this machine the file that a recipe names by digest."""

    def path(self, file: File) -> Path:
        """Absolute path of the file; raises ``FileProblem`` where it is not at hand."""


class ModelRecipe(Protocol[M_co]):
    """A small frozen value that says how a model is made; what travels on a model socket.

    Implement it as a frozen dataclass of plain values, ``File`` and other recipes, so that it can be
    hashed, stored and sent. Two equal recipes share one set of weights.
    """

    def build(self, files: FileLocator, dtype: torch.dtype) -> M_co:
        """Make the ``torch.nn.Module`` on the CPU, in evaluation mode, weights in ``dtype``."""


@runtime_checkable
class DerivedRecipe(Protocol[M]):
    """A recipe that changes the model of another one, such as one with a LoRA applied.

    The other model's weights stay as they are and are kept once: both models share what is not changed, and
    while the derived one is leased, so is the other.
    """

    @property
    def base(self) -> ModelRecipe[M]:
        """The recipe it changes."""

    def derive(self, base: M, files: FileLocator, dtype: torch.dtype) -> M:
        """Make a module that shares the unchanged parameters of ``base``, which is on the device.

        The shared ones must be the same ``torch.nn.Parameter`` objects.
        """

    def build(self, files: FileLocator, dtype: torch.dtype) -> M:
        """The same, of a base of its own, as any recipe can."""


@runtime_checkable
class NodeContext(Protocol):
    """Given to a node whose first parameter is ``ctx: NodeContext``."""

    @property
    def node_id(self) -> str:
        """Id of the node in its workflow."""

    @property
    def device(self) -> torch.device:
        """The compute device of this run."""

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type models compute in on that device."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Text to embed into saved files, by chunk name; empty where the user wants none."""

    @property
    def pickles(self) -> bool:
        """Whether the user lets tensors be read from pickled files (``torch.load`` with ``weights_only``)."""

    def progress(self, value: int, total: int, message: str = "") -> None:
        """Report ``value`` of ``total`` steps done; raises ``Cancelled`` when the run was cancelled."""

    def preview(self, image: Any) -> None:
        """Show an unfinished result."""

    def check_cancelled(self) -> None:
        """Raise ``Cancelled`` when the run was cancelled; call it in long loops."""

    def generator(self, seed: int) -> torch.Generator:
        """A CPU generator seeded with ``seed`` (taken modulo 2**64)."""

    def lease(self, recipe: ModelRecipe[M]) -> AbstractContextManager[M]:
        """Hold a model's weights on the device while the ``with`` block lasts."""

    def resolve(self, folder: str, name: str) -> File:
        """The file that an ``InFolder`` input names, with its digest."""

    def path(self, file: File) -> Path:
        """Where a file lies on this machine."""

    def save(
        self, data: bytes, *, prefix: str, suffix: str, media_type: str, temporary: bool = False
    ) -> OutputFile:
        """Write a finished file as ``<prefix>_00001<suffix>``, numbered on, never overwriting.

        ``prefix`` may name a subfolder of the output folder. ``temporary`` files go to the preview
        folder and may be removed at any time.
        """

    def input(self, name: str) -> Any:
        """An input as it is wired: a link, a list of links that are gathered, or else its value. For nodes
        that return a subgraph and pass an input on without waiting for it."""
