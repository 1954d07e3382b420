"""Loads a whole checkpoint in a process of its own, and tells by how much its largest resident size grew.

    python true_size_child.py make sdxl FILE
    python true_size_child.py load FILE

``load`` prints JSON: bytes, and the names in the file whose parameters are not bit-equal to the built ones.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

UNET, ENCODERS = "model.diffusion_model.", "conditioner.embedders."
SPOTS = {
    f"{UNET}input_blocks.0.0.weight": ("model", "conv_in.weight"),
    f"{UNET}middle_block.1.transformer_blocks.9.attn2.to_k.weight": (
        "model",
        "mid_block.attentions.0.transformer_blocks.9.attn2.to_k.weight",
    ),
    f"{UNET}output_blocks.8.0.skip_connection.weight": (
        "model",
        "up_blocks.2.resnets.2.conv_shortcut.weight",
    ),
    f"{UNET}label_emb.0.2.bias": ("model", "add_embedding.linear_2.bias"),
    "first_stage_model.decoder.conv_out.weight": ("vae", "decoder.conv_out.weight"),
    f"{ENCODERS}0.transformer.text_model.embeddings.token_embedding.weight": (
        "clip",
        "encoders.l.transformer.embeddings.token_embedding.weight",
    ),
    f"{ENCODERS}1.model.transformer.resblocks.31.mlp.c_fc.weight": (
        "clip",
        "encoders.g.transformer.text_model.encoder.layers.31.mlp.fc1.weight",
    ),
}
"""Names in a file of SDXL, and what they become in which part."""


def load(path: Path) -> dict[str, Any]:
    """Build all three parts in float16 and compare some parameters with the file's."""
    import diffusers  # noqa: F401 - what it takes is not the checkpoint's
    from diffusers import AutoencoderKL, UNet2DConditionModel  # noqa: F401
    from diffusers.loaders import single_file_utils  # noqa: F401
    from transformers import CLIPTextModel, CLIPTextModelWithProjection  # noqa: F401

    from nodegraph.files import File
    from nodes.checkpoints.single_file import load_single_file, read_contents
    from nodes.text_encoders.tokenizers import clip_tokenizer

    class Files:
        def path(self, file: File) -> Path:
            return path

    clip_tokenizer()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    recipes = load_single_file(read_contents(File("checkpoints", path.name, "0" * 64), path), None)
    built = [part.weights.build(Files(), torch.float16) for part in recipes]
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    parts = dict(zip(("model", "clip", "vae"), built, strict=True))
    with safe_open(path, framework="pt") as file:
        wrong = [
            name
            for name, (part, parameter) in SPOTS.items()
            if not torch.equal(parts[part].get_parameter(parameter), file.get_tensor(name))
        ]
    return {"grown": grown, "wrong": wrong}


def main() -> None:
    """Make a file, or load one."""
    if sys.argv[1] == "make":
        from family_files import true_size, write_file

        write_file(Path(sys.argv[3]), true_size(sys.argv[2]))
    else:
        print(json.dumps(load(Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
