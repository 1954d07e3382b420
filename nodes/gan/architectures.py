"""The architectures of generators, and how a file is recognised as one."""

from __future__ import annotations

from pathlib import Path

import torch

from nodes.gan.dcgan import DCGAN
from nodes.gan.mlp import MLP
from nodes.gan.network import Activation, GeneratorNetwork
from nodes.weights.finite import check_finite
from nodes.weights.header import Header, UnknownFileError

Design = MLP | DCGAN
ARCHITECTURES: tuple[type[MLP] | type[DCGAN], ...] = (MLP, DCGAN)


def identify(header: Header) -> Design:
    """The architecture of a file, from its header alone.

    Raises:
        UnknownFileError: it is none of those known; the message says for each what is in the way.
    """
    reasons = []
    for architecture in ARCHITECTURES:
        try:
            return architecture.detect(header)
        except UnknownFileError as problem:
            reasons.append(f"it is no {architecture.title}, for {problem}")
    raise UnknownFileError("; ".join(reasons))


def load_generator(
    path: Path, design: Design, activation: Activation, dtype: torch.dtype
) -> GeneratorNetwork:
    """The generator with the weights of the file, in evaluation mode.

    Raises:
        ValueError: some are NaN or infinite.
    """
    from safetensors.torch import load_file

    with torch.device("meta"):
        network = design.network(activation)
    tensors = load_file(path)
    for name, tensor in tensors.items():
        check_finite(name, tensor)
    weights = {name.removeprefix(design.prefix): tensor for name, tensor in tensors.items()}
    network.to_empty(device="cpu").layers.load_state_dict(weights, strict=True)
    return network.to(dtype).eval().requires_grad_(False)
