"""What models carry along: guidance, attention, U-Net and masks changed for one run, never weights."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from diffusion_support import PROMPT, SIDE, checkpoint, encoded, pipeline, sampled
from test_fidelity import checkpoint_scheduler_config

from nodegraph.errors import InputError
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.guidance import classifier_free
from nodes.sampling.noise_schedule import NoiseSchedule, sigma_at_percent, training_sigmas
from nodes.sampling.patching.differential import DifferentialDiffusion as DifferentialMask
from nodes.sampling.patching.free_u import FreeU as FreeUPatch
from nodes.sampling.patching.free_u import low_frequencies_scaled
from nodes.sampling.patching.guidance_patches import DynamicThreshold, PercentileThreshold, RescaledGuidance
from nodes.sampling.patching.nodes import (
    DifferentialDiffusion,
    DynamicThresholding,
    DynamicThresholdingSimple,
    FreeU,
    FreeU_V2,
    ModelSamplingDiscrete,
    ModelSamplingFlux,
    ModelSamplingSD3,
    PerturbedAttentionGuidance,
    RescaleCFG,
)
from nodes.types import Latent

STEPS = 4
SD = NoiseSchedule("scaled_linear", 0.00085, 0.012)


def model():
    return checkpoint().model


def flow():
    return dataclasses.replace(model(), family="flux", schedule=FlowSchedule(), prediction="flow")


def run(patched, **inputs):
    return sampled(model=patched, **{"steps": STEPS, "sampler_name": "ddim", **inputs}).samples


def estimates():
    x, toward, away = torch.randn(3, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return 3 * x, toward, away


# --- guidance -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("multiplier", [0.0, 0.7, 1.0])
def test_rescaled_guidance_is_that_of_diffusers(multiplier):
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    sigma, (x, toward, away) = 2.0, estimates()

    def velocity(clean):
        return (x / (sigma**2 + 1) - clean) * (sigma**2 + 1) ** 0.5 / sigma

    formula = RescaledGuidance(multiplier).guidance(classifier_free)
    guided = classifier_free(x, sigma, toward, away, 7.0)
    expected = rescale_noise_cfg(velocity(guided), velocity(toward), multiplier)
    torch.testing.assert_close(velocity(formula(x, sigma, toward, away, 7.0)), expected, atol=1e-4, rtol=1e-4)


def test_thresholding_at_the_mimicked_scale_changes_nothing():
    x, toward, away = estimates()
    formula = DynamicThreshold(7.0, 1.0).guidance(classifier_free)
    expected = classifier_free(x, 2.0, toward, away, 7.0)
    torch.testing.assert_close(formula(x, 2.0, toward, away, 7.0), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("percentile", [0.9, 1.0])
def test_thresholding_keeps_the_range_of_the_mimicked_scale(percentile):
    x, toward, away = estimates()
    strong = DynamicThreshold(3.0, percentile).guidance(classifier_free)(x, 2.0, toward, away, 20.0)
    mild = classifier_free(x, 2.0, toward, away, 3.0)

    def spread(estimate):
        channels = (x - estimate).flatten(2)
        return (channels - channels.mean(2, keepdim=True)).abs().amax(2)

    torch.testing.assert_close(spread(strong), spread(mild), atol=0, rtol=0.05)  # clipping moves the mean


@pytest.mark.parametrize(("percentile", "limit"), [(0.995, 1.0), (0.8, 1.0), (0.9, 3.0)])
def test_thresholding_by_a_percentile_is_that_of_diffusers(percentile, limit):
    from diffusers import DDPMScheduler

    x, toward, away = estimates()
    guided = classifier_free(x, 2.0, toward, away, 5.0)
    scheduler = DDPMScheduler(
        thresholding=True, dynamic_thresholding_ratio=percentile, sample_max_value=float("inf")
    )
    expected = limit * scheduler._threshold_sample(guided / limit)
    found = PercentileThreshold(percentile, limit).guidance(classifier_free)(x, 2.0, toward, away, 5.0)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert float(guided.abs().max()) > limit >= float(found.abs().max()) - 1e-5


def test_perturbed_attention_is_that_of_diffusers():
    import diffusers

    scheduler = diffusers.DDIMScheduler.from_config(checkpoint_scheduler_config())
    parts = {**pipeline().components, "scheduler": scheduler}
    pipe = diffusers.StableDiffusionPAGPipeline(
        **parts, requires_safety_checker=False, pag_applied_layers="mid"
    )
    pipe.set_progress_bar_config(disable=True)
    processors = dict(pipe.unet.attn_processors)
    theirs = pipe(
        PROMPT,
        generator=torch.Generator().manual_seed(3),
        num_inference_steps=STEPS,
        guidance_scale=2.5,
        pag_scale=3.0,
        height=SIDE,
        width=SIDE,
        output_type="latent",
    ).images
    pipe.unet.set_attn_processor(processors)
    ours = run(PerturbedAttentionGuidance(model(), 3.0))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert not torch.allclose(ours, run(model()), atol=0.01)


# --- the network ----------------------------------------------------------------------------------------


def test_free_u_without_factors_changes_nothing_and_with_them_something():
    plain = run(model())
    torch.testing.assert_close(run(FreeU_V2(model(), 1.0, 1.0, 1.0, 1.0)), plain, atol=1e-4, rtol=0)
    assert not torch.allclose(run(FreeU_V2(model())), plain, atol=0.01)


def test_free_u_is_that_of_diffusers():
    """diffusers goes by the decoder's first two blocks, we by width; in this U-Net both are all there is."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
    ).eval()
    given = torch.randn(1, 4, 16, 16), torch.tensor(300), torch.randn(1, 7, 16)
    with torch.no_grad(), FreeUPatch(1.3, 1.3, 0.5, 0.5, by_features=False).on_network(unet):
        ours = unet(*given).sample
    with torch.no_grad():
        plain = unet(*given).sample
        unet.enable_freeu(s1=0.5, s2=0.5, b1=1.3, b2=1.3)
        theirs = unet(*given).sample
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert float((ours - plain).abs().max()) > 1e-3


@pytest.mark.parametrize(
    "patch",
    [
        FreeU,
        FreeU_V2,
        PerturbedAttentionGuidance,
        RescaleCFG,
        DynamicThresholding,
        DynamicThresholdingSimple,
    ],
)
def test_nothing_of_a_patch_is_left_after_the_run(patch):
    plain = run(model())
    assert not torch.equal(run(patch(model())), plain)
    assert torch.equal(run(model()), plain)


def test_thresholding_as_a_node_tames_strong_guidance():
    tamed = run(DynamicThresholdingSimple(model(), 2.5), cfg=15.0)
    assert float(tamed.std()) < float(run(model(), cfg=15.0).std())


def test_low_frequencies_alone_are_scaled():
    flat = torch.full((1, 1, 16, 16), 3.0)
    torch.testing.assert_close(low_frequencies_scaled(flat, 0.5), flat / 2)
    checks = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1
    torch.testing.assert_close(low_frequencies_scaled(checks[None, None], 0.5), checks[None, None])


# --- masks ----------------------------------------------------------------------------------------------


def test_grey_says_when_a_place_begins_to_change():
    mask = torch.tensor([0.0, 0.3, 0.6, 1.0])
    first = float(training_sigmas(SD)[-1])
    patch = DifferentialMask()
    changed = [
        patch.mask(mask, sigma_at_percent(SD, done), first, SD).tolist() for done in (0.01, 0.5, 0.8, 0.999)
    ]
    assert changed == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]]
    assert patch.mask(mask, float(training_sigmas(SD)[0]), first, SD).tolist() == [1, 1, 1, 1]
    assert torch.equal(DifferentialMask(0.0).mask(mask, 1.0, first, SD), mask)


def test_more_changes_where_the_mask_is_lighter():
    picture = sampled(steps=8).samples
    mask = torch.linspace(0, 1, 16).expand(1, 1, 16, 16).clone()
    prompt = encoded("a green leaf on a yellow background")
    latent = Latent(picture, mask)
    other = run(DifferentialDiffusion(model()), positive=prompt, seed=9, steps=8, latent_image=latent)
    change = (other - picture).abs().mean(dim=(0, 1, 2))
    assert change[:4].mean() < 0.5 * change[-4:].mean()


# --- how a model is sampled -----------------------------------------------------------------------------


def test_the_prediction_can_be_told():
    assert torch.equal(run(ModelSamplingDiscrete(model(), "v_prediction")), run(model()))
    assert not torch.allclose(run(ModelSamplingDiscrete(model(), "eps")), run(model()), atol=0.1)
    whole = ModelSamplingDiscrete(model(), "v_prediction", zsnr=True)
    assert float(training_sigmas(whole.schedule)[-1]) > 4000
    assert len(training_sigmas(ModelSamplingDiscrete(model(), "lcm").schedule)) == 50


def test_the_shift_of_a_flow_can_be_told():
    assert ModelSamplingSD3(flow(), 3.0).schedule == FlowSchedule(3.0)
    assert ModelSamplingFlux(flow(), width=256, height=256).schedule.shift == pytest.approx(1.6487, abs=1e-3)


@pytest.mark.parametrize(
    ("patch", "given", "message"),
    [
        (ModelSamplingDiscrete, flow, r"model: family flux is a flow model.*use ModelSamplingSD3"),
        (RescaleCFG, flow, r"model: family flux is a flow model"),
        (ModelSamplingSD3, model, r"model: family sd is no flow model"),
        (ModelSamplingFlux, model, r"model: family sd is no flow model"),
        (FreeU, flow, r"model: family flux has no U-Net"),
        (FreeU_V2, flow, r"model: family flux has no U-Net"),
        (PerturbedAttentionGuidance, flow, r"model: family flux has no U-Net"),
    ],
)
def test_models_a_patch_is_not_for_are_refused(patch, given, message):
    with pytest.raises(InputError, match=message):
        patch(given())


def test_a_shift_of_nothing_is_refused():
    with pytest.raises(InputError, match="shift: 0 leaves no noise"):
        ModelSamplingSD3(flow(), 0.0)
