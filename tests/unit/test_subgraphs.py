from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from nodegraph import NodeContext, Subgraph, node
from nodegraph.body import Body
from nodegraph.errors import InputError, ValidationError, WorkflowError
from nodegraph.graph import build_graph
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.tracing import trace
from nodegraph.workflow import Workflow


class Quotient(NamedTuple):
    quotient: int
    remainder: int


@node()
def Add(a: int, b: int = 1) -> int:
    return a + b


@node()
def Divide(a: int, b: int = 10) -> Quotient:
    return Quotient(a // b, a % b)


@node()
def Total(numbers: list[int]) -> int:
    return sum(numbers)


@node(outputs=["value"])
def Twice(ctx: NodeContext, body: Body, value: int) -> int | Subgraph:
    """Apply a body two times."""
    (name,), (output,) = body.inputs, body.outputs
    once, also = body.call(**{name: ctx.input("value")})
    again, more = body.call(**{name: once[output]})
    return Subgraph(*also, *more, value=again[output])


@node(terminal=True)
def Show(value: int) -> int:
    return value


NODES = (Add, Divide, Total, Twice, Show)

ADD_TWO = {
    "inputs": {"x": [["first", "a"]], "step": [["first", "b"], ["second", "b"]]},
    "outputs": {"sum": ["second", "int"], "halfway": ["first", "int"]},
    "nodes": {
        "first": {"type": "Add"},
        "second": {"type": "Add", "links": {"a": ["first", "int"]}},
    },
}
ADD_FOUR = {
    "inputs": {"x": [["one", "x"]], "step": [["one", "step"], ["two", "step"]]},
    "outputs": {"sum": ["two", "sum"]},
    "nodes": {
        "one": {"type": "subgraph/add_two"},
        "two": {"type": "subgraph/add_two", "links": {"x": ["one", "sum"]}},
    },
}


def show(source: str, output: str) -> dict[str, Any]:
    return {"type": "Show", "links": {"value": [source, output]}}


@pytest.fixture
def result_of(make_engine, workflow_of):
    """What the node ``show`` of a workflow gets to show."""
    engine = make_engine(*NODES)

    def result(nodes: dict[str, Any], subgraphs: dict[str, Any]) -> Any:
        result = engine.run_sync(workflow_of(nodes, subgraphs))
        assert result.status == "done", result.errors
        return result.outputs["show"]["int"]

    return result


# --- a subgraph as a node -------------------------------------------------------------------------------


def test_a_subgraph_runs_as_a_node(result_of):
    nodes = {"sub": {"type": "subgraph/add_two", "inputs": {"x": 1}}, "show": show("sub", "sum")}
    assert result_of(nodes, {"add_two": ADD_TWO}) == 3


def test_an_input_of_a_subgraph_feeds_every_place_it_names(result_of):
    nodes = {"sub": {"type": "subgraph/add_two", "inputs": {"x": 1, "step": 10}}, "show": show("sub", "sum")}
    assert result_of(nodes, {"add_two": ADD_TWO}) == 21


def test_an_input_of_a_subgraph_may_be_linked(result_of):
    nodes = {
        "start": {"type": "Add", "inputs": {"a": 4}},
        "sub": {
            "type": "subgraph/add_two",
            "links": {"x": ["start", "int"], "step": ["start", "int"]},
        },
        "show": show("sub", "sum"),
    }
    assert result_of(nodes, {"add_two": ADD_TWO}) == 15


def test_every_output_of_a_subgraph_is_its_own(result_of):
    nodes = {"sub": {"type": "subgraph/add_two", "inputs": {"x": 1}}, "show": show("sub", "halfway")}
    assert result_of(nodes, {"add_two": ADD_TWO}) == 2


def test_subgraphs_nest(result_of):
    nodes = {"sub": {"type": "subgraph/add_four", "inputs": {"x": 0, "step": 5}}, "show": show("sub", "sum")}
    assert result_of(nodes, {"add_two": ADD_TWO, "add_four": ADD_FOUR}) == 20


def test_a_subgraph_used_twice_is_two_sets_of_nodes(result_of):
    nodes = {
        "one": {"type": "subgraph/add_two", "inputs": {"x": 0}},
        "two": {"type": "subgraph/add_two", "inputs": {"x": 100}},
        "total": {"type": "Total", "links": {"numbers": [["one", "sum"], ["two", "halfway"]]}},
        "show": show("total", "int"),
    }
    assert result_of(nodes, {"add_two": ADD_TWO}) == 103


def test_a_subgraph_may_be_linked_to_a_subgraph(result_of):
    nodes = {
        "one": {"type": "subgraph/add_four", "inputs": {"x": 0}},
        "two": {"type": "subgraph/add_four", "links": {"x": ["one", "sum"]}},
        "show": show("two", "sum"),
    }
    assert result_of(nodes, {"add_two": ADD_TWO, "add_four": ADD_FOUR}) == 8


def test_a_node_that_shows_something_inside_a_subgraph_ends_the_run(make_engine, workflow_of):
    inner = {"nodes": {"add": {"type": "Add", "inputs": {"a": 1}}, "show": show("add", "int")}}
    result = make_engine(*NODES).run_sync(workflow_of({"sub": {"type": "subgraph/one"}}, {"one": inner}))
    assert result.outputs == {"sub/show": {"int": 2}}


def test_inner_nodes_are_named_after_the_way_to_them(workflow_of):
    registry = NodeRegistry()
    for function in NODES:
        registry.add(function)
    nodes = {"sub": {"type": "subgraph/add_four", "inputs": {"x": 0}}}
    graph = build_graph(workflow_of(nodes, {"add_two": ADD_TWO, "add_four": ADD_FOUR}), registry)
    assert list(graph.nodes) == [
        "sub/one/first",
        "sub/one/second",
        "sub/two/first",
        "sub/two/second",
    ]
    assert graph.nodes["sub/two/first"].links == {"a": Link("sub/one/second", "int")}


def test_the_subgraphs_of_a_file_are_not_changed_by_use(workflow_of, make_engine):
    workflow = workflow_of(
        {"sub": {"type": "subgraph/add_two", "inputs": {"x": 1}}, "show": show("sub", "sum")},
        {"add_two": ADD_TWO},
    )
    before = workflow.model_dump_json()
    make_engine(*NODES).run_sync(workflow)
    assert workflow.model_dump_json() == before


# --- a subgraph as the body of a loop -------------------------------------------------------------------


def test_a_subgraph_named_by_an_input_is_a_body(result_of):
    subgraphs = {"step": {**ADD_TWO, "inputs": {"x": ADD_TWO["inputs"]["x"]}}}
    subgraphs["step"]["outputs"] = {"sum": ["second", "int"]}
    nodes = {"loop": {"type": "Twice", "inputs": {"body": "step", "value": 1}}, "show": show("loop", "value")}
    assert result_of(nodes, subgraphs) == 5


def test_a_body_may_contain_subgraphs(result_of):
    step = {**ADD_FOUR, "inputs": {"x": ADD_FOUR["inputs"]["x"]}}
    nodes = {"loop": {"type": "Twice", "inputs": {"body": "step", "value": 1}}, "show": show("loop", "value")}
    assert result_of(nodes, {"add_two": ADD_TWO, "step": step}) == 9


def test_a_body_may_contain_a_loop(result_of):
    inner = {
        "inputs": {"x": [["add", "a"]]},
        "outputs": {"sum": ["add", "int"]},
        "nodes": {"add": {"type": "Add"}},
    }
    outer = {
        "inputs": {"x": [["loop", "value"]]},
        "outputs": {"sum": ["loop", "value"]},
        "nodes": {"loop": {"type": "Twice", "inputs": {"body": "inner"}}},
    }
    nodes = {
        "loop": {"type": "Twice", "inputs": {"body": "outer", "value": 0}},
        "show": show("loop", "value"),
    }
    assert result_of(nodes, {"inner": inner, "outer": outer}) == 4


# --- bodies made from Python functions ------------------------------------------------------------------


def test_trace_makes_a_body_of_a_function_that_wires_nodes():
    body = trace(lambda x: Add.node(Add.node(x), 5))
    assert list(body.inputs) == ["x"]
    assert list(body.outputs) == ["result"]
    assert [inner.type for inner in body.graph.nodes.values()] == ["Add", "Add"]


def test_a_traced_body_runs(make_engine):
    body = trace(lambda x: Add.node(Add.node(x), 5))
    result = make_engine().run_sync(Workflow.from_outputs(Twice.node(body, 0)))
    assert result.outputs["twice_1"] == {"value": 12}


def test_a_traced_body_may_name_its_outputs():
    def divide(x):
        halves = Divide.node(x)
        return {"tens": halves.quotient, "ones": halves.remainder}

    assert list(trace(divide).outputs) == ["tens", "ones"]


def test_a_traced_body_with_an_unused_parameter_has_an_input_that_leads_nowhere():
    assert trace(lambda x, index: Add.node(x)).inputs["index"] == []


def test_a_body_that_returns_its_parameter_is_refused():
    with pytest.raises(WorkflowError, match="must not return one of its inputs"):
        trace(lambda x: x)


def test_a_body_that_returns_something_else_than_a_handle_is_refused():
    with pytest.raises(WorkflowError, match=r"expected what \.node"):
        trace(lambda x: 5)


def test_a_body_called_with_an_unknown_input_says_which_it_has():
    body = trace(lambda x: Add.node(x, 1))
    with pytest.raises(InputError, match="has no input 'y'; its inputs are x"):
        body.call(y=1)


def test_a_constant_that_will_not_do_is_refused_where_the_body_is_traced():
    with pytest.raises(ValidationError) as caught:
        trace(lambda x: Add.node(x, "five"))
    (issue,) = caught.value.issues
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "Add1", "b")


def test_a_wrong_wire_inside_a_traced_body_is_found_before_the_run(make_engine):
    body = trace(lambda x: Total.node(Add.node(x)))
    with pytest.raises(ValidationError) as caught:
        make_engine().run_sync(Workflow.from_outputs(Twice.node(body, 0)))
    (issue,) = caught.value.issues
    assert (issue.code, issue.node, issue.input) == ("wrong_type", "twice_1/Total2", "numbers")
