from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import pytest
from pydantic import Field

from nodegraph import InFolder, node
from nodegraph.body import Body
from nodegraph.errors import InputError, Issue
from nodegraph.files import Folders
from nodegraph.graph import build_graph
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry, PackProblem
from nodegraph.sockets import socket_type
from nodegraph.specs import Advised, Mismatch, Spec, require_same
from nodegraph.validation import analyse, validate
from nodegraph.workflow import Workflow, workflow_from_document

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    width: int = 0


@dataclass(frozen=True)
class Model:
    family: str = ""


class Size(NamedTuple):
    width: int
    height: int


class Mode(enum.Enum):
    FAST = "fast"
    GOOD = "good"


def infer_width(width: Spec) -> dict[str, Any]:
    return {"width": width.value} if width.value else {}


def infer_pair(first: Spec, second: Spec) -> dict[str, Any]:
    require_same("width", first=first, second=second)
    return first.known("width")


def infer_size(picture: Spec) -> dict[str, Any]:
    return {"width": {"family": "wide"}, "height": {"family": "high"}}


def infer_file(file: Spec, files: Folders) -> dict[str, Any]:
    if files.resolve("inputs", file.value).digest.startswith("0"):
        raise Mismatch("never")
    raise InputError("file", f"{file.value} is not a picture")


def infer_badly(value: Spec) -> dict[str, Any]:
    return {}["missing"]


@node(infer=infer_width)
def Make(width: Annotated[int, Field(ge=1, le=100)] = 8, mode: Mode = Mode.GOOD) -> Picture:
    return Picture(width)


@node(infer=infer_pair)
def Blend(first: Picture, second: Picture, how: Literal["multiply", "screen"] = "screen") -> Picture:
    return first


@node()
def Crop(picture: Picture, name: Annotated[str, Field(min_length=2)] = "ab") -> Picture:
    return picture


@node(infer=infer_size)
def Measure(picture: Picture) -> Size:
    return Size(1, 1)


@node(infer=infer_file)
def Load(file: Annotated[str, InFolder("inputs")]) -> Picture:
    return Picture()


@node(infer=infer_badly)
def Careless(value: int) -> int:
    return value


def infer_doubtful(picture: Spec, strength: Spec) -> Advised:
    remedy = {"strength": 1, "picture.width": 3}
    return Advised({"width": 5}, (Mismatch("that is much", "strength", "picture", remedy=remedy),))


@node(infer=infer_doubtful)
def Doubtful(picture: Picture, strength: int = 9) -> Picture:
    return picture


@node()
def Numbers(count: int = 2) -> list[int]:
    return list(range(count))


@node()
def Same(value: T) -> T:
    return value


@node()
def Gather(pictures: list[Picture]) -> Picture:
    return pictures[0]


@node()
def Loop(body: Body, value: Picture) -> Picture:
    return value


@node()
def OldMake(width: int = 1) -> Picture:
    return Picture(width)


@node(terminal=True)
def Show(picture: Picture) -> None:
    return None


@pytest.fixture
def registry() -> NodeRegistry:
    registry = NodeRegistry()
    for function in (
        Make, Blend, Crop, Measure, Load, Careless, Numbers, Same, Gather, Loop, OldMake, Show, Doubtful
    ):  # fmt: skip
        registry.add(function)
    return registry


def document(nodes: dict[str, Any], subgraphs: dict[str, Any] | None = None) -> Workflow:
    return workflow_from_document(
        {"format": "nodegraph", "version": 1, "nodes": nodes, "subgraphs": subgraphs or {}}
    )


@pytest.fixture
def issues_of(registry: NodeRegistry, tmp_path: Path):
    """Validates a workflow given as its nodes; one without an output node is given one to end in."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "cat.png").write_bytes(b"not a picture")
    folders = Folders(output=tmp_path / "output", inputs=(inputs,))

    def issues(
        nodes: dict[str, Any], subgraphs: dict[str, Any] | None = None, end: bool = True
    ) -> list[Issue]:
        ending = {
            "end_source": {"type": "Make"},
            "end": {"type": "Show", "links": {"picture": ["end_source", "picture"]}},
        }
        workflow = document({**nodes, **(ending if end else {})}, subgraphs)
        return validate(build_graph(workflow, registry), folders)

    return issues


def only(issues: list[Issue]) -> Issue:
    (issue,) = issues
    return issue


def test_a_good_workflow_has_no_issues(issues_of):
    nodes = {
        "make": {"type": "Make", "inputs": {"width": 3, "mode": "fast"}},
        "blend": {
            "type": "Blend",
            "links": {"first": ["make", "picture"], "second": ["make", "picture"]},
        },
        "show": {"type": "Show", "links": {"picture": ["blend", "picture"]}},
    }
    assert issues_of(nodes, end=False) == []


# --- one node -------------------------------------------------------------------------------------------


def test_an_unknown_type_is_an_issue_with_suggestions(issues_of):
    issue = only(issues_of({"a": {"type": "Mkae"}}))
    assert (issue.code, issue.node, issue.given) == ("unknown_node", "a", "Mkae")
    assert issue.suggestions == ("Make",)
    assert "no installed pack" in issue.message


def test_a_missing_pack_is_named(issues_of):
    issue = only(issues_of({"a": {"type": "warm_pack.Hello"}}))
    assert issue.code == "unknown_node"
    assert "the pack 'warm_pack', which is not installed" in issue.message


def test_a_pack_that_the_file_names_is_named(issues_of):
    issue = only(issues_of({"a": {"type": "Hello", "pack": "warm_pack"}}))
    assert "'warm_pack'" in issue.message


def test_a_pack_that_did_not_load_is_named_with_its_fault(issues_of, registry):
    registry.problems.append(PackProblem("warm_pack", "file.py:3", "SyntaxError: oh"))
    issue = only(issues_of({"a": {"type": "warm_pack.Hello"}}))
    assert "'warm_pack' did not load: file.py:3: SyntaxError: oh" in issue.message


def test_a_missing_required_input_is_an_issue(issues_of):
    issue = only(issues_of({"crop": {"type": "Crop"}}))
    assert (issue.code, issue.node, issue.input) == ("missing_input", "crop", "picture")
    assert issue.expected == "Picture"
    assert "wire" in issue.message


@pytest.mark.parametrize("value", ["text", True, 1.5, None, [1], {"a": 1}])
def test_a_constant_of_the_wrong_type_is_an_issue(issues_of, value):
    issue = only(issues_of({"make": {"type": "Make", "inputs": {"width": value}}}))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "make", "width")
    assert issue.given == repr(value)
    assert issue.expected == "int"


def test_a_constant_where_only_a_wire_will_do_is_an_issue(issues_of):
    issue = only(issues_of({"crop": {"type": "Crop", "inputs": {"picture": 3}}}))
    assert (issue.code, issue.input) == ("wrong_type", "picture")
    assert issue.expected == "a wire carrying Picture"


@pytest.mark.parametrize(("value", "expected"), [(0, "at least 1"), (101, "at most 100")])
def test_a_number_out_of_range_is_an_issue(issues_of, value, expected):
    issue = only(issues_of({"make": {"type": "Make", "inputs": {"width": value}}}))
    assert (issue.code, issue.input, issue.given) == ("out_of_range", "width", str(value))
    assert issue.expected == expected


def test_a_text_that_is_too_short_is_an_issue(issues_of):
    nodes = {
        "make": {"type": "Make"},
        "crop": {"type": "Crop", "inputs": {"name": "a"}, "links": {"picture": ["make", "picture"]}},
    }
    issue = only(issues_of(nodes))
    assert (issue.code, issue.input) == ("out_of_range", "name")
    assert issue.expected is not None
    assert "at least 2 characters" in issue.expected


def test_a_value_that_is_not_on_the_menu_is_an_issue_with_suggestions(issues_of):
    source = ["make", "picture"]
    nodes = {
        "make": {"type": "Make"},
        "blend": {
            "type": "Blend",
            "inputs": {"how": "sceen"},
            "links": {"first": source, "second": source},
        },
    }
    issue = only(issues_of(nodes))
    assert (issue.code, issue.input, issue.expected) == ("not_in_menu", "how", "one of multiply, screen")
    assert issue.suggestions == ("screen",)


def test_a_value_that_no_enum_member_has_is_not_on_the_menu(issues_of):
    issue = only(issues_of({"make": {"type": "Make", "inputs": {"mode": "FAST"}}}))
    assert issue.code == "not_in_menu"
    assert issue.suggestions == ("fast",)


def test_a_constant_for_an_unknown_input_is_an_issue_with_suggestions(issues_of):
    issue = only(issues_of({"make": {"type": "Make", "inputs": {"widht": 3}}}))
    assert (issue.code, issue.node, issue.input) == ("unknown_input", "make", "widht")
    assert issue.expected == "width, mode"
    assert issue.suggestions == ("width",)


def test_a_link_into_an_unknown_input_is_an_issue(issues_of):
    nodes = {"a": {"type": "Make"}, "b": {"type": "Make", "links": {"picture": ["a", "picture"]}}}
    issue = only(issues_of(nodes))
    assert (issue.code, issue.node, issue.input) == ("unknown_input", "b", "picture")


def test_a_node_of_a_later_version_is_an_issue(issues_of):
    issue = only(issues_of({"make": {"type": "Make", "version": 3}}))
    assert (issue.code, issue.node, issue.given, issue.expected) == ("node_version", "make", "3", "1")


# --- links ----------------------------------------------------------------------------------------------


def test_a_link_from_a_node_that_is_not_there_is_an_issue_with_suggestions(issues_of):
    nodes = {"make": {"type": "Make"}, "crop": {"type": "Crop", "links": {"picture": ["maek", "picture"]}}}
    issue = only(issues_of(nodes))
    assert (issue.code, issue.node, issue.input, issue.given) == ("dangling_link", "crop", "picture", "maek")
    assert issue.suggestions == ("make",)


def test_a_link_from_an_unknown_output_is_an_issue_with_suggestions(issues_of):
    nodes = {"make": {"type": "Make"}, "crop": {"type": "Crop", "links": {"picture": ["make", "pictures"]}}}
    issue = only(issues_of(nodes))
    assert (issue.code, issue.node, issue.input) == ("unknown_output", "crop", "picture")
    assert issue.suggestions == ("picture",)
    assert issue.related == ("make",)


def test_a_link_of_the_wrong_type_is_an_issue_that_names_both_nodes(issues_of):
    nodes = {"numbers": {"type": "Careless", "inputs": {"value": 1}}}
    nodes["crop"] = {"type": "Crop", "links": {"picture": ["other", "value"]}}
    nodes["other"] = {"type": "Same", "inputs": {"value": 3}}
    del nodes["numbers"]
    issue = only(issues_of(nodes))
    assert (issue.code, issue.node, issue.input) == ("unknown_output", "crop", "picture")
    nodes["crop"]["links"]["picture"] = ["other", "result"]
    issue = only(issues_of(nodes))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "crop", "picture")
    assert (issue.given, issue.expected) == ("int", "Picture")
    assert issue.related == ("other",)


def test_a_list_with_one_wrong_member_is_an_issue(issues_of):
    nodes = {
        "make": {"type": "Make"},
        "size": {"type": "Measure", "links": {"picture": ["make", "picture"]}},
        "gather": {
            "type": "Gather",
            "links": {"pictures": [["make", "picture"], ["size", "width"]]},
        },
    }
    issue = only(issues_of(nodes))
    assert issue.code == "wrong_type"
    assert issue.given == "list[Picture | int]"
    assert set(issue.related) == {"make", "size"}


def test_a_cycle_is_an_issue_that_names_its_nodes(issues_of):
    nodes = {
        "a": {"type": "Crop", "links": {"picture": ["c", "picture"]}},
        "b": {"type": "Crop", "links": {"picture": ["a", "picture"]}},
        "c": {"type": "Crop", "links": {"picture": ["b", "picture"]}},
        "after": {"type": "Crop", "links": {"picture": ["c", "picture"]}},
    }
    issue = only(issues_of(nodes))
    assert issue.code == "cycle"
    assert set(issue.related) == {"a", "b", "c"}


def test_a_long_cycle_is_told_by_its_two_ends(issues_of):
    nodes = {
        f"n{i}": {"type": "Crop", "links": {"picture": [f"n{(i + 1) % 300}", "picture"]}} for i in range(300)
    }
    issue = only(issues_of(nodes))
    assert "291 more" in issue.message
    assert len(issue.message) < 200
    assert len(issue.related) == 300


def test_a_node_that_waits_for_itself_is_a_cycle(issues_of):
    issue = only(issues_of({"a": {"type": "Crop", "links": {"picture": ["a", "picture"]}}}))
    assert (issue.code, issue.related) == ("cycle", ("a",))


def test_two_cycles_are_two_issues(issues_of):
    nodes = {
        "a": {"type": "Crop", "links": {"picture": ["b", "picture"]}},
        "b": {"type": "Crop", "links": {"picture": ["a", "picture"]}},
        "c": {"type": "Crop", "links": {"picture": ["c", "picture"]}},
    }
    assert [issue.code for issue in issues_of(nodes)] == ["cycle", "cycle"]


# --- the whole ------------------------------------------------------------------------------------------


def test_a_workflow_that_ends_nowhere_is_an_issue(issues_of):
    issue = only(issues_of({"make": {"type": "Make"}}, end=False))
    assert (issue.code, issue.node) == ("no_output", None)
    assert "SaveImage" in issue.message


def test_an_empty_workflow_ends_nowhere(issues_of):
    assert only(issues_of({}, end=False)).code == "no_output"


@pytest.mark.parametrize("type", ["Shwo", "subgraph/gone"])
def test_where_a_type_is_unknown_nothing_is_said_about_the_end(issues_of, type):
    nodes = {"make": {"type": "Make"}, "end": {"type": type, "links": {"picture": ["make", "picture"]}}}
    assert only(issues_of(nodes, end=False)).node == "end"


def test_all_issues_are_found_at_once(issues_of):
    nodes = {
        "a": {"type": "Nonsense"},
        "b": {"type": "Make", "inputs": {"width": 0, "mode": "x", "colour": "red"}},
        "c": {"type": "Crop", "links": {"picture": ["gone", "picture"]}},
        "d": {"type": "Blend", "links": {"first": ["b", "picture"]}},
        "e": {"type": "Crop", "links": {"picture": ["e", "picture"]}},
    }
    found = {(issue.code, issue.node, issue.input) for issue in issues_of(nodes, end=False)}
    assert found == {
        ("unknown_node", "a", None),
        ("out_of_range", "b", "width"),
        ("not_in_menu", "b", "mode"),
        ("unknown_input", "b", "colour"),
        ("dangling_link", "c", "picture"),
        ("missing_input", "d", "second"),
        ("cycle", "e", None),
    }


def test_a_node_of_unknown_type_causes_no_further_issues(issues_of):
    nodes = {"a": {"type": "Nonsense"}, "b": {"type": "Crop", "links": {"picture": ["a", "anything"]}}}
    assert [issue.code for issue in issues_of(nodes)] == ["unknown_node"]


def test_issues_read_as_sentences_with_their_place(issues_of):
    issue = only(issues_of({"make": {"type": "Make", "inputs": {"widht": 3}}}))
    assert str(issue) == ("make.widht: Make has no input 'widht'; it has width, mode. Did you mean 'width'?")
    assert issue.to_json()["suggestions"] == ("width",)


def test_very_many_issues_are_found_in_linear_time(issues_of):
    nodes = {f"crop{number}": {"type": "Crop"} for number in range(20_000)}
    assert len(issues_of(nodes)) == 20_000


# --- warnings -------------------------------------------------------------------------------------------


def test_an_unknown_key_of_a_node_is_a_warning_with_suggestions(issues_of):
    issue = only(issues_of({"make": {"type": "Make", "input": {"width": 3}}}))
    assert (issue.code, issue.severity, issue.node) == ("unknown_key", "warning", "make")
    assert (issue.given, issue.suggestions[0]) == ("input", "inputs")
    assert str(issue).startswith("warning: make: the node has a key 'input', which means nothing")
    assert issue.to_json()["severity"] == "warning"


def test_unknown_keys_stay_in_the_file():
    nodes = {"make": {"type": "Make", "input": {"width": 3}}}
    assert document(nodes).model_dump()["nodes"]["make"]["input"] == {"width": 3}


def test_what_an_editor_keeps_is_no_warning(issues_of):
    assert issues_of({"make": {"type": "Make", "ui": {"input": 1, "position": [1, 2]}}}) == []


def test_unknown_keys_of_the_workflow_and_its_subgraphs_are_warnings_told_once(registry):
    step = {"nodes": {"make": {"type": "Make", "link": {}}}, "output": {"picture": ["make", "picture"]}}
    nodes = {"one": {"type": "subgraph/step"}, "two": {"type": "subgraph/step", "inptus": {}}}
    read = workflow_from_document(
        {"format": "nodegraph", "version": 1, "nodes": nodes, "subgraphs": {"step": step}, "titel": "x"}
    )
    issues = analyse(build_graph(read, registry), need_terminal=False).issues
    assert [(issue.given, issue.node, issue.severity) for issue in issues] == [
        ("titel", None, "warning"),
        ("inptus", "two", "warning"),
        ("output", None, "warning"),
        ("link", None, "warning"),
    ]
    assert "subgraph 'step' has a key 'output'" in issues[2].message
    assert "node 'make' of subgraph 'step' has a key 'link'" in issues[3].message


# --- files ----------------------------------------------------------------------------------------------


def test_a_missing_file_is_an_issue_with_suggestions(issues_of):
    issues = issues_of({"load": {"type": "Load", "inputs": {"file": "cta.png"}}})
    issue = next(issue for issue in issues if issue.code == "missing_file")
    assert (issue.node, issue.input, issue.given) == ("load", "file", "cta.png")
    assert issue.suggestions == ("cat.png",)


def test_a_missing_file_is_reported_once(issues_of):
    assert len(issues_of({"load": {"type": "Load", "inputs": {"file": "cta.png"}}})) == 1


def test_a_file_outside_the_folders_is_an_issue(issues_of):
    issues = issues_of({"load": {"type": "Load", "inputs": {"file": "../cat.png"}}})
    assert "missing_file" in {issue.code for issue in issues}


def test_a_file_of_no_use_is_an_issue(issues_of):
    issue = only(issues_of({"load": {"type": "Load", "inputs": {"file": "cat.png"}}}))
    assert (issue.code, issue.node, issue.input) == ("unusable_file", "load", "file")
    assert "cat.png is not a picture" in issue.message


# --- facts and types that travel ------------------------------------------------------------------------


def blended(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {
        "one": {"type": "Make", "inputs": first},
        "two": {"type": "Make", "inputs": second},
        "blend": {"type": "Blend", "links": {"first": ["one", "picture"], "second": ["two", "picture"]}},
    }


def test_a_mismatch_of_facts_is_an_issue_that_names_both_nodes(issues_of):
    issue = only(issues_of(blended({"width": 3}, {"width": 4})))
    assert (issue.code, issue.node, issue.input) == ("mismatch", "blend", "second")
    assert (issue.given, issue.expected) == ("width 4", "width 3")
    assert set(issue.related) == {"one", "two"}


def test_facts_that_agree_are_no_issue(issues_of):
    assert issues_of(blended({"width": 3}, {"width": 3})) == []


def test_facts_travel_from_node_to_node(registry):
    nodes = blended({"width": 3}, {"width": 3})
    nodes["sizes"] = {"type": "Measure", "links": {"picture": ["blend", "picture"]}}
    analysis = analyse(build_graph(document(nodes), registry), need_terminal=False)
    assert analysis.facts[Link("blend", "picture")].facts == {"width": 3}
    assert analysis.facts[Link("sizes", "height")].get("family") == "high"


@pytest.mark.parametrize("wired", [False, True])
def test_doubts_are_warnings_that_name_values_that_would_do_where_no_wire_is(registry, wired):
    nodes = {
        "number": {"type": "Same", "inputs": {"value": 3}},
        "make": {"type": "Make", "links": {"width": ["number", "result"]} if wired else {}},
        "doubt": {"type": "Doubtful", "links": {"picture": ["make", "picture"]}},
    }
    analysis = analyse(build_graph(document(nodes), registry), need_terminal=False)
    [doubt] = analysis.issues
    assert (doubt.severity, doubt.node, doubt.input) == ("warning", "doubt", "strength")
    assert doubt.remedy == (() if wired else (("doubt.strength", 1), ("make.width", 3)))
    assert analysis.facts[Link("doubt", "picture")].get("width") == 5


def test_an_infer_that_crashes_is_an_issue_not_a_crash(issues_of):
    issue = only(issues_of({"careless": {"type": "Careless", "inputs": {"value": 1}}}))
    assert (issue.code, issue.node) == ("infer_failed", "careless")
    assert "KeyError: 'missing'" in issue.message


def test_a_list_wired_into_one_value_makes_the_output_a_list(registry):
    nodes = {
        "numbers": {"type": "Numbers"},
        "make": {"type": "Make", "links": {"width": ["numbers", "results"]}},
    }
    analysis = analyse(build_graph(document(nodes), registry), need_terminal=False)
    assert analysis.issues == []
    assert analysis.mapped == {"make": frozenset({"width"})}
    assert analysis.types[Link("make", "picture")] is socket_type(list[Picture])


def test_a_type_variable_carries_the_type_through(issues_of):
    nodes = {
        "make": {"type": "Make"},
        "same": {"type": "Same", "links": {"value": ["make", "picture"]}},
        "crop": {"type": "Crop", "links": {"picture": ["same", "result"]}},
        "twice": {"type": "Make", "links": {"width": ["same", "result"]}},
    }
    issue = only(issues_of(nodes))
    assert (issue.node, issue.given) == ("twice", "Picture")


# --- inside subgraphs and bodies ------------------------------------------------------------------------


def test_an_unknown_subgraph_is_an_issue_with_suggestions(issues_of):
    issue = only(issues_of({"a": {"type": "subgraph/twcie"}}, {"twice": {"nodes": {}}}))
    assert (issue.code, issue.node, issue.suggestions) == ("unknown_subgraph", "a", ("twice",))


def test_a_subgraph_that_contains_itself_is_an_issue(issues_of):
    subgraphs = {
        "one": {"nodes": {"inner": {"type": "subgraph/two"}}},
        "two": {"nodes": {"inner": {"type": "subgraph/one"}}},
    }
    issue = only(issues_of({"a": {"type": "subgraph/one"}}, subgraphs))
    assert (issue.code, issue.node) == ("subgraph_cycle", "a/inner/inner")
    assert "'one' contains itself" in issue.message


def test_issues_inside_a_subgraph_name_the_way_to_the_node(issues_of):
    subgraphs = {"one": {"nodes": {"make": {"type": "Make", "inputs": {"width": 0}}}}}
    issue = only(issues_of({"a": {"type": "subgraph/one"}}, subgraphs))
    assert (issue.code, issue.node, issue.input) == ("out_of_range", "a/make", "width")


def test_an_unknown_input_of_a_subgraph_is_an_issue(issues_of):
    subgraphs = {"one": {"inputs": {"width": [["make", "width"]]}, "nodes": {"make": {"type": "Make"}}}}
    issue = only(issues_of({"a": {"type": "subgraph/one", "inputs": {"widht": 1}}}, subgraphs))
    assert (issue.code, issue.node, issue.input) == ("unknown_input", "a", "widht")
    assert issue.suggestions == ("width",)


def test_an_unknown_output_of_a_subgraph_is_an_issue(issues_of):
    subgraphs = {"one": {"outputs": {"picture": ["make", "picture"]}, "nodes": {"make": {"type": "Make"}}}}
    nodes = {
        "a": {"type": "subgraph/one"},
        "crop": {"type": "Crop", "links": {"picture": ["a", "pictures"]}},
    }
    issues = issues_of(nodes, subgraphs)
    assert issues[0].code == "unknown_output"
    assert (issues[0].node, issues[0].input) == ("crop", "picture")
    assert issues[0].suggestions == ("picture",)


def test_a_link_from_a_subgraph_without_outputs_is_an_issue(issues_of):
    nodes = {"a": {"type": "subgraph/one"}, "crop": {"type": "Crop", "links": {"picture": ["a", "out"]}}}
    issue = only(issues_of(nodes, {"one": {"nodes": {"make": {"type": "Make"}}}}))
    assert (issue.code, issue.node) == ("unknown_output", "crop")


def test_a_subgraph_input_that_leads_nowhere_is_an_issue(issues_of):
    subgraphs = {"one": {"inputs": {"width": [["gone", "width"]]}, "nodes": {}}}
    issue = only(issues_of({"a": {"type": "subgraph/one", "inputs": {"width": 1}}}, subgraphs))
    assert (issue.code, issue.node, issue.given) == ("dangling_link", "a", "gone")


def loop(body: str) -> dict[str, Any]:
    return {
        "make": {"type": "Make"},
        "loop": {"type": "Loop", "inputs": {"body": body}, "links": {"value": ["make", "picture"]}},
    }


def test_a_body_that_is_not_there_is_an_issue_with_suggestions(issues_of):
    issue = only(issues_of(loop("stpe"), {"step": {"nodes": {}}}))
    assert (issue.code, issue.node, issue.input) == ("unknown_subgraph", "loop", "body")
    assert issue.suggestions == ("step",)


def test_a_body_that_contains_itself_is_an_issue(issues_of):
    inner = {"type": "Loop", "inputs": {"body": "step"}}
    subgraphs = {"step": {"inputs": {"value": [["again", "value"]]}, "nodes": {"again": inner}}}
    issue = only(issues_of(loop("step"), subgraphs))
    assert (issue.code, issue.node, issue.input) == ("unknown_subgraph", "loop/again", "body")
    assert "contains itself" in issue.message


def test_issues_inside_a_body_name_the_way_to_the_node(issues_of):
    crop = {"type": "Crop", "inputs": {"name": "x"}}
    subgraphs = {
        "step": {
            "inputs": {"value": [["crop", "picture"]]},
            "outputs": {"picture": ["crop", "picture"]},
            "nodes": {"crop": crop, "other": {"type": "Crop"}},
        }
    }
    found = {(issue.code, issue.node, issue.input) for issue in issues_of(loop("step"), subgraphs)}
    assert found == {("out_of_range", "loop/crop", "name"), ("missing_input", "loop/other", "picture")}


@pytest.mark.parametrize(
    "interface",
    [
        {"inputs": {"value": [["gone", "picture"]]}},
        {"inputs": {"value": [["crop", "nothing"]]}},
        {"outputs": {"result": ["gone", "picture"]}},
        {"outputs": {"result": ["crop", "nothing"]}},
    ],
)
def test_a_body_whose_interface_leads_nowhere_is_an_issue(issues_of, interface):
    body = {"nodes": {"make": {"type": "Make"}, "crop": {"type": "Crop"}}}
    body["nodes"]["crop"]["links"] = {"picture": ["make", "picture"]}
    issue = only(issues_of(loop("step"), {"step": {**body, **interface}}))
    assert (issue.code, issue.node, issue.input) == ("dangling_link", "loop", "body")


def test_bodies_nested_very_deeply_are_an_issue_not_a_crash(issues_of):
    inner = {"inputs": {"value": [["crop", "picture"]]}, "nodes": {"crop": {"type": "Crop"}}}
    subgraphs = {"step0": inner}
    for depth in range(1, 600):
        again = {"type": "Loop", "inputs": {"body": f"step{depth - 1}"}}
        subgraphs[f"step{depth}"] = {"inputs": {"value": [["again", "value"]]}, "nodes": {"again": again}}
    issues = issues_of(loop("step599"), subgraphs)
    assert {issue.code for issue in issues} == {"too_large"}


def test_bodies_used_twice_at_every_depth_are_checked_once(issues_of):
    bad = {"crop": {"type": "Crop", "inputs": {"name": "x"}, "links": {"picture": ["make", "picture"]}}}
    subgraphs: dict[str, Any] = {"step0": {"nodes": {"make": {"type": "Make"}, **bad}}}
    for depth in range(1, 30):
        inner = {"type": "Loop", "inputs": {"body": f"step{depth - 1}"}}
        source = {"links": {"value": ["make", "picture"]}}
        nodes = {"make": {"type": "Make"}, "one": {**inner, **source}, "two": {**inner, **source}}
        subgraphs[f"step{depth}"] = {"nodes": nodes}
    issue = only(issues_of(loop("step29"), subgraphs))
    assert (issue.code, issue.input) == ("out_of_range", "name")


def test_subgraphs_that_unfold_without_end_are_an_issue_not_a_hang(issues_of, monkeypatch):
    monkeypatch.setattr("nodegraph.inline.MAX_NODES", 10_000)
    subgraphs: dict[str, Any] = {"layer0": {"nodes": {}}}
    for depth in range(1, 40):
        inner = {"type": f"subgraph/layer{depth - 1}"}
        subgraphs[f"layer{depth}"] = {"nodes": {"one": inner, "two": inner}}
    issues = issues_of({"a": {"type": "subgraph/layer39"}}, subgraphs)
    assert "too_large" in {issue.code for issue in issues}


def test_an_input_that_fans_out_at_every_depth_leads_to_each_place_once(issues_of):
    places = [["inner", "width"], ["inner", "width"]]
    subgraphs: dict[str, Any] = {
        "layer0": {"inputs": {"width": [["make", "width"]]}, "nodes": {"make": {"type": "Make"}}}
    }
    for depth in range(1, 40):
        inner = {"type": f"subgraph/layer{depth - 1}"}
        subgraphs[f"layer{depth}"] = {"inputs": {"width": places}, "nodes": {"inner": inner}}
    subgraphs["layer39"]["inputs"]["value"] = places
    assert issues_of(loop("layer39"), subgraphs) == []
