"""Losses as values, and pictures that minimise them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.errors import Cancelled, InputError
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec
from nodegraph.testing import TestContext
from nodes.style.features.nodes import RandomFeatures
from nodes.style.losses.nodes import AddLosses, ContentLoss, StyleLoss, TotalVariationLoss
from nodes.style.optimisation.minimising import DivergedError, minimise
from nodes.style.optimisation.nodes import OptimizeImage
from nodes.types import Image

SIZES = (3, 7)


@pytest.fixture
def ctx(tmp_path):
    return TestContext(Folders(output=tmp_path))


def extractor(filters=6, seed=0):
    return RandomFeatures(seed, filters, SIZES)


def noise(height=20, width=24, seed=0, batch=1):
    generator = torch.Generator().manual_seed(seed)
    return Image(torch.rand(batch, height, width, 3, generator=generator))


def bricks(side=48):
    """A picture with structure: bricks with bright joints."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    joints = (y % 8 < 1) | ((x + 6 * (y // 8 % 2)) % 12 < 1)
    colour = torch.where(joints[..., None], torch.tensor([0.9, 0.9, 0.8]), torch.tensor([0.6, 0.2, 0.1]))
    return Image(colour[None])


def features(image, recipe):
    network = recipe.build(None, torch.float32)
    with torch.no_grad():
        return {
            name: values.numpy()
            for name, values in network(image.pixels.movedim(-1, 1), recipe.layers).items()
        }


def value(loss, image):
    recipes = loss.wanted()
    planes = image.pixels.movedim(-1, 1)
    with torch.no_grad():
        found = {
            recipe: recipe.build(None, torch.float32)(planes, layers) for recipe, layers in recipes.items()
        }
        return loss.value(planes, found).item()


def gram_by_hand(layer):
    maps = layer.reshape(layer.shape[0], -1).astype(np.float64)
    return np.array([[np.mean(one * other) for other in maps] for one in maps])


def test_style_loss_is_that_of_the_paper(ctx):
    recipe, style, image = extractor(), noise(16, 30, seed=1), noise(20, 24, seed=2)
    loss = StyleLoss(ctx, style, recipe, weight=3.0)
    expected = 0.0
    for layer in recipe.layers:
        wanted, found = (gram_by_hand(features(picture, recipe)[layer][0]) for picture in (style, image))
        expected += 3.0 * np.sum((found - wanted) ** 2) / (4 * 6**2) / 2
    assert value(loss, image) == pytest.approx(expected, rel=1e-4)
    assert value(loss, style) == pytest.approx(0, abs=1e-12)


def test_style_of_several_examples_is_their_mean(ctx):
    recipe, pair = extractor(), noise(batch=2, seed=3)
    loss = StyleLoss(ctx, pair, recipe, layers=("7x7",))
    grams = [gram_by_hand(layer) for layer in features(pair, recipe)["7x7"]]
    np.testing.assert_allclose(loss.targets[0].numpy(), np.mean(grams, 0), rtol=1e-4)


def test_content_loss_is_half_the_mean_squared_difference(ctx):
    recipe, content, image = extractor(), noise(seed=1), noise(seed=2)
    loss = ContentLoss(ctx, content, recipe, weight=2.0, layers=("3x3",))
    difference = features(content, recipe)["3x3"] - features(image, recipe)["3x3"]
    assert value(loss, image) == pytest.approx(2.0 * np.mean(difference**2) / 2, rel=1e-4)
    assert value(loss, content) == pytest.approx(0, abs=1e-12)


def test_total_variation_is_the_mean_squared_difference_of_neighbours():
    image = noise(5, 7)
    pixels = image.pixels.numpy()[0].astype(np.float64)
    expected = (np.sum(np.diff(pixels, axis=0) ** 2) + np.sum(np.diff(pixels, axis=1) ** 2)) / pixels.size
    assert value(TotalVariationLoss(0.5), image) == pytest.approx(0.5 * expected, rel=1e-5)
    assert value(TotalVariationLoss(), Image(torch.full((1, 1, 1, 3), 0.2))) == 0


def test_added_losses_are_a_weighted_sum(ctx):
    recipe, image = extractor(), noise(seed=5)
    parts = [
        StyleLoss(ctx, noise(seed=1), recipe),
        ContentLoss(ctx, noise(seed=2), extractor(seed=9)),
        TotalVariationLoss(),
    ]
    whole = AddLosses([AddLosses(parts[:2], 3.0), parts[2]], 0.5)
    expected = 0.5 * (3.0 * (value(parts[0], image) + value(parts[1], image)) + value(parts[2], image))
    assert value(whole, image) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match="at least one loss"):
        AddLosses([])


@pytest.mark.parametrize(("optimizer", "factor"), [("lbfgs", 1000), ("adam", 100)])
def test_texture_synthesis_reduces_the_style_loss(ctx, optimizer, factor):
    loss = StyleLoss(ctx, bricks(), extractor(8))
    made = OptimizeImage(ctx, noise(32, 40), loss, steps=60, optimizer=optimizer, noise=1.0)
    assert made.image.pixels.shape == (1, 32, 40, 3)
    assert 0 <= made.image.pixels.min() <= made.image.pixels.max() <= 1
    assert len(made.history) == 61
    assert min(made.history) < made.history[0] / factor
    assert value(loss, made.image) == pytest.approx(min(made.history), rel=1e-3)


def test_content_is_recovered_from_noise(ctx):
    content = bricks(24)
    loss = ContentLoss(ctx, content, extractor(8))
    made = OptimizeImage(ctx, content, [loss], steps=80, noise=1.0, seed=3)
    assert (made.image.pixels - content.pixels).abs().mean() < 0.02


def test_a_picture_that_is_best_already_stays(ctx):
    content = noise()
    made = OptimizeImage(ctx, content, ContentLoss(ctx, content, extractor()), steps=3)
    torch.testing.assert_close(made.image.pixels, content.pixels, atol=1e-4, rtol=0)
    assert made.history[0] < 1e-12


def test_total_variation_smooths(ctx):
    made = OptimizeImage(ctx, noise(), TotalVariationLoss(), steps=30, optimizer="adam")
    assert made.history[-1] < made.history[0] / 20


def test_equal_seeds_give_equal_pictures_and_others_do_not(ctx):
    loss = StyleLoss(ctx, bricks(24), extractor())
    first, again, other = (OptimizeImage(ctx, noise(), loss, 5, noise=0.5, seed=seed) for seed in (4, 4, 5))
    assert torch.equal(first.image.pixels, again.image.pixels)
    assert first.history == again.history
    assert not torch.equal(first.image.pixels, other.image.pixels)


def test_each_picture_of_a_batch_is_optimised_alone(ctx):
    loss, batch = StyleLoss(ctx, bricks(24), extractor()), noise(batch=2)
    both = OptimizeImage(ctx, batch, loss, 6, noise=0.3, seed=7)
    alone = [
        OptimizeImage(ctx, Image(batch.pixels[i : i + 1]), loss, 6, noise=0.3, seed=7 + i) for i in range(2)
    ]
    assert torch.equal(both.image.pixels, torch.cat([one.image.pixels for one in alone]))
    assert both.history == pytest.approx(np.mean([one.history for one in alone], 0).tolist())


def test_progress_and_previews_are_shown_and_gradients_work_where_they_are_off(ctx):
    with torch.no_grad():
        OptimizeImage(ctx, noise(), TotalVariationLoss(), steps=25)
    assert ctx.progressed == [(step, 25) for step in range(1, 26)]
    assert [type(preview) for preview in ctx.previews] == [Image, Image]


def test_global_randomness_and_gradient_mode_are_left_alone(ctx):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with torch.no_grad():
        OptimizeImage(ctx, noise(), StyleLoss(ctx, noise(), extractor()), steps=2, noise=1.0)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("method", ["progress", "check_cancelled"])
def test_a_cancelled_run_stops_between_steps(ctx, method):
    class Cancelling(TestContext):
        calls = 0

        def cancel_at_third(self, *_):
            self.calls += 1
            if self.calls == 3:
                raise Cancelled

    setattr(Cancelling, method, Cancelling.cancel_at_third)
    cancelling = Cancelling(ctx.folders)
    with pytest.raises(Cancelled):
        OptimizeImage(cancelling, noise(), TotalVariationLoss(), steps=1000)
    assert cancelling.calls == 3


def test_a_loss_without_end_is_refused_at_the_start(ctx):
    loss = TotalVariationLoss(1e12)
    for _ in range(3):
        loss = AddLosses([loss], weight=1e12)
    with pytest.raises(InputError, match=r"^losses: the loss is inf after 0 steps; smaller weights"):
        OptimizeImage(ctx, noise(), loss, steps=3)


def test_steps_without_end_are_reported_with_their_number():
    def objective(picture):
        return torch.where(picture.mean() > 0.9, torch.nan, (1 - picture).square().sum())

    with pytest.raises(DivergedError, match=r"the loss is nan after [1-9]") as raised:
        minimise(objective, torch.zeros(1, 3, 4, 4), 100, "adam")
    assert raised.value.step > 1


def test_sizes_and_layers_that_cannot_work_are_named(ctx):
    content = ContentLoss(ctx, noise(20, 24), extractor())
    with pytest.raises(InputError, match=r"^losses: the content is 24 x 20 pixels, the image 9 x 8"):
        OptimizeImage(ctx, noise(8, 9), AddLosses([content, TotalVariationLoss()]))
    for loss in (StyleLoss, ContentLoss):
        with pytest.raises(InputError, match=r"^layers: 'conv1_1' .* 3x3, 7x7"):
            loss(ctx, noise(), extractor(), layers=("conv1_1",))
    with pytest.raises(InputError, match=r"^image: the content is one picture, not 2"):
        ContentLoss(ctx, noise(batch=2), extractor())


def test_the_same_is_found_before_the_run():
    known = Spec({"layers": ("3x3", "7x7")})
    picture = Spec({"width": 24, "height": 20, "batch": 1, "channels": 4})
    facts = ContentLoss.record.infer(image=picture, extractor=known, layers=Spec(value=()))
    assert facts == {"width": 24, "height": 20}
    assert OptimizeImage.record.infer(image=picture, losses=Spec(facts)) == {
        "image": {**picture.facts, "channels": 3}
    }
    with pytest.raises(Mismatch, match="width of image is 8"):
        OptimizeImage.record.infer(image=Spec({"width": 8}), losses=Spec(facts))
    for loss in (StyleLoss, ContentLoss):
        inputs = {"extractor": known, "layers": Spec(value=("3x3", "5x5")), "image": picture}
        with pytest.raises(Mismatch, match="layer '5x5' is not in the extractor, which has 3x3, 7x7"):
            loss.record.infer(
                **{name: spec for name, spec in inputs.items() if name != "image" or loss is ContentLoss}
            )
    with pytest.raises(Mismatch, match="the batch has 3"):
        ContentLoss.record.infer(image=Spec({"batch": 3}), extractor=Spec(), layers=Spec())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.sampled_from(["lbfgs", "adam"]), st.floats(0.001, 1000))
def test_a_convex_loss_is_minimised_within_the_range_whatever_its_scale(seed, method, weight):
    target = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(seed)) * 1.5 - 0.25
    start = torch.full_like(target, 0.5)
    found = minimise(lambda picture: weight * (picture - target).square().sum(), start, 60, method)
    torch.testing.assert_close(found.picture, target.clamp(0, 1), atol=0.02, rtol=0)
    assert torch.equal(start, torch.full_like(target, 0.5))
