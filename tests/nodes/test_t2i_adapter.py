"""T2I-Adapters: small files of the true layouts, compared with diffusers' own pipelines."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from adapter_files import original_t2i_adapter, t2i_adapter, wider_unet
from diffusers_pipelines import CFG, NEGATIVE, PROMPT, SEED, close, latents_of, t2i_adapted
from diffusion_support import TestContext, folders
from family_files import ldm_unet, single_file, tiny, write_file

from nodegraph.errors import FileProblem, InputError
from nodegraph.specs import Mismatch, Spec
from nodes.checkpoints.nodes import CheckpointLoaderSimple, UNETLoader
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.controlnet.nodes import (
    ControlNetApply,
    ControlNetApplyAdvanced,
    ControlNetLoader,
    infer_controlled,
    infer_controlnet,
)
from nodes.sampling.condition import Condition, Control, Residuals
from nodes.sampling.networks.stable_diffusion import stable_diffusion
from nodes.sampling.nodes import KSampler
from nodes.types import Image, Latent, T2IAdapter

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers

STEPS, SIDE = 2, 64

FILES = {
    "full.safetensors": ("full_adapter", 3),
    "grey.safetensors": ("full_adapter", 1),
    "light.safetensors": ("light_adapter", 3),
    "xl.safetensors": ("full_adapter_xl", 3),
}


@pytest.fixture(scope="module")
def ctx(tmp_path_factory):
    """A tiny checkpoint, adapters as original single files, and one as a diffusers folder."""
    root = tmp_path_factory.mktemp("models")
    write_file(root / "checkpoints" / "sd1.safetensors", single_file("sd1"))
    for name, (kind, channels) in FILES.items():
        write_file(root / "controlnet" / name, original_t2i_adapter(t2i_adapter(kind, channels=channels)))
    write_file(root / "diffusion_models" / "wider.safetensors", ldm_unet(wider_unet()))
    t2i_adapter("light_adapter").save_pretrained(root / "t2i_adapter" / "folder")
    return TestContext(folders(root, root))


def picture(seed=0, side=SIDE):
    return Image(torch.rand(1, side, side, 3, generator=torch.Generator().manual_seed(seed)))


def sampled(ctx, kind, *applied, **window):
    model, clip, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    if kind == "wider":
        model = UNETLoader(ctx, "wider.safetensors")
    positive, negative = (CLIPTextEncode(ctx, clip, text) for text in (PROMPT, NEGATIVE))
    for name, image, strength in applied:
        adapter = ControlNetLoader(ctx, name)
        positive, negative = ControlNetApplyAdvanced(positive, negative, adapter, image, strength, **window)
    latent = Latent(torch.zeros(1, 4, SIDE // 8, SIDE // 8))
    return KSampler(ctx, model, positive, negative, latent, SEED, STEPS, CFG, "euler", "normal").samples


def reference(kind, adapters, images, strengths):
    """The latents of diffusers' pipeline."""
    parts = {"unet": wider_unet()} if kind == "wider" else {}
    planes = [image.pixels.movedim(-1, 1) for image in images]
    single = len(adapters) == 1
    return latents_of(
        t2i_adapted("sd1", adapters, **parts),
        steps=STEPS,
        height=SIDE,
        width=SIDE,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        generator=torch.Generator().manual_seed(SEED),
        image=planes[0] if single else planes,
        adapter_conditioning_scale=strengths[0] if single else strengths,
    )


@pytest.mark.parametrize("name", ["light.safetensors", "folder"])
def test_light_ones_equal_the_pipeline(ctx, name):
    ours = sampled(ctx, "wider", (name, picture(), 0.8))
    close(ours, reference("wider", [t2i_adapter("light_adapter")], [picture()], [0.8]))
    assert not torch.allclose(ours, sampled(ctx, "wider"), atol=1e-3)


def test_several_together_equal_the_pipeline(ctx):
    ours = sampled(ctx, "sd1", ("full.safetensors", picture(0), 0.8), ("full.safetensors", picture(1), 0.5))
    adapters = [t2i_adapter("full_adapter"), t2i_adapter("full_adapter")]
    close(ours, reference("sd1", adapters, [picture(0), picture(1)], [0.8, 0.5]))


@pytest.mark.parametrize(("kind", "channels"), sorted(set(FILES.values())))
@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_a_file_is_the_network_it_was_made_from(tmp_path, kind, channels, layout):
    net = t2i_adapter(kind, channels=channels)
    tensors = original_t2i_adapter(net) if layout == "original" else net.state_dict()
    write_file(tmp_path / "controlnet" / "mine.safetensors", dict(tensors))
    here = TestContext(folders(tmp_path, tmp_path))
    found = ControlNetLoader(here, "mine.safetensors")
    assert isinstance(found, T2IAdapter)
    assert found.family == ("sdxl" if kind == "full_adapter_xl" else "sd")
    assert (found.picture_channels, found.scale, found.text_width) == (channels, 8, None)
    with here.lease(found.weights) as module:
        state = module.state_dict()
        assert state.keys() == net.state_dict().keys()
        assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
        assert module.config.adapter_type == kind


def test_a_grey_picture_is_the_brightness_of_a_coloured_one(ctx):
    pixels = picture().pixels
    weights = torch.tensor([0.299, 0.587, 0.114])
    grey = Image((pixels * weights).sum(dim=-1, keepdim=True))
    coloured, plain = (sampled(ctx, "sd1", ("grey.safetensors", image, 1.0)) for image in (picture(), grey))
    torch.testing.assert_close(coloured, plain, atol=1e-3, rtol=1e-4)


def test_it_works_in_its_share_of_the_schedule_only(ctx):
    seen = []
    adapter = ControlNetLoader(ctx, "full.safetensors")
    with ctx.lease(adapter.weights) as module:
        hook = module.register_forward_hook(lambda *_: seen.append(1))
        whole = sampled(ctx, "sd1", ("full.safetensors", picture(), 1.0))
        half = sampled(ctx, "sd1", ("full.safetensors", picture(), 1.0), end_percent=0.5)
        never = sampled(ctx, "sd1", ("full.safetensors", picture(), 1.0), start_percent=1.0)
        hook.remove()
    assert len(seen) == 2  # once a run, whatever the number of steps, and not at all where it never works
    assert torch.equal(never, sampled(ctx, "sd1"))
    assert not torch.equal(half, whole)


SKIPS = [(64, 16)] * 3 + [(64, 8)] * 3 + [(64, 4)] + [(128, 4)] * 2
"""Channels and sides of the skip connections of the tiny U-Net."""


def test_with_a_controlnet_both_are_added(ctx):
    unet, seen = tiny("sd1").network, {}
    z, context = torch.randn(2, 4, 16, 16), torch.randn(2, 77, 64)
    skips = tuple(torch.randn(2, width, side, side) for width, side in SKIPS)
    levels = tuple(torch.randn(1, *shape) for shape in ((64, 16, 16), (64, 8, 8), (128, 4, 4)))
    controls = (
        Control(lambda *_: Residuals(skips, torch.ones(2, 128, 4, 4)), 99.0, 0.0),
        Control(lambda *_: Residuals(levels=levels), 99.0, 0.0),
        Control(lambda *_: Residuals(levels=levels), 99.0, 0.0),
        Control(lambda *_: seen.setdefault("asked", Residuals()), 1.0, 0.0),
    )
    conditions = [Condition(part[None], controls) for part in context]
    with torch.no_grad():
        ours = stable_diffusion(unet)(z, torch.tensor(500), 5.0, conditions)
        theirs = unet(
            z,
            500,
            context,
            down_block_additional_residuals=skips,
            mid_block_additional_residual=torch.ones(2, 128, 4, 4),
            down_intrablock_additional_residuals=[2 * level for level in levels],
        ).sample
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert not seen


def test_one_side_alone(ctx):
    _, clip, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    adapter = ControlNetLoader(ctx, "full.safetensors")
    steered = ControlNetApply(CLIPTextEncode(ctx, clip, PROMPT), adapter, picture(), 0.5)
    assert steered.prompts[0].controls[0].control_net == adapter


def test_a_wrong_pairing_is_found_before_the_run(ctx):
    facts = infer_controlnet(Spec(value="xl.safetensors"), ctx.folders)
    assert facts == {"family": "sdxl", "latent_channels": 4}
    text = Spec({"family": "sd", "text_width": 768})
    with pytest.raises(Mismatch, match="sdxl"):
        infer_controlled(text, text, Spec(facts))
    fitting = infer_controlnet(Spec(value="light.safetensors"), ctx.folders)
    infer_controlled(text, text, Spec(fitting))


def test_features_of_other_widths_are_refused_before_a_step(ctx):
    model, clip, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    adapter = dataclasses.replace(ControlNetLoader(ctx, "full.safetensors"), widths=(320, 640, 1280, 1280))
    prompt = ControlNetApply(CLIPTextEncode(ctx, clip, PROMPT), adapter, picture())
    with pytest.raises(InputError, match=r"its T2I-Adapter gives features of \[320, 640, 1280, 1280\]"):
        KSampler(ctx, model, prompt, prompt, Latent(torch.zeros(1, 4, 16, 16)))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("conv_in.weight", (64, 100, 3, 3), "its first layer takes 100 channels"),
        ("body.0.block2.weight", (64, 64, 3, 3), "do not end with a convolution of one pixel"),
    ],
)
def test_a_file_whose_shapes_make_no_sense_is_refused(tmp_path, name, shape, message):
    tensors = {**original_t2i_adapter(t2i_adapter("full_adapter")), name: torch.zeros(shape)}
    write_file(tmp_path / "controlnet" / "odd.safetensors", tensors)
    with pytest.raises(FileProblem, match=f"'odd.safetensors' cannot be used: .*{message}"):
        ControlNetLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")


@pytest.mark.parametrize("kind", ["full_adapter", "light_adapter", "full_adapter_xl"])
def test_a_tensor_that_is_missing_is_told_by_the_header(tmp_path, kind):
    whole = original_t2i_adapter(t2i_adapter(kind))
    for name in whole:
        kept = {other: tensor for other, tensor in whole.items() if other != name}
        write_file(tmp_path / "controlnet" / "odd.safetensors", kept)
        with pytest.raises(FileProblem, match=r"'odd.safetensors' cannot be used: "):
            ControlNetLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")
