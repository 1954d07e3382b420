"""Looking at pictures, masks and latents between the nodes of a job."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image
from security_support import WholeServer, serving_all, settings_in

from nodegraph.client import Client, ServerError
from nodegraph.worker.tensors import MOST_CHARACTERS, channel_grid, find_colours, find_tensor, tensor_message
from nodes.sampling.latent_spaces import EMOJI
from nodes.types import Image as Pictures
from nodes.types import Latent, Mask

NODES: dict[str, Any] = {
    "latent": {"type": "EmptyLatentImage", "inputs": {"width": 48, "height": 32, "batch_size": 2}},
    "grey": {"type": "EmptyImage", "inputs": {"width": 12, "height": 8, "color": 0x404040}},
    "mask": {"type": "ImageToMask", "links": {"image": ["grey", "image"]}},
    "masked": {
        "type": "SetLatentNoiseMask",
        "links": {"samples": ["latent", "latent"], "mask": ["mask", "mask"]},
    },
    "image": {"type": "MaskToImage", "links": {"mask": ["mask", "mask"]}},
    "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}},
}


class Looking(NamedTuple):
    """A server with a job of a user, and another user."""

    server: WholeServer
    job: str
    ann: dict[str, str]
    bob: dict[str, str]

    def at(self, node: str, output: str, user: dict[str, str] | None = None) -> Any:
        path = f"/api/v1/jobs/{self.job}/tensor?node={node}&output={output}"
        return self.server.ask("GET", path, user or self.ann)


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    with serving_all(settings_in(tmp_path_factory.mktemp("tensors"))) as server:
        ann, bob = server.user("ann", "run"), server.user("bob", "run")
        workflow = {"format": "nodegraph", "version": 1, "nodes": NODES}
        job = server.ask(
            "POST", "/api/v1/jobs", ann, {"workflow": workflow, "targets": ["masked", "show"]}
        ).json
        while job["state"] not in ("done", "failed"):
            job = server.ask("GET", f"/api/v1/jobs/{job['id']}?wait=20", ann).json
        assert job["state"] == "done", job
        yield Looking(server, job["id"], ann, bob)


def picture(address: str) -> Image.Image:
    head, data = address.split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_latents_between_nodes_are_looked_at(looking: Looking) -> None:
    told = looking.at("masked", "latent").json
    assert (told["kind"], told["shape"], told["dtype"]) == ("latent", [2, 4, 4, 6], "float32")
    assert (told["min"], told["mean"], told["max"], told["std"]) == (0, 0, 0, 0)
    assert [picture(address).size for address in told["pictures"]] == [(13, 9), (13, 9)]


def test_masks_and_pictures_are_looked_at(looking: Looking) -> None:
    told = looking.at("mask", "mask").json
    assert (told["kind"], told["shape"]) == ("mask", [1, 8, 12])
    assert told["max"] == pytest.approx(64 / 255)
    assert picture(told["pictures"][0]).getpixel((0, 0)) == 64
    assert looking.at("image", "image").json["kind"] == "image"


def test_the_client_looks_at_them(looking: Looking) -> None:
    token = looking.ann["Authorization"].removeprefix("Bearer ")
    with Client(f"http://127.0.0.1:{looking.server.port}", token) as client:
        told = client.tensor(looking.job, "masked", "latent")
        assert (told.kind, told.shape, told.not_finite) == ("latent", [2, 4, 4, 6], 0)
        assert [picture(address).size for address in told.pictures] == [(13, 9), (13, 9)]
        with pytest.raises(ServerError, match=r"mask\.other is kept no more") as refused:
            client.tensor(looking.job, "mask", "other")
    assert (refused.value.status, refused.value.code) == (404, "not_found")


@pytest.mark.parametrize(("node", "output"), [("mask", "other"), ("show", "files")])
def test_what_cannot_be_looked_at_is_not_found(looking: Looking, node: str, output: str) -> None:
    answer = looking.at(node, output)
    assert answer.status == 404 and f"{node}.{output}" in answer.json["detail"]


def test_a_node_that_the_job_has_not_is_told(looking: Looking) -> None:
    answer = looking.at("nobody", "mask")
    assert answer.status == 422 and "nobody" in answer.body.decode()


def test_a_job_of_someone_else_is_not_looked_into(looking: Looking) -> None:
    assert looking.at("mask", "mask").status == 200
    assert looking.at("mask", "mask", looking.bob).status == 404


def test_latents_are_told_in_the_colours_of_their_space() -> None:
    """The first picture of the bundled model's latents is red where they say so; masks have no colours."""
    facts = {"family": "sd", "text_width": 192}
    red = torch.linalg.pinv(torch.tensor(EMOJI[0]).T) @ (
        torch.tensor([1.0, -1.0, -1.0]) - torch.tensor(EMOJI[1])
    )
    latent = Latent(red.reshape(1, 4, 1, 1).expand(2, 4, 6, 8).clone())
    looked = find_tensor(latent)
    assert looked is not None
    told = tensor_message(looked, find_colours(latent, facts))["colours"]
    assert [picture(address).size for address in told] == [(8, 6), (8, 6)]
    assert picture(told[0]).getpixel((3, 3)) == (255, 0, 0)
    assert find_colours(Mask(torch.zeros(1, 2, 2)), facts) is None


@pytest.mark.parametrize(
    ("facts", "channels", "false"),
    [
        ({"family": "sd", "text_width": 768}, 4, False),
        ({"family": "sd"}, 4, True),
        ({"family": "sdxl"}, 16, True),
    ],
)
def test_colours_that_tell_shapes_alone_are_told(facts: dict[str, Any], channels: int, false: bool) -> None:
    latent = Latent(torch.randn(1, channels, 4, 4))
    looked = find_tensor(latent)
    assert looked is not None
    assert tensor_message(looked, find_colours(latent, facts))["false_colours"] is false


def test_channels_lie_beside_each_other() -> None:
    latents = torch.arange(3.0)[None, :, None, None].expand(1, 3, 2, 2)
    (grid,) = channel_grid(latents)
    assert grid.shape == (5, 5)
    assert (grid[0, 0], grid[0, 3], grid[3, 0], grid[3, 3]) == (0, 1, 2, 0)


def test_numbers_that_are_none_are_counted_and_not_measured() -> None:
    samples = torch.tensor([1.0, 3.0, float("nan"), float("inf")]).reshape(1, 1, 2, 2)
    looked = find_tensor(Latent(samples))
    assert looked is not None
    told = tensor_message(looked)
    assert (told["not_finite"], told["min"], told["max"], told["std"]) == (2, 1.0, 3.0, 1.0)
    nothing = find_tensor(Mask(torch.full((1, 2, 2), float("nan"))))
    assert nothing is not None and tensor_message(nothing)["mean"] is None


@pytest.mark.parametrize("type", [torch.float32, torch.float64])
def test_very_large_numbers_are_measured_all_the_same(type: torch.dtype) -> None:
    """Their sum, and the sum of their squares, is more than 32 bits can hold."""
    largest = torch.finfo(type).max / 2
    samples = torch.tensor([largest, largest, largest, 0.0], dtype=type).reshape(1, 1, 2, 2)
    looked = find_tensor(Latent(samples / (1 if type == torch.float32 else 1e200)))
    assert looked is not None
    told = tensor_message(looked)
    assert (told["not_finite"], told["mean"] / told["max"]) == (0, pytest.approx(0.75))
    assert told["std"] / told["max"] == pytest.approx(0.4330127)
    seen = picture(told["pictures"][0])
    assert seen.getpixel((0, 0)) == pytest.approx(152, abs=1) and seen.getpixel((1, 1)) == pytest.approx(
        54, abs=1
    )


class Coloured:
    """What a pack may give: samples that are no real numbers, or colours that fail."""

    def __init__(self, samples: torch.Tensor) -> None:
        self.samples = samples

    def colours(self, facts: dict[str, Any]) -> torch.Tensor:
        raise RuntimeError("no paint")


@pytest.mark.parametrize("odd", [torch.ones(1, 4, 2, 2).cfloat(), torch.ones(1, 4, 2, 2).to_sparse()])
def test_tensors_that_are_no_plain_numbers_are_nothing_to_look_at(odd: torch.Tensor) -> None:
    assert find_tensor(Coloured(odd)) is None


def test_colours_that_fail_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert find_colours(Coloured(torch.ones(1, 4, 2, 2)), {}) is None
    assert "Coloured" in caplog.text and "no paint" in caplog.text


def test_many_large_pictures_are_told_as_far_as_there_is_room() -> None:
    looked = find_tensor(Pictures(torch.rand(12, 256, 256, 3)))
    assert looked is not None
    pictures = tensor_message(looked)["pictures"]
    assert 1 <= len(pictures) < 12 and sum(map(len, pictures)) <= MOST_CHARACTERS
    assert picture(pictures[0]).size == (256, 256)
