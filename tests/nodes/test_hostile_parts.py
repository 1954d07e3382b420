"""Damaged adapters, vision encoders and tiny autoencoders: refused with a reason, or they can be built."""

from __future__ import annotations

import random
from functools import cache

import pytest
import torch
from adapter_files import (
    clip_vision,
    ip_adapter,
    ip_adapter_file,
    open_clip_vision,
    original_t2i_adapter,
    t2i_adapter,
)
from diffusion_support import TestContext, folders
from family_files import made, tiny, write_file

from nodegraph.errors import FileProblem
from nodes.adapters.ip_adapter.nodes import IPAdapterModelLoader
from nodes.checkpoints.nodes import VAELoader
from nodes.clip_vision.nodes import CLIPVisionLoader
from nodes.controlnet.nodes import ControlNetLoader

TURNS = 24


def tiny_autoencoder():
    from diffusers import AutoencoderTiny

    widths = (8, 8, 8, 8)
    return made(AutoencoderTiny(encoder_block_out_channels=widths, decoder_block_out_channels=widths))


MAKERS = {
    "vision": lambda: clip_vision().state_dict(),
    "open_clip_vision": lambda: open_clip_vision(clip_vision(act="gelu")),
    "plain": lambda: ip_adapter_file(ip_adapter(tiny("sd1").network, "plain")),
    "plus": lambda: ip_adapter_file(ip_adapter(tiny("sd1").network, "plus")),
    "full": lambda: ip_adapter_file(ip_adapter(tiny("sd1").network, "full")),
    "t2i": lambda: original_t2i_adapter(t2i_adapter("full_adapter")),
    "light": lambda: original_t2i_adapter(t2i_adapter("light_adapter")),
    "tiny": lambda: tiny_autoencoder().state_dict(),
}
LOADERS = {
    **dict.fromkeys(("vision", "open_clip_vision"), ("clip_vision", CLIPVisionLoader)),
    **dict.fromkeys(("plain", "plus", "full"), ("ipadapter", IPAdapterModelLoader)),
    **dict.fromkeys(("t2i", "light"), ("controlnet", ControlNetLoader)),
    "tiny": ("vae", VAELoader),
}


@cache
def healthy(kind):
    return MAKERS[kind]()


def damaged(kind, seed):
    """Some tensors renamed, missing, of another shape or type, or empty."""
    dice, tensors = random.Random(seed), dict(healthy(kind))
    for name in dice.sample(sorted(tensors), dice.randint(1, 3)):
        tensor = tensors.pop(name)
        new = dice.choice([name, name, name, f"{name}.x", name.replace(".", "..", 1), None])
        if new is not None:
            tensors[new] = dice.choice(
                [
                    tensor.flatten(),
                    tensor[None],
                    tensor.sum(),
                    tensor[..., :0],
                    tensor[..., :1],
                    tensor.reshape(-1, 1),
                    tensor.to(torch.int32),
                    tensor.repeat(2, *[1] * (tensor.ndim - 1)) if tensor.ndim else tensor[None],
                ]
            )
    return {name: tensor.clone().contiguous() for name, tensor in tensors.items()}


def outcome(kind, tensors, root):
    """What is built of a file; ``None`` where it is refused, and anything but a ``FileProblem`` fails."""
    folder, loader = LOADERS[kind]
    write_file(root / folder / "file.safetensors", tensors)
    ctx = TestContext(folders(root, root))
    try:
        return loader(ctx, "file.safetensors").weights.build(ctx, torch.float32)
    except FileProblem as problem:
        assert "file.safetensors" in str(problem)
        return None


@pytest.mark.parametrize("kind", MAKERS)
def test_a_damaged_file_is_refused_or_can_be_built(tmp_path, kind):
    assert outcome(kind, healthy(kind), tmp_path) is not None
    built = [outcome(kind, damaged(kind, seed), tmp_path) for seed in range(TURNS)]
    assert built.count(None) > TURNS // 2
