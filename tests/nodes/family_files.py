"""Tiny models of every family, as files in the layouts that people have, and as diffusers' own modules.

The original layouts are written here from diffusers' modules, by the tables below, which say in the other
direction what loading has to undo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from noise_fit import fit_to_noise
from safetensors.torch import save_file
from torch import Tensor, nn

Tensors = dict[str, Tensor]
VOCABULARY = 49408


class Tiny(NamedTuple):
    """The modules of a tiny model."""

    network: Any
    vae: Any
    encoders: Mapping[str, Any]


# --- modules ----------------------------------------------------------------------------------------------


def unet(
    *, linear: bool, text: int, pooled: int | None = None, refiner: bool = False, channels: int = 4
) -> Any:
    from diffusers import UNet2DConditionModel

    attended = (
        (False, True, True, False) if refiner else (False, True, True) if pooled else (True, True, False)
    )
    down = ["CrossAttnDownBlock2D" if yes else "DownBlock2D" for yes in attended]
    added = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": (pooled or 0) + 256 * (5 if refiner else 6),
        "transformer_layers_per_block": [2, 2, 2, 2] if refiner else [1, 2, 3],
    }
    widths = (64, 64, 128, 128)[: len(attended)]
    module = made(
        UNet2DConditionModel(
            in_channels=channels,
            sample_size=64,
            block_out_channels=widths,
            down_block_types=down,
            up_block_types=[name.replace("Down", "Up") for name in reversed(down)],
            cross_attention_dim=text,
            layers_per_block=2,
            use_linear_projection=linear,
            attention_head_dim=[width // 64 for width in widths] if linear else 8,
            upcast_attention=linear and not pooled,
            **(added if pooled else {}),
        )
    )
    fit_to_noise(module)
    return module


def autoencoder(channels: int = 4) -> Any:
    from diffusers import AutoencoderKL

    return made(
        AutoencoderKL(
            block_out_channels=(32, 32, 64, 64),
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            latent_channels=channels,
            use_quant_conv=channels == 4,
            use_post_quant_conv=channels == 4,
        )
    )


def clip(width: int, *, layers: int = 2, open_clip: bool = False, projected: bool | None = None) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        projection_dim=width,
        hidden_act="gelu" if open_clip else "quick_gelu",
        bos_token_id=49406,
        eos_token_id=49407,
    )
    projected = open_clip if projected is None else projected
    return made((CLIPTextModelWithProjection if projected else CLIPTextModel)(config))


def t5(width: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=128,
        d_model=width,
        d_kv=64,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    return made(T5EncoderModel(config))


def mmdit(*, text: int, pooled: int, newer: bool) -> Any:
    from diffusers import SD3Transformer2DModel

    return made(
        SD3Transformer2DModel(
            num_layers=3,
            attention_head_dim=64,
            num_attention_heads=2,
            joint_attention_dim=text,
            caption_projection_dim=128,
            pooled_projection_dim=pooled,
            pos_embed_max_size=24,
            dual_attention_layers=(0, 1) if newer else (),
            qk_norm="rms_norm" if newer else None,
        )
    )


def flux(*, text: int, pooled: int, guidance: bool) -> Any:
    from diffusers import FluxTransformer2DModel

    return made(
        FluxTransformer2DModel(
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=text,
            pooled_projection_dim=pooled,
            guidance_embeds=guidance,
            axes_dims_rope=(4, 14, 14),
        )
    )


def made(module: nn.Module, seed: int = 0) -> Any:
    """The module with weights that all count, ones and zeros of norms and biases included."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        parameter.data = centre + noise * 0.04
    return module.eval().requires_grad_(False)


# --- original layouts -------------------------------------------------------------------------------------


def renamed(tensors: Mapping[str, Tensor], *rules: tuple[str, str]) -> Tensors:
    """Tensors whose names every rule (a pattern and what takes its place) was applied to."""

    def name(old: str) -> str:
        for pattern, replacement in rules:
            old = re.sub(pattern, replacement, old)
        return old

    return {name(old): tensor for old, tensor in tensors.items()}


def ldm_unet(module: Any) -> Tensors:
    """latent-diffusion numbers all blocks of the way down, and of the way up, in one row each."""
    per_level, state = module.config.layers_per_block + 1, module.state_dict()

    def numbered(name: str) -> str:
        match = re.match(
            r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.", name
        )
        if match is None:
            return name
        way, level, kind, index = match[1], int(match[2]), match[3], int(match[4])
        rest = name[match.end() :]
        attended = f"{way}_blocks.{level}.attentions.0.norm.weight" in state
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * per_level}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            return f"output_blocks.{level * per_level + per_level - 1}.{2 if attended else 1}.{rest}"
        block = level * per_level + index
        place = 0 if kind == "resnets" else 1
        return (
            f"input_blocks.{block + 1}.{place}.{rest}"
            if way == "down"
            else f"output_blocks.{block}.{place}.{rest}"
        )

    tensors = {numbered(name): tensor for name, tensor in state.items()}
    return renamed(
        tensors,
        (r"mid_block\.resnets\.0", "middle_block.0"),
        (r"mid_block\.attentions\.0", "middle_block.1"),
        (r"mid_block\.resnets\.1", "middle_block.2"),
        (r"^time_embedding\.linear_1", "time_embed.0"),
        (r"^time_embedding\.linear_2", "time_embed.2"),
        (r"^add_embedding\.linear_1", "label_emb.0.0"),
        (r"^add_embedding\.linear_2", "label_emb.0.2"),
        (r"^conv_in", "input_blocks.0.0"),
        (r"^conv_norm_out", "out.0"),
        (r"^conv_out", "out.2"),
        (r"^(\w+_blocks?\.[\d.]+\.)norm1\.", r"\1in_layers.0."),
        (r"conv1\.", "in_layers.2."),
        (r"^(\w+_blocks?\.[\d.]+\.)norm2\.", r"\1out_layers.0."),
        (r"conv2\.", "out_layers.3."),
        (r"time_emb_proj", "emb_layers.1"),
        (r"conv_shortcut", "skip_connection"),
    )


def ldm_autoencoder(module: Any) -> Tensors:
    levels = len(module.config.block_out_channels)
    tensors = renamed(
        module.state_dict(),
        (r"down_blocks\.(\d)\.resnets\.", r"down.\1.block."),
        (r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample."),
        (r"mid_block\.resnets\.0", "mid.block_1"),
        (r"mid_block\.resnets\.1", "mid.block_2"),
        (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
        (r"mid_block\.attentions\.0\.to_([qkv])", r"mid.attn_1.\1"),
        (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
        (r"conv_shortcut", "nin_shortcut"),
        (r"conv_norm_out", "norm_out"),
    )

    def mirrored(match: re.Match[str]) -> str:
        kind = "block." if match[2] == "resnets." else "upsample."
        return f"up.{levels - 1 - int(match[1])}.{kind}"

    pattern = re.compile(r"up_blocks\.(\d)\.(resnets\.|upsamplers\.0\.)")
    tensors = {pattern.sub(mirrored, name): tensor for name, tensor in tensors.items()}
    convolved = re.compile(r"mid\.attn_1\.(q|k|v|proj_out)\.weight")
    return {n: t[..., None, None] if convolved.search(n) else t for n, t in tensors.items()}


def transformers_clip(module: Any) -> Tensors:
    """CLIP as files of Stable Diffusion have it: ``text_model.`` in its names, and its positions."""
    tensors = {
        name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}": tensor
        for name, tensor in module.state_dict().items()
    }
    return {**tensors, "text_model.embeddings.position_ids": torch.arange(77)[None]}


def open_clip(module: Any) -> Tensors:
    """OpenCLIP keeps queries, keys and values in one matrix, and its projection the other way round."""
    tensors = renamed(
        module.state_dict(),
        (r"^text_model\.", ""),
        (r"embeddings\.position_embedding\.weight", "positional_embedding"),
        (r"embeddings\.token_embedding", "token_embedding"),
        (r"final_layer_norm", "ln_final"),
        (r"encoder\.layers\.", "transformer.resblocks."),
        (r"layer_norm1", "ln_1"),
        (r"layer_norm2", "ln_2"),
        (r"mlp\.fc1", "mlp.c_fc"),
        (r"mlp\.fc2", "mlp.c_proj"),
        (r"self_attn", "attn"),
        (r"text_projection\.weight", "text_projection"),
    )
    tensors["text_projection"] = tensors["text_projection"].T.contiguous()
    tensors = joined(
        tensors, r"attn\.(q|k|v)_proj\.", ("attn.q_proj.", "attn.k_proj.", "attn.v_proj."), "attn.in_proj_"
    )
    return {**tensors, "logit_scale": torch.tensor(4.6)}


def joined(tensors: Tensors, pattern: str, parts: tuple[str, ...], whole: str) -> Tensors:
    """Tensors whose parts stand in one matrix, one below the other."""
    kept = {name: tensor for name, tensor in tensors.items() if not re.search(pattern, name)}
    for name in tensors:
        if parts[0] in name:
            kept[name.replace(parts[0], whole)] = torch.cat(
                [tensors[name.replace(parts[0], p)] for p in parts]
            )
    return kept


def swapped(tensor: Tensor) -> Tensor:
    return torch.cat(tensor.chunk(2)[::-1])


def stability_mmdit(module: Any) -> Tensors:
    last = module.config.num_layers - 1
    tensors = renamed(
        module.state_dict(),
        (r"^pos_embed\.pos_embed$", "pos_embed"),
        (r"^pos_embed\.proj", "x_embedder.proj"),
        (r"^time_text_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
        (r"^time_text_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
        (r"^time_text_embed\.text_embedder\.linear_1", "y_embedder.mlp.0"),
        (r"^time_text_embed\.text_embedder\.linear_2", "y_embedder.mlp.2"),
        (r"^proj_out", "final_layer.linear"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^transformer_blocks", "joint_blocks"),
        (r"norm1\.linear", "x_block.adaLN_modulation.1"),
        (r"norm1_context\.linear", "context_block.adaLN_modulation.1"),
        (r"attn2\.to_out\.0", "x_block.attn2.proj"),
        (r"attn\.to_out\.0", "x_block.attn.proj"),
        (r"attn\.to_add_out", "context_block.attn.proj"),
        (r"attn\.norm_added_([qk])", r"context_block.attn.ln_\1"),
        (r"(attn2?)\.norm_([qk])", r"x_block.\1.ln_\2"),
        (r"ff\.net\.0\.proj", "x_block.mlp.fc1"),
        (r"ff\.net\.2", "x_block.mlp.fc2"),
        (r"ff_context\.net\.0\.proj", "context_block.mlp.fc1"),
        (r"ff_context\.net\.2", "context_block.mlp.fc2"),
    )
    added = ("attn.add_q_proj.", "attn.add_k_proj.", "attn.add_v_proj.")
    tensors = joined(tensors, r"attn\.add_[qkv]_proj\.", added, "context_block.attn.qkv.")
    for kind in ("attn", "attn2"):
        parts = tuple(f"{kind}.to_{part}." for part in "qkv")
        tensors = joined(tensors, rf"\.{kind}\.to_[qkv]\.", parts, f"x_block.{kind}.qkv.")
    turned = (f"joint_blocks.{last}.context_block.adaLN", "final_layer.adaLN")
    return {name: swapped(t) if name.startswith(turned) else t for name, t in tensors.items()}


def black_forest_flux(module: Any) -> Tensors:
    tensors = renamed(
        module.state_dict(),
        (r"^time_text_embed\.timestep_embedder\.linear_1", "time_in.in_layer"),
        (r"^time_text_embed\.timestep_embedder\.linear_2", "time_in.out_layer"),
        (r"^time_text_embed\.text_embedder\.linear_1", "vector_in.in_layer"),
        (r"^time_text_embed\.text_embedder\.linear_2", "vector_in.out_layer"),
        (r"^time_text_embed\.guidance_embedder\.linear_1", "guidance_in.in_layer"),
        (r"^time_text_embed\.guidance_embedder\.linear_2", "guidance_in.out_layer"),
        (r"^context_embedder", "txt_in"),
        (r"^x_embedder", "img_in"),
        (r"^proj_out", "final_layer.linear"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^transformer_blocks", "double_blocks"),
        (r"^single_transformer_blocks", "single_blocks"),
        (r"norm1\.linear", "img_mod.lin"),
        (r"norm1_context\.linear", "txt_mod.lin"),
        (r"^(single_blocks\.\d+)\.norm\.linear", r"\1.modulation.lin"),
        (r"^(single_blocks\.\d+)\.attn\.norm_q\.weight", r"\1.norm.query_norm.scale"),
        (r"^(single_blocks\.\d+)\.attn\.norm_k\.weight", r"\1.norm.key_norm.scale"),
        (r"^(single_blocks\.\d+)\.proj_out", r"\1.linear2"),
        (r"attn\.norm_q\.weight", "img_attn.norm.query_norm.scale"),
        (r"attn\.norm_k\.weight", "img_attn.norm.key_norm.scale"),
        (r"attn\.norm_added_q\.weight", "txt_attn.norm.query_norm.scale"),
        (r"attn\.norm_added_k\.weight", "txt_attn.norm.key_norm.scale"),
        (r"attn\.to_out\.0", "img_attn.proj"),
        (r"attn\.to_add_out", "txt_attn.proj"),
        (r"ff\.net\.0\.proj", "img_mlp.0"),
        (r"ff\.net\.2", "img_mlp.2"),
        (r"ff_context\.net\.0\.proj", "txt_mlp.0"),
        (r"ff_context\.net\.2", "txt_mlp.2"),
    )
    added = ("attn.add_q_proj.", "attn.add_k_proj.", "attn.add_v_proj.")
    tensors = joined(tensors, r"attn\.add_[qkv]_proj\.", added, "txt_attn.qkv.")
    single = {name: tensor for name, tensor in tensors.items() if name.startswith("single_blocks.")}
    double = {name: tensor for name, tensor in tensors.items() if name not in single}
    parts = ("attn.to_q.", "attn.to_k.", "attn.to_v.")
    double = joined(double, r"attn\.to_[qkv]\.", parts, "img_attn.qkv.")
    single = joined(single, r"attn\.to_[qkv]\.|proj_mlp\.", (*parts, "proj_mlp."), "linear1.")
    turned = "final_layer.adaLN"
    return {n: swapped(t) if n.startswith(turned) else t for n, t in {**double, **single}.items()}


def t5_file(module: Any) -> Tensors:
    return {name: t for name, t in module.state_dict().items() if name != "encoder.embed_tokens.weight"}


# --- families ---------------------------------------------------------------------------------------------

Layout = Callable[[Any], Tensors]


class Layouts(NamedTuple):
    """How a family's single file is written: prefix and layout of the network and of each text encoder."""

    network: Layout
    vae: str
    encoders: Mapping[str, tuple[str, Layout]]


LDM_L = ("cond_stage_model.transformer.", transformers_clip)
LAYOUTS: dict[str, Layouts] = {
    "sd1": Layouts(ldm_unet, "first_stage_model.", {"l": LDM_L}),
    "sd2": Layouts(ldm_unet, "first_stage_model.", {"h": ("cond_stage_model.model.", open_clip)}),
    "sdxl": Layouts(
        ldm_unet,
        "first_stage_model.",
        {
            "l": ("conditioner.embedders.0.transformer.", transformers_clip),
            "g": ("conditioner.embedders.1.model.", open_clip),
        },
    ),
    "sdxl_refiner": Layouts(
        ldm_unet, "first_stage_model.", {"g": ("conditioner.embedders.0.model.", open_clip)}
    ),
    "sd3": Layouts(
        stability_mmdit,
        "first_stage_model.",
        {
            "l": ("text_encoders.clip_l.transformer.", transformers_clip),
            "g": ("text_encoders.clip_g.transformer.", transformers_clip),
            "t5xxl": ("text_encoders.t5xxl.transformer.", t5_file),
        },
    ),
    "flux": Layouts(
        black_forest_flux,
        "vae.",
        {
            "l": ("text_encoders.clip_l.transformer.", transformers_clip),
            "t5xxl": ("text_encoders.t5xxl.transformer.", t5_file),
        },
    ),
}
LAYOUTS["sd1_inpaint"] = LAYOUTS["sd1_instruct"] = LAYOUTS["sd1"]
LAYOUTS["sd35"] = LAYOUTS["sd3"]
LAYOUTS["schnell"] = LAYOUTS["flux"]


@cache
def tiny(kind: str) -> Tiny:
    """The modules of a tiny model of one kind: a key of ``LAYOUTS``."""
    makers: dict[str, Callable[[], Tiny]] = {
        "sd1": lambda: _sd1(channels=4),
        "sd1_inpaint": lambda: _sd1(channels=9),
        "sd1_instruct": lambda: _sd1(channels=8),
        "sd2": lambda: Tiny(
            unet(linear=True, text=128), autoencoder(), {"h": clip(128, layers=3, open_clip=True)}
        ),
        "sdxl": lambda: Tiny(
            unet(linear=True, text=192, pooled=128),
            autoencoder(),
            {"l": clip(64), "g": clip(128, layers=3, open_clip=True)},
        ),
        "sdxl_refiner": lambda: Tiny(
            unet(linear=True, text=128, pooled=128, refiner=True),
            autoencoder(),
            {"g": clip(128, layers=3, open_clip=True)},
        ),
        "sd3": lambda: _sd3(newer=False),
        "sd35": lambda: _sd3(newer=True),
        "flux": lambda: _flux(guidance=True),
        "schnell": lambda: _flux(guidance=False),
    }
    return makers[kind]()


def _sd1(*, channels: int) -> Tiny:
    return Tiny(unet(linear=False, text=64, channels=channels), autoencoder(), {"l": clip(64)})


def _sd3(*, newer: bool) -> Tiny:
    encoders = {
        "l": clip(64, projected=True),
        "g": clip(64, layers=13, open_clip=True),
        "t5xxl": t5(128),
    }
    return Tiny(mmdit(text=128, pooled=128, newer=newer), autoencoder(16), encoders)


def _flux(*, guidance: bool) -> Tiny:
    return Tiny(
        flux(text=128, pooled=64, guidance=guidance), autoencoder(16), {"l": clip(64), "t5xxl": t5(128)}
    )


def single_file(kind: str, dtype: torch.dtype = torch.float32) -> Tensors:
    """The tensors of a whole checkpoint in its original layout."""
    model, layouts = tiny(kind), LAYOUTS[kind]
    parts = [
        ("model.diffusion_model.", layouts.network(model.network)),
        (layouts.vae, ldm_autoencoder(model.vae)),
    ]
    parts += [(prefix, layout(model.encoders[name])) for name, (prefix, layout) in layouts.encoders.items()]
    return {prefix + name: stored(t, dtype) for prefix, tensors in parts for name, t in tensors.items()}


def stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous()


def t5_tokenizer_file(folder: Path) -> None:
    """A tokenizer of a few words, as ``tokenizer.json``."""
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.processors import TemplateProcessing

    words = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        (" ", -2.0),
        *((letter, -3.0) for letter in "abcdefrnotxw"),
    ]
    made = Tokenizer(Unigram(words, 2))
    made.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))


def write_file(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata)
    return path


# --- true size --------------------------------------------------------------------------------------------


def true_size(model: str) -> Tensors:
    """The tensors of Stable Diffusion 1.5 or XL in their original layout, float16, with random weights."""
    kind = {"sd15": "sd1", "sdxl": "sdxl"}[model]
    with torch.device("meta"):
        whole = _true_modules(kind)
    layouts = LAYOUTS[kind]
    parts = [
        ("model.diffusion_model.", layouts.network(whole.network)),
        (layouts.vae, ldm_autoencoder(whole.vae)),
    ]
    parts += [(prefix, layout(whole.encoders[name])) for name, (prefix, layout) in layouts.encoders.items()]
    return {
        prefix + name: torch.empty(t.shape, dtype=torch.float16).normal_(std=0.02)
        for prefix, tensors in parts
        for name, t in tensors.items()
        if t.is_floating_point()
    }


def _true_modules(kind: str) -> Tiny:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
    )
    large = CLIPTextModel(
        CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    )
    if kind == "sd1":
        return Tiny(UNet2DConditionModel(cross_attention_dim=768), vae, {"l": large})
    down = ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"]
    network = UNet2DConditionModel(
        block_out_channels=(320, 640, 1280),
        down_block_types=down,
        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        transformer_layers_per_block=[1, 2, 10],
        attention_head_dim=[5, 10, 20],
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )
    config = CLIPTextConfig(
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=32,
        num_attention_heads=20,
        projection_dim=1280,
    )
    return Tiny(network, vae, {"l": large, "g": CLIPTextModelWithProjection(config)})
