"""Loops and their bodies: what a body must look like is checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import pytest

from nodegraph import Body, BodyInterface, InputError, NodeContext, Subgraph, ValidationError, node, trace
from nodegraph.errors import DeclarationError, Issue
from nodegraph.graph import build_graph
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.sockets import socket_type
from nodegraph.specs import Spec, require_same
from nodegraph.validation import analyse
from nodegraph.workflow import Workflow
from nodes.flow.nodes import ForEach, Repeat

T = TypeVar("T")
CALLS: list[str] = []


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


@dataclass(frozen=True)
class Picture:
    width: int = 0


@dataclass(frozen=True)
class Sound:
    seconds: int = 0


def infer_width(width: Spec) -> dict[str, Any]:
    return {"width": width.value} if width.value else {}


def infer_pair(first: Spec, second: Spec) -> dict[str, Any]:
    require_same("width", first=first, second=second)
    return first.known("width")


@node(infer=infer_width)
def Draw(width: int = 1) -> Picture:
    CALLS.append("Draw")
    return Picture(width)


@node(infer=infer_pair)
def Blend(first: Picture, second: Picture) -> Picture:
    return Picture(first.width + second.width)


@node()
def Brighten(picture: Picture, by: int, times: int = 1) -> Picture:
    return Picture(picture.width + by * times)


@node()
def Listen(picture: Picture) -> Sound:
    return Sound(picture.width)


@node()
def Half(x: float) -> float:
    return x / 2


@node()
def Double(x: int) -> int:
    return 2 * x


@node()
def Spread(x: int) -> list[int]:
    return [x, x]


@node()
def Same(value: T) -> T:
    return value


@node()
def Pack(value: T) -> list[T]:
    return [value]


@node()
def Numbers(count: int = 2) -> list[int]:
    return list(range(count))


@node(terminal=True)
def Show(value: Any) -> Any:
    return value


@node(terminal=True)
def ShowSounds(sounds: list[Sound]) -> list[Sound]:
    return sounds


PAINTER = BodyInterface(takes={"picture": Picture, "amount": int}, gives={"painted": Picture})


@node(outputs=["painted"])
def Paint(
    ctx: NodeContext, body: Annotated[Body, PAINTER], picture: Picture, amounts: list[int]
) -> Picture | Subgraph:
    """A loop as a pack would write it: its body takes two things of given types and gives one."""
    current: Any = ctx.input("picture")
    for amount in amounts:
        outputs, _ = PAINTER.call(body, picture=current, amount=amount)
        current = outputs["painted"]
    return Subgraph(painted=current)


FUNCTIONS = (
    *(Draw, Blend, Brighten, Listen, Half, Double, Spread, Same, Pack, Numbers, Show, ShowSounds),
    *(Paint, ForEach, Repeat),
)


def issues_of(make_engine, *handles: Any) -> list[Issue]:
    return make_engine(*FUNCTIONS).validate(Workflow.from_outputs(*handles))


def only(issues: list[Issue]) -> Issue:
    (issue,) = issues
    return issue


def value(result: Any) -> Any:
    assert result.status == "done", result.errors
    ((found,),) = (outputs.values() for outputs in result.outputs.values())
    return found


# --- the names of inputs and outputs --------------------------------------------------------------------


def test_a_body_without_the_input_that_the_loop_gives_is_an_issue(make_engine):
    body = trace(lambda first, second: Blend.node(first, second))  # noqa: PLW0108 - its parameters are read
    issue = issues_of(make_engine, ForEach.node(body, [Draw.node()]))[0]
    assert (issue.code, issue.node, issue.input) == ("body_input", "for_each_1", "body")
    assert (issue.given, issue.expected) == ("first, second", "an input 'item'")


def test_an_input_of_a_body_that_no_loop_gives_and_nothing_else_feeds_is_an_issue(make_engine):
    body = trace(lambda item, by: Brighten.node(item, by))  # noqa: PLW0108 - its parameters are read
    issue = only(issues_of(make_engine, ForEach.node(body, [Draw.node()])))
    assert (issue.code, issue.severity, issue.input) == ("body_input", "error", "body")
    assert (issue.given, issue.expected) == ("by", "item, index")
    assert "Brighten1.by needs a value" in issue.message


def test_an_input_of_a_body_that_no_loop_gives_is_a_warning_where_it_has_a_default(make_engine):
    body = trace(lambda item, times: Brighten.node(item, 1, times))
    workflow = Workflow.from_outputs(ForEach.node(body, [Draw.node()]))
    engine = make_engine()
    issue = only(engine.validate(workflow))
    assert (issue.code, issue.severity, issue.given) == ("body_input", "warning", "times")
    result = engine.run_sync(workflow)
    assert value(result) == [Picture(2)]
    assert result.warnings == [issue]


def test_a_body_with_several_outputs_and_none_of_the_right_name_is_an_issue(make_engine):
    body = trace(lambda item: {"one": Double.node(item), "two": Half.node(item)})
    issue = only(issues_of(make_engine, ForEach.node(body, [1])))
    assert (issue.code, issue.node, issue.input) == ("body_output", "for_each_1", "body")
    assert (issue.given, issue.expected) == ("one, two", "an output 'result'")


def test_a_body_without_outputs_is_an_issue(make_engine, workflow_of):
    nodes = {
        "loop": {"type": "Repeat", "inputs": {"body": "step", "value": 1}},
        "end": {"type": "Show", "links": {"value": ["loop", "value"]}},
    }
    step = {"inputs": {"value": [["double", "x"]]}, "nodes": {"double": {"type": "Double"}}}
    issue = only(make_engine(*FUNCTIONS).validate(workflow_of(nodes, {"step": step})))
    assert (issue.code, issue.node, issue.input, issue.given) == ("body_output", "loop", "body", "none")


def test_of_several_outputs_the_one_of_the_right_name_is_taken(make_engine):
    body = trace(lambda item: {"other": Half.node(item), "result": Double.node(item)})
    assert value(make_engine().run_sync(Workflow.from_outputs(ForEach.node(body, [1, 2])))) == [2, 4]


def test_a_single_input_and_a_single_output_may_have_any_name(make_engine):
    body = trace(lambda number, index: {"doubled": Double.node(number)})
    assert value(make_engine().run_sync(Workflow.from_outputs(ForEach.node(body, [1, 2])))) == [2, 4]


def test_everything_wrong_with_a_body_is_found_at_once_with_the_other_issues(make_engine, workflow_of):
    step = {
        "inputs": {"first": [["blend", "first"]], "second": [["blend", "second"]]},
        "outputs": {"picture": ["blend", "picture"], "sound": ["listen", "sound"]},
        "nodes": {
            "blend": {"type": "Blend"},
            "listen": {
                "type": "Listen",
                "inputs": {"loud": True},
                "links": {"picture": ["blend", "picture"]},
            },
        },
    }
    nodes = {
        "loop": {"type": "ForEach", "inputs": {"body": "step", "items": [1]}},
        "end": {"type": "Show", "inputs": {"vlaue": 1}, "links": {"value": ["loop", "results"]}},
    }
    issues = make_engine(*FUNCTIONS).validate(workflow_of(nodes, {"step": step}))
    assert {(issue.code, issue.node, issue.input, issue.given) for issue in issues} == {
        ("unknown_input", "loop/listen", "loud", "loud"),
        ("body_input", "loop", "body", "first, second"),
        ("body_input", "loop", "body", "first"),
        ("body_input", "loop", "body", "second"),
        ("body_output", "loop", "body", "picture, sound"),
        ("unknown_input", "end", "vlaue", "vlaue"),
    }


# --- types ----------------------------------------------------------------------------------------------


def test_an_element_of_the_wrong_type_is_an_issue_before_anything_runs(make_engine):
    body = trace(lambda item: Listen.node(item))  # noqa: PLW0108 - its parameter is read
    engine = make_engine()
    with pytest.raises(ValidationError) as caught:
        engine.run_sync(Workflow.from_outputs(ForEach.node(body, Numbers.node()), Draw.node()))
    issue = only(list(caught.value.issues))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "for_each_1", "body")
    assert (issue.given, issue.expected) == ("int", "Picture")
    assert "takes Picture as 'item' (Listen1.picture), but the loop gives it int" in issue.message
    assert CALLS == []


def test_the_index_is_a_whole_number_whatever_the_elements_are(make_engine):
    body = trace(lambda item, index: Blend.node(item, index))  # noqa: PLW0108 - its parameters are read
    issue = only(issues_of(make_engine, ForEach.node(body, [Draw.node()])))
    assert (issue.given, issue.expected) == ("int", "Picture")
    assert "as 'index'" in issue.message


def test_a_body_that_gives_what_its_next_iteration_cannot_take_is_an_issue(make_engine):
    body = trace(lambda value: Listen.node(value))  # noqa: PLW0108 - its parameter is read
    issue = only(issues_of(make_engine, Repeat.node(body, Draw.node())))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "repeat_1", "body")
    assert (issue.given, issue.expected) == ("Sound", "Picture")
    assert "gives Sound, but takes Picture as 'value'" in issue.message


def test_a_start_of_the_wrong_type_is_an_issue(make_engine):
    body = trace(lambda value: Brighten.node(value, 1))
    issue = only(issues_of(make_engine, Repeat.node(body, 5)))
    assert (issue.given, issue.expected) == ("int", "Picture")
    assert "but the loop gives it int" in issue.message


def test_a_value_may_change_its_type_from_one_iteration_to_the_next(make_engine):
    half = Repeat.node(trace(lambda value: Half.node(value)), 3, 2)  # noqa: PLW0108
    assert value(make_engine().run_sync(Workflow.from_outputs(half))) == 0.75
    packed = Repeat.node(trace(lambda value: Pack.node(value)), 3, 5)  # noqa: PLW0108
    assert value(make_engine().run_sync(Workflow.from_outputs(packed))) == [[[[[3]]]]]


def test_what_a_body_gives_is_the_type_of_what_the_loop_gives(make_engine):
    sounds = ForEach.node(trace(lambda item: Listen.node(item)), [Draw.node()])  # noqa: PLW0108
    assert issues_of(make_engine, ShowSounds.node(sounds)) == []
    pictures = ForEach.node(trace(lambda item: Brighten.node(item, 1)), [Draw.node()])
    issue = only(issues_of(make_engine, ShowSounds.node(pictures)))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "show_sounds_1", "sounds")
    assert (issue.given, issue.expected) == ("list[Picture]", "list[Sound]")


def test_types_travel_through_the_inside_of_a_body(make_engine):
    body = trace(lambda item: Listen.node(Same.node(item)))
    issue = only(issues_of(make_engine, ForEach.node(body, [1, 2])))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "for_each_1/Listen2", "picture")
    assert (issue.given, issue.expected) == ("int", "Picture")


def test_a_list_fed_into_one_value_maps_the_node_inside(make_engine):
    rows = ForEach.node(trace(lambda item: Spread.node(item)), [1, 2])  # noqa: PLW0108
    doubled = ForEach.node(trace(lambda item: Double.node(item)), rows)  # noqa: PLW0108
    assert value(make_engine().run_sync(Workflow.from_outputs(doubled))) == [[2, 2], [4, 4]]
    registry = NodeRegistry()
    analysis = analyse(build_graph(Workflow.from_outputs(doubled), registry), need_terminal=False)
    assert analysis.issues == []
    assert analysis.types[Link("for_each_2", "results")] is socket_type(list[list[int]])


def test_a_loop_in_a_loop_is_checked_with_the_types_it_will_see(make_engine):
    inner = trace(lambda value: Brighten.node(value, 1))
    outer = trace(lambda item: Repeat.node(inner, item, 3))
    assert issues_of(make_engine, ForEach.node(outer, [Draw.node()])) == []
    issue = only(issues_of(make_engine, ForEach.node(outer, [1])))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "for_each_1/Repeat1", "body")


def test_one_body_in_two_loops_is_checked_for_each(make_engine):
    body = trace(lambda item: Listen.node(item))  # noqa: PLW0108 - its parameter is read
    right, wrong = ForEach.node(body, [Draw.node()]), ForEach.node(body, [1])
    assert only(issues_of(make_engine, right, wrong)).node == "for_each_2"


def twice_and_packed(inner: Body) -> Body:
    return trace(lambda value: Pack.node(Repeat.node(inner, Repeat.node(inner, value))))


def test_loops_of_growing_types_in_loops_are_checked_in_no_time(make_engine):
    body = trace(lambda value: Pack.node(value))  # noqa: PLW0108 - its parameter is read
    for _ in range(25):
        body = twice_and_packed(body)
    assert issues_of(make_engine, Repeat.node(body, 1)) == []


def test_a_default_that_the_loop_replaces_counts_for_nothing(make_engine, workflow_of):
    step = {
        "inputs": {"item": [["draw", "width"]]},
        "outputs": {"picture": ["blend", "picture"]},
        "nodes": {
            "draw": {"type": "Draw", "inputs": {"width": 7}},
            "other": {"type": "Draw", "inputs": {"width": 3}},
            "blend": {
                "type": "Blend",
                "links": {"first": ["draw", "picture"], "second": ["other", "picture"]},
            },
        },
    }
    nodes = {
        "loop": {"type": "ForEach", "inputs": {"body": "step", "items": [3, 3]}},
        "end": {"type": "Show", "links": {"value": ["loop", "results"]}},
    }
    assert make_engine(*FUNCTIONS).validate(workflow_of(nodes, {"step": step})) == []


# --- loops of packs -------------------------------------------------------------------------------------


def painted(body: Body, amounts: Any = None) -> Any:
    return Paint.node(body, Draw.node(1), [2, 3] if amounts is None else amounts)


def test_a_loop_of_a_pack_runs_its_body(make_engine):
    body = trace(lambda amount, picture: {"painted": Brighten.node(picture, amount)})
    assert value(make_engine().run_sync(Workflow.from_outputs(painted(body)))) == Picture(6)


def test_a_loop_of_a_pack_says_what_its_body_lacks(make_engine):
    body = trace(lambda picture, much: Brighten.node(picture, much))  # noqa: PLW0108 - parameters are read
    issues = issues_of(make_engine, painted(body))
    assert [(issue.node, issue.input, issue.given) for issue in issues] == [
        ("paint_1", "body", "picture, much"),
        ("paint_1", "body", "much"),
    ]
    assert [issue.expected for issue in issues] == ["an input 'amount'", "picture, amount"]


def test_a_body_that_gives_another_type_than_the_loop_declares_is_an_issue(make_engine):
    body = trace(lambda picture, amount: Listen.node(Brighten.node(picture, amount)))
    issue = only(issues_of(make_engine, painted(body)))
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "paint_1", "body")
    assert (issue.given, issue.expected) == ("Sound", "Picture")
    assert "gives Sound as 'result', not Picture" in issue.message


def test_a_declared_type_holds_whatever_is_wired_in(make_engine):
    body = trace(lambda picture, amount: Blend.node(picture, amount))  # noqa: PLW0108 - parameters are read
    issue = only(issues_of(make_engine, painted(body)))
    assert (issue.given, issue.expected) == ("int", "Picture")


def test_an_interface_checks_a_body_that_is_only_known_during_the_run():
    body = trace(lambda much, picture: Brighten.node(picture, much))
    with pytest.raises(InputError, match=r"no input 'amount'.*its inputs are much, picture"):
        PAINTER.call(body, picture=Picture(), amount=1)


def test_an_interface_is_given_only_what_it_declares():
    body = trace(lambda picture, amount: Brighten.node(picture, amount))  # noqa: PLW0108
    with pytest.raises(TypeError, match="no input 'colour'"):
        PAINTER.call(body, picture=Picture(), amount=1, colour=2)


def test_an_interface_on_an_input_that_takes_no_body_is_refused():
    with pytest.raises(DeclarationError, match="has a BodyInterface, so it must be a Body, not int"):

        @node()
        def Wrong(body: Annotated[int, PAINTER]) -> int:
            return body


def test_an_interface_of_something_that_is_no_type_is_refused():
    with pytest.raises(TypeError, match="cannot be a socket type"):
        BodyInterface(takes={"item": 5})


def test_the_description_of_a_loop_says_what_its_body_must_be():
    assert Paint.record.describe()["inputs"]["body"]["body"] == {
        "takes": {"picture": "Picture", "amount": "int"},
        "may_take": {},
        "gives": {"painted": "Picture"},
    }


def test_a_loop_whose_source_is_not_at_hand_can_be_cached(make_engine):
    namespace: dict[str, Any] = {}
    source = (
        "from typing import Annotated, Any\n"
        "from nodegraph import Body, BodyInterface, Subgraph, node\n"
        "ONCE = BodyInterface(takes={'value': int}, gives={'result': int})\n"
        "@node()\n"
        "def Once(body: Annotated[Body, ONCE], value: int) -> int | Subgraph:\n"
        "    return Subgraph(int=ONCE.call(body, value=value)[0]['result'])\n"
    )
    exec(source, namespace)
    workflow = Workflow.from_outputs(namespace["Once"].node(trace(lambda value: Double.node(value)), 4))  # noqa: PLW0108
    assert value(make_engine().run_sync(workflow)) == 8
