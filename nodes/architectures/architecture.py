"""What is known of an architecture: how to recognise it, its settings, and the names of its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from nodes.weights.header import Header

Settings = Mapping[str, Any]


class Architecture(Protocol):
    """One architecture in the layout of one kind of file."""

    description: str
    """What it is, for people."""

    def detect(self, header: Header) -> bool:
        """Whether the tensors are this architecture's."""

    def settings(self, header: Header) -> Settings:
        """The settings of the network, from the shapes of its tensors.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors by the names that the network has for them."""
