"""The syntax of prompts, and how they fill the chunks of a text encoder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.conditioning.chunks import Frame, Weighted, empty_chunk, fill_chunks
from nodes.conditioning.embeddings import Embedding, split_embeddings
from nodes.conditioning.syntax import Span, escape, parse_prompt

MARKS = st.text(alphabet="ab ()[]\\:.123BREAK,", max_size=40)


@pytest.mark.parametrize(
    ("prompt", "spans"),
    [
        ("a red apple", [("a red apple", 1.0)]),
        ("a (red) apple", [("a ", 1.0), ("red", 1.1), (" apple", 1.0)]),
        ("a (red:1.3) apple", [("a ", 1.0), ("red", 1.3), (" apple", 1.0)]),
        ("(red : 0.5 )", [("red ", 0.5)]),
        ("(red:-1)", [("red", -1.0)]),
        ("(red:.5)", [("red", 0.5)]),
        ("((red))", [("red", 1.1 * 1.1)]),
        ("[red]", [("red", 1 / 1.1)]),
        ("[[red] apple]", [("red", 1 / 1.1 / 1.1), (" apple", 1 / 1.1)]),
        ("(a (red:1.5) apple)", [("a ", 1.1), ("red", 1.5), (" apple", 1.1)]),
        ("(a (red) apple:2)", [("a ", 2.0), ("red", 2.2), (" apple", 2.0)]),
        (r"a \(red\) apple", [("a (red) apple", 1.0)]),
        (r"(a \(red:1.2\) apple)", [("a (red:1.2) apple", 1.1)]),
        (r"a\\b", [("a\\b", 1.0)]),
        (r"a\b", [(r"a\b", 1.0)]),
        ("(red", [("(red", 1.0)]),
        ("red)", [("red)", 1.0)]),
        ("(red]", [("(red]", 1.0)]),
        ("(a [b)", [("a [b", 1.1)]),
        ("time 12:30", [("time 12:30", 1.0)]),
        ("(12:30)", [("12", 30.0)]),
        ("(red:blue)", [("red:blue", 1.1)]),
        ("(red:1.2:1.4)", [("red:1.2", 1.4)]),
        ("(red:1e3)", [("red:1e3", 1.1)]),
        ("(red:nan)", [("red:nan", 1.1)]),
        ("()", []),
        ("", []),
    ],
)
def test_weights(prompt, spans):
    (section,) = parse_prompt(prompt)
    assert [span.text for span in section] == [text for text, _ in spans]
    assert [span.weight for span in section] == pytest.approx([weight for _, weight in spans])


@pytest.mark.parametrize(
    ("prompt", "sections"),
    [
        ("red BREAK blue", [["red "], [" blue"]]),
        ("BREAK red BREAK", [[" red "]]),
        ("red BREAKFAST", [["red BREAKFAST"]]),
        ("red break blue", [["red break blue"]]),
        ("BREAK", [[]]),
    ],
)
def test_breaks(prompt, sections):
    assert [[span.text for span in section] for section in parse_prompt(prompt)] == sections


def test_a_break_inside_brackets_keeps_their_weight():
    assert parse_prompt("(red BREAK blue:2)") == [(Span("red ", 2.0),), (Span(" blue", 2.0),)]


@given(MARKS)
def test_every_text_is_a_prompt_and_loses_nothing_but_syntax(prompt):
    sections = parse_prompt(prompt)
    words = "".join(span.text for section in sections for span in section)
    assert sum(map(prompt.count, "ab")) == sum(map(words.count, "ab"))


@given(st.text(max_size=40).filter(lambda text: "BREAK" not in text and text.strip()))
def test_escaped_text_means_itself(text):
    assert parse_prompt(escape(text)) == [(Span(text, 1.0),)]


@given(st.text(alphabet="ab ,:.1", min_size=1).filter(str.strip), st.integers(0, 300), st.integers(0, 300))
@settings(deadline=None, max_examples=40)
def test_weight_is_a_product_of_the_brackets_around(text, round_ones, square_ones):
    prompt = "(" * round_ones + "[" * square_ones + "x " + text + "x" + "]" * square_ones + ")" * round_ones
    ((span,),) = parse_prompt(prompt)
    assert span.text == f"x {text}x"
    assert span.weight == pytest.approx(1.1 ** (round_ones - square_ones))


@given(st.floats(-10, 10).map(lambda weight: round(weight, 3)))
def test_an_explicit_weight_is_the_weight(weight):
    assert parse_prompt(f"([(red:{weight:f})])") == [(Span("red", pytest.approx(weight)),)]


def test_deep_brackets_take_no_stack_and_no_time():
    depth = 10_000
    ((span,),) = parse_prompt("[(" * depth + "x" + ")]" * depth)
    assert span.text == "x"
    assert parse_prompt("(" * depth + "[" * depth + ")") != []


def test_digits_that_close_no_bracket_take_no_time():
    prompt = "(red:" + "1" * 300_000  # going back over them would take hours
    assert parse_prompt(prompt) == [(Span(prompt),)]


def test_embeddings_among_words():
    parts = list(split_embeddings("a embedding:style-7, and embedding:sub/pose.pt now"))
    assert parts == ["a ", Embedding("style-7"), ", and ", Embedding("sub/pose.pt"), " now"]


FRAME = Frame(start=100, end=101, pad=0, length=12)


def tokens(chunk):
    return [part.token for part in chunk]


def group(first, count):
    return [Weighted(first + index) for index in range(count)]


def test_one_chunk_is_framed_and_padded():
    (chunk,) = fill_chunks([[group(1, 3)]], FRAME)
    assert tokens(chunk) == [100, 1, 2, 3, 101, *[0] * 7]


def test_a_short_group_is_not_torn_apart():
    first, second = fill_chunks([[group(1, 6), group(7, 6)]], FRAME)
    assert tokens(first) == [100, *range(1, 7), 101, 0, 0, 0, 0]
    assert tokens(second) == [100, *range(7, 13), 101, 0, 0, 0, 0]


def test_a_long_group_runs_on():
    first, second = fill_chunks([[group(1, 6), group(7, 9)]], FRAME)
    assert tokens(first) == [100, *range(1, 11), 101]
    assert tokens(second) == [100, *range(11, 16), 101, *[0] * 5]


def test_a_break_begins_a_new_chunk():
    chunks = fill_chunks([[group(1, 2)], [group(3, 1)]], FRAME)
    assert [tokens(chunk)[:3] for chunk in chunks] == [[100, 1, 2], [100, 3, 101]]


def test_an_unbounded_frame_makes_one_chunk_of_a_section():
    frame = Frame(start=None, end=101, pad=0, length=5, bounded=False)
    assert tokens(*fill_chunks([[group(1, 2)]], frame)) == [1, 2, 101, 0, 0]
    assert tokens(*fill_chunks([[group(1, 4), group(5, 4)]], frame)) == [*range(1, 9), 101]
    longer, shorter = fill_chunks([[group(1, 7)], [group(1, 1)]], frame)
    assert tokens(shorter) == [1, 101, *[0] * 6]
    assert len(longer) == len(shorter) == len(empty_chunk(8, frame))


@given(st.lists(st.lists(st.integers(1, 30), max_size=6), min_size=1, max_size=3), st.integers(4, 40))
def test_chunks_hold_all_tokens_in_order(sizes, length):
    frame = Frame(start=100, end=101, pad=0, length=length)
    chunks = fill_chunks([[[Weighted(1)] * size for size in section] for section in sizes], frame)
    assert all(len(chunk) == length for chunk in chunks)
    assert all(tokens(chunk)[0] == 100 and tokens(chunk).count(101) == 1 for chunk in chunks)
    assert sum(tokens(chunk).count(1) for chunk in chunks) == sum(map(sum, sizes))
    assert len(chunks) <= len(sizes) + sum(map(sum, sizes))
