"""People in the JSON that OpenPose writes, and that pose editors and preprocessors write after it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from nodes.controlnet.preprocessing.skeleton import BODY_POINTS, HAND_POINTS, Person, Point, Points

BODY_25 = (*range(8), *range(9, 19))
"""Which of BODY_25's points are COCO's 18: it has one more, between the hips, and feet."""
BODY = "pose_keypoints_2d"
HANDS = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")
FACE = "face_keypoints_2d"
MAX_NUMBERS = 300_000
"""In one document; a person with hands and face has some 400."""
LARGEST = 1e6
"""Of numbers, either way."""


class Keypoints(NamedTuple):
    """The people of one picture.

    Attributes:
        people: with points in pixels of that picture.
        width: of that picture; ``None`` where the document does not say.
        height: likewise.
    """

    people: tuple[Person, ...]
    width: float | None = None
    height: float | None = None


def read_keypoints(text: str) -> Keypoints:
    """The people in a document; of a list of frames, those of the first.

    Raises:
        ValueError: it is no such document; the message says what is wrong.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error})") from error
    frame = document[0] if isinstance(document, list) and document else document
    if not isinstance(frame, Mapping) or not isinstance(frame.get("people"), list):
        raise ValueError('no keypoints of OpenPose: a JSON object with a list "people" is wanted')
    width, height = (_size(frame, name) for name in ("canvas_width", "canvas_height"))
    people = tuple(_person(index, person) for index, person in enumerate(frame["people"]))
    return _in_pixels(Keypoints(people, width, height))


def _size(frame: Mapping[str, Any], name: str) -> float | None:
    size = frame.get(name)
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int | float) or not 1 <= size <= MAX_NUMBERS:
        raise ValueError(f"{name} is {reprlib.repr(size)}; a number of pixels is wanted")
    return float(size)


def _person(index: int, person: Any) -> Person:
    if not isinstance(person, Mapping):
        raise ValueError(f"person {index} is no JSON object")
    body = _points(index, person, BODY)
    if len(body) >= BODY_25[-1] + 1:
        body = [body[place] for place in BODY_25]
    if len(body) not in (0, BODY_POINTS):
        raise ValueError(f"person {index} has a body of {len(body)} points; 18 (COCO) or 25 are drawn")
    hands = tuple(_hand(index, person, name) for name in HANDS)
    return Person(body, hands, _points(index, person, FACE))


def _hand(index: int, person: Mapping[str, Any], name: str) -> Points:
    points = _points(index, person, name)
    if len(points) not in (0, HAND_POINTS):
        raise ValueError(f"{name} of person {index} has {len(points)} points; {HAND_POINTS} are drawn")
    return points


def _points(index: int, person: Mapping[str, Any], name: str) -> Points:
    numbers = person.get(name) or []
    if not isinstance(numbers, list) or len(numbers) % 3 or len(numbers) > MAX_NUMBERS:
        raise ValueError(f"{name} of person {index} is no list of x, y, confidence for each point")
    if not all(_is_number(number) for number in numbers):
        raise ValueError(f"{name} of person {index} has something that is no finite number")
    return [Point(*map(float, numbers[start : start + 3])) for start in range(0, len(numbers), 3)]


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and abs(value) <= LARGEST  # no NaN is, nor an integer that no float can hold


def _in_pixels(found: Keypoints) -> Keypoints:
    """Some programs write shares of the picture's sides instead of pixels."""
    if found.width is None or found.height is None or not _are_shares(found):
        return found
    return found._replace(people=scaled(found.people, found.width, found.height))


def _are_shares(found: Keypoints) -> bool:
    points = [point for person in found.people for part in _parts(person) for point in part]
    return bool(points) and all(point.x <= 1 and point.y <= 1 for point in points)


def _parts(person: Person) -> tuple[Points, ...]:
    return (person.body, *person.hands, person.face)


def scaled(people: tuple[Person, ...], across: float, down: float) -> tuple[Person, ...]:
    """The same people in a picture so many times as wide and as high."""

    def moved(points: Points) -> Points:
        return [Point(point.x * across, point.y * down, point.confidence) for point in points]

    return tuple(
        Person(moved(person.body), tuple(map(moved, person.hands)), moved(person.face)) for person in people
    )
