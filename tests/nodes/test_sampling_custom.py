"""Sampling put together from noise, guider, sampler and sigmas; runs in stages; the mechanism by hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from diffusion_support import SIDE, checkpoint, context, encoded, sampled

from nodegraph.codec import decode, encode
from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.custom.nodes import (
    BasicGuider,
    BasicScheduler,
    BetaSamplingScheduler,
    CFGGuider,
    DisableNoise,
    DualCFGGuider,
    ExponentialScheduler,
    FlipSigmas,
    KarrasScheduler,
    KSamplerSelect,
    RandomNoise,
    RePaintSampler,
    SamplerCustom,
    SamplerCustomAdvanced,
    SDTurboScheduler,
    SplitSigmas,
    SplitSigmasDenoise,
    infer_advanced,
    infer_cfg_guider,
    infer_dual_guider,
)
from nodes.sampling.custom.types import Sigmas
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.nodes import KSamplerAdvanced
from nodes.sampling.noise_schedule import training_sigmas
from nodes.sampling.parts.nodes import AddNoise, SchedulerStep, UNetDenoiseStep
from nodes.sampling.patching.nodes import PerturbedAttentionGuidance, RescaleCFG
from nodes.sampling.samplers import SAMPLERS
from nodes.types import Latent

STEPS, CFG, SEED = 4, 2.5, 3


def model():
    return checkpoint().model


def empty(count=1):
    return EmptyLatentImage(SIDE, SIDE, count)


def guider(**inputs):
    return CFGGuider(inputs.get("model", model()), encoded(), encoded(""), CFG)


def custom(sampler="euler", sigmas=None, noise=None, latent=None, chosen=None, **inputs):
    return SamplerCustomAdvanced(
        context(),
        noise or RandomNoise(SEED),
        inputs.get("guider") or guider(),
        chosen or KSamplerSelect(sampler),
        sigmas or BasicScheduler(model(), "normal", STEPS),
        latent or empty(),
    )


def close(one, other, atol=1e-4):
    torch.testing.assert_close(one, other, atol=atol, rtol=0)


# --- custom sampling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde", "euler_ancestral"])
def test_the_parts_put_together_are_ksampler(sampler):
    whole = sampled(sampler_name=sampler, steps=STEPS, seed=SEED, cfg=CFG).samples
    assert torch.equal(custom(sampler).output.samples, whole)
    positive, negative, sigmas = encoded(), encoded(""), BasicScheduler(model(), "normal", STEPS)
    chosen = KSamplerSelect(sampler)
    other = SamplerCustom(
        context(), model(), positive, negative, chosen, sigmas, empty(), noise_seed=SEED, cfg=CFG
    )
    assert torch.equal(other.output.samples, whole)


def test_denoised_output_is_the_last_estimate():
    high, _ = SplitSigmas(BasicScheduler(model(), "normal", STEPS), 2)
    part = custom(sigmas=high)
    last, level = part.output.samples, float(high.levels[-1])
    assert float(last.std()) > level / 2
    assert float(part.denoised_output.samples.std()) < 2
    finished = custom()
    close(finished.output.samples, finished.denoised_output.samples)


def test_two_stages_of_custom_sampling_are_one_run():
    high, low = SplitSigmas(BasicScheduler(model(), "normal", STEPS), 2)
    first = custom(sigmas=high).output
    second = custom(sigmas=low, noise=DisableNoise(), latent=first).output
    close(second.samples, custom().output.samples)


def test_no_sigmas_change_nothing():
    latent = Latent(torch.randn(1, 4, 16, 16))
    none = BasicScheduler(model(), "normal", STEPS, 0.0)
    assert custom(sigmas=none, latent=latent).output is latent


def test_a_run_to_noise_and_back_finds_the_picture_again():
    picture = sampled(steps=20, cfg=1.0, seed=SEED)
    sigmas = KarrasScheduler(40, 5.0, 0.03)
    alone = BasicGuider(model(), encoded())
    there = custom(sigmas=FlipSigmas(sigmas), noise=DisableNoise(), latent=picture, guider=alone).output
    back = custom(sigmas=sigmas, noise=DisableNoise(), latent=there, guider=alone).output
    assert float((back.samples - picture.samples).std()) < 0.3 * float(picture.samples.std())
    assert float(there.samples.std()) > 3


def test_dual_guidance_of_equal_prompts_is_guidance_by_one():
    for style in ("regular", "nested"):
        dual = DualCFGGuider(model(), encoded(), encoded(), encoded(""), 1.0, CFG, style)
        close(custom(guider=dual).output.samples, custom().output.samples)


def test_repaint_runs_each_stretch_again_and_holds_the_outside():
    picture = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8:, :] = 1
    latent = Latent(picture, noise_mask=mask)
    ctx, before = context(), len(context().progressed)
    chosen = RePaintSampler(KSamplerSelect("euler"), 3)
    samples = custom(chosen=chosen, latent=latent).output.samples
    assert torch.equal(samples[..., :8, :], picture[..., :8, :])
    told = [value for value, _ in ctx.progressed[before:]]
    assert told == [0, *(step for step in range(1, STEPS + 1) for _ in range(3))]
    once = custom(chosen=RePaintSampler(KSamplerSelect("euler"), 1), latent=latent).output.samples
    assert not torch.allclose(once, samples)
    assert torch.equal(once, custom(latent=latent).output.samples)


@pytest.mark.parametrize("levels", [(2.0, 3.0, 1.0), (2.0, 2.0, 0.0), (2.0, 0.0, -1.0), (0.0, 1.0)])
def test_levels_no_sampler_can_follow_are_refused(levels):
    with pytest.raises(InputError, match=r"sigmas: .* must fall, to 0 at most, or rise"):
        custom(sigmas=Sigmas(torch.tensor(levels, dtype=torch.float64)))


@pytest.mark.parametrize("sampler", ["euler_ancestral", "dpmpp_sde", "lcm", "dpm_adaptive"])
def test_rising_levels_are_refused_by_samplers_that_cannot_follow_them(sampler):
    rising = FlipSigmas(KarrasScheduler(3))
    with pytest.raises(InputError, match=r"sigmas: 0\.0001, .* rise, .* take euler or heun"):
        custom(sampler, sigmas=rising)


def test_levels_of_diffusion_are_refused_on_a_flow_model():
    flow = dataclasses.replace(model(), schedule=FlowSchedule(3.0), prediction="flow")
    with pytest.raises(InputError, match=r"sigmas: 14\.6146 is too high"):
        custom(guider=guider(model=flow), sigmas=KarrasScheduler(3))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_flow_model_is_sampled_with_every_sampler(sampler):
    """The bundled network, which is none, as one: whatever it says, the arithmetic holds."""
    flow = dataclasses.replace(model(), schedule=FlowSchedule(3.0), prediction="flow")
    sigmas = BasicScheduler(flow, "simple", 3)
    picture = Latent(torch.full((1, 4, 16, 16), 0.5), torch.zeros(1, 1, 16, 16))
    output = custom(sampler, sigmas=sigmas, guider=BasicGuider(flow, encoded()), latent=picture).output
    assert torch.equal(output.samples, picture.samples)
    output = custom(sampler, sigmas=sigmas, guider=BasicGuider(flow, encoded())).output
    assert output.samples.isfinite().all()


# --- stages ---------------------------------------------------------------------------------------------


def advanced(latent=None, **inputs):
    given = {"noise_seed": SEED, "steps": STEPS, "cfg": CFG, "sampler_name": "dpmpp_2m", **inputs}
    return KSamplerAdvanced(context(), model(), encoded(), encoded(""), latent or empty(), **given)


def test_a_whole_run_is_ksampler():
    whole = sampled(sampler_name="dpmpp_2m", steps=STEPS, seed=SEED, cfg=CFG)
    assert torch.equal(advanced().samples, whole.samples)


@pytest.mark.parametrize("sampler", ["euler", "ddim", "heun"])
def test_two_stages_share_a_schedule(sampler):
    first = advanced(end_at_step=2, return_with_leftover_noise="enable", sampler_name=sampler)
    second = advanced(first, add_noise="disable", start_at_step=2, sampler_name=sampler)
    close(second.samples, advanced(sampler_name=sampler).samples)


def test_without_leftover_noise_the_last_step_removes_it():
    left = advanced(end_at_step=2, return_with_leftover_noise="enable").samples
    assert float(left.std()) > 1.5 * float(advanced(end_at_step=2).samples.std())


def test_starting_after_the_end_changes_nothing():
    latent = Latent(torch.randn(1, 4, 16, 16))
    assert advanced(latent, start_at_step=9) is latent


# --- the mechanism by hand ------------------------------------------------------------------------------


def test_noise_prediction_and_steps_by_hand_are_a_ddim_run():
    sigmas = BasicScheduler(model(), "normal", STEPS)
    latent = AddNoise(context(), model(), RandomNoise(SEED), sigmas, empty())
    close(latent.samples / float(sigmas.levels[0]), _noise())
    for step in range(STEPS):
        predicted = UNetDenoiseStep(context(), guider(), sigmas, latent, step)
        latent = SchedulerStep(context(), model(), sigmas, latent, predicted.denoised, step=step)
    # the run starts with the data's own variance counted in, and stops at the lowest trained level
    whole = custom("ddim", guider=guider()).output.samples
    assert float((latent.samples - whole).abs().max()) < 0.15


def _noise():
    return torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(SEED))


def test_the_forward_process_is_its_equation():
    """z = √ᾱ x₀ + √(1-ᾱ) ε at timestep 400 (Ho et al. 2020, Eq. 4)."""
    clean = Latent(torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)))
    sigma = float(training_sigmas(model().schedule)[400])
    sigmas = Sigmas(torch.tensor([sigma], dtype=torch.float64))
    x = AddNoise(context(), model(), RandomNoise(SEED), sigmas, clean).samples
    alpha_bar = 1 / (sigma**2 + 1)
    expected = alpha_bar**0.5 * clean.samples + (1 - alpha_bar) ** 0.5 * _noise()
    close(x * alpha_bar**0.5, expected, 1e-5)


def test_picture_and_noise_predicted_make_up_the_latents():
    sigmas = BasicScheduler(model(), "normal", STEPS)
    latent = AddNoise(context(), model(), RandomNoise(SEED), sigmas, empty())
    clean, epsilon = UNetDenoiseStep(context(), guider(), sigmas, latent, 1)
    close(clean.samples + float(sigmas.levels[1]) * epsilon.samples, latent.samples, 1e-3)


def test_ddpm_step_needs_noise_and_adds_it():
    sigmas = BasicScheduler(model(), "normal", STEPS)
    zero = empty()
    with pytest.raises(InputError, match="noise: eta above 0 adds fresh noise"):
        SchedulerStep(context(), model(), sigmas, zero, zero, eta=1.0)
    added = SchedulerStep(context(), model(), sigmas, zero, zero, RandomNoise(SEED), eta=1.0).samples
    high, low = sigmas.levels[:2].tolist()
    close(added, _noise() * low * (1 - (low / high) ** 2) ** 0.5)


def test_a_step_there_is_not_is_refused():
    sigmas = BasicScheduler(model(), "normal", STEPS)
    with pytest.raises(InputError, match="step: there is no step 4 in 4 steps, counted from 0"):
        UNetDenoiseStep(context(), guider(), sigmas, empty(), 4)


# --- values ---------------------------------------------------------------------------------------------


def test_splitting_and_flipping():
    sigmas = Sigmas(torch.tensor([4.0, 2.0, 1.0, 0.0], dtype=torch.float64))
    high, low = SplitSigmas(sigmas, 1)
    assert (high.levels.tolist(), low.levels.tolist()) == ([4, 2], [2, 1, 0])
    high, low = SplitSigmasDenoise(sigmas, 0.34)
    assert (high.levels.tolist(), low.levels.tolist()) == ([4, 2, 1], [1, 0])
    assert FlipSigmas(sigmas).levels.tolist() == [0.0001, 1, 2, 4]
    assert sigmas.levels.tolist() == [4, 2, 1, 0]


def test_schedulers_as_nodes():
    assert KarrasScheduler(3, 4.0, 1.0, 1.0).levels.tolist() == [4.0, 2.5, 1.0, 0.0]
    assert ExponentialScheduler(3, 4.0, 1.0).levels.tolist() == pytest.approx([4.0, 2.0, 1.0, 0.0])
    assert BetaSamplingScheduler(model(), 5).steps == 5
    assert SDTurboScheduler(model(), 2).steps == 2


def test_levels_that_do_not_go_down_are_refused():
    with pytest.raises(InputError, match=r"sigma_min: 2\.0 is not below sigma_max, 1\.0"):
        KarrasScheduler(3, 1.0, 2.0)


def test_every_value_survives_the_codec():
    patched = PerturbedAttentionGuidance(RescaleCFG(model(), 0.5), 2.0)
    for value in (patched, RandomNoise(5), DisableNoise(), RePaintSampler(KSamplerSelect("heun"), 3, 2)):
        assert decode(*encode(value)) == value
    sigmas = KarrasScheduler(3)
    assert torch.equal(decode(*encode(sigmas)).levels, sigmas.levels)
    again = decode(*encode(guider()))
    assert (again.model, again.guidance) == (guider().model, guider().guidance)


MODEL = Spec({"family": "sd", "latent_channels": 4, "text_width": 768})


def test_wrong_pairings_are_found_before_the_run():
    assert infer_cfg_guider(MODEL, Spec({"family": "sd"}), Spec())["family"] == "sd"
    with pytest.raises(Mismatch):
        infer_cfg_guider(MODEL, Spec(), Spec({"family": "sdxl"}))
    with pytest.raises(Mismatch):
        infer_dual_guider(MODEL, Spec(), Spec({"text_width": 1024}), Spec())
    with pytest.raises(Mismatch):
        infer_advanced(MODEL, Spec({"latent_channels": 16}))


def test_latents_of_another_model_are_refused():
    with pytest.raises(InputError, match="latent_image: 16 latent channels; the model has 4"):
        custom(latent=Latent(torch.zeros(1, 16, 16, 16)))


def test_conditioning_of_another_model_is_refused_where_it_came_in():
    wide = dataclasses.replace(model(), text_width=768)
    with pytest.raises(InputError, match=r"guider: .*the model is sd with 768"):
        custom(guider=CFGGuider(wide, encoded(), encoded(""), CFG))


@pytest.mark.parametrize("rho", [1e-300, 1e-9, 1e-3, 0.01])
def test_a_rho_whose_powers_no_float_holds_is_refused(rho):
    with pytest.raises(InputError, match=r"rho.*is too little.*take 0\.02 or more"):
        KarrasScheduler(3, sigma_max=5000.0, rho=rho)
    assert KarrasScheduler(3, sigma_max=5000.0, rho=0.02).levels.isfinite().all()
