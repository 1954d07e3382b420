"""ControlNets: small files of the true layout, compared with diffusers' own pipeline."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
import torch
from diffusion_support import (
    SIDE,
    TestContext,
    checkpoint,
    decoded,
    difference,
    encoded,
    folders,
    pipeline,
    sampled,
)
from family_files import ldm_unet, renamed
from pipeline_pairs import control_net
from safetensors.torch import save_file

from nodegraph.errors import FileProblem, InputError
from nodegraph.specs import Mismatch, Spec
from nodes.controlnet.hints import prepare_hint
from nodes.controlnet.nodes import (
    ControlNetApply,
    ControlNetApplyAdvanced,
    ControlNetLoader,
    infer_controlled,
    infer_controlnet,
    infer_one_controlled,
)
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.sampling.noise_schedule import timestep_at
from nodes.sampling.schedules import sigmas_for
from nodes.types import Conditioning, Image, Prompt

STEPS = 5  # divides the timesteps, without which diffusers' DDIM misses the ones it visits


def save_controlnet(path, seed):
    """A ControlNet for the bundled U-Net whose zero convolutions are given random weights."""
    from diffusers import ControlNetModel

    torch.manual_seed(seed)
    net = ControlNetModel.from_unet(pipeline().unet, conditioning_embedding_out_channels=(16, 32, 64, 96))
    with torch.no_grad():
        zero_convolutions = (net.controlnet_down_blocks, net.controlnet_mid_block)
        for parameter in (p for module in zero_convolutions for p in module.parameters()):
            parameter.normal_(std=0.02)
        net.controlnet_cond_embedding.conv_out.weight.normal_(std=0.5)
    net.save_pretrained(path)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("edges", "depth")):
        save_controlnet(root / "controlnet" / name, seed)
    return root


@pytest.fixture(scope="module")
def ctx(root):
    return TestContext(folders(root, root))


def hint(seed=0, side=SIDE):
    return Image(torch.rand(1, side, side, 3, generator=torch.Generator().manual_seed(seed)))


def controlled(ctx, *applied, **settings):
    """Both sides of the guidance with ControlNets applied, each given as (name, hint image)."""
    positive, negative = encoded(), encoded("")
    for name, image in applied:
        net = ControlNetLoader(ctx, name)
        positive, negative = ControlNetApplyAdvanced(positive, negative, net, image, **settings)
    return positive, negative


def sample(ctx, positive, negative, **inputs):
    inputs = {"latent_image": EmptyLatentImage(SIDE, SIDE), "cfg": 2.5, **inputs}
    settings = {"seed": 3, "steps": STEPS, "sampler_name": "ddim"}
    return KSampler(ctx, checkpoint().model, positive, negative, **{**settings, **inputs})


def reference(ctx, *applied, strength):
    from diffusers import StableDiffusionControlNetPipeline

    nets = [ControlNetLoader(ctx, name).weights.build(ctx.folders, torch.float32) for name, _ in applied]
    images = [image.pixels.movedim(-1, 1) for _, image in applied]
    single = len(nets) == 1
    pipe = StableDiffusionControlNetPipeline(
        **pipeline().components,
        controlnet=nets[0] if single else nets,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        "a red apple on a blue background",
        image=images[0] if single else images,
        generator=torch.Generator().manual_seed(3),
        num_inference_steps=STEPS,
        guidance_scale=2.5,
        height=SIDE,
        width=SIDE,
        controlnet_conditioning_scale=strength if single else [strength] * len(nets),
        output_type="pt",
    ).images.movedim(1, -1)


@pytest.mark.parametrize("applied", [[("edges", hint(0))], [("edges", hint(0)), ("depth", hint(1))]])
def test_equals_the_pipeline(ctx, applied):
    ours = decoded(sample(ctx, *controlled(ctx, *applied, strength=0.8)))
    assert difference(ours.pixels, reference(ctx, *applied, strength=0.8)) <= 0.05
    assert difference(ours.pixels, decoded(sampled(steps=STEPS)).pixels) > 5


def original_layout(net):
    """A ControlNet's tensors under the names of the original code."""
    renames = (
        (r"^controlnet_down_blocks\.(\d+)\.", r"zero_convs.\1.0."),
        (r"^controlnet_mid_block\.", "middle_block_out.0."),
        (r"^controlnet_cond_embedding\.conv_in\.", "input_hint_block.0."),
        (r"^controlnet_cond_embedding\.conv_out\.", "input_hint_block.14."),
    )
    tensors = renamed(ldm_unet(net), *renames)
    block = re.compile(r"controlnet_cond_embedding\.blocks\.(\d+)\.")

    def numbered(name):
        return block.sub(lambda match: f"input_hint_block.{2 * int(match[1]) + 2}.", name)

    return {numbered(name): tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize("prefix", ["", "control_model."])
def test_a_single_file_in_the_original_layout_is_the_same_network(tmp_path, prefix):
    from diffusers import ControlNetModel

    torch.manual_seed(1)
    net = ControlNetModel(
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=192,
        conditioning_embedding_out_channels=(16, 32, 96, 256),
    )
    (tmp_path / "controlnet").mkdir()
    tensors = {prefix + name: tensor for name, tensor in original_layout(net).items()}
    save_file(tensors, tmp_path / "controlnet" / "single.safetensors")
    ctx = TestContext(folders(tmp_path, tmp_path))
    found = ControlNetLoader(ctx, "single.safetensors")
    assert (found.family, found.latent_channels, found.text_width, found.scale) == ("sd", 4, 192, 8)
    facts = infer_controlnet(Spec(value="single.safetensors"), ctx.folders)
    assert facts == {"family": "sd", "latent_channels": 4, "text_width": 192}
    with ctx.lease(found.weights) as module:
        state = module.state_dict()
        assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(("kind", "family", "width"), [("sd1", "sd", 64), ("sdxl", "sdxl", 192)])
def test_a_single_file_with_the_names_of_diffusers_is_the_same_network(tmp_path, kind, family, width):
    net = control_net(kind, 0)
    (tmp_path / "controlnet").mkdir()
    save_file(net.state_dict(), tmp_path / "controlnet" / "single.safetensors")
    found = ControlNetLoader(TestContext(folders(tmp_path, tmp_path)), "single.safetensors")
    assert (found.family, found.latent_channels, found.text_width, found.scale) == (family, 4, width, 8)
    built = found.weights.build(folders(tmp_path, tmp_path), torch.float32)
    told = ("attention_head_dim", "transformer_layers_per_block", "addition_time_embed_dim")
    if kind == "sdxl":
        assert [list_of(built.config[name]) for name in told] == [list_of(net.config[name]) for name in told]
    state = built.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())


def list_of(value):
    return list(value) if isinstance(value, list | tuple) else value


def test_a_single_file_that_is_no_controlnet_is_refused(tmp_path):
    (tmp_path / "controlnet").mkdir()
    save_file({"weight": torch.zeros(2)}, tmp_path / "controlnet" / "other.safetensors")
    (tmp_path / "controlnet" / "old.pth").write_bytes(b"pickle")
    ctx = TestContext(folders(tmp_path, tmp_path))
    with pytest.raises(FileProblem, match=r"it holds no ControlNet or T2I-Adapter .* but 'weight'"):
        ControlNetLoader(ctx, "other.safetensors")
    with pytest.raises(FileProblem, match="it is no safetensors file"):
        ControlNetLoader(ctx, "old.pth")


def test_one_side_alone(ctx):
    net = ControlNetLoader(ctx, "edges")
    both, _ = controlled(ctx, ("edges", hint()), strength=0.7)
    alone = ControlNetApply(encoded(), net, hint(), 0.7)
    assert alone.prompts[0].controls[0].strength == both.prompts[0].controls[0].strength == 0.7
    assert ControlNetApply(encoded(), net, hint(), 0.0) is encoded()
    with pytest.raises(Mismatch):
        infer_one_controlled(Spec({"family": "sdxl"}), NET)


def test_zero_convolutions_change_nothing(tmp_path):
    from diffusers import ControlNetModel

    ControlNetModel.from_unet(
        pipeline().unet, conditioning_embedding_out_channels=(16, 32, 64, 96)
    ).save_pretrained(tmp_path / "controlnet" / "new")
    ctx = TestContext(folders(tmp_path, tmp_path))
    steered = sample(ctx, *controlled(ctx, ("new", hint()))).samples
    torch.testing.assert_close(steered, sampled(steps=STEPS).samples, atol=1e-5, rtol=0)


def test_no_strength_is_no_controlnet(ctx):
    positive, negative = controlled(ctx, ("edges", hint()), strength=0.0)
    assert positive is encoded()
    assert negative is encoded("")


def test_inputs_are_not_changed(ctx):
    controlled(ctx, ("edges", hint()))
    assert encoded().prompts[0].controls == ()


def steps_at_work(ctx, **window):
    """Timesteps at which the ControlNet was asked."""
    net = ControlNetLoader(ctx, "edges")
    seen = []
    with ctx.lease(net.weights) as module:
        hook = module.register_forward_pre_hook(lambda module, args: seen.append(float(args[1])))
        sample(ctx, *controlled(ctx, ("edges", hint()), **window))
        hook.remove()
    return seen


def test_both_sides_of_the_guidance_share_one_forward(ctx):
    assert len(steps_at_work(ctx)) == STEPS


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.5), (0.5, 1.0), (0.3, 0.6)])
def test_it_works_only_in_its_share_of_the_schedule(ctx, start, end):
    schedule = checkpoint().model.schedule
    sigmas = sigmas_for(schedule, "normal", STEPS)[:-1].tolist()
    visited = [timestep_at(schedule, sigma, nearest=True) for sigma in sigmas]
    expected = [timestep for timestep in visited if start <= 1 - timestep / 999 <= end]
    assert 0 < len(expected) < STEPS
    assert steps_at_work(ctx, start_percent=start, end_percent=end) == expected


def test_a_hint_is_told_apart_by_content_not_identity(ctx):
    positive, _ = controlled(ctx, ("edges", hint()))
    _, negative = controlled(ctx, ("edges", hint()))
    together = sample(ctx, *controlled(ctx, ("edges", hint())))
    assert torch.equal(sample(ctx, positive, negative).samples, together.samples)


def test_each_item_of_a_batch_may_have_a_picture(ctx):
    pictures = Image(torch.cat([hint(0).pixels, hint(1).pixels]))
    batch = EmptyLatentImage(SIDE, SIDE, 2)
    together = sample(ctx, *controlled(ctx, ("edges", pictures)), latent_image=batch).samples
    alone = sample(ctx, *controlled(ctx, ("edges", hint(1))), seed=4).samples
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)


def test_pictures_must_match_the_batch(ctx):
    pictures = Image(torch.zeros(3, SIDE, SIDE, 3))
    with pytest.raises(InputError, match="positive: a ControlNet has 3 pictures for 1 latents; give 1 or 1"):
        sample(ctx, *controlled(ctx, ("edges", pictures)))


def test_a_window_that_ends_before_it_starts_is_refused(ctx):
    with pytest.raises(InputError, match=r"start_percent: 0\.8 is after end_percent 0\.2"):
        controlled(ctx, ("edges", hint()), start_percent=0.8, end_percent=0.2)


def test_conditioning_of_another_model_is_refused(ctx):
    wide = Conditioning((Prompt(torch.zeros(1, 77, 768)),), "sd")
    with pytest.raises(InputError, match="negative: made for family sd with text width 768"):
        ControlNetApplyAdvanced(encoded(), wide, ControlNetLoader(ctx, "edges"), hint())


def test_a_controlnet_for_other_latents_is_refused(ctx):
    net = dataclasses.replace(ControlNetLoader(ctx, "edges"), latent_channels=16)
    positive, negative = ControlNetApplyAdvanced(encoded(), encoded(""), net, hint())
    with pytest.raises(InputError, match="positive: its ControlNet is for 16 latent channels, not 4"):
        sample(ctx, positive, negative)


def test_facts_are_those_of_the_config(root, ctx):
    net = ControlNetLoader(ctx, "edges")
    assert (net.family, net.latent_channels, net.text_width, net.scale) == ("sd", 4, 192, 8)
    facts = infer_controlnet(Spec(value="edges"), folders(root, root))
    assert facts == {"family": "sd", "latent_channels": 4, "text_width": 192}
    assert infer_controlnet(Spec(), folders()) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"_class_name": "UNet2DConditionModel"}, "it holds a UNet2DConditionModel, not a ControlNetModel"),
        ({"_class_name": "ControlNetModel", "conditioning_channels": 1}, "takes pictures of 1 channels"),
        ({"_class_name": "ControlNetModel"}, r"no diffusion_pytorch_model\.safetensors"),
    ],
)
def test_what_is_no_controlnet_is_refused(tmp_path, content, message):
    folder = tmp_path / "controlnet" / "net"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(FileProblem, match=f"ControlNet 'net' cannot be used: .*{message}"):
        ControlNetLoader(TestContext(folders(tmp_path, tmp_path)), "net")


NET = Spec({"family": "sd", "text_width": 768, "latent_channels": 4})
TEXT = Spec({"family": "sd", "text_width": 768})


def test_facts_pass_through_on_both_sides():
    facts = infer_controlled(TEXT, Spec(), NET)
    assert facts == {
        "positive": {"family": "sd", "text_width": 768, "latent_channels": 4},
        "negative": {"latent_channels": 4},
    }


@pytest.mark.parametrize("facts", [{"family": "sdxl"}, {"text_width": 1024}])
def test_wrong_pairings_are_found_before_the_run(facts):
    with pytest.raises(Mismatch) as caught:
        infer_controlled(TEXT, Spec(facts), NET)
    assert caught.value.inputs == ("negative", "control_net")


def test_hints_are_cropped_to_the_shape_and_resized():
    pixels = torch.zeros(1, 100, 200, 1)
    pixels[:, :, 50:150] = 1
    planes = prepare_hint(pixels, 64, 64)
    assert planes.shape == (1, 3, 64, 64)
    torch.testing.assert_close(planes, torch.ones(1, 3, 64, 64))


def test_a_hint_of_the_right_size_is_left_alone():
    pixels = hint().pixels
    assert torch.equal(prepare_hint(pixels, SIDE, SIDE), pixels.movedim(-1, 1))
