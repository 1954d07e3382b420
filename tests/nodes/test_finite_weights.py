"""Weights that are NaN or infinite are refused, by file and name, wherever they are read."""

from __future__ import annotations

import math

import pytest
import torch
from adapter_files import ip_adapter, ip_adapter_file
from diffusion_support import TestContext, checkpoint, copied_checkpoint, folders
from family_files import single_file, tiny, write_file
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from test_gan_nodes import Perceptron
from test_style_features import VGG16
from test_style_features import reference as vgg

from nodegraph.errors import FileProblem, InputError
from nodes.adapters.ip_adapter.nodes import IPAdapterModelLoader
from nodes.adapters.lora.nodes import LoraLoader
from nodes.checkpoints.nodes import CheckpointLoaderSimple, UNETLoader, VAELoader
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.controlnet.nodes import ControlNetLoader
from nodes.gan.nodes import GANLoader
from nodes.style.features.nodes import FeatureExtractorLoader
from nodes.weights.finite import ADVICE, PROBED, check_finite

FLAWS = {"NaN": math.nan, "infinite": math.inf}
TOLD = "holds 1 NaN and 0 infinite of"
UNET_NAME = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"
LORA = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"


def spoiled(tensors, name, value=math.nan, at=0):
    """The same tensors, one number of one of them changed."""
    changed = tensors[name].clone()
    changed.view(-1)[at] = value
    return {**tensors, name: changed}


def context(root):
    return TestContext(folders(root, root))


def built(root, recipe):
    return recipe.build(folders(root, root), torch.float32)


def lora():
    generator = torch.Generator().manual_seed(0)
    down, up = torch.randn(2, 192, generator=generator), torch.randn(128, 2, generator=generator)
    return {f"{LORA}.lora_down.weight": down, f"{LORA}.lora_up.weight": up}


@pytest.mark.parametrize("component", ["lora_unet", "lora_te"])
@pytest.mark.parametrize(("word", "value"), FLAWS.items())
def test_a_lora_is_looked_through(tmp_path, component, word, value):
    tensors = {**lora(), "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(2, 192)}
    tensors["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight"] = torch.ones(576, 2)
    name = next(name for name in tensors if name.startswith(component))
    write_file(tmp_path / "loras" / "l.safetensors", spoiled(tensors, name, value, at=-1))
    model, clip = LoraLoader(context(tmp_path), checkpoint().model, checkpoint().clip, "l.safetensors")
    recipe, other = (
        (model.weights, clip.weights) if component == "lora_unet" else (clip.weights, model.weights)
    )
    with pytest.raises(FileProblem) as problem:
        built(tmp_path, recipe)
    told = str(problem.value)
    assert told.startswith(f"LoRA 'l.safetensors' cannot be applied: {name!r} holds ")
    assert f"1 {word}" in told
    assert told.endswith(ADVICE)
    built(tmp_path, other)


def test_an_embedding_is_looked_through(tmp_path):
    vectors = torch.ones(2, 192)
    vectors[1, 7] = -math.inf
    write_file(tmp_path / "embeddings" / "e.safetensors", {"emb_params": vectors})
    told = "embedding 'e.safetensors' cannot be read: 'emb_params' holds 0 NaN and 1 infinite of 384 numbers"
    with pytest.raises(InputError, match=told):
        CLIPTextEncode(context(tmp_path), checkpoint().clip, "embedding:e")


def test_a_generator_is_looked_through(tmp_path):
    tensors = spoiled(Perceptron(8, 16, 784).state_dict(), "net.2.weight", at=-1)
    write_file(tmp_path / "gan" / "g.safetensors", tensors)
    told = rf"the generator in 'g\.safetensors' cannot be loaded: 'net\.2\.weight' {TOLD}"
    with pytest.raises(FileProblem, match=told):
        built(tmp_path, GANLoader(context(tmp_path), "g.safetensors"))


def test_features_are_looked_through_but_not_what_stands_behind_them(tmp_path):
    network = vgg(VGG16).state_dict()
    path = tmp_path / "feature_extractors" / "vgg.safetensors"
    write_file(path, spoiled(network, "classifier.0.weight"))
    built(tmp_path, FeatureExtractorLoader(context(tmp_path), "vgg.safetensors"))
    write_file(path, spoiled(network, "features.5.weight", at=-1))
    told = rf"the features in 'vgg\.safetensors' cannot be loaded: 'features\.5\.weight' {TOLD}"
    with pytest.raises(FileProblem, match=told):
        built(tmp_path, FeatureExtractorLoader(context(tmp_path), "vgg.safetensors"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_networks_of_a_checkpoint_are_told_by_the_names_in_the_file(tmp_path, dtype):
    tensors = {name: t.to(dtype) if t.is_floating_point() else t for name, t in single_file("sd1").items()}
    write_file(tmp_path / "checkpoints" / "m.safetensors", spoiled(tensors, UNET_NAME))
    model, clip, vae = CheckpointLoaderSimple(context(tmp_path), "m.safetensors")
    with pytest.raises(FileProblem, match=f"'m.safetensors' cannot be loaded: {UNET_NAME!r} {TOLD}"):
        built(tmp_path, model.weights)
    built(tmp_path, clip.weights)
    built(tmp_path, vae.weights)


def test_numbers_that_the_type_computed_in_cannot_hold_are_told(tmp_path):
    tensors = spoiled(single_file("sd1"), UNET_NAME, 1e6)
    write_file(tmp_path / "checkpoints" / "m.safetensors", tensors)
    model = CheckpointLoaderSimple(context(tmp_path), "m.safetensors").model
    model.weights.build(folders(tmp_path, tmp_path), torch.bfloat16)
    told = r"'down_blocks\.0\.resnets\.0\.conv1\.weight' holds 0 NaN and 1 infinite of \d+ numbers of float16"
    with pytest.raises(FileProblem, match=told):
        model.weights.build(folders(tmp_path, tmp_path), torch.float16)


def test_what_is_not_loaded_may_be_anything(tmp_path):
    tensors = {**single_file("sd1"), "cond_stage_model.transformer.attn_mask": torch.full((4,), -math.inf)}
    write_file(tmp_path / "checkpoints" / "m.safetensors", tensors)
    for part in CheckpointLoaderSimple(context(tmp_path), "m.safetensors"):
        built(tmp_path, part.weights)


@pytest.mark.parametrize(
    ("loader", "folder", "told"),
    [
        (UNETLoader, "diffusion_models", "U-Net"),
        (VAELoader, "vae", "autoencoder"),
    ],
)
def test_parts_of_their_own_are_looked_at(tmp_path, loader, folder, told):
    prefix = {"vae": "first_stage_model."}.get(folder, "model.diffusion_model.")
    tensors = {name: t for name, t in single_file("sd1").items() if name.startswith(prefix)}
    name = next(name for name in tensors if name.endswith("conv_in.weight") or name == UNET_NAME)
    write_file(tmp_path / folder / "p.safetensors", spoiled(tensors, name))
    recipe = loader(context(tmp_path), "p.safetensors").weights
    with pytest.raises(FileProblem, match=rf"{told}.* in 'p\.safetensors' cannot be loaded: {name!r} {TOLD}"):
        built(tmp_path, recipe)


def test_a_controlnet_and_an_ip_adapter_are_looked_at(tmp_path):
    from diffusers import ControlNetModel

    net = ControlNetModel.from_unet(tiny("sd1").network, conditioning_embedding_out_channels=(16, 32, 64, 96))
    write_file(tmp_path / "controlnet" / "c.safetensors", spoiled(net.state_dict(), "conv_in.weight"))
    told = rf"ControlNet.* in 'c\.safetensors' cannot be loaded: 'conv_in\.weight' {TOLD}"
    with pytest.raises(FileProblem, match=told):
        built(tmp_path, ControlNetLoader(context(tmp_path), "c.safetensors").weights)
    adapter = ip_adapter_file(ip_adapter(tiny("sd1").network, "plain"))
    write_file(tmp_path / "ipadapter" / "i.safetensors", spoiled(adapter, "ip_adapter.1.to_k_ip.weight"))
    told = rf"in 'i\.safetensors' cannot be loaded: 'ip_adapter\.1\.to_k_ip\.weight' {TOLD}"
    with pytest.raises(FileProblem, match=told):
        built(tmp_path, IPAdapterModelLoader(context(tmp_path), "i.safetensors").weights)


def test_a_folder_is_looked_at(tmp_path):
    path = copied_checkpoint(tmp_path) / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(spoiled(load_file(path), "mid_block.resnets.0.conv1.weight", at=PROBED - 1), path)
    told = rf"the model in 'unet' cannot be loaded: 'mid_block\.resnets\.0\.conv1\.weight' {TOLD}"
    with pytest.raises(FileProblem, match=told):
        built(tmp_path, CheckpointLoaderSimple(context(tmp_path), "copy").model.weights)


@given(
    st.lists(st.floats(width=16), min_size=1, max_size=40),
    st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
)
def test_any_weights_are_told_as_pythons_own_numbers_are(numbers, dtype):
    """Large ones too, whose sum is infinite."""
    if all(map(math.isfinite, numbers)):
        check_finite("w", torch.tensor(numbers, dtype=dtype))
    else:
        with pytest.raises(ValueError, match="'w' holds"):
            check_finite("w", torch.tensor(numbers, dtype=dtype))


def test_integers_and_empty_weights_are_finite():
    check_finite("ids", torch.arange(4))
    check_finite("none", torch.zeros(0, 8))
    check_finite("large", torch.full((64,), 3e38))
