"""Deep features used again: what is skipped, what stays exact, and what is refused."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from diffusion_support import checkpoint, context, decoded, pipeline, sampled
from family_files import tiny

from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.sampling.caching.deep_cache import DeepFeatures
from nodes.sampling.caching.first_block import FirstBlock, blocks_of
from nodes.sampling.caching.nodes import (
    DeepCache,
    FirstBlockCache,
    infer_deep_cache,
    infer_first_block_cache,
)
from nodes.sampling.caching.unet import down_pieces, shallow_forward, up_pieces
from nodes.sampling.condition import Condition
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.networks.flux import flux
from nodes.sampling.networks.stable_diffusion import stable_diffusion
from nodes.sampling.networks.stable_diffusion_3 import stable_diffusion_3
from nodes.sampling.patches import Run
from nodes.sampling.patching.free_u import FreeU
from nodes.sampling.patching.nodes import PerturbedAttentionGuidance

STEPS = 6
ANY_CHANGE = 1e9
NETWORKS = {"sd3": stable_diffusion_3, "sd35": stable_diffusion_3, "flux": flux, "schnell": flux}


@contextmanager
def counted(*modules):
    """How often each module is called."""
    calls = [0] * len(modules)

    def count(index):
        def hook(*_):
            calls[index] += 1

        return hook

    hooks = [module.register_forward_pre_hook(count(index)) for index, module in enumerate(modules)]
    yield calls
    for hook in hooks:
        hook.remove()


def run_of(module):
    return Run(module, FlowSchedule(1.0, 1000), lambda recipe: pytest.fail("nothing is leased"))


# --- DeepCache --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    return sampled(steps=STEPS).samples


def cached(**settings):
    return DeepCache(checkpoint().model, **settings)


def test_an_interval_of_one_changes_no_bit(plain):
    assert torch.equal(sampled(model=cached(cache_interval=1), steps=STEPS).samples, plain)


def leased_unet():
    with context().lease(checkpoint().model.weights) as unet:
        return unet


@pytest.mark.parametrize(("interval", "whole"), [(1, 6), (2, 3), (3, 2), (4, 2), (6, 1)])
def test_deep_blocks_are_computed_at_every_interval_only(interval, whole):
    unet = leased_unet()
    with counted(unet.conv_in, unet.mid_block, unet.down_blocks[2], unet.up_blocks[0]) as calls:
        sampled(model=cached(cache_interval=interval), steps=STEPS)
    assert calls == [STEPS, whole, whole, whole]


@pytest.mark.parametrize(("depth", "down"), [(0, [2, 2]), (1, [6, 2]), (3, [6, 6]), (11, [6, 6])])
def test_depth_says_how_many_blocks_are_computed_every_time(depth, down):
    unet = leased_unet()
    with counted(unet.down_blocks[0].resnets[0], unet.down_blocks[1].resnets[0], unet.mid_block) as calls:
        sampled(model=cached(cache_interval=3, cache_depth=depth), steps=STEPS)
    assert calls == [*down, 2]


def test_more_depth_is_nearer_to_the_whole(plain):
    distances = [
        float((sampled(model=cached(cache_depth=depth), steps=STEPS).samples - plain).abs().mean())
        for depth in (0, 1, 3)
    ]
    assert distances[0] > distances[1] > distances[2] > 0


def test_steps_outside_the_window_are_computed_whole():
    unet = leased_unet()
    with counted(unet.mid_block) as calls:
        sampled(model=cached(cache_interval=10, start_step=2, end_step=4), steps=STEPS)
    assert calls == [4]  # steps 0, 1, 4 and 5; what step 1 computed serves 2 and 3


def test_the_network_is_left_as_it_was(plain):
    sampled(model=cached(), steps=STEPS)
    assert "forward" not in vars(leased_unet())
    assert torch.equal(sampled(steps=STEPS).samples, plain)


def test_perturbed_attention_keeps_features_of_its_own():
    model, unet = PerturbedAttentionGuidance(checkpoint().model, 2.0), leased_unet()
    whole = decoded(sampled(model=model, steps=STEPS, cfg=1.0)).pixels
    with counted(unet.mid_block) as calls:
        near = decoded(sampled(model=DeepCache(model, 2, 3), steps=STEPS, cfg=1.0)).pixels
    assert calls == [STEPS]  # half of twice as many
    assert float((near - whole).abs().mean()) < 0.02


@torch.no_grad()
def test_freeu_is_applied_once_to_what_is_used_again():
    unet = tiny("sd1").network
    network, z, prompt = stable_diffusion(unet), torch.randn(1, 4, 8, 8), Condition(torch.randn(1, 5, 64))
    with FreeU(1.3, 1.4, 0.9, 0.2).on_network(unet):
        whole = network(z, torch.tensor(500), 3.0, (prompt,))
        for depth in (1, 4, 6):
            with DeepFeatures(10, depth).predicting(network, run_of(unet)) as ask:
                _, again = (ask(z, torch.tensor(500), 3.0, (prompt,)) for _ in range(2))
            torch.testing.assert_close(again, whole, atol=1e-5, rtol=1e-5)


def residuals(unet, z, **told):
    """What a ControlNet and a T2I-Adapter of the right shapes might add."""
    shapes, hooks = [], []
    for piece in up_pieces(unet):
        own = piece.resnet

        def note(module, arguments):
            shapes.append(arguments[0].shape)

        hooks.append(own.register_forward_pre_hook(note))
    unet(z, torch.tensor(500), **told)
    for hook in hooks:
        hook.remove()
    widths = [unet.conv_in.out_channels, *((p.resnet or p.scaler).out_channels for p in down_pieces(unet))]
    sizes = [shape[-2:] for shape in reversed(shapes)]
    skips = [torch.randn(len(z), width, *size) for width, size in zip(widths, sizes, strict=True)]
    ends = [index + 1 for index, piece in enumerate(down_pieces(unet)) if piece.level is not None]
    return skips, [torch.randn(skips[end].shape) for end in ends]


@pytest.mark.parametrize(("kind", "side"), [("sd1", 16), ("sd1", 13), ("sdxl", 12), ("bundled", 16)])
@torch.no_grad()
def test_with_the_deep_features_of_the_same_step_nothing_is_lost(kind, side):
    torch.manual_seed(0)
    unet = pipeline().unet if kind == "bundled" else tiny(kind).network
    z, text = torch.randn(2, 4, side, side), torch.randn(2, 5, unet.config.cross_attention_dim)
    added = {"text_embeds": torch.randn(2, 128), "time_ids": torch.ones(2, 6)} if kind == "sdxl" else None
    told = {"encoder_hidden_states": text, "added_cond_kwargs": added}
    skips, levels = residuals(unet, z, **told)
    whole = unet(
        z,
        torch.tensor(500),
        **told,
        down_block_additional_residuals=skips,
        mid_block_additional_residual=torch.tensor(0.1),
        down_intrablock_additional_residuals=list(levels),
    ).sample
    for depth in range(len(up_pieces(unet)) - 1):
        with DeepFeatures(3, depth).predicting(lambda *_: z, run_of(unet)) as ask:
            ask(z, torch.tensor(500), 1.0, ())
            caching = unet.forward.__self__
            unet(
                z,
                torch.tensor(500),
                **told,
                down_block_additional_residuals=skips,
                mid_block_additional_residual=torch.tensor(0.1),
                down_intrablock_additional_residuals=list(levels),
                return_dict=False,
            )
        again = shallow_forward(
            unet, caching.now.deep, depth, z, torch.tensor(500), text, added, skips, levels
        )
        torch.testing.assert_close(again, whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_more_noise_than_before_computes_everything():
    unet = tiny("sd1").network
    z, prompt = torch.randn(1, 4, 8, 8), Condition(torch.randn(1, 5, 64))
    with (
        DeepFeatures(10, 1).predicting(stable_diffusion(unet), run_of(unet)) as ask,
        counted(unet.mid_block) as calls,
    ):
        for sigma in (3.0, 2.0, 1.0, 2.5, 2.0):
            ask(z, torch.tensor(500), sigma, (prompt,))
    assert calls == [2]


@torch.no_grad()
def test_every_set_of_prompts_has_its_own_features():
    unet = tiny("sd1").network
    z = torch.randn(1, 4, 8, 8)
    one, other = (Condition(torch.randn(1, 5, 64)) for _ in range(2))
    network = stable_diffusion(unet)
    with DeepFeatures(10, 1).predicting(network, run_of(unet)) as ask:
        for prompt in (one, other):
            first = ask(z, torch.tensor(500), 3.0, (prompt,))
            again = ask(z, torch.tensor(500), 3.0, (prompt,))
            torch.testing.assert_close(again, first, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(network(z, torch.tensor(500), 3.0, (one,)), first, atol=1e-3)


# --- first block ------------------------------------------------------------------------------------------


@contextmanager
def asking(kind, **settings):
    """The tiny transformer of a family, patched; and how often its blocks' attention was called."""
    module = tiny(kind).network
    network, attentions = NETWORKS[kind](module), [block.attn for block in blocks_of(module)]
    patch = FirstBlock(**settings)
    with (
        torch.no_grad(),
        patch.predicting(network, run_of(module)) as ask,
        counted(*attentions) as calls,
    ):
        yield ask, network, calls
    assert not any("forward" in vars(block) for block in blocks_of(module))


def inputs(kind, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = tiny(kind).network
    text, pooled = module.config.joint_attention_dim, module.config.pooled_projection_dim
    prompt = Condition(
        torch.randn(1, 7, text, generator=generator), pooled=torch.randn(1, pooled, generator=generator)
    )
    return torch.randn(1, 16, 8, 8, generator=generator), prompt


def asked(ask, z, prompt, sigmas=(0.9, 0.8, 0.7, 0.6)):
    return [ask(z, torch.tensor(1000 * sigma), sigma, (prompt,)) for sigma in sigmas]


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_a_threshold_of_zero_changes_no_bit(kind):
    z, prompt = inputs(kind)
    with asking(kind, threshold=0.0) as (ask, network, calls):
        ours = asked(ask, z, prompt)
        assert set(calls) == {4}
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(ours, asked(network, z, prompt), strict=True))


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_a_high_threshold_asks_the_first_block_only(kind):
    z, prompt = inputs(kind)
    with asking(kind, threshold=ANY_CHANGE) as (ask, _, calls):
        asked(ask, z, prompt)
    assert calls == [4, *[1] * (len(calls) - 1)]


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_what_is_used_again_is_exact_for_the_same_input(kind):
    z, prompt = inputs(kind)
    with asking(kind, threshold=0.5) as (ask, network, calls):
        _, again = asked(ask, z, prompt, (0.9, 0.9))
        assert calls[1:] == [1] * (len(calls) - 1)
    with torch.no_grad():
        (expected,) = asked(network, z, prompt, (0.9,))
    torch.testing.assert_close(again, expected, atol=1e-4, rtol=1e-4)


def test_a_change_of_the_input_computes_everything():
    z, prompt = inputs("flux")
    with asking("flux", threshold=0.01) as (ask, _, calls):
        asked(ask, z, prompt, (0.9, 0.9))
        asked(ask, inputs("flux", 1)[0], prompt, (0.9,))
    assert calls == [3, 2, 2, 2]


def test_no_more_steps_in_a_row_are_skipped_than_allowed():
    z, prompt = inputs("sd3")
    with asking("sd3", threshold=ANY_CHANGE, longest=1) as (ask, _, calls):
        asked(ask, z, prompt)
    assert calls == [4, 2, 2]


def test_blocks_are_skipped_in_a_share_of_the_schedule_only():
    z, prompt = inputs("sd3")
    with asking("sd3", threshold=ANY_CHANGE, start_percent=0.15, end_percent=0.35) as (ask, _, calls):
        asked(ask, z, prompt)
    assert calls == [4, 2, 2]  # at 0.8 and 0.7 nothing but the first block


# --- families ---------------------------------------------------------------------------------------------


def test_each_is_for_its_own_kind_of_network():
    unet, transformer = Spec({"family": "sdxl"}), Spec({"family": "flux"})
    assert infer_deep_cache(unet) == unet.facts
    assert infer_first_block_cache(transformer) == transformer.facts
    with pytest.raises(Mismatch, match="family flux has no U-Net; use FirstBlockCache"):
        infer_deep_cache(transformer)
    with pytest.raises(Mismatch, match="family sdxl has no transformer; use DeepCache"):
        infer_first_block_cache(unet)
    with pytest.raises(InputError, match="model: family sd has no transformer"):
        FirstBlockCache(checkpoint().model)
