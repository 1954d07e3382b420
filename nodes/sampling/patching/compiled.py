"""Compilation of the network that is sampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from nodegraph.errors import InputError
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.patches import Patch, Run

Backend = Literal["inductor", "cudagraphs"]


@dataclass(frozen=True)
class Compiled(Patch):
    """The network through ``torch.compile``.

    Attributes:
        backend: name of a backend of ``torch.compile``.
    """

    backend: str

    @contextmanager
    def on_network(self, network: Any) -> Iterator[None]:
        """Call the network compiled while the run lasts.

        What was compiled belongs to torch, which finds it again at the next run.
        """
        network.compile(backend=self.backend)
        try:
            yield
        finally:
            network._compiled_call_impl = None  # torch has no public way back

    @contextmanager
    def predicting(self, network: Network, run: Run) -> Iterator[Network]:
        """Tell a failed compilation as a fault of the input.

        By default torch does not look whether a module has got hooks since it was compiled; patches come as
        hooks, so it is made to.
        """
        from torch._dynamo import config
        from torch._dynamo.exc import TorchDynamoException

        def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
            try:
                with config.patch(skip_nnmodule_hook_guards=False):
                    return network(z, timestep, sigma, conditions)
            except TorchDynamoException as error:
                raise InputError("model", self._told(error)) from error

        yield predict

    def _told(self, error: Exception) -> str:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        return (
            f"torch.compile with {self.backend} failed: {reason}; inductor needs a C++ compiler such as g++, "
            "and Triton on NVIDIA cards: install them, or leave TorchCompileModel out"
        )
