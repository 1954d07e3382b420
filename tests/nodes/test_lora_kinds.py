"""DoRAs against peft; LoRAs under the names of MM-DiT's and FLUX's original code."""

from __future__ import annotations

import pytest
import torch
from diffusion_support import checkpoint, folders
from family_files import single_file, write_file
from safetensors.torch import load_file, save_file
from test_lora import UNET_MODULES, adapted, fresh, kohya, output

from nodegraph.errors import FileProblem
from nodegraph.testing import TestContext
from nodes.adapters.lora.nodes import LoraLoaderModelOnly
from nodes.checkpoints.nodes import UNETLoader

PREFIX = "model.diffusion_model."
RANK, ALPHA = 4, 6.0


@pytest.fixture(scope="module")
def unet():
    """The bundled U-Net with a DoRA by peft."""
    from peft import LoraConfig

    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=UNET_MODULES, use_dora=True)
    return adapted(fresh(checkpoint().model.weights), config)


@pytest.fixture(scope="module")
def root(tmp_path_factory, unet):
    root = tmp_path_factory.mktemp("models")
    unet.save_pretrained(root / "loras" / "peft")
    tensors = load_file(root / "loras" / "peft" / "adapter_model.safetensors")
    magnitudes = {name: t for name, t in tensors.items() if "magnitude" in name}
    renamed = kohya({name: t for name, t in tensors.items() if name not in magnitudes}, "lora_unet")
    for name, tensor in magnitudes.items():
        module = name.removeprefix("base_model.model.").partition(".lora_magnitude")[0].replace(".", "_")
        renamed[f"lora_unet_{module}.dora_scale"] = tensor.reshape(-1, 1)
    save_file(renamed, root / "loras" / "kohya.safetensors")
    return root


@pytest.mark.parametrize("name", ["peft", "kohya.safetensors"])
def test_a_dora_equals_peft(root, unet, name):
    ctx = TestContext(folders(root, root))
    with ctx.lease(LoraLoaderModelOnly(ctx, checkpoint().model, name).weights) as found:
        torch.testing.assert_close(output(found), output(unet), atol=5e-5, rtol=0)


def test_half_a_dora_goes_half_the_way(root):
    ctx, name = TestContext(folders(root, root)), "mid_block.attentions.0.proj_in.weight"
    plain = fresh(checkpoint().model.weights).get_parameter(name)
    whole, half = (
        fresh_of(ctx, LoraLoaderModelOnly(ctx, checkpoint().model, "kohya.safetensors", strength))
        for strength in (1.0, 0.5)
    )
    halfway = (plain + whole.get_parameter(name)) / 2
    torch.testing.assert_close(half.get_parameter(name), halfway, atol=1e-6, rtol=0)


def fresh_of(ctx, model):
    return model.weights.build(ctx.folders, torch.float32)


@pytest.mark.parametrize("kind", ["flux", "schnell", "sd3", "sd35"])
def test_original_names_change_what_a_changed_checkpoint_has(tmp_path, kind):
    """A LoRA over every weight of the original layout, and a file to whose weights its changes were added."""
    network = {name: t for name, t in single_file(kind).items() if name.startswith(PREFIX)}
    generator, lora, merged = torch.Generator().manual_seed(1), {}, dict(network)
    for name, weight in network.items():
        if name.endswith(".weight") and weight.ndim > 1:
            module = "lora_unet_" + name.removeprefix(PREFIX).removesuffix(".weight").replace(".", "_")
            down = 0.1 * torch.randn(RANK, *weight.shape[1:], generator=generator)
            up = 0.1 * torch.randn(len(weight), RANK, generator=generator)
            lora |= {f"{module}.lora_down.weight": down, f"{module}.alpha": torch.tensor(ALPHA)}
            lora[f"{module}.lora_up.weight"] = up.reshape(*up.shape, *[1] * (weight.ndim - 2))
            merged[name] = weight + (up @ down.flatten(1)).reshape(weight.shape) * ALPHA / RANK
    write_file(tmp_path / "loras" / "all.safetensors", lora)
    for file, tensors in (("plain", network), ("merged", merged)):
        write_file(tmp_path / "diffusion_models" / f"{file}.safetensors", tensors)
    ctx = TestContext(folders(tmp_path, tmp_path))
    plain, expected = (UNETLoader(ctx, f"{file}.safetensors") for file in ("plain", "merged"))
    found = fresh_of(ctx, LoraLoaderModelOnly(ctx, plain, "all.safetensors")).state_dict()
    for name, tensor in fresh_of(ctx, expected).state_dict().items():
        torch.testing.assert_close(
            found[name], tensor, atol=1e-5, rtol=0, msg=lambda text, at=name: f"{at}: {text}"
        )


def test_magnitudes_of_another_size_are_refused(tmp_path):
    name = "lora_unet_mid_block_attentions_0_proj_in"
    width = fresh(checkpoint().model.weights).mid_block.attentions[0].proj_in.weight.shape[0]
    parts = {
        f"{name}.lora_down.weight": torch.zeros(1, width, 1, 1),
        f"{name}.lora_up.weight": torch.zeros(width, 1, 1, 1),
        f"{name}.dora_scale": torch.ones(3, 1, 1, 1),
    }
    write_file(tmp_path / "loras" / "odd.safetensors", parts)
    ctx = TestContext(folders(tmp_path, tmp_path))
    model = LoraLoaderModelOnly(ctx, checkpoint().model, "odd.safetensors")
    with pytest.raises(FileProblem, match="it sets 3 magnitudes of a weight of"):
        fresh_of(ctx, model)
