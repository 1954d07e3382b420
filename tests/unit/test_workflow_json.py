import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.errors import WorkflowError
from nodegraph.workflow.strict_json import MAX_DEPTH, parse_json


def test_parses_what_json_is():
    assert parse_json('{"a": [1, -2.5, "é", true, null]}') == {"a": [1, -2.5, "é", True, None]}


def test_accepts_bytes_and_a_byte_order_mark():
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]
    assert parse_json("\ufeff[1]") == [1]


def test_keeps_large_seeds_exact():
    assert parse_json(str(2**64 - 1)) == 2**64 - 1


def test_names_every_place_that_is_wrong():
    with pytest.raises(WorkflowError) as error:
        parse_json('{"a": NaN, "b": [1, -Infinity, 1e999], "c": {"x": 1, "y": 2, "x": 3}, "d": "\\ud800"}')
    lines = str(error.value).splitlines()
    assert lines[0] == "5 problems:"
    assert [line.split(":")[0] for line in lines[1:]] == ["- a", "- b[1]", "- b[2]", "- c.x", "- d"]


def test_a_surrogate_in_a_key_does_not_spoil_the_message():
    with pytest.raises(WorkflowError) as error:
        parse_json('{"\\udc00": 1}')
    assert str(error.value).encode()


def test_a_surrogate_pair_is_one_character():
    assert parse_json('"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("[1", "line 1, column 3"),
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        ("\ud800", "not UTF-8"),
        ("1" * 5000, "thousands of digits"),
        ('{"a": [[[]]], "a": 1}', "a: is given more than once"),
    ],
)
def test_says_what_is_wrong(text, says):
    with pytest.raises(WorkflowError, match=says):
        parse_json(text)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_refuses_depth_bombs(opening, closing, depth):
    with pytest.raises(WorkflowError, match=f"deeper than {MAX_DEPTH}"):
        parse_json(opening * depth + "1" + closing * depth)


def test_allows_the_depth_limit_itself():
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_counts_depth_through_repeated_keys():
    with pytest.raises(WorkflowError, match="deeper than"):
        parse_json('{"a":1,"a":' * 200 + "1" + "}" * 200)


def test_many_repeated_keys_take_linear_time_and_a_bounded_message():
    text = "{" + ",".join(f'"k{i}":0,"k{i}":1' for i in range(20_000)) + "}"
    with pytest.raises(WorkflowError, match="20000 problems") as error:
        parse_json(text)
    assert "and 19900 more" in str(error.value)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]",:0123456789.eE+-\\u dDnaNtrufIy\n', max_size=40) | st.binary(max_size=40))
def test_never_raises_anything_else(text):
    try:
        parse_json(text)
    except WorkflowError as error:
        assert str(error)
