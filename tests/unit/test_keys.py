from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import File, InFolder, Lazy, node
from nodegraph.body import Body
from nodegraph.cache.keys import canonical, node_key
from nodegraph.errors import CodecError, ValidationError
from nodegraph.files import Folders
from nodegraph.graph import build_graph
from nodegraph.handles import Link
from nodegraph.planning import make_plan
from nodegraph.tracing import trace
from nodegraph.workflow import Workflow


class Mode(enum.Enum):
    FAST = 1


class Pace(enum.Enum):
    FAST = 1


class Level(enum.IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Vector:
    x: float
    y: float = 0.0


class Pair(NamedTuple):
    x: int
    y: int


def helper(value: int) -> int:
    return value + 1


def other_helper(value: int) -> int:
    return value + 2


@node()
def Add(a: int = 0, b: int = 0) -> int:
    return a + b


@node()
def AddByHelper(a: int = 0, b: int = 0) -> int:
    return helper(a) + b


@node()
def AddByOtherHelper(a: int = 0, b: int = 0) -> int:
    return other_helper(a) + b


@node()
def Read(file: Annotated[str, InFolder("inputs")]) -> int:
    return 0


@node(fingerprint=lambda city: FORECAST[city])
def Weather(city: str = "Rome") -> str:
    return FORECAST[city]


def _files_named(files: Folders, text: str | None = None) -> list[str]:
    return [name for name in files.names("inputs") if text is None or name in text]


@node(fingerprint=_files_named)
def Named(text: str = "") -> str:
    return text


@node(needs=lambda first: ["a"] if first else ["b"])
def Choose(
    first: bool = True,
    a: Annotated[int | None, Lazy()] = None,
    b: Annotated[int | None, Lazy()] = None,
) -> int | None:
    return a if first else b


@node()
def Echo(value: Any = None) -> Any:
    return value


@node()
def Loop(body: Body, value: int) -> int:
    return value


@node(terminal=True)
def Show(value: Any) -> None:
    return None


@node(cache=False)
def Now(a: int = 0) -> int:
    return a


FORECAST = {"Rome": "sun"}
NODES = (Add, AddByHelper, AddByOtherHelper, Read, Weather, Named, Choose, Echo, Show, Now)


# --- values ---------------------------------------------------------------------------------------------

TENSOR = torch.arange(6, dtype=torch.float32)
DIFFERENT = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**70,
    0.0,
    -0.0,
    1.0,
    "",
    "1",
    "i1;",
    b"",
    b"1",
    [],
    [1],
    ["1"],
    [1, 2],
    [[1], 2],
    [[1, 2]],
    [[], 1, 2],
    [1, [2]],
    (),
    (1,),
    {},
    {1: 2},
    {"1": 2},
    {"a": {"b": 1}},
    {"a": {}, "b": 1},
    frozenset(),
    frozenset({1}),
    Mode.FAST,
    Pace.FAST,
    Level.LOW,
    Point(1.0),
    Point(1),
    Vector(1.0),
    Pair(1, 2),
    (1, 2),
    Link("1", "2"),
    TENSOR,
    TENSOR.reshape(2, 3),
    TENSOR.double(),
    TENSOR.to(torch.float16),
    TENSOR.to(torch.bfloat16),
    TENSOR + 1,
    TENSOR[:0],
    torch.tensor(1),
    torch.tensor([1]),
    TENSOR.numpy(),
    TENSOR.double().numpy(),
    np.float32(1),
    np.float64(1),
    np.zeros(1, dtype=[("a", "i4")]),
    np.zeros(1, dtype=[("b", "i4")]),
    np.array("i4"),
    File("checkpoints", "a", "00"),
    File("checkpoints", "a", "01"),
]


def test_values_that_differ_in_type_or_content_have_different_encodings():
    encodings = [canonical(value) for value in DIFFERENT]
    twins = [
        (DIFFERENT[i], DIFFERENT[j])
        for i, one in enumerate(encodings)
        for j, other in enumerate(encodings[:i])
        if one == other
    ]
    assert twins == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2, 3}, {3, 2, 1}),
        (TENSOR.reshape(2, 3).t(), TENSOR.reshape(2, 3).t().contiguous()),
        (TENSOR[::2], TENSOR[::2].clone()),
        (np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T.copy()),
        (File("checkpoints", "old name", "00"), File("checkpoints", "new name", "00")),
        (torch.tensor([1 + 2j]).conj(), torch.tensor([1 - 2j])),
    ],
)
def test_equal_values_have_equal_encodings(one, other):
    assert canonical(one) == canonical(other)


class Live:
    """Something that no encoding knows."""


@pytest.mark.parametrize(
    "value",
    [
        Live(),
        [Live()],
        {"a": {"b": Live()}},
        Point(Live()),  # type: ignore[arg-type]
        lambda: 1,
        torch.nn.Linear(1, 1),
        np.array([Live()]),
        torch.zeros(2).to_sparse(),
        torch.zeros(2, device="meta"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_a_stable_encoding_is_an_error(value):
    with pytest.raises(CodecError):
        canonical(value)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_nested_too_deeply_is_an_error():
    with pytest.raises(CodecError, match="nested too deeply"):
        canonical(nested(100_000))


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def identity(value: Any) -> Any:
    """A form of a plain value that compares equal only for equal values of equal types."""
    if isinstance(value, dict):
        return ("dict", frozenset((identity(k), identity(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(map(identity, value)))
    return (type(value).__name__, value.hex() if isinstance(value, float) else value)


@given(plain, plain)
def test_encodings_are_equal_exactly_for_equal_values(one, other):
    assert (canonical(one) == canonical(other)) == (identity(one) == identity(other))


@given(st.lists(plain, max_size=4), st.lists(plain, max_size=4))
def test_an_encoding_says_where_it_ends(one, other):
    joined = [b"".join(map(canonical, values)) for values in (one, other)]
    assert (joined[0] == joined[1]) == (identity(one) == identity(other))


# --- nodes ----------------------------------------------------------------------------------------------


@pytest.fixture
def keys_of(make_engine, workflow_of) -> Callable[..., dict[str, bytes]]:
    """The keys that the engine gives to the nodes of a workflow in a file."""
    engine = make_engine(*NODES)

    def keys(nodes: dict[str, Any], subgraphs: dict[str, Any] | None = None, **rest: Any) -> dict[str, bytes]:
        return engine.plan(workflow_of(nodes, subgraphs, **rest), targets=list(nodes)).keys

    return keys


def test_a_constant_counts(keys_of):
    keys = keys_of({"a": {"type": "Add", "inputs": {"a": 1}}, "b": {"type": "Add", "inputs": {"a": 2}}})
    assert keys["a"] != keys["b"]


def test_two_inputs_are_not_confused(keys_of):
    keys = keys_of({"a": {"type": "Add", "inputs": {"a": 1}}, "b": {"type": "Add", "inputs": {"b": 1}}})
    assert keys["a"] != keys["b"]


def test_a_default_counts_like_the_same_value_given(keys_of):
    keys = keys_of({"a": {"type": "Add"}, "b": {"type": "Add", "inputs": {"a": 0, "b": 0}}})
    assert keys["a"] == keys["b"]


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, 1.0), (1, True), ([1], [1.0]), ({}, [])])
def test_types_of_constants_count(keys_of, one, other):
    nodes = {
        "a": {"type": "Echo", "inputs": {"value": one}},
        "b": {"type": "Echo", "inputs": {"value": other}},
    }
    keys = keys_of(nodes)
    assert keys["a"] != keys["b"]


def test_what_is_upstream_counts(keys_of):
    def chain(start: int) -> dict[str, Any]:
        return {
            "start": {"type": "Add", "inputs": {"a": start}},
            "middle": {"type": "Add", "links": {"a": ["start", "int"]}},
            "end": {"type": "Add", "links": {"a": ["middle", "int"]}},
        }

    one, other = keys_of(chain(1)), keys_of(chain(2))
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())
    assert keys_of(chain(1)) == one


def test_a_link_is_not_confused_with_the_value_it_carries(keys_of):
    keys = keys_of(
        {
            "one": {"type": "Add", "inputs": {"a": 1}},
            "linked": {"type": "Add", "links": {"a": ["one", "int"]}},
            "given": {"type": "Add", "inputs": {"a": 1}},
        }
    )
    assert keys["linked"] != keys["given"]


def test_the_output_a_link_comes_from_counts():
    keys = {"a": b"k"}
    one, other = (node_key(Add.record, {}, {"a": Link("a", output)}, keys) for output in ("low", "high"))
    assert one != other


def test_the_order_of_gathered_links_counts():
    keys = {"a": b"k", "b": b"l"}
    links = (Link("a", "int"), Link("b", "int"))
    one = node_key(Echo.record, {}, {"value": links}, keys)
    other = node_key(Echo.record, {}, {"value": links[::-1]}, keys)
    assert len({one, other, node_key(Echo.record, {}, {"value": links[0]}, keys)}) == 3


def test_a_code_change_in_a_helper_counts():
    def unnamed(function: Any) -> Any:
        record = function.record
        return node_key(record, {"a": 1, "b": 1}, {}, {})

    assert unnamed(AddByHelper) != unnamed(AddByOtherHelper)
    assert unnamed(AddByHelper) != unnamed(Add)


def test_id_and_version_of_the_node_type_count():
    @node(name="Add")
    def Same(a: int = 0, b: int = 0) -> int:
        return a + b

    @node(name="Add", version=2)
    def Later(a: int = 0, b: int = 0) -> int:
        return a + b

    assert node_key(Same.record, {}, {}, {}) != node_key(Later.record, {}, {}, {})


def test_layout_names_and_ids_never_enter_a_key(keys_of):
    plain = keys_of(
        {"a": {"type": "Add", "inputs": {"a": 1}}, "b": {"type": "Add", "links": {"a": ["a", "int"]}}}
    )
    moved = keys_of(
        {
            "y": {"type": "Add", "links": {"a": ["x", "int"]}, "ui": {"position": [1, 2], "title": "sum"}},
            "x": {"type": "Add", "inputs": {"a": 1}, "ui": {"colour": "red"}},
        },
        name="another name",
        ui={"zoom": 2},
    )
    assert (plain["a"], plain["b"]) == (moved["x"], moved["y"])


def test_a_widget_value_behind_a_link_does_not_count(keys_of):
    links = {"links": {"a": ["a", "int"]}}
    keys = keys_of(
        {
            "a": {"type": "Add"},
            "b": {"type": "Add", **links},
            "c": {"type": "Add", "inputs": {"a": 99}, **links},
        }
    )
    assert keys["b"] == keys["c"]


def test_a_node_inside_a_subgraph_has_the_key_it_has_outside(make_engine, workflow_of):
    inner = {
        "inputs": {"x": [["add", "a"]]},
        "outputs": {"sum": ["add", "int"]},
        "nodes": {"add": {"type": "Add"}},
    }
    nodes = {
        "plain": {"type": "Add", "inputs": {"a": 5}},
        "sub": {"type": "subgraph/one", "inputs": {"x": 5}},
        "show_plain": {"type": "Show", "links": {"value": ["plain", "int"]}},
        "show_sub": {"type": "Show", "links": {"value": ["sub", "sum"]}},
    }
    keys = make_engine(*NODES).plan(workflow_of(nodes, {"one": inner})).keys
    assert keys["plain"] == keys["sub/add"]
    assert keys["show_plain"] == keys["show_sub"]


def test_the_content_of_a_file_counts_and_its_name_does_not(keys_of, tmp_path: Path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for name, content in {"a.png": b"cat", "b.png": b"cat", "c.png": b"dog"}.items():
        (inputs / name).write_bytes(content)
    keys = keys_of({name: {"type": "Read", "inputs": {"file": f"{name}.png"}} for name in "abc"})
    assert keys["a"] != keys["c"]
    (inputs / "a.png").write_bytes(b"dog")
    assert keys_of({"a": {"type": "Read", "inputs": {"file": "a.png"}}})["a"] != keys["a"]


def test_a_fingerprint_counts(keys_of, monkeypatch):
    nodes = {"now": {"type": "Weather"}}
    before = keys_of(nodes)
    assert keys_of(nodes) == before
    monkeypatch.setitem(FORECAST, "Rome", "rain")
    assert keys_of(nodes) != before


def test_a_fingerprint_may_look_at_files_and_stand_in_for_what_is_wired(keys_of, tmp_path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    nodes = {
        "given": {"type": "Named", "inputs": {"text": "a.png"}},
        "wired": {"type": "Named", "links": {"text": ["city", "str"]}},
        "city": {"type": "Weather"},
    }
    before = keys_of(nodes)
    assert keys_of(nodes) == before
    (inputs / "other.png").write_bytes(b"cat")
    after = keys_of(nodes)
    assert after["given"] == before["given"]
    assert after["wired"] != before["wired"]


def test_an_unchosen_lazy_input_does_not_count(keys_of):
    def choice(first: bool, b: int) -> dict[str, Any]:
        return {
            "a": {"type": "Add", "inputs": {"a": 1}},
            "b": {"type": "Add", "inputs": {"a": b}},
            "choose": {
                "type": "Choose",
                "inputs": {"first": first},
                "links": {"a": ["a", "int"], "b": ["b", "int"]},
            },
        }

    assert keys_of(choice(True, 2))["choose"] == keys_of(choice(True, 3))["choose"]
    assert keys_of(choice(False, 2))["choose"] != keys_of(choice(False, 3))["choose"]


def test_a_node_that_is_not_cacheable_never_has_the_same_key_twice(keys_of):
    nodes = {"now": {"type": "Now"}, "after": {"type": "Add", "links": {"a": ["now", "int"]}}}
    one, other = keys_of(nodes), keys_of(nodes)
    assert one["now"] != other["now"]
    assert one["after"] != other["after"]


@pytest.mark.parametrize("value", [Live(), [Live()], nested(5_000)], ids=["object", "list", "depth"])
def test_a_constant_that_cannot_be_hashed_is_an_issue_that_names_node_and_input(make_engine, value):
    workflow = Workflow.from_outputs(Echo.node(value))
    with pytest.raises(ValidationError, match="cannot be hashed") as caught:
        make_engine().plan(workflow)
    (issue,) = caught.value.issues
    assert (issue.code, issue.node, issue.input) == ("unhashable", "echo_1", "value")
    assert issue.given == type(value).__name__


def test_all_that_cannot_be_hashed_is_found_at_once(make_engine):
    one, other = Echo.node(Live()), Echo.node([Live()])
    with pytest.raises(ValidationError) as caught:
        make_engine().run_sync(Workflow.from_outputs(one, Echo.node(one), other))
    assert [(issue.code, issue.node) for issue in caught.value.issues] == [
        ("unhashable", "echo_1"),
        ("unhashable", "echo_3"),
    ]


def test_code_that_cannot_be_hashed_is_an_issue_that_names_the_node(make_engine):
    live = Live()

    @node()
    def Holding(value: int = 0) -> str:
        return f"{live} {value}"

    with pytest.raises(ValidationError) as caught:
        make_engine().plan(Workflow.from_outputs(Holding.node()))
    (issue,) = caught.value.issues
    assert (issue.code, issue.node, issue.input) == ("unhashable", "holding_1", None)
    assert "the code of Holding cannot be hashed" in issue.message


def test_a_file_that_is_gone_when_keys_are_made_is_an_issue(make_engine):
    engine = make_engine(Read)
    graph = build_graph(Workflow.from_outputs(Read.node("gone.txt")), engine.registry)
    with pytest.raises(ValidationError) as caught:
        make_plan(graph, ["read_1"], engine.cache, folders=engine.folders)
    (issue,) = caught.value.issues
    assert (issue.code, issue.node, issue.input) == ("missing_file", "read_1", "file")
    assert issue.given == "gone.txt"


def test_what_a_body_computes_counts_and_its_name_does_not():
    def one(value):
        return Add.node(value, 1)

    def same(number):
        return Add.node(number, 1)

    def other(value):
        return Add.node(value, 2)

    def twin(value):
        return Add.node(value, 1)

    assert canonical(trace(one)) == canonical(trace(twin))
    assert len({canonical(trace(function)) for function in (one, same, other)}) == 3


def test_bodies_used_twice_at_every_depth_are_hashed_once_each():
    def twice(body: Body) -> Body:
        return trace(lambda value: Loop.node(body, Loop.node(body, value)))

    body = trace(lambda value: Add.node(value, 1))
    for _ in range(40):
        body = twice(body)
    assert canonical(body)
