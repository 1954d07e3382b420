"""Tiny autoencoders: as one file, a folder, or two files as TAESD is published, and as previews."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest
import torch
from diffusion_support import TestContext, checkpoint, folders
from family_files import autoencoder, made, single_file, write_file

from nodegraph.errors import FileProblem
from nodegraph.graph import build_graph
from nodegraph.registry import NodeRegistry
from nodegraph.specs import Spec
from nodegraph.validation import validate
from nodegraph.workflow.comfy import import_comfy
from nodes.checkpoints.nodes import CheckpointLoaderSimple, VAELoader, infer_autoencoder
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.latent_spaces import tiny_autoencoder
from nodes.sampling.nodes import KSampler
from nodes.sampling.previewing import LONGEST, colours_of
from nodes.types import Image, Latent
from nodes.vae.nodes import VAEDecode, VAEEncode

WIDTHS = (8, 8, 8, 8)
FAMILIES = {"taesd": ("sd", 4), "taesdxl": ("sdxl", 4), "taesd3": ("sd3", 16), "taef1": ("flux", 16)}


def tiny(channels=4, seed=0):
    from diffusers import AutoencoderTiny

    return made(
        AutoencoderTiny(
            encoder_block_out_channels=WIDTHS, decoder_block_out_channels=WIDTHS, latent_channels=channels
        ),
        seed,
    )


def published(module, half):
    """The tensors of one half as TAESD has them: numbers alone, and the decoder's first layer is a clamp."""
    shift = int(half == "decoder")
    named = {}
    for name, tensor in getattr(module, half).state_dict().items():
        _, index, rest = name.split(".", 2)
        named[f"{int(index) + shift}.{rest}"] = tensor
    return named


def write_halves(root, name, module, *halves):
    for half in halves or ("encoder", "decoder"):
        write_file(root / "vae_approx" / f"{name}_{half}.safetensors", published(module, half))


def in_one_file(module):
    halves = {half: published(module, half) for half in ("encoder", "decoder")}
    return {f"taesd_{half}.{name}": part for half, parts in halves.items() for name, part in parts.items()}


def same_weights(built, expected):
    ours, theirs = built.state_dict(), expected.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())


def there_and_back(ctx, vae, module):
    """Encoding and decoding are those of diffusers."""
    pixels = torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        latents = module.encode(pixels.movedim(-1, 1) * 2 - 1).latents
        signal = module.decode(latents).sample
    ours = VAEEncode(ctx, Image(pixels), vae).samples
    torch.testing.assert_close(ours, latents)
    expected = (signal / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(VAEDecode(ctx, Latent(ours), vae).pixels, expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_two_files_of_taesd(tmp_path, name):
    family, channels = FAMILIES[name]
    expected = tiny(channels)
    write_halves(tmp_path, name, expected)
    ctx = TestContext(folders(tmp_path, tmp_path))
    assert name in ctx.folders.names("vae")
    vae = VAELoader(ctx, name)
    assert (vae.family, vae.scale, vae.latent_channels, vae.scaling_factor) == (family, 8, channels, 1.0)
    facts = infer_autoencoder(Spec(value=name), Spec(value="auto"), ctx.folders)
    assert facts == {"family": family, "latent_channels": channels, "vae_scale": 8}
    same_weights(vae.weights.build(ctx.folders, torch.float32), expected)
    there_and_back(ctx, vae, expected)


@pytest.mark.parametrize("layout", ["diffusers", "taesd"])
def test_one_file(tmp_path, layout):
    expected = tiny()
    tensors = expected.state_dict() if layout == "diffusers" else in_one_file(expected)
    write_file(tmp_path / "vae" / "tiny.safetensors", tensors)
    ctx = TestContext(folders(tmp_path, tmp_path))
    vae = VAELoader(ctx, "tiny.safetensors")
    assert (vae.family, vae.scale, vae.latent_channels, vae.scaling_factor) == ("sd", 8, 4, 1.0)
    same_weights(vae.weights.build(ctx.folders, torch.float32), expected)
    there_and_back(ctx, vae, expected)


def test_a_folder_of_diffusers(tmp_path):
    expected = tiny()
    expected.save_pretrained(tmp_path / "vae" / "taesdxl")
    ctx = TestContext(folders(tmp_path, tmp_path))
    vae = VAELoader(ctx, "taesdxl")
    assert (vae.family, vae.scale, vae.latent_channels, vae.scaling_factor) == ("sdxl", 8, 4, 1.0)
    there_and_back(ctx, vae, expected)


@pytest.mark.parametrize(
    ("factor", "shift", "family"),
    [(0.13025, None, "sdxl"), (1.5305, 0.0609, "sd3"), (0.3611, 0.1159, "flux")],
)
def test_a_folder_of_a_large_one_is_told_by_its_scale(tmp_path, factor, shift, family):
    channels = 4 if family == "sdxl" else 16
    module = autoencoder(channels)
    module.register_to_config(scaling_factor=factor, shift_factor=shift)
    module.save_pretrained(tmp_path / "vae" / "mine")
    vae = VAELoader(TestContext(folders(tmp_path, tmp_path)), "mine")
    assert (vae.family, vae.scaling_factor, vae.shift_factor) == (family, factor, shift or 0.0)


def test_a_folder_of_something_else_is_refused(tmp_path):
    place = tmp_path / "vae" / "mine"
    place.mkdir(parents=True)
    (place / "config.json").write_text('{"_class_name": "VQModel"}')
    with pytest.raises(
        FileProblem, match="'mine' cannot be used: it holds a VQModel; known are AutoencoderKL"
    ):
        VAELoader(TestContext(folders(tmp_path, tmp_path)), "mine")


def test_one_half_alone_is_not_offered_and_the_other_is_asked_for(tmp_path):
    write_halves(tmp_path, "taesd", tiny(), "decoder")
    found = folders(tmp_path, tmp_path)
    assert found.names("vae") == []
    wanted = r"or taesd_encoder\.safetensors and taesd_decoder\.safetensors into vae_approx"
    with pytest.raises(FileProblem, match=wanted):
        found.resolve("vae", "taesd")


def test_another_decoder_is_another_file(tmp_path):
    found = folders(tmp_path, tmp_path)
    digests = set()
    for seed in (0, 1):
        write_halves(tmp_path, "taesd", tiny(seed=seed))
        digests.add(found.resolve("vae", "taesd").digest)
    assert len(digests) == 2


def test_halves_that_do_not_belong_together_are_refused(tmp_path):
    write_file(tmp_path / "vae_approx" / "taesd_encoder.safetensors", published(tiny(), "decoder"))
    write_halves(tmp_path, "taesd", tiny(), "decoder")
    with pytest.raises(FileProblem, match=r"'taesd_encoder\.safetensors' and 'taesd_decoder\.safetensors'"):
        VAELoader(TestContext(folders(tmp_path, tmp_path)), "taesd")


def test_a_comfyui_prompt_that_names_one(tmp_path):
    write_halves(tmp_path, "taesd", tiny())
    prompt = {
        "1": {"class_type": "VAELoader", "inputs": {"vae_name": "taesd"}},
        "2": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "3": {"class_type": "VAEDecode", "inputs": {"samples": ["2", 0], "vae": ["1", 0]}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    registry = NodeRegistry.with_plugins()
    graph = build_graph(import_comfy(prompt, registry), registry)
    assert validate(graph, folders(tmp_path, tmp_path)) == []


# --- previews ---------------------------------------------------------------------------------------------


def sdxl(root, name="taesdxl", module=None):
    """A tiny SDXL, and a decoder for its previews."""
    write_file(root / "checkpoints" / "sdxl.safetensors", single_file("sdxl"))
    if module is not None:
        write_halves(root, name, module, "decoder")
    ctx = TestContext(folders(root, root))
    return ctx, CheckpointLoaderSimple(ctx, "sdxl.safetensors")


def test_a_run_is_shown_by_the_tiny_decoder(tmp_path):
    module = tiny()
    ctx, (model, clip, _) = sdxl(tmp_path, module=module)
    text = CLIPTextEncode(ctx, clip, "an owl")
    latent = KSampler(ctx, model, text, text, EmptyLatentImage(64, 48, 2), steps=2, cfg=1.0)
    assert [list(preview.pixels.shape) for preview in ctx.previews] == [[1, 48, 64, 3]] * 2
    with torch.no_grad():
        signal = module.decode(latent.samples[:1]).sample
    expected = (signal / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(ctx.previews[-1].pixels, expected, atol=1e-4, rtol=0)


def shown(ctx, model, latents):
    with ExitStack() as leases:
        return colours_of(ctx, leases, model)(latents)


@pytest.mark.parametrize(
    ("family", "text_width", "name"),
    [
        ("sd", 768, "taesd"),
        ("sd", 1024, "taesd"),
        ("sd", 192, None),
        ("sdxl", 2048, "taesdxl"),
        ("sdxl_refiner", 1280, "taesdxl"),
        ("sd3", 4096, "taesd3"),
        ("flux", 4096, "taef1"),
        ("unheard-of", 1, None),
    ],
)
def test_each_latent_space_has_a_decoder_of_its_own(family, text_width, name):
    assert tiny_autoencoder(family, text_width) == name


def test_large_latents_are_shrunk_before_they_are_shown(tmp_path):
    ctx, (model, *_) = sdxl(tmp_path, module=tiny())
    assert shown(ctx, model, torch.randn(4, 2 * LONGEST, 16)).shape == (LONGEST * 8, 64, 3)


@pytest.mark.parametrize(("height", "width"), [(1, LONGEST + 1), (4 * LONGEST, 1), (1, 50 * LONGEST)])
def test_very_long_latents_are_shown_with_a_side_of_one(tmp_path, height, width):
    ctx, (model, *_) = sdxl(tmp_path, module=tiny())
    sides = {1: 8}
    expected = (sides.get(height, LONGEST * 8), sides.get(width, LONGEST * 8), 3)
    assert shown(ctx, model, torch.randn(4, height, width)).shape == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"out_channels": 2}, "decodes 4 channels to 2 at 8 times their size"),
        (
            {"decoder_block_out_channels": (8,) * 8, "num_decoder_blocks": (1,) * 8},
            "decodes 4 channels to 3 at 128 times their size",
        ),
    ],
)
def test_a_decoder_of_no_colours_or_of_giant_pictures_is_not_used(tmp_path, caplog, settings, said):
    from diffusers import AutoencoderTiny

    widths = {"encoder_block_out_channels": WIDTHS, "decoder_block_out_channels": WIDTHS}
    ctx, (model, *_) = sdxl(tmp_path, module=made(AutoencoderTiny(**widths | settings)))
    with caplog.at_level(logging.WARNING):
        assert shown(ctx, model, torch.randn(4, 8, 8)).shape == (8, 8, 3)
    assert f"{said}; the model's previews take 4 channels to 3 at 8 times their size" in caplog.text


def test_latents_that_are_not_numbers_are_shown_all_the_same(tmp_path):
    ctx, (model, *_) = sdxl(tmp_path, module=tiny())
    assert bool(shown(ctx, model, torch.full((4, 8, 8), torch.nan)).isfinite().all())


@pytest.mark.parametrize("damage", ["cut", "channels", "tensor"])
def test_a_decoder_that_cannot_be_used_is_told_and_the_run_goes_on(tmp_path, caplog, damage):
    ctx, (model, *_) = sdxl(tmp_path, module=tiny(16 if damage == "channels" else 4))
    path = tmp_path / "vae_approx" / "taesdxl_decoder.safetensors"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    if damage == "tensor":
        tensors = published(tiny(), "decoder")
        del tensors["3.conv.2.weight"]
        write_file(path, tensors)
    with caplog.at_level(logging.WARNING):
        assert shown(ctx, model, torch.randn(4, 8, 8)).shape == (8, 8, 3)
    assert "previews are in plain colours: " in caplog.text
    assert "taesdxl_decoder.safetensors" in caplog.text


def test_the_bundled_model_is_not_shown_by_taesd(tmp_path):
    """Its latents are its own."""
    write_halves(tmp_path, "taesd", tiny())
    ctx = TestContext(folders(tmp_path, tmp_path))
    assert shown(ctx, checkpoint().model, torch.randn(4, 8, 8)).shape == (8, 8, 3)
