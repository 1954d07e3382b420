"""Generators recognised by their files, and the pictures they make."""

import struct
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import nn

from nodegraph.errors import FileProblem
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodegraph.testing import TestContext
from nodes.gan.latents import slerp, truncate
from nodes.gan.nodes import GANLoader, GenerateImages, LatentWalk
from nodes.gan.types import Generator


class TutorialGenerator(nn.Module):
    """The generator of the DCGAN tutorial of PyTorch, for any number of blocks."""

    def __init__(self, nz, ngf, nc, blocks, kernel=4, bias=False):
        super().__init__()
        widths = [ngf * 2**block for block in reversed(range(blocks - 1))]
        layers = []
        for number, (inputs, outputs) in enumerate(zip([nz, *widths], [*widths, nc], strict=True)):
            settings = (4, 2, 1) if number else (kernel, 1, 0)
            layers.append(nn.ConvTranspose2d(inputs, outputs, *settings, bias=bias))
            if number < blocks - 1:
                layers += [nn.BatchNorm2d(outputs), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z):
        return self.main(z[:, :, None, None])


class Perceptron(nn.Module):
    """A generator of linear layers with ReLU between them."""

    def __init__(self, *widths, hidden=nn.ReLU, last=nn.Sigmoid):
        super().__init__()
        layers = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), hidden()]
        self.net = nn.Sequential(*layers[:-1], last())

    def forward(self, z):
        return self.net(z)


def trained(network):
    """The network with statistics and weights unlike those it was made with."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(noise.abs() + 0.3 if name.endswith(("var", "bias")) else noise * 0.5)
    return network.eval()


@pytest.fixture
def ctx(tmp_path):
    (tmp_path / "gan").mkdir()
    return TestContext(Folders(output=tmp_path / "output", models=(tmp_path,)))


def store(ctx, network, name="g.safetensors", metadata=None, prefix=""):
    tensors = {f"{prefix}{key}": tensor for key, tensor in network.state_dict().items()}
    save_file(tensors, ctx.folders.models[0] / "gan" / name, metadata)
    return name


def latents(size, seed, count):
    return torch.stack(
        [torch.randn(size, generator=torch.Generator().manual_seed(seed + i)) for i in range(count)]
    )


DCGANS = [(10, 4, 3, 4, 4, False), (7, 2, 1, 2, 7, False), (100, 2, 3, 5, 4, True), (3, 2, 4, 3, 4, False)]


@pytest.mark.parametrize(("nz", "ngf", "nc", "blocks", "kernel", "bias"), DCGANS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_dcgan_makes_the_pictures_of_the_reference_network(ctx, nz, ngf, nc, blocks, kernel, bias, prefix):
    reference = trained(TutorialGenerator(nz, ngf, nc, blocks, kernel, bias))
    generator = GANLoader(ctx, store(ctx, reference, prefix=prefix))
    side = kernel * 2 ** (blocks - 1)
    assert (generator.latent_size, generator.width, generator.height, generator.channels) == (
        nz,
        side,
        side,
        nc,
    )
    made = GenerateImages(ctx, generator, seed=5, batch_size=3).pixels
    with torch.no_grad():
        expected = (reference(latents(nz, 5, 3)).movedim(1, -1) + 1) / 2
    torch.testing.assert_close(made, expected)
    assert made.std() > 0.05


@pytest.mark.parametrize(
    ("widths", "shape"), [((8, 16, 25), (5, 5, 1)), ((4, 108), (6, 6, 3)), ((3, 9, 9, 48), (4, 4, 3))]
)
def test_an_mlp_makes_the_pictures_of_the_reference_network(ctx, widths, shape):
    reference = trained(Perceptron(*widths))
    generator = GANLoader(ctx, store(ctx, reference))
    made = GenerateImages(ctx, generator, seed=9, batch_size=2).pixels
    height, width, channels = shape
    with torch.no_grad():
        expected = reference(latents(widths[0], 9, 2)).view(2, channels, height, width).movedim(1, -1)
    torch.testing.assert_close(made, expected)


def test_metadata_says_what_shapes_cannot(ctx):
    reference = trained(Perceptron(5, 7, 40, hidden=lambda: nn.LeakyReLU(0.2), last=nn.Tanh))
    said = {
        "width": "5",
        "height": "2",
        "channels": "4",
        "hidden_activation": "leaky_relu",
        "output_activation": "tanh",
    }
    generator = GANLoader(ctx, store(ctx, reference, metadata=said))
    made = GenerateImages(ctx, generator, seed=1).pixels
    with torch.no_grad():
        expected = (reference(latents(5, 1, 1)).view(1, 4, 2, 5).movedim(1, -1) + 1) / 2
    torch.testing.assert_close(made, expected)


def test_the_last_activation_may_be_chosen(ctx):
    name = store(ctx, trained(Perceptron(4, 16)))
    assert GANLoader(ctx, name).activation == "sigmoid"
    tanh, sigmoid = (
        GenerateImages(ctx, GANLoader(ctx, name, choice)).pixels for choice in ("tanh", "sigmoid")
    )
    torch.testing.assert_close(tanh, (torch.logit(sigmoid).tanh() + 1) / 2)


def test_a_picture_does_not_depend_on_the_batch_it_was_made_in(ctx):
    generator = GANLoader(ctx, store(ctx, trained(TutorialGenerator(6, 4, 3, 3))))
    batch = GenerateImages(ctx, generator, seed=2**64 - 3, batch_size=20).pixels
    for item in (0, 1, 4, 19):
        alone = GenerateImages(ctx, generator, seed=(2**64 - 3 + item) % 2**64).pixels
        torch.testing.assert_close(batch[item : item + 1], alone)
    assert ctx.progressed[:3] == [(0, 20), (16, 20), (20, 20)]


def test_facts_are_known_before_the_run(ctx):
    name = store(ctx, trained(TutorialGenerator(6, 4, 3, 3)))
    loaded = GANLoader.record.infer(gan_name=Spec(value=name), files=ctx.folders)
    assert loaded == {"latent_size": 6, "width": 16, "height": 16, "channels": 3}
    made = GenerateImages.record.infer(generator=Spec(loaded), batch_size=Spec(value=4))
    assert made == {"width": 16, "height": 16, "channels": 3, "batch": 4}
    assert GANLoader.record.infer(gan_name=Spec(), files=ctx.folders) == {}
    assert GANLoader.record.infer(gan_name=Spec(value="absent"), files=ctx.folders) == {}


def test_the_recipe_is_small_and_equal_for_equal_files(ctx):
    one = GANLoader(ctx, store(ctx, trained(Perceptron(4, 16)), "one.safetensors"))
    two = GANLoader(ctx, "one.safetensors")
    assert one == two
    assert hash(one) == hash(two)
    assert isinstance(one, Generator)
    assert one.build(ctx.folders, torch.float16).layers[0].weight.dtype is torch.float16


@pytest.mark.parametrize("threshold", [0.2, 1.0, 3.0])
def test_truncated_latents_follow_the_truncated_normal_distribution(threshold):
    count = 20_000
    drawn = truncate(torch.randn(count, generator=torch.Generator().manual_seed(0)), threshold).double()
    assert drawn.abs().max() <= threshold
    below = torch.special.ndtr(drawn.sort().values) - torch.special.ndtr(torch.tensor(-threshold))
    expected = below / (1 - 2 * torch.special.ndtr(torch.tensor(-threshold, dtype=torch.float64)))
    distance = (expected - torch.arange(1, count + 1) / count).abs().max().item()
    assert distance < 1.36 / count**0.5  # Kolmogorov and Smirnov's limit at 5 %


def test_a_wide_truncation_changes_nothing_and_a_narrow_one_makes_pictures_alike(ctx):
    generator = GANLoader(ctx, store(ctx, trained(TutorialGenerator(6, 4, 3, 3))))
    free, wide, narrow = (GenerateImages(ctx, generator, 0, 8, limit).pixels for limit in (0.0, 10.0, 0.05))
    torch.testing.assert_close(wide, free)
    assert narrow.std(0).mean() < 0.2 * free.std(0).mean()


def test_a_walk_leads_from_one_seed_to_the_other_along_the_arc(ctx):
    generator = GANLoader(ctx, store(ctx, trained(TutorialGenerator(6, 4, 3, 3))))
    walk = LatentWalk(ctx, generator, 3, 8, frames=5).pixels
    ends = [GenerateImages(ctx, generator, seed).pixels[0] for seed in (3, 8)]
    torch.testing.assert_close(walk[0], ends[0])
    torch.testing.assert_close(walk[-1], ends[1])
    assert LatentWalk.record.infer(generator=Spec(), frames=Spec(value=5)) == {"batch": 5}


@given(st.integers(0, 1000), st.integers(2, 40))
def test_the_arc_turns_evenly_and_keeps_the_length_of_equal_vectors(seed, size):
    pair = torch.randn(2, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    start, end = pair / pair.norm(dim=1, keepdim=True)
    points = slerp(start, end, torch.linspace(0, 1, 7))
    if (start @ end).abs() > 0.999:
        return  # opposite or equal directions leave the arc undetermined
    torch.testing.assert_close(points.norm(dim=1), torch.ones(7, dtype=torch.float64))
    steps = (points[:-1] * points[1:]).sum(1).clamp(-1, 1).arccos()
    torch.testing.assert_close(steps, steps.mean().expand(6), atol=1e-5, rtol=1e-4)


def test_the_arc_between_parallel_vectors_is_a_straight_line():
    start = torch.tensor([1.0, 2.0])
    points = slerp(start, 3 * start, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(points, torch.stack([start, 2 * start, 3 * start]))


def problem_of(ctx, tensors, metadata=None):
    (ctx.folders.models[0] / "gan" / "odd").write_bytes(save(tensors, metadata))
    with pytest.raises(FileProblem) as early:
        GANLoader.record.infer(gan_name=Spec(value="odd"), files=ctx.folders)
    with pytest.raises(FileProblem) as late:
        GANLoader(ctx, "odd")
    assert str(early.value) == str(late.value)
    return str(late.value)


def without(tensors, name):
    return {key: tensor for key, tensor in tensors.items() if key != name}


def test_a_problem_names_what_is_missing_misshapen_or_surplus(ctx):
    tensors = TutorialGenerator(6, 4, 3, 3).state_dict()
    assert "'main.1.running_mean' [8] is missing" in problem_of(ctx, without(tensors, "main.1.running_mean"))
    wrong = {**tensors, "main.4.bias": torch.zeros(5)}
    assert "'main.4.bias' is [5] where [4] is wanted" in problem_of(ctx, wrong)
    assert "'main.9.weight' has no place" in problem_of(ctx, {**tensors, "main.9.weight": torch.zeros(3)})
    assert "found 'main.', 'other.'" in problem_of(ctx, {**tensors, "other.0.weight": torch.zeros(3)})
    assert "'betas' is not one of a numbered layer" in problem_of(ctx, {**tensors, "betas": torch.zeros(3)})
    kernel = {**tensors, "main.3.weight": torch.zeros(8, 4, 5, 5)}
    assert "'main.3.weight' is [8, 4, 5, 5] where [8, 4, 4, 4] is wanted" in problem_of(ctx, kernel)
    broken = {**tensors, "main.3.weight": torch.zeros(9, 4, 4, 4)}
    assert "'main.3.weight' is [9, 4, 4, 4] where [8, 4, 4, 4] is wanted" in problem_of(ctx, broken)


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        ({}, None, "found none"),
        ({"net.0.weight": torch.zeros(7, 3)}, None, "7 outputs are no square picture"),
        ({"net.0.weight": torch.zeros(4, 3)}, {"width": "2"}, "channels = ''; a positive whole number"),
        (
            {"net.0.weight": torch.zeros(4, 3)},
            {"width": "2", "height": "3", "channels": "1"},
            "has 4 outputs",
        ),
        ({"net.0.weight": torch.zeros(8, 3)}, {"width": "2", "height": "2", "channels": "2"}, "2 channels"),
        (
            {"net.0.weight": torch.zeros(4, 3)},
            {"hidden_activation": "swish"},
            "relu, leaky_relu, tanh, sigmoid",
        ),
        ({"net.0.weight": torch.zeros(4, 3)}, {"output_activation": "none"}, "tanh or sigmoid would do"),
        ({"net.0.weight": torch.zeros(4, 3, dtype=torch.int32)}, None, "I32 [4, 3] holds no weights"),
        ({"net.0.weight": torch.zeros(0, 3)}, None, "F32 [0, 3] holds no weights"),
        (
            {"net.0.weight": torch.zeros(4, 3), "net.1.weight": torch.zeros(4, 4)},
            None,
            "no place for an activation",
        ),
    ],
)
def test_a_file_that_is_no_generator_is_refused_with_a_reason(ctx, tensors, metadata, said):
    assert said in problem_of(ctx, tensors, metadata)


def test_a_file_that_asks_for_a_huge_picture_is_refused(ctx):
    layers = {"main.0.weight": torch.zeros(1, 1, 4, 4)}
    for block in range(1, 12):
        layers |= {f"main.{3 * block}.weight": torch.zeros(1, 1, 4, 4)}
        for part in ("weight", "bias", "running_mean", "running_var"):
            layers[f"main.{3 * block - 2}.{part}"] = torch.zeros(1)
    assert "8192 x 8192 pixels" in problem_of(ctx, layers)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, b"not safetensors at all", struct.pack("<Q", 2**63) + b"{}"]
)
def test_a_file_that_is_no_safetensors_file_is_refused(ctx, content):
    (ctx.folders.models[0] / "gan" / "odd").write_bytes(content)
    with pytest.raises(
        FileProblem, match="'odd' is not a generator that can be loaded: not a readable safetensors"
    ):
        GANLoader(ctx, "odd")


def test_a_folder_is_refused(ctx):
    folder = ctx.folders.models[0] / "gan" / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(FileProblem, match="'model' is not a generator"):
        GANLoader(ctx, "model")


NAMES = st.from_regex(
    r"(main\.)?[0-6]\.(weight|bias|running_mean|running_var|num_batches_tracked)", fullmatch=True
)
SHAPES = st.lists(st.integers(0, 5), max_size=5)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(NAMES | st.text(max_size=8), SHAPES, max_size=6),
    st.dictionaries(
        st.sampled_from(["width", "height", "channels", "output_activation"]), st.text(max_size=3)
    ),
    st.booleans(),
)
def test_misshapen_headers_are_refused_or_load_and_run(ctx, shapes, metadata, real):
    tensors = {name: torch.zeros(shape) for name, shape in shapes.items() if name != "__metadata__"}
    if real:
        tensors = {**TutorialGenerator(3, 1, 1, 2).state_dict(), **tensors}
    (ctx.folders.models[0] / "gan" / "odd").write_bytes(save(tensors, metadata))
    try:
        generator = GANLoader(ctx, "odd")
    except FileProblem:
        return
    made = GenerateImages(ctx, generator).pixels
    assert made.shape == (1, generator.height, generator.width, generator.channels)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_headers_are_refused_or_load_and_run(ctx, data):
    whole = bytearray(save(TutorialGenerator(3, 1, 1, 2).state_dict()))
    header = 8 + int.from_bytes(whole[:8], "little")
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, header - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    (ctx.folders.models[0] / "gan" / "odd").write_bytes(whole[:cut])
    try:
        generator = GANLoader(ctx, "odd")
    except FileProblem:
        return
    assert GenerateImages(ctx, generator).pixels.shape == (1, 8, 8, 1)
