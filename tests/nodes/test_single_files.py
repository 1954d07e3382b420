"""Checkpoints as single files: what is in them is what they were made from, bit by bit."""

from __future__ import annotations

import math
import shutil

import pytest
import torch
from diffusion_support import TestContext, folders
from family_files import (
    LAYOUTS,
    ldm_autoencoder,
    single_file,
    stored,
    t5_file,
    t5_tokenizer_file,
    tiny,
    transformers_clip,
    write_file,
)

from nodegraph.errors import FileProblem
from nodegraph.specs import Spec
from nodes.checkpoints.nodes import (
    CheckpointLoaderSimple,
    CLIPLoader,
    DualCLIPLoader,
    TripleCLIPLoader,
    UNETLoader,
    VAELoader,
    infer_checkpoint,
)
from nodes.sampling.condition import Condition
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.networks import NETWORKS

FAMILY = {
    "sd1": "sd",
    "sd1_inpaint": "sd",
    "sd1_instruct": "sd",
    "sd2": "sd",
    "sdxl": "sdxl",
    "sdxl_refiner": "sdxl_refiner",
    "sd3": "sd3",
    "sd35": "sd3",
    "flux": "flux",
    "schnell": "flux",
}
STORED = [*((kind, torch.float16) for kind in LAYOUTS)]
STORED += [("sd1", torch.float32), ("sd1", torch.bfloat16), ("flux", torch.float8_e4m3fn)]
POOLED = {"sd35": 128, "flux": 64}


@pytest.fixture(autouse=True)
def t5_at_hand(tmp_path):
    t5_tokenizer_file(tmp_path / "tokenizers" / "t5xxl")


def loaded(root, tensors, metadata=None):
    write_file(root / "checkpoints" / "model.safetensors", tensors, metadata)
    return CheckpointLoaderSimple(TestContext(folders(root, root)), "model.safetensors")


def same(built, expected, dtype):
    ours, theirs = built.state_dict(), expected.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor.to(dtype).float()), name


@pytest.mark.parametrize(("kind", "dtype"), STORED, ids=str)
def test_parameters_are_bit_equal(tmp_path, kind, dtype):
    model, clip, vae = loaded(tmp_path, single_file(kind, dtype))
    family = FAMILY[kind]
    assert (model.family, clip.family) == (family, family)
    assert vae.family == (model.latent_family or family) == family.removesuffix("_refiner")
    files = folders(tmp_path, tmp_path)
    network = model.weights.build(files, torch.float32)
    same(network, tiny(kind).network, dtype)
    assert untold(network.config) == untold(tiny(kind).network.config)
    same(vae.weights.build(files, torch.float32), tiny(kind).vae, dtype)
    encoders = clip.weights.build(files, torch.float32)
    assert encoders.names() == list(tiny(kind).encoders)
    for name, expected in tiny(kind).encoders.items():
        built = encoders[name].transformer
        same(built, expected, dtype)
        assert untold(built.config.to_dict()) == untold(expected.config.to_dict())


def untold(config):
    """The settings that no tensor tells."""
    names = ("attention_head_dim", "num_attention_heads", "upcast_attention", "axes_dims_rope", "hidden_act")
    values = {name: config.get(name) for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


@pytest.mark.parametrize("kind", ["sd1", "sd35", "flux"])
def test_the_same_forward(tmp_path, kind):
    model, _, vae = loaded(tmp_path, single_file(kind))
    files, generator = folders(tmp_path, tmp_path), torch.Generator().manual_seed(2)
    z = torch.randn(1, model.latent_channels, 8, 8, generator=generator)
    context = torch.randn(1, 5, model.text_width, generator=generator)
    condition = Condition(context, pooled=torch.ones(1, POOLED.get(kind, 1)))
    outputs = [
        NETWORKS[model.family](network)(z, torch.tensor(400.0), 0.4, [condition])
        for network in (model.weights.build(files, torch.float32), tiny(kind).network)
    ]
    assert torch.equal(*outputs)
    pictures = [m.decode(z).sample for m in (vae.weights.build(files, torch.float32), tiny(kind).vae)]
    assert torch.equal(*pictures)


def written(root, kind, *parts):
    """Files of their own for parts of a model."""
    model, layouts = tiny(kind), LAYOUTS[kind]
    for part in parts:
        if part == "network":
            write_file(root / "diffusion_models" / "network.safetensors", layouts.network(model.network))
        elif part == "vae":
            write_file(root / "vae" / "vae.safetensors", ldm_autoencoder(model.vae))
        else:
            layout = t5_file if part == "t5xxl" else transformers_clip
            tensors = {name: stored(t, torch.float16) for name, t in layout(model.encoders[part]).items()}
            write_file(root / "text_encoders" / f"{part}.safetensors", tensors)
    return TestContext(folders(root, root))


def test_the_three_parts_of_stable_diffusion_3_in_files_of_their_own(tmp_path):
    ctx = written(tmp_path, "sd3", "network", "vae", "l", "g", "t5xxl")
    model = UNETLoader(ctx, "network.safetensors")
    assert (model.family, model.prediction, model.schedule) == ("sd3", "flow", FlowSchedule(3.0))
    clip = TripleCLIPLoader(ctx, "t5xxl.safetensors", "g.safetensors", "l.safetensors")
    assert (clip.family, clip.text_width) == ("sd3", 128)
    encoders = clip.weights.build(ctx.folders, torch.float32)
    assert encoders.names() == ["l", "g", "t5xxl"]
    assert [encoders[name].pad for name in encoders.names()] == [49407, 0, 0]
    without_t5 = DualCLIPLoader(ctx, "l.safetensors", "g.safetensors", "sd3")
    assert without_t5.text_width == 4096
    same(model.weights.build(ctx.folders, torch.float32), tiny("sd3").network, torch.float32)
    vae = VAELoader(ctx, "vae.safetensors", "sd3")
    assert (vae.family, vae.scaling_factor, vae.shift_factor) == ("sd3", 1.5305, 0.0609)
    assert VAELoader(ctx, "vae.safetensors").family == "flux"


def test_text_encoders_that_do_not_make_a_set_are_refused(tmp_path):
    ctx = written(tmp_path, "sd3", "l", "g", "t5xxl", "vae")
    shutil.copy(tmp_path / "vae" / "vae.safetensors", tmp_path / "text_encoders" / "vae.safetensors")
    with pytest.raises(
        FileProblem, match=r"'g\.safetensors' has no place in FLUX\.1, which takes l and t5xxl"
    ):
        DualCLIPLoader(ctx, "l.safetensors", "g.safetensors", "flux")
    with pytest.raises(FileProblem, match=r"for FLUX\.1 text encoder l is missing"):
        CLIPLoader(ctx, "t5xxl.safetensors", "flux")
    with pytest.raises(FileProblem, match="has no place"):
        DualCLIPLoader(ctx, "l.safetensors", "l.safetensors", "sdxl")
    with pytest.raises(FileProblem, match="it holds KL autoencoder; a text encoder is wanted"):
        CLIPLoader(ctx, "vae.safetensors")


def test_what_was_recognised_and_what_is_missing_is_said(tmp_path):
    tensors = single_file("sd1", torch.float16)
    without = {name: t for name, t in tensors.items() if not name.startswith("cond_stage_model.")}
    message = (
        "it holds U-Net of Stable Diffusion .model.diffusion_model., KL autoencoder .first_stage_model.; "
    )
    with pytest.raises(
        FileProblem,
        match=message + "for Stable Diffusion 1 or 2 it lacks text encoder l or h; load it with UNETLoader",
    ):
        loaded(tmp_path, without)
    part = {name: t for name, t in tensors.items() if name.startswith("cond_stage_model.")}
    with pytest.raises(FileProblem, match=r"it holds CLIP text encoder .*; it lacks a denoising network"):
        loaded(tmp_path, part)
    with pytest.raises(FileProblem, match=r"nothing in it was recognised .it has 1 tensors, such as 'x'"):
        loaded(tmp_path, {"x": torch.zeros(1)})


def test_a_file_says_that_it_predicts_v(tmp_path):
    tensors = single_file("sd1", torch.float16)
    said = [loaded(tmp_path, tensors).model]
    said.append(loaded(tmp_path, tensors, {"modelspec.prediction_type": "v"}).model)
    said.append(loaded(tmp_path, {**tensors, "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}).model)
    assert [model.prediction for model in said] == ["epsilon", "v_prediction", "v_prediction"]
    assert [model.schedule.rescale_zero_snr for model in said] == [False, False, True]


def test_guidance_tells_flux_dev_from_schnell(tmp_path):
    dev = loaded(tmp_path, single_file("flux", torch.float8_e4m3fn)).model
    schnell = loaded(tmp_path, single_file("schnell", torch.float8_e4m3fn)).model
    assert dev.schedule == FlowSchedule(pytest.approx(math.exp(1.15)))
    assert schnell.schedule == FlowSchedule(1.0)


def test_facts_are_those_of_the_recipes(tmp_path):
    write_file(tmp_path / "checkpoints" / "model.safetensors", single_file("sdxl_refiner", torch.float16))
    facts = infer_checkpoint(Spec(value="model.safetensors"), folders(tmp_path, tmp_path))
    assert facts["model"] == {
        "family": "sdxl_refiner",
        "latent_family": "sdxl",
        "latent_channels": 4,
        "text_width": 128,
    }
    assert facts["clip"] == {"family": "sdxl_refiner", "text_width": 128}
    assert facts["vae"] == {"family": "sdxl", "latent_channels": 4, "vae_scale": 8, "text_width": 128}
