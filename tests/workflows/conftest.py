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
    "sd_xl_base_1.0": "sdxl",
    "sd_xl_refiner_1.0": "sdxl_refiner",
    "sd_xl_turbo_1.0_fp16": "sdxl",
}


@pytest.fixture(scope="session")
def named_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with what the workflows for Stable Diffusion 1.5 and XL ask for, in tiny."""
    folder = tmp_path_factory.mktemp("named")
    for name, kind in CHECKPOINTS.items():
        write_file(folder / "checkpoints" / f"{name}.safetensors", vivid(single_file(kind)))
    adapter = original_t2i_adapter(t2i_adapter("full_adapter"))
    write_file(folder / "controlnet" / "t2iadapter_canny_sd15v2.safetensors", adapter)
    prompted = ip_adapter_file(ip_adapter(tiny("sd1").network, "plain"))
    write_file(folder / "ipadapter" / "ip-adapter_sd15.safetensors", prompted)
    vision = "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
    write_file(folder / "clip_vision" / vision, clip_vision().state_dict())
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
