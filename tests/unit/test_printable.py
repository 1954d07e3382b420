"""Text that a terminal shows and does not obey."""

from __future__ import annotations

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.printable import PrintableFormatter, printable

TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS)
def test_no_control_character_is_left_but_ends_of_lines_and_tabs(text: str):
    assert {c for c in printable(text) if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}


@given(TEXTS)
def test_json_stays_what_it_is(text: str):
    told = json.dumps({text: [text]}, ensure_ascii=False)
    assert json.loads(printable(told)) == {text: [text]}


@pytest.mark.parametrize("text", ["", "a cat", "猫 · 👩‍🎨", "two\nlines\tand a tab", "عربى"])
def test_what_people_write_stays_as_it_is(text: str):
    assert printable(text) == text


def test_nothing_turns_the_direction_of_a_line():
    assert printable("file\u202egnp.exe") == r"file\u202egnp.exe"


def test_lines_of_the_log_are_printable():
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "node %s failed", ("\x1b[2J\x9b",), None)
    assert PrintableFormatter("%(levelname)s %(message)s").format(record) == (
        r"WARNING node \u001b[2J\u009b failed"
    )
