"""KSampler as a node."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from diffusion_support import SIDE, TestContext, checkpoint, context, encoded, folders, sampled

from nodegraph.errors import Cancelled, InputError
from nodegraph.specs import Mismatch, Spec
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.facts import doubts_about
from nodes.sampling.nodes import KSampler, infer_ksampler, infer_sampled
from nodes.types import Conditioning, Latent, Prompt


def quick(**inputs):
    return sampled(**{"steps": 3, **inputs}).samples


def test_same_seed_same_latents_and_another_seed_others():
    assert torch.equal(quick(seed=1), quick(seed=1))
    assert not torch.allclose(quick(seed=1), quick(seed=2))


def test_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = quick()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(quick(), first)


def start_of_run(**inputs):
    """What the U-Net is given in the first step, one batch per side of the guidance."""
    seen = []
    with context().lease(checkpoint().model.weights) as unet:
        hook = unet.register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))
        quick(steps=1, cfg=1.0, sampler_name="ddim", **inputs)
        hook.remove()
    return seen[0]


def test_one_picture_starts_from_the_noise_of_its_seed():
    torch.manual_seed(5)
    expected = torch.randn(1, 4, 16, 16)
    torch.testing.assert_close(start_of_run(seed=5), expected, atol=1e-6, rtol=0)


def test_item_i_of_a_batch_starts_from_the_noise_of_seed_plus_i():
    together = start_of_run(seed=5, latent_image=EmptyLatentImage(SIDE, SIDE, 3))
    for item in range(3):
        assert torch.equal(together[item : item + 1], start_of_run(seed=5 + item))


def test_seed_offsets_choose_the_noise_of_each_item():
    latent = dataclasses.replace(EmptyLatentImage(SIDE, SIDE, 2), seed_offsets=(7, 0))
    assert torch.equal(start_of_run(seed=5, latent_image=latent)[:1], start_of_run(seed=12))


def test_the_last_seed_wraps_around():
    together = start_of_run(seed=2**64 - 1, latent_image=EmptyLatentImage(SIDE, SIDE, 2))
    assert torch.equal(together[1:], start_of_run(seed=0))


def test_inputs_are_not_changed():
    latent, positive = EmptyLatentImage(SIDE, SIDE), encoded()
    before = positive.prompts[0].embeddings.clone()
    quick(latent_image=latent)
    assert not latent.samples.any()
    assert torch.equal(positive.prompts[0].embeddings, before)


def test_no_denoising_gives_the_latents_back():
    latent = Latent(torch.randn(1, 4, 16, 16))
    assert sampled(latent_image=latent, denoise=0.0) is latent


@pytest.mark.parametrize(("denoise", "nearer"), [(0.2, True), (1.0, False)])
def test_little_denoising_stays_near_the_picture(denoise, nearer):
    picture = sampled(steps=8)
    other = encoded("a green apple on a yellow background")
    changed = sampled(steps=3, positive=other, latent_image=picture, denoise=denoise)
    distance = float((changed.samples - picture.samples).pow(2).mean().sqrt())
    assert (distance < 0.5 * float(picture.samples.std())) is nearer


def test_outside_the_noise_mask_nothing_changes():
    picture = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8:, :] = 1
    samples = quick(latent_image=Latent(picture, noise_mask=mask))
    assert torch.equal(samples[..., :8, :], picture[..., :8, :])
    assert not torch.allclose(samples[..., 8:, :], picture[..., 8:, :])


def test_progress_is_told_step_by_step():
    ctx = TestContext(folders())
    model = checkpoint().model
    KSampler(ctx, model, encoded(), encoded(""), EmptyLatentImage(64, 64), steps=3, cfg=1.0)
    assert ctx.progressed == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_cancelling_stops_between_steps():
    class Impatient(TestContext):
        def progress(self, value, total, message=""):
            super().progress(value, total, message)
            if value == 2:
                raise Cancelled("enough")

    ctx = Impatient(folders())
    with pytest.raises(Cancelled):
        KSampler(ctx, checkpoint().model, encoded(), encoded(""), EmptyLatentImage(64, 64), cfg=1.0)
    assert ctx.progressed[-1] == (2, 20)


def test_latents_of_another_model_are_refused():
    with pytest.raises(InputError, match="latent_image: 16 latent channels; the model has 4"):
        quick(latent_image=Latent(torch.zeros(1, 16, 16, 16)))


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_conditioning_of_another_model_is_refused(side):
    wide = Conditioning((Prompt(torch.zeros(1, 77, 768)),), "sd")
    with pytest.raises(InputError, match=f"{side}: .*text width 768; the model is sd with 192"):
        quick(**{side: wide})


def test_more_steps_than_the_model_has_are_refused():
    with pytest.raises(
        InputError, match=r"steps: 2000 steps do not fit .* 20 steps at denoise 0\.01 make 2000"
    ):
        sampled(denoise=0.01)


def test_conditioning_needs_a_prompt():
    with pytest.raises(ValueError, match="at least one prompt"):
        Conditioning((), "sd")


def test_seed_offsets_must_match_the_batch():
    with pytest.raises(ValueError, match="1 seed offsets for 2 latents"):
        Latent(torch.zeros(2, 4, 8, 8), seed_offsets=(0,))


MODEL = Spec({"family": "sd", "latent_channels": 4, "text_width": 768})
TEXT = Spec({"family": "sd", "text_width": 768})
LATENT = Spec({"latent_channels": 4, "latent_width": 64, "batch": 2})


def test_facts_pass_through():
    facts = infer_sampled(MODEL, TEXT, TEXT, LATENT)
    assert facts == {
        **{"family": "sd", "latent_channels": 4, "text_width": 768},
        **{"latent_width": 64, "batch": 2},
    }


@pytest.mark.parametrize(
    ("specs", "blamed"),
    [
        ({"positive": Spec({"family": "sdxl", "text_width": 2048})}, "positive"),
        ({"negative": Spec({"family": "sd", "text_width": 1024})}, "negative"),
        ({"latent_image": Spec({"latent_channels": 16})}, "latent_image"),
        ({"latent_image": Spec({"family": "sdxl", "latent_channels": 4})}, "latent_image"),
    ],
)
def test_wrong_pairings_are_found_before_the_run(specs, blamed):
    given = {"model": MODEL, "positive": TEXT, "negative": TEXT, "latent_image": LATENT, **specs}
    with pytest.raises(Mismatch) as caught:
        infer_sampled(**given)
    assert caught.value.inputs == (blamed, "model")


@pytest.mark.parametrize("denoise", [1e-7, 5e-324])
def test_runs_of_countless_steps_are_refused(denoise):
    with pytest.raises(InputError, match="is too little for 3 steps; take 3e-06 or more") as error:
        quick(scheduler="karras", denoise=denoise)
    assert error.value.input == "denoise"


def doubted(width, height, cfg=2.5, **facts):
    """Codes of the doubts about sampling with a model that was made for 128x128 pixels and cfg 2.5."""
    model = Spec({"latent_side": 16, "cfg": 2.5})
    latent = Spec({"latent_width": width // 8, "latent_height": height // 8, "empty": True, **facts})
    return [doubt.code for doubt in doubts_about(model, latent, Spec(value=cfg))]


def test_new_pictures_far_larger_or_smaller_than_those_of_the_training_are_doubted():
    assert doubted(128, 128) == doubted(256, 256) == doubted(64, 64) == doubted(384, 128) == []
    assert doubted(512, 512) == doubted(256, 264) == doubted(48, 48) == ["unusual_size"]


def test_latents_of_a_picture_that_is_there_may_have_any_size():
    assert doubted(512, 512, empty=False) == []


def test_a_guidance_far_above_the_recommended_one_is_doubted():
    assert doubted(128, 128, 5.0) == doubted(128, 128, 1.0) == []
    assert doubted(128, 128, 8.0) == ["unusual_cfg"]
    assert doubts_about(Spec({"cfg": 2.5}), Spec(), Spec()) == ()
    assert doubts_about(Spec(), Spec(), Spec(value=8.0)) == ()


def test_what_was_sampled_counts_as_a_picture():
    specs = [Spec(), Spec(), Spec(), Spec({"empty": True, "latent_width": 64})]
    assert infer_ksampler(*specs, Spec(value=8.0)).facts == {"latent_width": 64}
