from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.sockets import (
    ANY,
    NONE,
    SocketType,
    assignable,
    bind,
    has_json_form,
    is_instance,
    list_of,
    socket_type,
    substitute,
    type_of_value,
    union_of,
    wiring,
)

T = TypeVar("T")
Pixels = NewType("Pixels", int)


@dataclass(frozen=True)
class Picture:
    name: str = ""


@dataclass(frozen=True)
class Photo(Picture):
    camera: str = ""


class Count(int):
    pass


class Mode(enum.Enum):
    FAST = "fast"
    GOOD = "good"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Picture, Picture),
        (Photo, Picture),
        (int, float),
        (Count, int),
        (Count, float),
        (bool, bool),
        (int, int | None),
        (None, Picture | None),
        (int | None, int | float | None),
        (int | float, float),
        (Photo | None, Optional[Picture]),  # noqa: UP045 - the old spelling is to be understood as well
        (list[Photo], list[Picture]),
        (list[int], list[float]),
        (list[int], list[int] | None),
        (list[list[int]], list[list[float | None]]),
        (Any, Picture),
        (Picture, Any),
        (list[Any], list[Picture]),
        (T, Picture),
        (Picture, T | None),
        (Literal["a", "b"], str),
        (Pixels, int),
        (Annotated[int, "metadata"], int),
        (tuple[int, str], tuple),
    ],
)
def test_an_output_may_be_wired_into_an_input_that_takes_all_its_values(source, target):
    assert assignable(socket_type(source), socket_type(target))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Picture, Photo),
        (float, int),
        (bool, int),
        (bool, float),
        (int, bool),
        (int, str),
        (int | None, int),
        (int | str, int | float),
        (None, int),
        (int, None),
        (list[Picture], list[Photo]),
        (list[bool], list[int]),
        (int, list[int]),
        (list[int], int),
        (list[int], list[str] | int),
        (Mode, str),
    ],
)
def test_an_output_is_refused_where_one_of_its_values_would_not_do(source, target):
    assert not assignable(socket_type(source), socket_type(target))


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (list[int], int, "map"),
        (list[int], float, "map"),
        (list[list[int]], list[int], "map"),
        (list[Photo], Picture | None, "map"),
        (list[int], list[int], "direct"),
        (list[int], Any, "direct"),
        (list[int], T, "direct"),
        (list[str], int, None),
        (list[list[int]], int, None),
        (int, list[int], None),
    ],
)
def test_a_list_wired_into_one_value_maps_the_node(source, target, expected):
    assert wiring(socket_type(source), socket_type(target)) == expected


classes = st.sampled_from([Picture, Photo, int, float, bool, str, Count, Mode]).map(socket_type)
socket_types = st.recursive(
    classes | st.just(NONE),
    lambda inner: inner.map(list_of) | st.lists(inner, min_size=1, max_size=3).map(lambda m: union_of(*m)),
    max_leaves=6,
)


@given(socket_types)
def test_every_type_may_be_wired_into_itself(type: SocketType):
    assert assignable(type, type)


SMALL_TYPES = [
    socket_type(annotation)
    for annotation in (Picture, Photo, int, float, bool, Count, None, int | None, float | bool, list[int])
]


@pytest.mark.parametrize("a", SMALL_TYPES, ids=str)
@pytest.mark.parametrize("c", SMALL_TYPES, ids=str)
def test_no_detour_leads_where_the_straight_wire_is_refused(a: SocketType, c: SocketType):
    detour = any(assignable(a, b) and assignable(b, c) for b in SMALL_TYPES)
    assert detour == assignable(a, c)


@given(socket_types, socket_types, socket_types)
def test_what_fits_into_something_fits_wherever_that_fits(a: SocketType, b: SocketType, c: SocketType):
    if assignable(a, b) and assignable(b, c):
        assert assignable(a, c)


@given(socket_types, socket_types)
def test_both_members_fit_into_their_union(a: SocketType, b: SocketType):
    union = union_of(a, b)
    assert assignable(a, union)
    assert assignable(b, union)


@given(socket_types, socket_types)
def test_a_union_fits_exactly_where_all_of_its_members_fit(a: SocketType, b: SocketType):
    assert assignable(union_of(a, b), a) == assignable(b, a)


def test_equal_annotations_are_one_object():
    assert socket_type(list[int | None]) is socket_type(list[Optional[int]])  # noqa: UP045
    assert socket_type(Annotated[Picture, "x"]) is socket_type(Picture)


def test_types_read_as_they_are_written():
    assert str(socket_type(list[Picture | None])) == "list[Picture | None]"
    assert str(socket_type(Any)) == "Any"
    assert str(socket_type(T)) == "T"


def test_unions_are_flat_and_any_swallows_the_rest():
    assert union_of(socket_type(int | str), socket_type(str | None)) is socket_type(int | str | None)
    assert union_of(socket_type(int), ANY) is ANY
    assert union_of(socket_type(int), socket_type(int)) is socket_type(int)


def test_optional_types_accept_none():
    assert socket_type(int | None).optional
    assert socket_type(Any).optional
    assert not socket_type(int | str).optional


def test_the_element_of_a_list_is_known():
    assert socket_type(list[int]).element is socket_type(int)
    assert socket_type(list).element is ANY
    assert socket_type(int).element is None


def test_an_annotation_that_means_nothing_is_refused():
    with pytest.raises(TypeError, match="42 cannot be a socket type"):
        socket_type(42)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, int),
        (1, float),
        (True, bool),
        (Photo(), Picture),
        (None, int | None),
        ([1, None], list[int | None]),
        ([], list[Picture]),
        (object(), Any),
    ],
)
def test_a_value_is_recognised(value, annotation):
    assert is_instance(value, socket_type(annotation))


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (True, int),
        (1, bool),
        (1.0, int),
        (None, int),
        (Picture(), Photo),
        ([1, "a"], list[int]),
        ((1, 2), list[int]),
    ],
)
def test_a_value_of_another_type_is_told_apart(value, annotation):
    assert not is_instance(value, socket_type(annotation))


@pytest.mark.parametrize("annotation", [int, str | None, list[float], Mode, dict, tuple[int, int], Any, T])
def test_plain_types_can_stand_in_a_file(annotation):
    assert has_json_form(socket_type(annotation))


@pytest.mark.parametrize("annotation", [Picture, list[Picture]])
def test_other_types_need_a_wire(annotation):
    assert not has_json_form(socket_type(annotation))


def test_a_type_variable_stands_for_what_is_wired_in():
    bindings: dict[str, SocketType] = {}
    bind(socket_type(list[T]), socket_type(list[Picture]), bindings)
    assert substitute(socket_type(T), bindings) is socket_type(Picture)
    assert substitute(socket_type(list[T] | None), bindings) is socket_type(list[Picture] | None)


def test_a_type_variable_met_twice_is_the_union():
    bindings: dict[str, SocketType] = {}
    bind(socket_type(T), socket_type(int), bindings)
    bind(socket_type(T | None), socket_type(str), bindings)
    assert substitute(socket_type(T), bindings) is socket_type(int | str)


def test_a_type_that_doubles_its_size_again_and_again_ends_as_any():
    growing = socket_type(int)
    for _ in range(100):
        growing = list_of(union_of(growing, list_of(growing)))
    assert len(growing.name) < 10_000
    assert list_of(union_of(growing, list_of(growing))).kind == "list"
    deep = socket_type(int)
    for _ in range(10_000):
        deep = list_of(deep)
    assert assignable(deep, socket_type(list[Any]))


def test_an_unbound_type_variable_is_any():
    assert substitute(socket_type(list[T]), {}) is socket_type(list[Any])


@pytest.mark.parametrize(
    ("value", "annotation"),
    [(1, int), (None, None), ([1, "a"], list[int | str]), ([], list[Any]), (Picture(), Picture)],
)
def test_the_type_of_a_constant_is_read_from_it(value, annotation):
    assert type_of_value(value) is socket_type(annotation)
