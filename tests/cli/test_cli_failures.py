"""What is told of a node that failed: which, on what, and where in its author's code."""

import json

import pytest

FAULTY = '''
import json

from nodegraph import InputError, NodeContext, node


def read(text):
    return json.loads(text)  # the deepest line of the pack


@node()
def Parse(text: str = "{") -> str:
    """Fails in a library."""
    return read(text)


@node()
async def Wait(text: str = "{") -> str:
    """The same, but asynchronous."""
    return read(text)


@node()
def Refuse(text: str = "") -> str:
    """Says what is wrong itself."""
    raise InputError("text", "is empty; give some")


@node(fingerprint=read)
def Marked(text: str = "{") -> str:
    """Cannot be told from others."""
    return text


@node()
def Number() -> int:
    """Breaks its promise."""
    return "three"


@node(terminal=True)
def End(value: str) -> None:
    """The end."""
'''


@pytest.fixture
def failure(cli, home):
    """Runs a node that fails and gives the lines on standard error."""
    plugin = home / "home" / "plugins" / "faulty.py"
    plugin.write_text(FAULTY)

    def run(name, *options):
        nodes = {"bad": {"type": f"faulty.{name}"}, "end": {"type": "faulty.End"}}
        nodes["end"]["links"] = {"value": ["bad", "str"]}
        if name == "Number":
            nodes = {"bad": nodes["bad"], "end": {"type": "toy.Paint", "links": {"value": ["bad", "int"]}}}
        (home / "w.json").write_text(json.dumps({"format": "nodegraph", "version": 1, "nodes": nodes}))
        result = cli("run", "w.json", *options)
        assert result.exit_code == 1
        return result.stdout if "--json" in options else result.stderr

    return run


@pytest.fixture
def place(home):
    """The place of a piece of the pack, as messages name it."""
    plugin = home / "home" / "plugins" / "faulty.py"
    return lambda code, name: f"{plugin}:{FAULTY[: FAULTY.index(code)].count(chr(10)) + 1}, in {name}"


@pytest.mark.parametrize("name", ["Parse", "Wait"])
def test_the_deepest_line_of_the_pack_is_named(failure, place, name):
    lines = failure(name).splitlines()
    assert lines[0].startswith(f"error: node bad (faulty.{name}) failed: JSONDecodeError: ")
    assert lines[1:] == [
        "  text = '{'",
        f"  at {place('return json.loads', 'read')}",
        "  --traceback shows the whole way there",
    ]


def test_a_node_that_refuses_its_input_is_named_with_its_line(failure, place):
    lines = failure("Refuse").splitlines()
    assert lines[0] == "error: node bad (faulty.Refuse) failed: text: is empty; give some"
    assert f"  at {place('raise InputError', 'Refuse')}" in lines


def test_no_line_is_named_where_none_of_the_pack_is_at_fault(failure):
    text = failure("Number")
    assert "failed: output int is declared as int, but is str" in text
    assert "\n  at " not in text


def test_the_traceback_takes_the_place_of_the_hint(failure):
    text = failure("Parse", "--traceback")
    assert "Traceback (most recent call last)" in text
    assert "--traceback" not in text


def test_json_has_the_place(failure, place):
    error = json.loads(failure("Parse", "--json"))["error"]
    assert error["place"] == place("return json.loads", "read")
    assert error["traceback"].endswith("\n")


def test_a_node_that_fails_while_the_run_is_planned_is_named_too(failure):
    assert failure("Marked").startswith(
        "error: node bad (faulty.Marked) failed: fingerprint= failed: JSONDecodeError"
    )
