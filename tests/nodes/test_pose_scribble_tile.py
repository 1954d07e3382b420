"""Scribbles, tiles and poses, from pictures and keypoints whose answer is known."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodes.controlnet.preprocessing.nodes import PoseFromKeypoints, Scribble, Tile
from nodes.controlnet.preprocessing.scribble import widened
from nodes.controlnet.preprocessing.skeleton import BONE_SHARE, BONES, COLOURS
from nodes.types import Image

SIDE = 64


def disc(radius=20.0):
    row, column = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    distance = torch.hypot(row - 31.5, column - 31.5)
    return Image((distance < radius).float()[None, ..., None].expand(-1, -1, -1, 3).contiguous()), distance


@pytest.mark.parametrize("thickness", [3, 5, 9])
def test_a_disc_is_scribbled_as_a_ring_of_the_thickness(thickness):
    image, distance = disc()
    drawn = Scribble(image, thickness=thickness).pixels[0, ..., 0]
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    row = drawn[32]  # through the middle: two strokes
    assert abs(float(row.sum()) / 2 - thickness) <= 2
    assert ((distance[drawn > 0] - 20).abs() <= thickness / 2 + 2).all()


@pytest.mark.parametrize("thickness", [1, 2, 3, 4, 7, 16, 64])
def test_lines_are_widened_by_a_disc(thickness):
    lines = (torch.rand(2, 1, 40, 52, generator=torch.Generator().manual_seed(1)) > 0.99).float()
    there = torch.stack(torch.meshgrid(torch.arange(40), torch.arange(52), indexing="ij"), -1).double()
    near = [torch.cdist(there.view(-1, 2), torch.nonzero(one[0]).double()).amin(1) for one in lines]
    expected = (torch.stack(near).view(2, 1, 40, 52) <= thickness / 2).float()
    assert torch.equal(widened(lines, thickness), expected)


def test_nothing_is_scribbled_of_nothing_and_thresholds_must_be_in_order():
    flat = Image(torch.full((1, SIDE, SIDE, 3), 0.5))
    assert not Scribble(flat).pixels.any()
    with pytest.raises(InputError, match="low_threshold"):
        Scribble(flat, 0.9, 0.2)


def test_a_tile_keeps_what_is_large_and_loses_what_is_small():
    image, _ = disc()
    board = (torch.arange(SIDE)[:, None] + torch.arange(SIDE)[None, :]) % 2
    noisy = Image((0.7 * image.pixels + 0.3 * board[None, ..., None]).contiguous())
    plain, taken = (Tile(one, 2).pixels for one in (Image(0.7 * image.pixels + 0.15), noisy))
    assert taken.shape == noisy.pixels.shape
    assert float((taken - plain).abs().max()) < 0.02
    assert float(taken[0, 32, 32, 0]) > 0.8
    assert float(taken[0, 0, 0, 0]) < 0.2


def test_an_odd_size_stays_as_it_is():
    image = Image(torch.rand(2, 33, 47, 4))
    assert Tile(image, 3).pixels.shape == (2, 33, 47, 3)


# --- poses ------------------------------------------------------------------------------------------------


def body(*found, count=18):
    """Points of a body in a row from (10, 100) on, 20 pixels apart, of which only some were found."""
    return [part for i in range(count) for part in (10 + 20 * i, 100, 1.0 if i in found else 0.0)]


def document(*people, **canvas):
    return json.dumps({"people": list(people), **canvas})


def drawn(text, width=512, height=512, **settings):
    return (PoseFromKeypoints(text, width, height, **settings).pixels[0] * 255).round().int()


def colour(picture, x, y):
    return tuple(picture[y, x].tolist())


@pytest.mark.parametrize("bone", range(len(BONES)))
def test_every_bone_has_its_colour_and_so_have_its_ends(bone):
    start, end = BONES[bone]
    picture = drawn(document({"pose_keypoints_2d": body(start, end)}))
    assert colour(picture, 10 + 20 * start, 100) == COLOURS[start]
    assert colour(picture, 10 + 20 * end, 100) == COLOURS[end]
    middle = (10 + 20 * start + 10 + 20 * end) // 2
    assert colour(picture, middle, 100) == tuple(round(BONE_SHARE * part) for part in COLOURS[bone])
    assert colour(picture, 10, 200) == (0, 0, 0)


def test_points_that_were_not_found_are_not_drawn():
    assert not drawn(document({"pose_keypoints_2d": body()})).any()
    alone = drawn(document({"pose_keypoints_2d": body(0)}))
    assert colour(alone, 10, 100) == COLOURS[0]
    assert int((alone.sum(dim=-1) > 0).sum()) < 100
    doubtful = body(0, 1)
    doubtful[2] = 0.3
    picture = drawn(document({"pose_keypoints_2d": doubtful}), confidence=0.5)
    assert colour(picture, 10, 100) == (0, 0, 0)
    assert colour(picture, 30, 100) == COLOURS[1]


def test_of_25_points_the_18_of_coco_are_drawn():
    picture = drawn(document({"pose_keypoints_2d": body(8, 9, 15, count=25)}))
    assert colour(picture, 10 + 20 * 8, 100) == (0, 0, 0)  # between the hips
    assert colour(picture, 10 + 20 * 9, 100) == COLOURS[8]
    assert colour(picture, 10 + 20 * 15, 100) == COLOURS[14]


def test_hands_and_face_are_drawn_where_they_are_given_and_wished():
    hand = [part for i in range(21) for part in (10 + 20 * i, 300, 1.0)]
    person = {
        "pose_keypoints_2d": body(0),
        "hand_left_keypoints_2d": hand,
        "hand_right_keypoints_2d": None,
        "face_keypoints_2d": [50, 400, 1.0],
    }
    picture = drawn(document(person))
    assert colour(picture, 10 + 20 * 4, 300) == (0, 0, 255)
    assert colour(picture, 10 + 20 * 4 - 10, 300) != (0, 0, 0)
    assert colour(picture, 50, 400) == (255, 255, 255)
    bare = drawn(document(person), hands=False, face=False)
    assert not bare[290:].any()
    assert bare.any()


@pytest.mark.parametrize("shares", [False, True])
def test_people_are_stretched_from_their_canvas(shares):
    points = body(0)
    if shares:
        points = [part / 1024 if index % 3 < 2 else part for index, part in enumerate(points)]
    canvas = {"canvas_width": 1024, "canvas_height": 1024}
    picture = drawn(document({"pose_keypoints_2d": points}, **canvas))
    assert colour(picture, 5, 50) == COLOURS[0]


def test_a_list_of_frames_gives_the_first():
    frame = {"people": [{"pose_keypoints_2d": body(0)}]}
    assert torch.equal(drawn(json.dumps([frame, {"people": []}])), drawn(json.dumps(frame)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[]", "no keypoints of OpenPose"),
        ('{"people": 3}', "no keypoints of OpenPose"),
        ('{"people": [3]}', "person 0 is no JSON object"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "pose_keypoints_2d of person 0 is no list of x, y"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, "a"]}]}', "something that is no finite number"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, NaN]}]}', "something that is no finite number"),
        (
            '{"people": [{"pose_keypoints_2d": [1%s, 2, 3]}]}' % ("0" * 400),
            "something that is no finite number",
        ),
        ('{"people": [], "canvas_width": "%s"}' % ("x" * 999), r"canvas_width is 'x+\.\.\.x+'; a number"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "a body of 1 points; 18"),
        (
            '{"people": [{"hand_left_keypoints_2d": [1, 2, 3]}]}',
            "hand_left_keypoints_2d of person 0 has 1 points; 21 are drawn",
        ),
        ('{"people": [], "canvas_width": "wide"}', "canvas_width is 'wide'"),
    ],
)
def test_what_is_no_document_of_keypoints_is_told(text, message):
    with pytest.raises(InputError, match=f"keypoints: .*{message}"):
        PoseFromKeypoints(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["people", "pose_keypoints_2d", "canvas_width"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_document_makes_anything_but_a_picture_or_an_error_that_names_the_input(value):
    try:
        assert PoseFromKeypoints(json.dumps(value), 32, 32).pixels.shape == (1, 32, 32, 3)
    except InputError as error:
        assert "keypoints" in str(error)
