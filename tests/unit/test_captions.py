"""Captions with little room keep the part in which they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.captions import ELLIPSIS, tell_apart

WORDS = st.lists(st.sampled_from(["an", "owl", "on", "pink", "blue", "background"]), max_size=8).map(" ".join)


def of_length(count):
    return lambda text: len(text) <= count


@pytest.mark.parametrize(
    ("texts", "room", "told"),
    [
        (["1", "22"], 5, ["1", "22"]),
        (["a photo of an owl in winter", "a photo of an owl in summer"], 8, ["…winter", "…summer"]),
        (["an owl in winter, in oil", "an owl in summer, in oil"], 10, ["…winter,…", "…summer,…"]),
        (
            ["an owl in winter, in oil", "an owl in summer, in oil"],
            16,
            ["…winter, in oil", "…summer, in oil"],
        ),
        (["model_v1_fp16.safetensors", "model_v2_fp16.safetensors"], 6, ["…1…", "…2…"]),
        (["an owl", "an owl that sits on a branch"], 9, ["an owl", "…owl tha…"]),
        (["one long text alone"], 9, ["one long…"]),
        (["the same long text", "the same long text"], 9, ["the same…", "the same…"]),
        (["x" * 9 + "1", "x" * 9 + "2"], 3, ["…1", "…2"]),
    ],
)
def test_what_differs_is_kept(texts, room, told):
    assert tell_apart(texts, of_length(room)) == told


@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 40))
def test_they_fit_and_are_left_alone_where_there_is_room(texts, room):
    told = tell_apart(texts, of_length(room))
    assert all(len(text) <= room for text in told)
    assert [a == b for a, b in zip(told, texts, strict=True)] == [len(text) <= room for text in texts]


@given(WORDS, st.lists(st.integers(0, 99).map(str), unique=True, min_size=2), WORDS)
def test_different_texts_stay_different(before, values, after):
    texts = [f"{before} {value} {after}" for value in values]
    told = tell_apart(texts, of_length(5))
    assert len(set(told)) == len(values)
    assert all(value in text for value, text in zip(values, told, strict=True))
    assert tell_apart(told, of_length(5)) == told


def test_nothing_fits():
    assert tell_apart(["ab", "ac"], lambda text: False) == [ELLIPSIS, ELLIPSIS]
