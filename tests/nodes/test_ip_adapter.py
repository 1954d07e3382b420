"""IP-Adapters: small files of the true layouts, compared with diffusers' own pipelines."""

from __future__ import annotations

from functools import cache
from typing import get_args

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from adapter_files import clip_vision, ip_adapter, ip_adapter_file, open_clip_vision
from diffusers_pipelines import CFG, NEGATIVE, PROMPT, SEED, close, ip_adapted, latents_of
from diffusion_support import TestContext, folders
from family_files import single_file, tiny, write_file

from nodegraph.errors import FileProblem, InputError
from nodegraph.specs import Mismatch, Spec
from nodes.adapters.ip_adapter.attention import grid
from nodes.adapters.ip_adapter.image_prompt import cross_attention_names
from nodes.adapters.ip_adapter.nodes import (
    IPAdapterAdvanced,
    IPAdapterEmbeds,
    IPAdapterModelLoader,
    infer_from_embeds,
    infer_from_image,
    infer_ip_adapter,
)
from nodes.adapters.ip_adapter.weighting import BLOCKS, WeightType, layer_weights
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.clip_vision.nodes import CLIPVisionEncode, CLIPVisionLoader, infer_clip_vision
from nodes.clip_vision.pixels import clip_pixels
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.sampling.nodes import KSampler
from nodes.types import Image, Latent, Mask

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers

STEPS, SIDE = 2, 64
VISION_SIDE = 32
LINEAR = Spec(value="linear")
SLOPED = [name for name in get_args(WeightType) if name != "linear" and name not in BLOCKS]
UNETS = {
    "sd": [
        *(f"down_blocks.{block}.attentions.{index}" for block in (0, 1, 2) for index in (0, 1)),
        "mid_block.attentions.0",
        *(f"up_blocks.{block}.attentions.{index}" for block in (1, 2, 3) for index in (0, 1, 2)),
    ],
    "sdxl": [
        *(f"down_blocks.{block}.attentions.{index}" for block in (1, 2) for index in (0, 1)),
        "mid_block.attentions.0",
        *(f"up_blocks.{block}.attentions.{index}" for block in (0, 1) for index in (0, 1, 2)),
    ],
}
"""Transformers of the true U-Nets in the order in which they run."""
FILES = [("sd1", "plain"), ("sd1", "plus"), ("sd1", "full"), ("sdxl", "plain"), ("sdxl", "plus")]


@cache
def halves(kind, projection, seed=0):
    return ip_adapter(tiny(kind).network, projection, seed=seed)


@pytest.fixture(scope="module")
def ctx(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for kind in ("sd1", "sdxl"):
        write_file(root / "checkpoints" / f"{kind}.safetensors", single_file(kind))
    for kind, projection in FILES:
        name = f"{kind}_{projection}.safetensors"
        write_file(root / "ipadapter" / name, ip_adapter_file(halves(kind, projection)))
    write_file(root / "ipadapter" / "second.safetensors", ip_adapter_file(halves("sd1", "plain", 1)))
    write_file(root / "clip_vision" / "tiny.safetensors", clip_vision().state_dict())
    clip_vision().save_pretrained(root / "clip_vision" / "folder")
    return TestContext(folders(root, root))


def picture(seed=0, count=1, side=VISION_SIDE):
    levels = torch.randint(256, (count, side, side, 3), generator=torch.Generator().manual_seed(seed))
    return Image(levels / 255)


def prompted(ctx, model, name, image, vision="tiny.safetensors", **settings):
    adapter = IPAdapterModelLoader(ctx, f"{name}.safetensors")
    return IPAdapterAdvanced(ctx, model, adapter, image, CLIPVisionLoader(ctx, vision), **settings)


def sampled(ctx, kind, *applied, vision="tiny.safetensors", steps=STEPS, **settings):
    """KSampler's latents with IP-Adapters applied, each given as (name, pictures)."""
    model, clip, _ = CheckpointLoaderSimple(ctx, f"{kind}.safetensors")
    for name, image in applied:
        model = prompted(ctx, model, name, image, vision, **settings)
    positive, negative = (CLIPTextEncode(ctx, clip, text) for text in (PROMPT, NEGATIVE))
    latent = Latent(torch.zeros(1, 4, SIDE // 8, SIDE // 8))
    return KSampler(ctx, model, positive, negative, latent, SEED, steps, CFG, "euler", "normal").samples


def reference(kind, adapters, images, scales, **settings):
    """The latents of diffusers' pipeline."""
    return latents_of(
        ip_adapted(kind, adapters, scales),
        steps=STEPS,
        height=SIDE,
        width=SIDE,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        generator=torch.Generator().manual_seed(SEED),
        ip_adapter_image=[clip_pixels(image.pixels, VISION_SIDE, crop=True) for image in images],
        **settings,
    )


@pytest.mark.parametrize(("kind", "projection"), [("sd1", "plus"), ("sd1", "full"), ("sdxl", "plus")])
def test_other_projections_equal_the_pipeline(ctx, kind, projection):
    ours = sampled(ctx, kind, (f"{kind}_{projection}", picture()), weight=0.8)
    close(ours, reference(kind, [halves(kind, projection)], [picture()], [0.8]))
    assert not torch.allclose(ours, sampled(ctx, kind), atol=1e-2)


@pytest.mark.parametrize(
    ("weight_type", "blocks"),
    [
        ("style transfer", {"up": {"block_0": [0.0, 0.8, 0.0]}}),
        ("composition", {"down": {"block_2": [0.0, 0.8]}}),
    ],
)
def test_one_block_alone_equals_the_pipeline(ctx, weight_type, blocks):
    ours = sampled(ctx, "sdxl", ("sdxl_plus", picture()), weight=0.8, weight_type=weight_type)
    expected = reference("sdxl", [halves("sdxl", "plus")], [picture()], [blocks])
    close(ours, expected)
    assert not torch.equal(ours, sampled(ctx, "sdxl"))


def test_one_block_alone_is_for_sdxl(ctx):
    model = CheckpointLoaderSimple(ctx, "sd1.safetensors").model
    message = "'style transfer' names a block of SDXL's U-Net; for family sd take another, such as 'linear'"
    with pytest.raises(InputError, match=f"weight_type: {message}"):
        prompted(ctx, model, "sd1_plus", picture(), weight_type="style transfer")
    with pytest.raises(Mismatch, match=message):
        infer_from_image(Spec({"family": "sd"}), Spec(), Spec(), Spec(value="style transfer"))


def by_block(names, weights):
    """The same weights in the words of diffusers, which has one number for each transformer."""
    found = {"down": {}, "up": {}, "mid": 0.0}
    for name, weight in zip(names, weights, strict=True):
        side, block, _ = (*name.split(".transformer_blocks.")[0].split(".", 2), "")[:3]
        if side == "mid_block":
            found["mid"] = weight
        else:
            found[side.removesuffix("_blocks")].setdefault(f"block_{block}", []).append(weight)
    return found


@pytest.mark.parametrize(("kind", "weight_type"), [*(("sd1", name) for name in SLOPED), ("sdxl", "ease in")])
def test_weights_from_layer_to_layer_equal_the_pipeline(ctx, kind, weight_type):
    names = cross_attention_names(tiny(kind).network)
    transformers = list(dict.fromkeys(name.partition(".transformer_blocks.")[0] for name in names))
    weights = [0.8 * weight for weight in layer_weights(weight_type, transformers)]
    ours = sampled(ctx, kind, (f"{kind}_plus", picture()), weight=0.8, weight_type=weight_type)
    close(ours, reference(kind, [halves(kind, "plus")], [picture()], [by_block(transformers, weights)]))
    assert not torch.allclose(ours, sampled(ctx, kind, (f"{kind}_plus", picture()), weight=0.8), atol=1e-3)


@pytest.mark.parametrize("family", UNETS)
def test_weight_types_are_those_of_the_formulas(family):
    """As documented, for transformer number t of the 16 or 11 of the true U-Nets, in the order they run."""
    running = UNETS[family]
    count = len(running)
    formulas = {
        "linear": lambda t: 1,
        "ease in": lambda t: 0.05 + 0.95 * (1 - t / count),
        "ease out": lambda t: 0.05 + 0.95 * (t / count),
        "ease in-out": lambda t: 0.05 + 0.95 * (1 - abs(t - count / 2) / (count / 2)),
        "reverse in-out": lambda t: 0.05 + 0.95 * (abs(t - count / 2) / (count / 2)),
        "weak input": lambda t: 0.2 if running[t].startswith("down") else 1,
        "weak middle": lambda t: 0.2 if running[t].startswith("mid") else 1,
        "weak output": lambda t: 0.2 if running[t].startswith("up") else 1,
        "strong middle": lambda t: 1 if running[t].startswith("mid") else 0.2,
        "composition": lambda t: float(t == 3),  # numbers that the field knows InstantStyle's blocks by
        "style transfer": lambda t: float(t == 6),
    }
    assert set(formulas) == set(get_args(WeightType))
    in_diffusers_order = sorted(running, key=lambda name: name.startswith("mid"))
    for weight_type, formula in formulas.items():
        if family == "sd" and weight_type in BLOCKS:
            continue
        expected = {name: formula(t) for t, name in enumerate(running)}
        found = layer_weights(weight_type, [f"{name}.transformer_blocks.0" for name in in_diffusers_order])
        assert found == pytest.approx([expected[name] for name in in_diffusers_order]), weight_type


def test_layers_of_one_transformer_count_alike():
    names = [f"mid_block.attentions.0.transformer_blocks.{index}.attn2" for index in range(3)]
    assert layer_weights("ease in", [*names, "up_blocks.0.attentions.0.transformer_blocks.0.attn2"]) == [
        pytest.approx(weight) for weight in (1, 1, 1, 0.525)
    ]


def test_two_adapters_and_several_pictures_equal_the_pipeline(ctx):
    ours = sampled(ctx, "sd1", ("sd1_plus", picture(0, count=2)), ("second", picture(1)), weight=0.7)
    adapters = [halves("sd1", "plus"), halves("sd1", "plain", 1)]
    close(ours, reference("sd1", adapters, [picture(0, count=2), picture(1)], [0.7, 0.7]))


def test_a_mask_equals_the_pipeline(ctx):
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, :, : SIDE // 2] = 1
    ours = sampled(ctx, "sd1", ("sd1_plain", picture()), attn_mask=Mask(mask))
    masks = {"cross_attention_kwargs": {"ip_adapter_masks": [mask[None]]}}
    close(ours, reference("sd1", [halves("sd1", "plain")], [picture()], [1.0], **masks))


@pytest.mark.parametrize("kind", ["plain", "plus"])
def test_pictures_encoded_before_are_the_same(ctx, kind):
    model, _, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    adapter = IPAdapterModelLoader(ctx, f"sd1_{kind}.safetensors")
    said = CLIPVisionEncode(ctx, CLIPVisionLoader(ctx, "folder"), picture())
    (prompt,) = IPAdapterEmbeds(model, adapter, said, weight=0.5).patches
    (other,) = prompted(ctx, model, f"sd1_{kind}", picture(), weight=0.5).patches
    assert torch.equal(prompt.present, other.present)
    assert torch.equal(prompt.absent, other.absent)
    assert (prompt.adapter, prompt.weight) == (other.adapter, other.weight)


def test_a_vision_encoder_is_the_same_from_a_file_and_a_folder(ctx):
    one, other = (CLIPVisionLoader(ctx, name) for name in ("tiny.safetensors", "folder"))
    assert (one.embed_width, one.hidden_width, one.side) == (48, 64, VISION_SIDE)
    assert (other.embed_width, other.hidden_width, other.side) == (48, 64, VISION_SIDE)
    said, same = (CLIPVisionEncode(ctx, vision, picture(count=2)) for vision in (one, other))
    with torch.no_grad():
        expected = clip_vision()(clip_pixels(picture(count=2).pixels, VISION_SIDE, crop=True))
    torch.testing.assert_close(said.image_embeds, expected.image_embeds, atol=1e-5, rtol=0)
    torch.testing.assert_close(said.penultimate_hidden_states, same.penultimate_hidden_states)
    assert said.blank_hidden_states.shape == (1, 17, 64)


def open_clip_embeds(tensors, pixels, heads):
    """What OpenCLIP's vision transformer makes of pixels ``[1, 3, side, side]``, of its file's tensors."""
    t = {name.removeprefix("visual."): tensor for name, tensor in tensors.items()}

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], t[f"{name}.weight"], t[f"{name}.bias"])

    patches = (
        F.conv2d(pixels, t["conv1.weight"], stride=t["conv1.weight"].shape[-1]).flatten(2).transpose(1, 2)
    )
    x = norm("ln_pre", torch.cat([t["class_embedding"][None, None], patches], 1) + t["positional_embedding"])
    for layer in range(3):
        block = f"transformer.resblocks.{layer}"
        normed = norm(f"{block}.ln_1", x).transpose(0, 1)
        told = [t[f"{block}.attn.{name}"] for name in ("in_proj_weight", "in_proj_bias")]
        out = [t[f"{block}.attn.out_proj.{part}"] for part in ("weight", "bias")]
        width = x.shape[-1]
        seen, _ = F.multi_head_attention_forward(
            normed, normed, normed, width, heads, *told, None, None, False, 0.0, *out, need_weights=False
        )
        x = x + seen.transpose(0, 1)
        inner = F.linear(norm(f"{block}.ln_2", x), t[f"{block}.mlp.c_fc.weight"], t[f"{block}.mlp.c_fc.bias"])
        x = x + F.linear(F.gelu(inner), t[f"{block}.mlp.c_proj.weight"], t[f"{block}.mlp.c_proj.bias"])
    return norm("ln_post", x[:, 0]) @ t["proj"]


@pytest.mark.parametrize("width", [64, 128])
def test_a_vision_encoder_of_openclip(tmp_path, width):
    module = clip_vision(width, act="gelu")
    tensors = open_clip_vision(module)
    write_file(tmp_path / "clip_vision" / "open.safetensors", tensors)
    here = TestContext(folders(tmp_path, tmp_path))
    encoder = CLIPVisionLoader(here, "open.safetensors")
    assert (encoder.embed_width, encoder.hidden_width, encoder.side) == (48, width, VISION_SIDE)
    built = encoder.weights.build(here, torch.float32)
    assert all(torch.equal(built.state_dict()[name], tensor) for name, tensor in module.state_dict().items())
    found = CLIPVisionEncode(here, encoder, picture()).image_embeds
    pixels = clip_pixels(picture().pixels, VISION_SIDE, crop=True)
    torch.testing.assert_close(found, open_clip_embeds(tensors, pixels, width // 64), atol=1e-5, rtol=1e-4)


def test_a_vision_encoder_of_openclip_of_another_kind_is_refused(tmp_path):
    tensors = open_clip_vision(clip_vision(act="gelu"))
    lacking = {name: t for name, t in tensors.items() if name != "visual.positional_embedding"}
    scaled = {**tensors, "visual.transformer.resblocks.0.ls_1.gamma": torch.zeros(64)}
    messages = ("'positional_embedding' is missing", r"'visual\.transformer.*ls_1\.gamma' has no place in it")
    for found, message in zip((lacking, scaled), messages, strict=True):
        write_file(tmp_path / "clip_vision" / "odd.safetensors", found)
        with pytest.raises(FileProblem, match=f"cannot be used: tensor {message}"):
            CLIPVisionLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")


@pytest.mark.parametrize("size", [(48, 64), (97, 41), (32, 32), (20, 20)])
def test_pictures_are_prepared_as_clips_own_processor_does(size):
    from PIL import Image as Pil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    rows, columns = (torch.linspace(0, 6, side) for side in size)
    waves = torch.stack([rows.sin()[:, None] * (columns + phase).cos() for phase in range(3)], dim=-1)
    levels = (127.5 * (1 + waves)).round().to(torch.uint8)
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": VISION_SIDE}, crop_size={"height": VISION_SIDE, "width": VISION_SIDE}
    )
    theirs = processor(Pil.fromarray(levels.numpy()), return_tensors="pt").pixel_values
    ours = clip_pixels(levels[None] / 255, VISION_SIDE, crop=True)
    assert float((ours - theirs).abs().max()) < 1.5 / 255 / 0.26  # one level here or there


def test_a_whole_picture_is_squeezed_where_nothing_is_cropped():
    pixels = torch.zeros(1, 32, 64, 3)
    pixels[:, :, 32:] = 1
    squeezed, cropped = (clip_pixels(pixels, VISION_SIDE, crop=crop) for crop in (False, True))
    assert squeezed.shape == cropped.shape == (1, 3, VISION_SIDE, VISION_SIDE)
    for planes in (squeezed, cropped):
        left, right = planes[0, 0].mean(dim=0)[:12], planes[0, 0].mean(dim=0)[20:]
        assert left.max() < right.min()


def test_it_counts_in_its_share_of_the_schedule_only(ctx):
    applied = ("sd1_plain", picture())
    plain, whole = sampled(ctx, "sd1", steps=4), sampled(ctx, "sd1", applied, steps=4)
    half = sampled(ctx, "sd1", applied, steps=4, end_at=0.5)
    assert torch.allclose(sampled(ctx, "sd1", applied, steps=4, start_at=1.0), plain, atol=1e-3)
    assert not torch.allclose(half, plain, atol=1e-2)
    assert not torch.allclose(half, whole, atol=1e-2)


def test_the_network_is_left_as_it_was(ctx):
    before = sampled(ctx, "sd1")
    sampled(ctx, "sd1", ("sd1_plain", picture()))
    assert torch.equal(sampled(ctx, "sd1"), before)


def test_no_weight_is_no_adapter(ctx):
    model, _, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    assert prompted(ctx, model, "sd1_plain", picture(), weight=0.0) is model


def test_the_negative_side_may_be_shown_something(ctx):
    shown = sampled(ctx, "sd1", ("sd1_plain", picture()), image_negative=picture(1))
    assert not torch.allclose(shown, sampled(ctx, "sd1", ("sd1_plain", picture())), atol=1e-2)
    model, _, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    with pytest.raises(InputError, match="image_negative: 3 pictures against 2; give 1 or 2"):
        prompted(ctx, model, "sd1_plain", picture(count=2), image_negative=picture(count=3))


def test_a_window_that_ends_before_it_starts_is_refused(ctx):
    model, _, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    with pytest.raises(InputError, match=r"start_at: 0\.8 is after end_at 0\.2"):
        prompted(ctx, model, "sd1_plain", picture(), start_at=0.8, end_at=0.2)


def facts(ctx, name):
    return Spec(infer_ip_adapter(Spec(value=f"{name}.safetensors"), ctx.folders))


def test_wrong_pairings_are_found_before_the_run(ctx):
    vision = Spec(infer_clip_vision(Spec(value="tiny.safetensors"), ctx.folders))
    assert vision.facts == {"embed_width": 48, "hidden_width": 64}
    assert facts(ctx, "sd1_plain").facts == {"text_width": 64, "embed_width": 48}
    assert facts(ctx, "sd1_plus").facts == {"text_width": 64, "hidden_width": 64}
    model = Spec({"family": "sd", "text_width": 64})
    assert infer_from_image(model, facts(ctx, "sd1_plus"), vision, LINEAR) == model.facts
    with pytest.raises(Mismatch, match="text width of ipadapter is 192, but model has text width 64"):
        infer_from_image(model, facts(ctx, "sdxl_plain"), vision, LINEAR)
    wide = Spec({"embed_width": 1024, "hidden_width": 1280})
    with pytest.raises(
        Mismatch, match="embed width of clip_vision is 1024, but ipadapter has embed width 48"
    ):
        infer_from_image(model, facts(ctx, "sd1_plain"), wide, LINEAR)
    with pytest.raises(Mismatch, match="hidden width of pos_embed is 1280"):
        infer_from_embeds(model, facts(ctx, "sd1_plus"), wide, LINEAR)
    with pytest.raises(Mismatch, match="IP-Adapters are for U-Nets; the model is of family flux"):
        infer_from_image(Spec({"family": "flux"}), facts(ctx, "sd1_plain"), vision, LINEAR)


@pytest.mark.parametrize(("layers", "family"), [(16, "sd"), (70, "sdxl"), (11, None)])
def test_the_number_of_layers_tells_the_family(tmp_path, layers, family):
    names = (f"ip_adapter.{2 * index + 1}.to_{part}_ip.weight" for index in range(layers) for part in "kv")
    projection = {"proj.weight": torch.zeros(32, 4), "proj.bias": torch.zeros(32)}
    norm = {"norm.weight": torch.zeros(8), "norm.bias": torch.zeros(8)}
    tensors = {f"image_proj.{name}": tensor for name, tensor in (projection | norm).items()}
    tensors |= {name: torch.zeros(4, 8) for name in names}
    write_file(tmp_path / "ipadapter" / "some.safetensors", tensors)
    found = IPAdapterModelLoader(TestContext(folders(tmp_path, tmp_path)), "some.safetensors")
    assert (found.family, found.text_width, found.feature_width) == (family, 8, 4)


def test_layers_of_another_network_are_refused_before_a_step(ctx, tmp_path):
    tensors = ip_adapter_file(halves("sd1", "plain"))
    last = max(int(name.split(".")[1]) for name in tensors if name.startswith("ip_adapter."))
    kept = {name: t for name, t in tensors.items() if not name.startswith(f"ip_adapter.{last}.")}
    write_file(tmp_path / "ipadapter" / "short.safetensors", kept)
    adapter = IPAdapterModelLoader(TestContext(folders(tmp_path, tmp_path)), "short.safetensors")
    model, clip, _ = CheckpointLoaderSimple(ctx, "sd1.safetensors")
    applied = IPAdapterAdvanced(ctx, model, adapter, picture(), CLIPVisionLoader(ctx, "tiny.safetensors"))
    prompt = CLIPTextEncode(ctx, clip, PROMPT)
    with pytest.raises(InputError, match=r"its IP-Adapter is for 10 cross-attentions of .* the model has 11"):
        KSampler(ctx, applied, prompt, prompt, Latent(torch.zeros(1, 4, 8, 8)))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.zeros(2)}, "nothing in it was recognised"),
        ({"image_proj.proj.weight": torch.zeros(8, 4)}, "nothing in it was recognised"),
        (
            {"image_proj.proj.2.weight": torch.zeros(8, 4), "image_proj.norm.weight": torch.zeros(8)},
            "it is a FaceID adapter, which reads what the face recogniser InsightFace says of a face",
        ),
        (
            {"image_proj.perceiver_resampler.proj_in.weight": torch.zeros(8, 4)},
            "it is a FaceID adapter",
        ),
        ({"ip_adapter.0.to_q_lora.down.weight": torch.zeros(8, 4)}, "it is a FaceID adapter"),
    ],
)
def test_what_is_no_ip_adapter_is_refused(tmp_path, tensors, message):
    write_file(tmp_path / "ipadapter" / "odd.safetensors", tensors)
    with pytest.raises(FileProblem, match=f"IP-Adapter 'odd.safetensors' cannot be used: .*({message})"):
        IPAdapterModelLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")


def refusal(root, tensors):
    """What the loader says of a file."""
    write_file(root / "ipadapter" / "odd.safetensors", tensors)
    with pytest.raises(FileProblem, match=r"IP-Adapter 'odd.safetensors' cannot be used: ") as caught:
        IPAdapterModelLoader(TestContext(folders(root, root)), "odd.safetensors")
    return str(caught.value)


@pytest.mark.parametrize("projection", ["plain", "plus", "full"])
def test_a_tensor_that_is_missing_is_told_by_the_header(tmp_path, projection):
    whole = ip_adapter_file(halves("sd1", projection))
    for name in whole:
        told = refusal(tmp_path, {other: tensor for other, tensor in whole.items() if other != name})
        assert any(text in told for text in ("is missing", "has no place", "nothing in it was recog")), name


@pytest.mark.parametrize("shape", [(), (64,), (2, 2, 2), (0, 4)])
def test_a_resampler_of_odd_shapes_is_told_by_the_header(tmp_path, shape):
    whole = ip_adapter_file(halves("sd1", "plus"))
    name = "layers.1.0.to_kv.weight"
    told = refusal(tmp_path, {**whole, f"image_proj.{name}": torch.zeros(shape)})
    assert f"tensor {name!r} is {list(shape)}; 2 dimensions are wanted" in told


def test_a_value_layer_of_another_width_is_told_by_the_header(tmp_path):
    whole = ip_adapter_file(halves("sd1", "plain"))
    name = "ip_adapter.3.to_v_ip.weight"
    told = refusal(tmp_path, {**whole, name: whole[name][:-1].contiguous()})
    assert "'ip_adapter.3.to_k_ip.weight' and 'ip_adapter.3.to_v_ip.weight' differ in shape" in told


def test_what_is_no_vision_encoder_is_refused(tmp_path):
    write_file(tmp_path / "clip_vision" / "odd.safetensors", {"weight": torch.zeros(2)})
    (tmp_path / "clip_vision" / "folder").mkdir()
    (tmp_path / "clip_vision" / "folder" / "config.json").write_text('{"model_type": "t5"}')
    here = TestContext(folders(tmp_path, tmp_path))
    with pytest.raises(FileProblem, match="a CLIP vision encoder is wanted"):
        CLIPVisionLoader(here, "odd.safetensors")
    with pytest.raises(FileProblem, match="its config is of a t5"):
        CLIPVisionLoader(here, "folder")


EMBEDDINGS = "vision_model.embeddings"


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("patch_embedding", torch.zeros(64, 4, 8, 8), "it takes 4 channels"),
        ("position_embedding", torch.zeros(1, 64), "no square"),
    ],
)
def test_a_vision_encoder_of_odd_shapes_is_refused(tmp_path, name, tensor, message):
    tensors = {**clip_vision().state_dict(), f"{EMBEDDINGS}.{name}.weight": tensor}
    write_file(tmp_path / "clip_vision" / "odd.safetensors", tensors)
    with pytest.raises(FileProblem, match=message):
        CLIPVisionLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")


def test_weights_that_are_no_floating_point_numbers_are_refused(tmp_path):
    tensors = {name: t.to(torch.int64) for name, t in clip_vision().state_dict().items()}
    write_file(tmp_path / "clip_vision" / "odd.safetensors", tensors)
    here = TestContext(folders(tmp_path, tmp_path))
    encoder = CLIPVisionLoader(here, "odd.safetensors")
    with pytest.raises(FileProblem, match=r"'odd.safetensors' cannot be loaded: .* is of int64; weights are"):
        CLIPVisionEncode(here, encoder, picture())


def test_layers_of_any_number_do_not_break_the_search(tmp_path):
    tensors = ip_adapter_file(halves("sd1", "plain")) | {
        f"ip_adapter.{'9' * 5000}.to_k_ip.weight": torch.zeros(2, 2)
    }
    write_file(tmp_path / "ipadapter" / "odd.safetensors", tensors)
    adapter = IPAdapterModelLoader(TestContext(folders(tmp_path, tmp_path)), "odd.safetensors")
    assert len(adapter.widths) == 11


@pytest.mark.parametrize("size", [(16, 16), (13, 24), (9, 9)])
def test_a_layers_grid_is_found_from_its_places(size):
    rows, columns = size
    for _ in range(3):
        assert grid(size, rows * columns) == (rows, columns)
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
