"""Small random weights of the true layouts, under the names that people's files have."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "nodes"))

from adapter_files import clip_vision, ip_adapter, ip_adapter_file, original_t2i_adapter, t2i_adapter
from family_files import single_file, tiny, write_file

CHECKPOINTS = {
    "v1-5-pruned-emaonly-fp16": "sd1",
    "sd-v1-5-inpainting": "sd1_inpaint",
    "sd_xl_base_1.0": "sdxl",
    "sd_xl_refiner_1.0": "sdxl_refiner",
    "sd_xl_turbo_1.0_fp16": "sdxl",
}
T2I_ADAPTERS = {"t2iadapter_canny_sd15v2": "full_adapter", "t2i-adapter_xl_canny": "full_adapter_xl"}
IP_ADAPTERS = {
    "ip-adapter_sd15": ("sd1", "plain"),
    "ip-adapter-plus_sd15": ("sd1", "plus"),
    "ip-adapter_sdxl_vit-h": ("sdxl", "plain"),
}
CLIP_VISION = {"CLIP-ViT-H-14-laion2B-s32B-b79K": (64, 48), "clip_vision_g": (128, 80)}
"""Width of the hidden states and of the one vector."""


@pytest.fixture(scope="session")
def named_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with what the workflows for Stable Diffusion 1.5 and XL ask for, in tiny, and more."""
    folder = tmp_path_factory.mktemp("named")
    for name, kind in CHECKPOINTS.items():
        write_file(folder / "checkpoints" / f"{name}.safetensors", vivid(single_file(kind)))
    for name, kind in T2I_ADAPTERS.items():
        write_file(folder / "controlnet" / f"{name}.safetensors", original_t2i_adapter(t2i_adapter(kind)))
    for name, (kind, projection) in IP_ADAPTERS.items():
        halves = ip_adapter(tiny(kind).network, projection)
        write_file(folder / "ipadapter" / f"{name}.safetensors", ip_adapter_file(halves))
    for name, widths in CLIP_VISION.items():
        write_file(folder / "clip_vision" / f"{name}.safetensors", clip_vision(*widths).state_dict())
    write_file(folder / "loras" / "lcm-lora-sdv1-5.safetensors", lora())
    return folder


def vivid(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same with an autoencoder whose pictures are not nearly flat."""
    last = "first_stage_model.decoder.conv_out.weight"
    return {**tensors, last: 20 * tensors[last]}


def lora() -> dict[str, torch.Tensor]:
    """A LoRA of rank 2 for one layer of the tiny U-Net."""
    generator, name = torch.Generator().manual_seed(0), "lora_unet_mid_block_attentions_0_proj_in"
    return {
        f"{name}.lora_down.weight": torch.randn(2, 128, 1, 1, generator=generator),
        f"{name}.lora_up.weight": torch.randn(128, 2, 1, 1, generator=generator),
    }
