"""Plain values, and what they refuse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.errors import InputError
from nodegraph.sockets import bind, list_of, socket_type, substitute
from nodes.values.nodes import (
    AddFloats,
    AddIntegers,
    Boolean,
    CreateList,
    Float,
    GetItem,
    Integer,
    JoinStrings,
    ListLength,
    MultiplyFloats,
    MultiplyIntegers,
    RoundToMultiple,
    Seed,
    String,
    StringConcatenate,
    Text,
)


@pytest.mark.parametrize(
    ("function", "value", "type"),
    [
        (Integer, 7, "int"),
        (Float, 0.5, "float"),
        (Boolean, True, "bool"),
        (String, "a", "str"),
        (Text, "a\nb", "str"),
    ],
)
def test_a_value_passes_unchanged_with_its_own_type(function, value, type):
    assert function(value) == value
    assert [str(output.type) for output in function.record.outputs] == [type]


def test_a_seed_may_be_any_64_bit_number():
    assert Seed(2**64 - 1) == 2**64 - 1
    with pytest.raises(ValueError, match="less than or equal"):
        Seed.record.validator.validate_python({"seed": 2**64})


@given(st.integers(), st.integers())
def test_integer_arithmetic_is_exact(a, b):
    assert (AddIntegers(a, b), MultiplyIntegers(a, b)) == (a + b, a * b)


@given(st.floats(-1e6, 1e6), st.integers(1, 512))
def test_rounding_gives_the_nearest_multiple(value, multiple):
    rounded = RoundToMultiple(value, multiple)
    assert rounded % multiple == 0
    assert abs(rounded - value) <= multiple / 2 * (1 + 1e-9)


@pytest.mark.parametrize(("function", "value"), [(AddFloats, 1.7e308), (MultiplyFloats, 1e200)])
def test_numbers_without_end_are_refused(function, value):
    assert function(2.0, 3.0) == (5.0 if function is AddFloats else 6.0)
    with pytest.raises(InputError, match=r"^b: .*finite"):
        function(value, value)


def test_rounding_what_is_no_number_is_refused():
    with pytest.raises(InputError, match=r"^value: .*nan"):
        RoundToMultiple(math.nan)


def test_texts_are_joined_in_order():
    assert StringConcatenate("a", "b", ", ") == "a, b"
    assert JoinStrings(["a", "b", "c"], " + ") == "a + b + c"
    assert JoinStrings([]) == ""


@given(st.lists(st.integers(), min_size=1))
def test_a_list_gives_back_its_items(items):
    made = CreateList(items)
    assert made == items
    assert made is not items
    assert [GetItem(made, index) for index in range(ListLength(made))] == items
    assert GetItem(made, -1) == items[-1]


@pytest.mark.parametrize(("items", "index"), [([], 0), ([1, 2], 2), ([1, 2], -3)])
def test_an_index_outside_a_list_is_refused(items, index):
    with pytest.raises(InputError, match=r"^index: "):
        GetItem(items, index)


def test_an_item_has_the_type_of_the_list_it_came_from():
    record, bindings = GetItem.record, {}
    bind(record.inputs["items"].type, list_of(socket_type(int)), bindings)
    assert substitute(record.outputs[0].type, bindings) is socket_type(int)
