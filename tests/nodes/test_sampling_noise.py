"""The noise of stochastic samplers: its own, repeatable, and consistent over intervals."""

from __future__ import annotations

import math

import pytest
import torch
from diffusion_support import SIDE, context, sampled

from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.ancestral import ancestral_step
from nodes.sampling.noise import BrownianNoise, sequential_noise
from nodes.sampling.path import RECTIFIED_FLOW, VARIANCE_EXPLODING
from nodes.sampling.samplers import SAMPLERS

LIKE = torch.zeros(1, 4, 16, 16)
STOCHASTIC = [name for name, sampler in SAMPLERS.items() if sampler.noise != "none"]


def brownian(seed=5, like=LIKE):
    return BrownianNoise(like, 0.03, 14.6, list(range(seed, seed + len(like))))


def test_brownian_noise_of_an_interval_does_not_depend_on_what_was_asked_before():
    alone = brownian()(3.0, 1.0)
    path = brownian()
    for sigma, sigma_next in ((14.6, 7.0), (2.0, 0.5), (14.6, 0.03)):
        path(sigma, sigma_next)
    assert torch.equal(path(3.0, 1.0), alone)


def test_brownian_noise_of_two_halves_makes_up_that_of_the_whole():
    path = brownian()
    whole = path(4.0, 1.0) * math.sqrt(3)
    parts = path(4.0, 2.0) * math.sqrt(2) + path(2.0, 1.0)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)


def test_brownian_noise_is_standard_normal():
    noise = BrownianNoise(torch.zeros(1, 4, 64, 64), 0.03, 14.6, [1])(9.0, 2.0)
    assert float(noise.mean()) == pytest.approx(0, abs=0.03)
    assert float(noise.std()) == pytest.approx(1, abs=0.03)


def test_brownian_noise_of_an_item_is_that_of_its_seed():
    together = brownian(5, torch.zeros(3, 4, 16, 16))(3.0, 1.0)
    assert torch.equal(together[1:2], brownian(6)(3.0, 1.0))


def test_sequential_noise_goes_on_with_each_items_generator():
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    noise = sequential_noise(torch.zeros(2, 4, 8, 8), generators)
    first, second = noise(2.0, 1.0), noise(1.0, 0.5)
    alone = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    assert torch.equal(torch.stack([first[1], second[1]]), alone)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_an_item_of_a_batch_is_the_picture_made_alone(name):
    settings = {"steps": 3, "sampler_name": name, "cfg": 1.0}
    together = sampled(latent_image=EmptyLatentImage(SIDE, SIDE, 2), **settings).samples
    for item in range(2):
        alone = sampled(seed=3 + item, **settings).samples
        torch.testing.assert_close(together[item : item + 1], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_global_random_state_is_neither_used_nor_changed(name):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = sampled(steps=3, sampler_name=name, cfg=1.0).samples
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(sampled(steps=3, sampler_name=name, cfg=1.0).samples, first)


@pytest.mark.parametrize("name", ["euler_ancestral", "ddpm", "lcm"])
def test_the_noise_on_the_way_is_drawn_from_the_seed_after_that_of_the_start(name):
    """As ComfyUI has it on a CPU; checked on the first thing the network sees in step two."""
    seen = []
    from diffusion_support import checkpoint

    with context().lease(checkpoint().model.weights) as unet:
        hook = unet.register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))
        sampled(steps=2, seed=5, sampler_name=name, cfg=1.0)
        sampled(steps=2, seed=5, sampler_name="ddim", cfg=1.0)
        hook.remove()
    drawn = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(6))
    added = (seen[1] - seen[3]).flatten()
    assert float(torch.corrcoef(torch.stack([added, drawn.flatten()]))[0, 1]) > 0.6


@pytest.mark.parametrize("path", [VARIANCE_EXPLODING, RECTIFIED_FLOW], ids=lambda path: path.kind)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_an_ancestral_step_ends_at_the_noise_level_asked_for(path, eta):
    part = ancestral_step(path, 0.9, 0.6, eta)
    assert (part.scale * part.down) ** 2 + part.up**2 == pytest.approx(0.6**2)
    assert part.scale * path.alpha(part.down) == pytest.approx(path.alpha(0.6))
    if eta == 0:
        assert part.up == pytest.approx(0, abs=1e-9)
    if eta == 1:
        assert part.down == pytest.approx(0.6**2 / 0.9)
