"""The checkpoint loader."""

from __future__ import annotations

from typing import Annotated, Any

from nodegraph import InFolder, NodeContext, node
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.loading import load_checkpoint

CHECKPOINTS = "checkpoints"


def infer_checkpoint(ckpt_name: Spec, files: Folders) -> dict[str, dict[str, Any]]:
    """What the configs of the chosen checkpoint say of its parts."""
    if not isinstance(ckpt_name.value, str):
        return {}
    file = files.resolve(CHECKPOINTS, ckpt_name.value)
    model, clip, vae = load_checkpoint(file, files)
    return {
        "model": {
            "family": model.family,
            "latent_channels": model.latent_channels,
            "text_width": model.text_width,
        },
        "clip": {"family": clip.family, "text_width": clip.text_width},
        "vae": {"family": vae.family, "latent_channels": vae.latent_channels, "vae_scale": vae.scale},
    }


@node(category="loaders", display_name="Load Checkpoint", infer=infer_checkpoint)
def CheckpointLoaderSimple(
    ctx: NodeContext, ckpt_name: Annotated[str, InFolder(CHECKPOINTS)] = "emoji-sd"
) -> Checkpoint:
    """Load a checkpoint: the denoising model, the text encoder and the autoencoder.

    Only its configs are read; weights are loaded where something computes with them.

    Args:
        ckpt_name: the checkpoint, a safetensors file or a diffusers folder in the checkpoints folder.
    """
    file = ctx.resolve(CHECKPOINTS, ckpt_name)
    return load_checkpoint(file, ctx)
