"""Loaders: whole checkpoints, and their parts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from nodegraph import InFolder, NodeContext, node
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodes.checkpoints.autoencoders import LatentFamily, load_autoencoder
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.loading import load_checkpoint
from nodes.checkpoints.parts import TextFamily, load_denoiser, load_text_encoders
from nodes.types import Clip, Model, Vae

CHECKPOINTS = "checkpoints"
DIFFUSION_MODELS = "diffusion_models"
TEXT_ENCODERS = "text_encoders"
AUTOENCODERS = "vae"

TextEncoderFile = Annotated[str, InFolder(TEXT_ENCODERS)]


def infer_checkpoint(ckpt_name: Spec, files: Folders) -> dict[str, dict[str, Any]]:
    """What the configs or the header of the chosen checkpoint say of its parts."""
    if not isinstance(ckpt_name.value, str):
        return {}
    model, clip, vae = load_checkpoint(files.resolve(CHECKPOINTS, ckpt_name.value), files)
    space = {"text_width": model.text_width}  # tells the latent spaces of a family apart
    return {"model": _model_facts(model), "clip": _clip_facts(clip), "vae": {**_vae_facts(vae), **space}}


def _model_facts(model: Model) -> dict[str, Any]:
    facts = {
        "family": model.family,
        "latent_channels": model.latent_channels,
        "text_width": model.text_width,
    }
    told = {"latent_family": model.latent_family, "latent_side": model.latent_side, "cfg": model.cfg}
    return facts | {name: fact for name, fact in told.items() if fact}


def _clip_facts(clip: Clip) -> dict[str, Any]:
    return {"family": clip.family, "text_width": clip.text_width}


def _vae_facts(vae: Vae) -> dict[str, Any]:
    return {"family": vae.family, "latent_channels": vae.latent_channels, "vae_scale": vae.scale}


@node(category="loaders", display_name="Load Checkpoint", infer=infer_checkpoint)
def CheckpointLoaderSimple(
    ctx: NodeContext, ckpt_name: Annotated[str, InFolder(CHECKPOINTS)] = "emoji-sd"
) -> Checkpoint:
    """Load a checkpoint: the denoising model, the text encoder and the autoencoder.

    Only its configs or its header are read; weights are loaded where something computes with them.

    Args:
        ckpt_name: the checkpoint, a safetensors file or a diffusers folder in the checkpoints folder.
    """
    return load_checkpoint(ctx.resolve(CHECKPOINTS, ckpt_name), ctx)


def infer_denoiser(unet_name: Spec, files: Folders) -> dict[str, Any]:
    """What the header or config of the chosen network says."""
    if not isinstance(unet_name.value, str):
        return {}
    return _model_facts(load_denoiser(files.resolve(DIFFUSION_MODELS, unet_name.value), files))


@node(category="loaders", display_name="Load Diffusion Model", infer=infer_denoiser)
def UNETLoader(
    ctx: NodeContext,
    unet_name: Annotated[str, InFolder(DIFFUSION_MODELS)],
    weight_dtype: Literal["default"] = "default",
) -> Model:
    """Load a denoising model without text encoder and autoencoder.

    Args:
        unet_name: the network: a safetensors file, whole checkpoint or not, or a folder of diffusers.
        weight_dtype: the type its weights are kept in; that which the device computes in.
    """
    return load_denoiser(ctx.resolve(DIFFUSION_MODELS, unet_name), ctx)


def _infer_clip(files: Folders, type: Spec, *names: Spec) -> dict[str, Any]:
    if not all(isinstance(spec.value, str) for spec in (type, *names)):
        return {}
    chosen = [files.resolve(TEXT_ENCODERS, spec.value) for spec in names]
    return _clip_facts(load_text_encoders(chosen, files, type.value))


def infer_one_clip(clip_name: Spec, type: Spec, files: Folders) -> dict[str, Any]:
    """What the header of the chosen text encoder says."""
    return _infer_clip(files, type, clip_name)


@node(category="loaders", display_name="Load CLIP", infer=infer_one_clip)
def CLIPLoader(ctx: NodeContext, clip_name: TextEncoderFile, type: TextFamily = "stable_diffusion") -> Clip:
    """Load a text encoder from a file of its own.

    Args:
        clip_name: the text encoder.
        type: the family it is for.
    """
    return load_text_encoders([ctx.resolve(TEXT_ENCODERS, clip_name)], ctx, type)


def infer_two_clips(clip_name1: Spec, clip_name2: Spec, type: Spec, files: Folders) -> dict[str, Any]:
    """What the headers of the chosen text encoders say."""
    return _infer_clip(files, type, clip_name1, clip_name2)


@node(category="loaders", display_name="Load Two CLIPs", infer=infer_two_clips)
def DualCLIPLoader(
    ctx: NodeContext,
    clip_name1: TextEncoderFile,
    clip_name2: TextEncoderFile,
    type: Literal["sdxl", "sd3", "flux"] = "sdxl",
) -> Clip:
    """Load two text encoders from files of their own, in any order.

    Args:
        clip_name1: one text encoder.
        clip_name2: the other one.
        type: the family they are for: CLIP-L and CLIP-G for SDXL, CLIP-L and T5 for Flux, any two of these
            for Stable Diffusion 3.
    """
    chosen = [ctx.resolve(TEXT_ENCODERS, name) for name in (clip_name1, clip_name2)]
    return load_text_encoders(chosen, ctx, type)


def infer_three_clips(clip_name1: Spec, clip_name2: Spec, clip_name3: Spec, files: Folders) -> dict[str, Any]:
    """What the headers of the chosen text encoders say."""
    return _infer_clip(files, Spec(value="sd3"), clip_name1, clip_name2, clip_name3)


@node(category="loaders", display_name="Load Three CLIPs", infer=infer_three_clips)
def TripleCLIPLoader(
    ctx: NodeContext, clip_name1: TextEncoderFile, clip_name2: TextEncoderFile, clip_name3: TextEncoderFile
) -> Clip:
    """Load the three text encoders of Stable Diffusion 3 from files of their own, in any order.

    Args:
        clip_name1: one of CLIP-L, CLIP-G and T5.
        clip_name2: another one.
        clip_name3: the third.
    """
    chosen = [ctx.resolve(TEXT_ENCODERS, name) for name in (clip_name1, clip_name2, clip_name3)]
    return load_text_encoders(chosen, ctx, "sd3")


def infer_autoencoder(vae_name: Spec, family: Spec, files: Folders) -> dict[str, Any]:
    """What the header of the chosen autoencoder says."""
    if not (isinstance(vae_name.value, str) and isinstance(family.value, str)):
        return {}
    file = files.resolve(AUTOENCODERS, vae_name.value)
    return _vae_facts(load_autoencoder(file, files, family.value))  # type: ignore[arg-type] # its menu


@node(category="loaders", display_name="Load VAE", infer=infer_autoencoder)
def VAELoader(
    ctx: NodeContext, vae_name: Annotated[str, InFolder(AUTOENCODERS)], family: LatentFamily = "auto"
) -> Vae:
    """Load an autoencoder of its own; a tiny one (TAESD) will do.

    Args:
        vae_name: the autoencoder: a safetensors file or a folder of diffusers. ``taesd``, ``taesdxl``,
            ``taesd3`` and ``taef1`` are tiny ones that lie as two files in ``vae_approx``:
            ``taesd_encoder.safetensors`` and ``taesd_decoder.safetensors``.
        family: whose latents it makes. Files of several families look alike; by default it goes by what the
            file's metadata and name say.
    """
    return load_autoencoder(ctx.resolve(AUTOENCODERS, vae_name), ctx, family)
