"""Checkpoints: what their configs say, what is refused, and the weights their recipes build."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch
from diffusion_support import TestContext, checkpoint, context, copied_checkpoint, folders, pipeline
from safetensors.torch import load_file, save_file

from nodegraph.errors import FileProblem
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodes.checkpoints.nodes import CheckpointLoaderSimple, infer_checkpoint
from nodes.sampling.noise_schedule import NoiseSchedule
from nodes.weights.tensors import assemble, weight_files

PARTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}


def loaded(root):
    return CheckpointLoaderSimple(TestContext(folders(root, root)), "copy")


def test_the_bundled_checkpoint_is_the_default_and_is_read_from_its_configs():
    model, clip, vae = checkpoint()
    assert (model.family, model.latent_channels, model.text_width) == ("sd", 4, 192)
    assert model.prediction == "v_prediction"
    assert model.schedule == NoiseSchedule(
        "scaled_linear", 0.00085, 0.012, spacing="trailing", steps_offset=1, set_alpha_to_one=False
    )
    assert (clip.family, clip.text_width) == ("sd", 192)
    assert (vae.scale, vae.latent_channels) == (8, 4)
    assert vae.scaling_factor == pytest.approx(0.46892, abs=1e-5)


def test_what_a_config_leaves_out_is_as_in_diffusers(tmp_path):
    settings = ("beta_schedule", "prediction_type", "timestep_spacing", "steps_offset", "set_alpha_to_one")
    copied_checkpoint(tmp_path, scheduler=dict.fromkeys(settings), vae={"scaling_factor": None})
    model, _, vae = loaded(tmp_path)
    assert model.schedule == NoiseSchedule("linear", 0.00085, 0.012)
    assert model.prediction == "epsilon"
    assert vae.scaling_factor == 0.18215


def test_trained_betas_are_read(tmp_path):
    copied_checkpoint(tmp_path, scheduler={"trained_betas": [0.1, 0.2]})
    assert loaded(tmp_path).model.schedule.trained_betas == (0.1, 0.2)


def test_loading_reads_no_weights_and_imports_no_model_library(tmp_path):
    copy = copied_checkpoint(tmp_path)
    for part, stem in PARTS.items():
        (copy / part / f"{stem}.safetensors").write_bytes(b"not read")
    program = f"""
import sys
from pathlib import Path
from nodegraph.files import Folders
from nodegraph.testing import TestContext
from nodes.checkpoints.nodes import CheckpointLoaderSimple
import nodes.conditioning.nodes, nodes.controlnet.nodes
import nodes.latents.nodes, nodes.sampling.nodes, nodes.vae.nodes
root = Path({str(tmp_path)!r})
CheckpointLoaderSimple(TestContext(Folders(root, models=(root,))), "copy")
assert not {{"diffusers", "transformers", "safetensors"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_facts_are_known_before_the_run():
    facts = infer_checkpoint(Spec(value="emoji-sd"), folders())
    assert facts == {
        "model": {"family": "sd", "latent_channels": 4, "text_width": 192, "latent_side": 16, "cfg": 2.5},
        "clip": {"family": "sd", "text_width": 192},
        "vae": {"family": "sd", "latent_channels": 4, "vae_scale": 8, "text_width": 192},
    }
    assert infer_checkpoint(Spec(), folders()) == {}


def test_recipes_of_the_same_content_are_equal_whatever_its_name(tmp_path):
    copied_checkpoint(tmp_path)
    again = CheckpointLoaderSimple(TestContext(Folders(tmp_path, models=(tmp_path,))), "copy")
    assert again.model.weights.file.digest == checkpoint().model.weights.file.digest
    assert {checkpoint().model: 1}[CheckpointLoaderSimple(context()).model] == 1


def refused(root):
    with pytest.raises(FileProblem) as caught:
        loaded(root)
    with pytest.raises(FileProblem) as before_the_run:
        infer_checkpoint(Spec(value="copy"), folders(root, root))
    assert str(before_the_run.value) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("copy", "it is not a readable safetensors file"),
        ("copy.ckpt", "it is a pickle, which is never loaded; convert it to safetensors"),
    ],
)
def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path, name, message):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / name).write_bytes(b"weights")
    with pytest.raises(FileProblem, match=f"checkpoint '{name}' cannot be used: {message}"):
        CheckpointLoaderSimple(TestContext(folders(tmp_path, tmp_path)), name)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "checkpoints" / "copy").mkdir(parents=True)
    assert "a folder without model_index.json" in refused(tmp_path)


def test_a_pipeline_of_another_family_is_refused_by_what_it_holds(tmp_path):
    copy = copied_checkpoint(tmp_path)
    index = json.loads((copy / "model_index.json").read_text())
    index["text_encoder_2"] = ["transformers", "CLIPTextModelWithProjection"]
    (copy / "model_index.json").write_text(json.dumps(index))
    message = refused(tmp_path)
    assert "text_encoder_2 CLIPTextModelWithProjection" in message
    assert "known are Stable Diffusion 1 or 2 (UNet2DConditionModel)" in message


def test_every_missing_part_is_named_at_once(tmp_path):
    copy = copied_checkpoint(tmp_path)
    shutil.rmtree(copy / "vae")
    shutil.rmtree(copy / "tokenizer")
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    message = refused(tmp_path)
    assert "no tokenizer/" in message
    assert "no diffusion_pytorch_model.safetensors in vae/ (no weights)" in message
    assert (
        "diffusion_pytorch_model.bin is a pickle, which is never loaded; convert it to safetensors" in message
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unet": {"in_channels": 3}}, "its U-Net takes 3 channels and gives 4"),
        ({"unet": {"class_embed_type": "projection"}}, "class_embed_type is 'projection'"),
        (
            {"scheduler": {"prediction_type": "flow"}},
            "prediction_type 'flow'; known are epsilon, v_prediction",
        ),
        ({"scheduler": {"beta_schedule": "sigmoid"}}, "beta_schedule 'sigmoid'; known are linear"),
        ({"scheduler": {"timestep_spacing": "random"}}, "timestep_spacing 'random'; known are linspace"),
    ],
)
def test_what_cannot_be_sampled_is_refused(tmp_path, changes, message):
    copied_checkpoint(tmp_path, **changes)
    assert message in refused(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", None])
def test_a_broken_config_is_refused_by_name(tmp_path, content):
    path = copied_checkpoint(tmp_path) / "scheduler" / "scheduler_config.json"
    path.unlink() if content is None else path.write_text(content)
    assert "scheduler/scheduler_config.json" in refused(tmp_path)


def test_built_weights_are_those_that_diffusers_and_transformers_load():
    model, clip, vae = checkpoint()
    theirs = {model: pipeline().unet, clip: pipeline().text_encoder, vae: pipeline().vae}
    for part, expected in theirs.items():
        built = part.weights.build(folders(), torch.float32)
        module = built["l"].transformer if part is clip else built
        tensors = module.state_dict()
        assert all(torch.equal(tensors[name], tensor) for name, tensor in expected.state_dict().items())
        assert not any(parameter.requires_grad for parameter in built.parameters())
        assert not built.training


def test_building_touches_no_global_state():
    before = torch.get_rng_state()
    checkpoint().model.weights.build(folders(), torch.float16)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == torch.float32


def test_half_precision_leaves_an_autoencoder_that_would_overflow_in_float32():
    model, clip, vae = checkpoint()
    assert model.weights.build(folders(), torch.float16).dtype == torch.float16
    assert next(clip.weights.build(folders(), torch.float16).parameters()).dtype == torch.float16
    assert vae.weights.build(folders(), torch.float16).dtype == torch.float32
    assert vae.weights.build(folders(), torch.bfloat16).dtype == torch.bfloat16


def test_weights_in_several_files_are_put_together(tmp_path):
    copy = copied_checkpoint(tmp_path)
    whole = copy / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(whole)
    names = list(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for shard, members in shards.items():
        save_file({name: tensors[name] for name in members}, copy / "unet" / shard)
    weight_map = {name: shard for shard, members in shards.items() for name in members}
    (copy / "unet" / f"{whole.name}.index.json").write_text(json.dumps({"weight_map": weight_map}))
    whole.unlink()
    built = loaded(tmp_path).model.weights.build(folders(tmp_path, tmp_path), torch.float32)
    assert all(torch.equal(tensor, tensors[name].float()) for name, tensor in built.state_dict().items())


def test_a_half_precision_variant_serves_as_well(tmp_path):
    path = tmp_path / "model.fp16.safetensors"
    path.write_bytes(b"")
    assert weight_files(tmp_path, "model") == [path]


@pytest.mark.parametrize(
    ("part", "rename"),
    [
        ("vae", lambda name: name.replace(".to_q.", ".query.").replace(".to_out.0.", ".proj_attn.")),
        ("text_encoder", lambda name: f"text_model.{name}"),
    ],
)
def test_names_of_older_versions_are_understood(tmp_path, part, rename):
    path = copied_checkpoint(tmp_path) / part / f"{PARTS[part]}.safetensors"
    tensors = load_file(path)
    save_file({rename(name): tensor for name, tensor in tensors.items()}, path)
    recipe = {"vae": loaded(tmp_path).vae, "text_encoder": loaded(tmp_path).clip}[part].weights
    built = recipe.build(folders(tmp_path, tmp_path), torch.float32)
    module = built["l"].transformer if part == "text_encoder" else built
    assert all(torch.equal(tensor, tensors[name].float()) for name, tensor in module.state_dict().items())


def test_weights_that_do_not_fit_the_config_are_refused(tmp_path):
    path = copied_checkpoint(tmp_path) / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["conv_in.weight"]
    save_file(tensors, path)
    with pytest.raises(FileProblem, match=r"'unet' cannot be loaded: the weights lack 'conv_in\.weight'"):
        loaded(tmp_path).model.weights.build(folders(tmp_path, tmp_path), torch.float32)


def test_tensors_of_the_wrong_size_are_refused():
    tensors = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}
    with pytest.raises(ValueError, match=r"'weight' is \[2, 3\], its config says \[2, 4\]"):
        assemble(lambda: torch.nn.Linear(4, 2), tensors, torch.float32)


def test_a_built_model_does_not_change_with_its_file(tmp_path):
    path = copied_checkpoint(tmp_path) / "vae" / "diffusion_pytorch_model.safetensors"
    built = loaded(tmp_path).vae.weights.build(folders(tmp_path, tmp_path), torch.float16)
    before = built.decoder.conv_in.weight.clone()
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        stream.write(b"\0" * (path.stat().st_size // 2))
    assert torch.equal(built.decoder.conv_in.weight, before)


CARD = """---
license: mit
inference:
  parameters:
    guidance_scale: {value}
---
# A model
"""


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (CARD.format(value=4), 4.0),
        (CARD.format(value="much"), None),
        (CARD.format(value=-1), None),
        ("---\ninference: [1]\n---\n", None),
        ("---\n: : {\n---\n", None),
        ("---\ninference: no end", None),
        ("# A model\n", None),
        (b"\xff\xfe", None),
        (None, None),
    ],
)
def test_the_card_of_a_model_may_recommend_a_guidance_scale(tmp_path, card, expected):
    readme = copied_checkpoint(tmp_path) / "README.md"
    readme.unlink()
    if card is not None:
        readme.write_bytes(card if isinstance(card, bytes) else card.encode())
    assert loaded(tmp_path).model.cfg == expected
