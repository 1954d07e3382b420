"""Nodes that return subgraphs, which run in their place: loops above all."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import pytest
from contract_support import STAGE

from nodegraph import Lazy, NodeContext, Subgraph, node, with_id
from nodegraph.body import Body
from nodegraph.tracing import trace
from nodegraph.workflow import Workflow, workflow_from_document
from nodes.flow.nodes import ForEach, Repeat


class Pair(NamedTuple):
    low: int
    high: list[int]


@node()
def Add(a: int, b: int = 1) -> int:
    STAGE.call("add")
    return a + b


@node()
def Total(numbers: list[int]) -> int:
    return sum(numbers)


@node()
def Numbers(count: int, start: int = 0) -> list[int]:
    return list(range(start, start + count))


@node()
def Rows() -> list[list[int]]:
    return [[1], [], [2, 3]]


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


@node()
def FailAt(value: int, limit: int) -> int:
    if value >= limit:
        raise ValueError(f"{value} is too much")
    return value + 1


@node(terminal=True)
def Record(value: int) -> None:
    STAGE.call(f"record {value}")


@node()
def Mixed(ctx: NodeContext, value: int) -> Pair | Subgraph:
    """One output that is a value, and one that is a list of a wire and a value."""
    return Subgraph(low=7, high=[Add.node(ctx.input("value")), 5])


@node()
def WrongNames(value: int) -> int | Subgraph:
    return Subgraph(nonsense=Add.node(value))


@node()
def WrongConstant(value: int) -> int | Subgraph:
    return Subgraph(int=Add.node("text"))


@node()
def WrongWire(value: int) -> int | Subgraph:
    return Subgraph(int=Total.node(Add.node(1)))


@node()
def WrongType(value: int) -> int | Subgraph:
    return Subgraph(int="text")


@node()
def WrongWiredType(value: int) -> int | Subgraph:
    return Subgraph(int=Numbers.node(3))


@node(outputs=["value"])
def Later(ctx: NodeContext, body: Body, value: Annotated[Any, Lazy()], times: int = 1) -> Any | Subgraph:
    """A loop over a value it does not wait for."""
    current = ctx.input("value")
    for _ in range(times):
        current = body.call(x=current)[0]["result"]
    return Subgraph(value=current)


@node(outputs=["results"])
def ForEachNumber(ctx: NodeContext, body: Body, items: list[int]) -> list[int] | Subgraph:
    """A loop over a list of numbers, which a list of lists maps."""
    STAGE.notes.setdefault("wires", []).append((ctx.input("items"), items))
    return Subgraph(results=[body.call(value=item)[0]["result"] for item in items])


def value(result: Any) -> Any:
    """The one output of the one target of a run that went well."""
    assert result.status == "done", [error.traceback or str(error) for error in result.errors]
    (target,) = result.outputs.values()
    (found,) = target.values()
    return found


def add_one() -> Body:
    return trace(lambda value: Add.node(value, 1))


# --- loops ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [0, 1, 2, 50])
def test_repeat_applies_a_body_again_and_again(engine_of, run, times):
    workflow = Workflow.from_outputs(Repeat.node(add_one(), 10, times))
    assert value(run(engine_of(), workflow)) == 10 + times


def test_repeat_starts_with_what_is_wired_in(engine_of, run):
    workflow = Workflow.from_outputs(Repeat.node(add_one(), Add.node(1), Add.node(2)))
    assert value(run(engine_of(), workflow)) == 5


def test_repeat_tells_the_body_the_number_of_the_iteration(engine_of, run):
    body = trace(lambda value, index: Add.node(value, index))  # noqa: PLW0108 - its parameters are read
    assert value(run(engine_of(), Workflow.from_outputs(Repeat.node(body, 0, 4)))) == 6


def test_raising_the_number_of_iterations_runs_only_the_new_ones(engine_of, run):
    engine = engine_of()
    run(engine, Workflow.from_outputs(Repeat.node(add_one(), 0, 5)))
    STAGE.calls.clear()
    assert value(run(engine, Workflow.from_outputs(Repeat.node(add_one(), 0, 7)))) == 7
    assert STAGE.calls["add"] == 2


def test_a_loop_that_ran_before_is_not_entered_again(engine_of, run):
    engine, workflow = engine_of(), Workflow.from_outputs(Repeat.node(add_one(), 0, 5))
    run(engine, workflow)
    assert run(engine, workflow).executed == 0


@pytest.mark.parametrize("items", [[], [1], [1, 2, 3]])
def test_for_each_applies_a_body_to_every_element(engine_of, run, items):
    workflow = Workflow.from_outputs(ForEach.node(add_one(), items))
    assert value(run(engine_of(), workflow)) == [item + 1 for item in items]


def test_for_each_takes_a_list_that_is_wired_in(engine_of, run):
    workflow = Workflow.from_outputs(ForEach.node(add_one(), Numbers.node(4)))
    assert value(run(engine_of(), workflow)) == [1, 2, 3, 4]


def test_for_each_takes_several_wires(engine_of, run):
    workflow = Workflow.from_outputs(ForEach.node(add_one(), [Add.node(1), Add.node(5)]))
    assert value(run(engine_of(), workflow)) == [3, 7]


def test_for_each_tells_the_body_the_number_of_the_element(engine_of, run):
    body = trace(lambda item, index: Add.node(item, index))  # noqa: PLW0108 - its parameters are read
    assert value(run(engine_of(), Workflow.from_outputs(ForEach.node(body, [5, 5, 5])))) == [5, 6, 7]


def test_what_follows_a_loop_gets_its_result(engine_of, run):
    workflow = Workflow.from_outputs(Total.node(ForEach.node(add_one(), Numbers.node(3))))
    assert value(run(engine_of(), workflow)) == 6


def test_loops_nest(engine_of, run):
    inner = add_one()
    body = trace(lambda item: Repeat.node(inner, item, 3))
    assert value(run(engine_of(), Workflow.from_outputs(ForEach.node(body, [0, 10])))) == [3, 13]


def test_loops_nest_in_loops_of_loops(engine_of, run):
    inner = add_one()
    middle = trace(lambda value: Repeat.node(inner, value, 2))
    outer = trace(lambda value: Repeat.node(middle, value, 3))
    assert value(run(engine_of(), Workflow.from_outputs(Repeat.node(outer, 0, 4)))) == 24


def test_a_thousand_iterations_are_no_deeper_than_one(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Repeat.node(add_one(), 0, 1000)))) == 1000


def test_a_loop_in_a_list_is_mapped(engine_of, run):
    workflow = Workflow.from_outputs(Repeat.node(add_one(), 0, Numbers.node(3)))
    assert value(run(engine_of(), workflow)) == [0, 1, 2]


def test_a_loop_over_lists_gives_each_list_to_its_body(engine_of, run):
    rows = Gather.node([Numbers.node(2), Numbers.node(1, 5)])
    sums = trace(lambda item: Total.node(item))  # noqa: PLW0108 - its parameter is read
    assert value(run(engine_of(), Workflow.from_outputs(ForEach.node(sums, rows)))) == [1, 5]


def test_a_mapped_loop_is_given_the_element_and_not_the_whole_list(engine_of, run):
    workflow = Workflow.from_outputs(ForEachNumber.node(add_one(), Rows.node()))
    assert value(run(engine_of(), workflow)) == [[2], [], [3, 4]]
    assert STAGE.notes["wires"] == [([1], [1]), ([], []), ([2, 3], [2, 3])]


# --- what a subgraph may hold ---------------------------------------------------------------------------


def test_nodes_that_save_something_run_in_every_iteration(engine_of, run):
    subgraphs = {
        "body": {
            "inputs": {"value": [["add", "a"], ["record", "value"]]},
            "outputs": {"result": ["add", "int"]},
            "nodes": {"add": {"type": "Add"}, "record": {"type": "Record"}},
        }
    }
    nodes = {
        "loop": {"type": "Repeat", "inputs": {"body": "body", "value": 0, "times": 3}},
        "end": {"type": "Record", "links": {"value": ["loop", "value"]}},
    }
    document = {"format": "nodegraph", "version": 1, "nodes": nodes, "subgraphs": subgraphs}
    result = run(engine_of(Add, Record, Repeat), workflow_from_document(document))
    assert result.status == "done", result.errors
    assert {name: count for name, count in STAGE.calls.items() if name.startswith("record")} == {
        "record 0": 1,
        "record 1": 1,
        "record 2": 1,
        "record 3": 1,
    }


def test_an_output_may_be_a_value_or_a_list_of_wires_and_values(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(with_id(Mixed.node(1), "mixed")))
    assert result.outputs == {"mixed": {"low": 7, "high": [2, 5]}}


@pytest.mark.parametrize("memory", [True, False], ids=["cached", "uncached"])
def test_a_loop_may_pass_on_a_wire_it_never_waited_for(engine_of, run, memory):
    source = with_id(Add.node(1), "source")
    times = Add.node(Add.node(source, 0), 1)  # the source is used up before the loop knows how often
    workflow = Workflow.from_outputs(Later.node(trace(lambda x: Add.node(x, 1)), source, times))
    result = run(engine_of(memory=memory), workflow)
    assert value(result) == 5
    assert result.nodes["source"].origin == "run"


# --- mistakes in a subgraph -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (WrongNames, "outputs ['nonsense'], but it declares ['int']"),
        (WrongConstant, "a is 'text', but int is expected"),
        (WrongWire, "carries int, but Total.numbers takes list[int]"),
        (WrongType, "output int is declared as int, but is str"),
        (WrongWiredType, "output int is declared as int, but is list"),
    ],
)
def test_a_wrong_subgraph_is_the_failure_of_the_node_that_returned_it(engine_of, run, function, message):
    result = run(engine_of(), Workflow.from_outputs(with_id(function.node(1), "wrong")))
    assert result.status == "failed"
    (error,) = result.errors
    assert error.node_id == "wrong"
    assert message in str(error)
    assert set(result.nodes) <= {"wrong/Numbers-1"}


def test_a_failure_inside_a_loop_names_the_node_inside(engine_of, run):
    body = trace(lambda value: FailAt.node(value, 3))
    loop = with_id(Repeat.node(body, 0, 10), "loop")
    result = run(engine_of(), Workflow.from_outputs(Gather.node([loop]), with_id(Add.node(1), "apart")))
    assert result.status == "failed"
    (error,) = result.errors
    assert error.node_id == "loop/FailAt1-4"
    assert "3 is too much" in str(error)
    assert result.outputs == {"apart": {"int": 2}}
    assert "loop" not in result.nodes


# --- records --------------------------------------------------------------------------------------------


def test_the_nodes_of_a_subgraph_are_recorded_under_the_node_that_returned_it(engine_of, run):
    result = run(engine_of(), Workflow.from_outputs(with_id(Repeat.node(add_one(), 0, 2), "loop")))
    assert set(result.nodes) == {"loop", "loop/Add1-1", "loop/Add1-2"}
    inner = sum(result.nodes[id].seconds for id in ("loop/Add1-1", "loop/Add1-2"))
    assert result.nodes["loop"].seconds >= inner > 0


def test_a_node_of_the_workflow_may_have_the_id_of_one_in_a_subgraph(engine_of, run):
    loop = with_id(Repeat.node(add_one(), 0, 1), "loop")
    twin = with_id(Add.node(100), "loop/Add1-1")
    assert value(run(engine_of(), Workflow.from_outputs(Gather.node([twin, loop])))) == [101, 1]
