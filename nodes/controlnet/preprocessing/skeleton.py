"""Skeletons as OpenPose draws them (Cao et al. 2019), which ControlNets for poses were trained with."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw

BONES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Pairs of COCO's 18 points: nose, neck, right arm, left arm, right leg, left leg, both eyes, both ears."""
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""Of the points; a bone has the colour of its number among the bones, darkened."""
BONE_SHARE = 0.6
"""Brightness of bones beside that of points."""
BODY_POINTS = 18
HAND_POINTS = 21
FINGERS = tuple((0 if first % 4 == 1 else first - 1, first) for first in range(1, HAND_POINTS))
"""Pairs of a hand's points: four a finger, each finger from the wrist."""
HAND_POINT, FACE_POINT = (0, 0, 255), (255, 255, 255)
CANVAS = 512
"""Side of the picture for which the widths of lines are given, as OpenPose's demonstrations draw them."""
RADIUS, FACE_RADIUS, THIN = 4, 3, 2

Colour = tuple[int, int, int]


class Point(NamedTuple):
    """One found point.

    Attributes:
        x: in pixels from the left.
        y: in pixels from the top.
        confidence: 0 where it was not found.
    """

    x: float
    y: float
    confidence: float


Points = Sequence[Point]


class Person(NamedTuple):
    """One person.

    Attributes:
        body: COCO's 18 points.
        hands: 21 points each.
        face: any number of points.
    """

    body: Points
    hands: tuple[Points, ...] = ()
    face: Points = ()


def draw_people(people: Sequence[Person], width: int, height: int, least: float = 0.0) -> torch.Tensor:
    """Skeletons on black.

    Args:
        people: with points in pixels of the picture to draw.
        width: of the picture, in pixels.
        height: likewise.
        least: confidence that a point has to exceed.

    Returns:
        ``[1, height, width, 3]`` in 0..1.
    """
    canvas = Image.new("RGB", (width, height))
    brush = _Brush(ImageDraw.Draw(canvas), max(1.0, min(width, height) / CANVAS), least)
    for person in people:
        brush.body(person.body)
        for hand in person.hands:
            brush.hand(hand)
        brush.dots(person.face, FACE_POINT, FACE_RADIUS)
    return torch.from_numpy(np.array(canvas)).float()[None] / 255


class _Brush:
    """Draws on one canvas.

    Args:
        canvas: what is drawn on.
        scale: of widths, 1 for a picture of 512 pixels.
        least: confidence that a point has to exceed.
    """

    def __init__(self, canvas: ImageDraw.ImageDraw, scale: float, least: float) -> None:
        self._canvas = canvas
        self._scale = scale
        self._least = least

    def body(self, points: Points) -> None:
        """Bones as ellipses from point to point, and the points on top of them."""
        for (start, end), colour in zip(BONES, COLOURS, strict=False):
            if self._found(points, start) and self._found(points, end):
                dark = tuple(round(BONE_SHARE * part) for part in colour)
                corners = list(_ellipse(points[start], points[end], RADIUS * self._scale))
                self._canvas.polygon(corners, fill=dark)
        for index, colour in enumerate(COLOURS[: len(points)]):
            self.dots(points[index : index + 1], colour, RADIUS)

    def hand(self, points: Points) -> None:
        """Fingers in the colours of the rainbow."""
        for index, (start, end) in enumerate(FINGERS):
            if self._found(points, start) and self._found(points, end):
                ends = [points[start][:2], points[end][:2]]
                self._canvas.line(ends, fill=_rainbow(index / len(FINGERS)), width=round(THIN * self._scale))
        self.dots(points, HAND_POINT, RADIUS)

    def dots(self, points: Points, colour: Colour, radius: float) -> None:
        """Points as discs."""
        reach = radius * self._scale
        for index, (x, y, _) in enumerate(points):
            if self._found(points, index):
                self._canvas.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)

    def _found(self, points: Points, index: int) -> bool:
        return index < len(points) and points[index].confidence > self._least


def _rainbow(share: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(share, 1.0, 1.0))
    return red, green, blue


def _ellipse(start: Point, end: Point, half: float) -> Iterator[tuple[float, float]]:
    """Corners of an ellipse with its ends in two points, ``half`` wide to either side."""
    centre = ((start.x + end.x) / 2, (start.y + end.y) / 2)
    along = math.hypot(end.x - start.x, end.y - start.y) / 2
    turn = math.atan2(end.y - start.y, end.x - start.x)
    for step in range(36):
        x, y = along * math.cos(math.radians(10 * step)), half * math.sin(math.radians(10 * step))
        yield (
            centre[0] + x * math.cos(turn) - y * math.sin(turn),
            centre[1] + x * math.sin(turn) + y * math.cos(turn),
        )
