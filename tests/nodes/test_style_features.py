"""Networks whose layers describe pictures: VGG from files, and random filters."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import nn
from torch.nn import functional

from nodegraph.errors import FileProblem, InputError
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec
from nodegraph.testing import TestContext
from nodes.style.features.nodes import FeatureExtractorLoader, RandomFeatures

VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
VGG19 = (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M")
INDICES = {
    VGG16: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    VGG19: (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}


class ReferenceVGG(nn.Module):
    """The features of torchvision's VGG networks, a sixteenth as wide, with a classifier behind them."""

    def __init__(self, plan, normalised=False, pool=nn.MaxPool2d):
        super().__init__()
        layers, inputs = [], 3
        for step in plan:
            if step == "M":
                layers.append(pool(2, 2))
                continue
            layers.append(nn.Conv2d(inputs, step // 16, 3, padding=1))
            layers += [nn.BatchNorm2d(step // 16)] if normalised else []
            layers.append(nn.ReLU())
            inputs = step // 16
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(7, 3))


@pytest.fixture
def ctx(tmp_path):
    (tmp_path / "feature_extractors").mkdir()
    return TestContext(Folders(output=tmp_path / "output", models=(tmp_path,)))


def reference(plan, normalised=False, pool=nn.MaxPool2d):
    torch.manual_seed(0)
    network = ReferenceVGG(plan, normalised, pool).eval()
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(
                torch.randn(tensor.shape).abs() * 0.5 if tensor.ndim == 1 else torch.randn(tensor.shape) * 0.3
            )
    return network


def store(ctx, network):
    save_file(network.state_dict(), ctx.folders.models[0] / "feature_extractors" / "vgg.safetensors")
    return "vgg.safetensors"


def expected_features(network, pictures, normalised):
    """Responses after each activation, named by counting convolutions and poolings."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    values, found, block, number = (pictures - mean[:, None, None]) / std[:, None, None], {}, 1, 0
    for layer in network.features:
        values = layer(values)
        if isinstance(layer, nn.ReLU):
            number += 1
            found[f"conv{block}_{number}"] = values
        elif isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
            block, number = block + 1, 0
    return found


@pytest.mark.parametrize("plan", [VGG16, VGG19], ids=["vgg16", "vgg19"])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize(("pooling", "pool"), [("max", nn.MaxPool2d), ("average", nn.AvgPool2d)])
def test_vgg_gives_the_responses_of_the_reference_network(ctx, plan, normalised, pooling, pool):
    network = reference(plan, normalised, pool)
    if not normalised:
        assert (
            tuple(i for i, layer in enumerate(network.features) if isinstance(layer, nn.Conv2d))
            == INDICES[plan]
        )
    extractor = FeatureExtractorLoader(ctx, store(ctx, network), pooling)
    pictures = torch.rand(2, 3, 32, 48)
    with torch.no_grad(), ctx.lease(extractor) as built:
        expected = expected_features(network, pictures, normalised)
        assert extractor.layers == tuple(expected)
        found = built(pictures, extractor.layers)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values)
    assert max(values.std() for values in expected.values()) > 0.01


def test_vgg_chooses_the_layers_of_the_paper(ctx):
    extractor = FeatureExtractorLoader(ctx, store(ctx, reference(VGG19)))
    assert extractor.style_layers == ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
    assert extractor.content_layers == ("conv4_2",)
    assert extractor.smallest == 16
    with torch.no_grad(), ctx.lease(extractor) as built:
        assert built(torch.rand(1, 3, 16, 16), extractor.layers)["conv5_4"].shape == (1, 32, 1, 1)


def test_layers_above_the_last_wanted_one_are_not_computed(ctx):
    extractor = FeatureExtractorLoader(ctx, store(ctx, reference(VGG16)))
    with torch.no_grad(), ctx.lease(extractor) as built:
        built.layers[10].register_forward_hook(lambda *_: pytest.fail("conv3_1 was computed"))
        assert built(torch.rand(1, 3, 16, 16), ["conv2_2"]).keys() == {"conv2_2"}


def test_features_keep_single_precision_for_the_sake_of_slopes(ctx):
    vgg = FeatureExtractorLoader(ctx, store(ctx, reference(VGG16)))
    for extractor in (vgg, RandomFeatures(0, 2, (3,))):
        weights = next(iter(extractor.build(ctx.folders, torch.float16).parameters()))
        assert (weights.dtype, weights.requires_grad) == (torch.float32, False)


def test_layers_are_known_before_the_run(ctx):
    name = store(ctx, reference(VGG16))
    facts = FeatureExtractorLoader.record.infer(extractor_name=Spec(value=name), files=ctx.folders)
    assert facts["layers"] == FeatureExtractorLoader(ctx, name).layers
    infer = FeatureExtractorLoader.record.infer
    assert infer(extractor_name=Spec(), files=ctx.folders) == {}
    assert infer(extractor_name=Spec(value="absent"), files=ctx.folders) == {}
    assert RandomFeatures.record.infer(filter_sizes=Spec(value=(3, 7))) == {"layers": ("3x3", "7x7")}
    assert RandomFeatures.record.infer(filter_sizes=Spec()) == {}


def test_random_filters_are_rectified_uniform_and_centred():
    extractor = RandomFeatures(7, 200, (3, 9, 17, 31))
    network = extractor.build(None, torch.float32)
    pictures = torch.rand(2, 3, 20, 27)
    found = network(pictures, extractor.layers)
    for size in (3, 9, 17, 31):
        weights = network.weights[f"{size}x{size}"]
        limit = math.sqrt(3 / (3 * size * size))
        assert weights.abs().max() <= limit
        assert weights.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.03)
        padded = functional.pad((pictures - 0.5) / 0.25, [size // 2] * 4)
        patches = functional.unfold(padded, size)
        expected = (weights.flatten(1) @ patches).relu().view(2, 200, 20, 27)
        torch.testing.assert_close(found[f"{size}x{size}"], expected, atol=1e-5, rtol=1e-4)


def test_random_filters_are_those_of_their_seed():
    first, again, other = (RandomFeatures(seed, 4, (5,)).build(None, torch.float32) for seed in (1, 1, 2))
    assert torch.equal(first.weights["5x5"], again.weights["5x5"])
    assert not torch.equal(first.weights["5x5"], other.weights["5x5"])


@pytest.mark.parametrize(("sizes", "said"), [((3, 4), "4 is even"), ((3, 5, 3), "3 is named twice")])
def test_filters_without_a_middle_or_named_twice_are_refused(sizes, said):
    with pytest.raises(InputError, match=said):
        RandomFeatures(0, 4, sizes)
    with pytest.raises(Mismatch, match=said):
        RandomFeatures.record.infer(filter_sizes=Spec(value=sizes))


@pytest.mark.parametrize("sizes", [[], [0], [103], ["3"], "3"])
def test_what_is_no_filter_size_is_refused_by_the_declaration(sizes):
    with pytest.raises(ValueError, match="validation error"):
        RandomFeatures.record.validator.validate_python({"filter_sizes": sizes})
    assert RandomFeatures.record.validator.validate_python({"filter_sizes": [3, 5]}) == {
        "filter_sizes": (3, 5)
    }


def problem_of(ctx, tensors):
    (ctx.folders.models[0] / "feature_extractors" / "odd").write_bytes(save(tensors))
    with pytest.raises(FileProblem) as early:
        FeatureExtractorLoader.record.infer(extractor_name=Spec(value="odd"), files=ctx.folders)
    with pytest.raises(FileProblem) as late:
        FeatureExtractorLoader(ctx, "odd")
    assert str(early.value) == str(late.value)
    return str(late.value)


def test_a_problem_names_what_is_missing_or_misshapen(ctx):
    tensors = reference(VGG16).state_dict()
    assert "no tensor 'features.0.weight'" in problem_of(ctx, {"classifier.0.weight": torch.zeros(3)})
    missing = {name: tensor for name, tensor in tensors.items() if name != "features.7.bias"}
    assert "'features.7.bias' [8] is missing" in problem_of(ctx, missing)
    narrow = {**tensors, "features.7.weight": torch.zeros(8, 7, 3, 3)}
    assert "'features.7.weight' is [8, 7, 3, 3] where [8, 8, 3, 3] is wanted" in problem_of(ctx, narrow)
    even = {**tensors, "features.7.weight": torch.zeros(8, 8, 4, 4)}
    assert "the kernel of 'features.7.weight' is 4 wide" in problem_of(ctx, even)
    grey = {**tensors, "features.0.weight": torch.zeros(4, 1, 3, 3)}
    assert "no convolution of three channels" in problem_of(ctx, grey)
    gap = {name: tensor for name, tensor in tensors.items() if not name.startswith("features.7.")}
    assert "4 layers stand between 'features.5.weight' and 'features.10.weight'" in problem_of(ctx, gap)


def test_a_file_that_is_no_safetensors_file_is_refused(ctx):
    (ctx.folders.models[0] / "feature_extractors" / "odd").write_bytes(b"\x08garbage")
    with pytest.raises(
        FileProblem, match="'odd' is not a VGG network that can be loaded: not a readable safetensors"
    ):
        FeatureExtractorLoader(ctx, "odd")


NAMES = st.from_regex(r"features\.[0-7]\.(weight|bias|running_mean|running_var)", fullmatch=True)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.lists(st.integers(0, 4), max_size=4), max_size=4), st.integers(0, 3))
def test_misshapen_headers_are_refused_or_load_and_run(ctx, shapes, kept):
    tensors = dict(
        list(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3)).state_dict().items())
    )
    tensors = {f"features.{name}": tensor for name, tensor in list(tensors.items())[: kept + 1]}
    tensors |= {name: torch.zeros(shape) for name, shape in shapes.items()}
    (ctx.folders.models[0] / "feature_extractors" / "odd").write_bytes(save(tensors))
    try:
        extractor = FeatureExtractorLoader(ctx, "odd")
    except FileProblem:
        return
    network = extractor.build(ctx.folders, torch.float32)
    assert network(torch.rand(1, 3, 16, 16), extractor.layers).keys() == set(extractor.layers)
