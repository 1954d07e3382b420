from __future__ import annotations

from typing import NamedTuple

import pytest
from pydantic import ValidationError

from nodegraph import node, with_id
from nodegraph.body import Body
from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.tracing import trace
from nodegraph.workflow import NodeEntry, Workflow, dump_workflow, parse_workflow


class Pair(NamedTuple):
    low: int
    high: int


@node()
def AddNumbers(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@node(version=3)
def RGBSplit(a: int) -> Pair:
    """Split."""
    return Pair(a, a)


@node()
def Total(numbers: list[int]) -> int:
    """Add up."""
    return sum(numbers)


@node()
def Loop(start: int, body: Body) -> int:
    """Loop."""
    return start


def test_handles_become_links_and_values_constants():
    split = RGBSplit.node(4)
    workflow = Workflow.from_outputs(AddNumbers.node(split.low, b=split.high), name="sum")
    assert workflow.name == "sum"
    assert workflow.nodes["rgb_split_1"] == NodeEntry(type="RGBSplit", version=3, inputs={"a": 4})
    assert workflow.nodes["add_numbers_1"].links == {
        "a": Link("rgb_split_1", "low"),
        "b": Link("rgb_split_1", "high"),
    }
    assert list(workflow.nodes) == ["rgb_split_1", "add_numbers_1"]


def test_lists_of_handles_are_gathered():
    workflow = Workflow.from_outputs(Total.node([AddNumbers.node(1), AddNumbers.node(2)]))
    sources = workflow.nodes["total_1"].links["numbers"]
    assert [workflow.nodes[source].inputs["a"] for source, _ in sources] == [1, 2]
    assert Workflow.from_outputs(Total.node([1, 2])).nodes["total_1"].inputs == {"numbers": [1, 2]}


def test_lists_that_mix_handles_and_values_are_refused():
    with pytest.raises(WorkflowError, match=r"total_1\.numbers: .*mixes"):
        Workflow.from_outputs(Total.node([AddNumbers.node(1), 2]))


def test_several_outputs_must_be_named():
    with pytest.raises(WorkflowError, match=r"add_numbers_1\.a: RGBSplit has several outputs.*\.low, \.high"):
        Workflow.from_outputs(AddNumbers.node(RGBSplit.node(1)))


def test_given_ids_are_kept_and_avoided():
    first = with_id(AddNumbers.node(1), "add_numbers_1")
    workflow = Workflow.from_outputs(with_id(AddNumbers.node(AddNumbers.node(first)), "last"))
    assert set(workflow.nodes) == {"add_numbers_1", "add_numbers_2", "last"}


def test_the_same_id_twice_is_refused():
    first, second = with_id(AddNumbers.node(1), "x"), with_id(AddNumbers.node(2), "x")
    with pytest.raises(WorkflowError, match="two nodes were given the id 'x'"):
        Workflow.from_outputs(first, second)


def test_a_shared_call_is_one_node():
    shared = AddNumbers.node(1)
    assert len(Workflow.from_outputs(AddNumbers.node(shared, shared), shared).nodes) == 2


def test_remembers_node_types_and_targets():
    result = with_id(AddNumbers.node(RGBSplit.node(1).low), "result")
    workflow = Workflow.from_outputs(result)
    assert {record.id for record in workflow.node_types} == {"AddNumbers", "RGBSplit"}
    assert workflow.targets == ("result",)
    changed = workflow.with_input("result", "b", 5)
    assert changed.node_types == workflow.node_types
    assert parse_workflow(dump_workflow(workflow)).targets == ()


def test_only_handles_make_a_workflow():
    with pytest.raises(WorkflowError, match=r"expected what \.node"):
        Workflow.from_outputs(3)


def test_two_nodes_of_one_name_are_refused():
    def other(a: int) -> int:
        """Other."""
        return a

    namesake = node(name="AddNumbers")(other)
    with pytest.raises(WorkflowError, match="two different nodes are named 'AddNumbers'"):
        Workflow.from_outputs(AddNumbers.node(namesake.node(1)))


def test_a_chain_of_100_000_needs_no_recursion():
    handle = AddNumbers.node(1)
    for _ in range(99_999):
        handle = AddNumbers.node(handle)
    workflow = Workflow.from_outputs(handle)
    assert len(workflow.nodes) == 100_000
    assert workflow.nodes["add_numbers_100000"].links == {"a": Link("add_numbers_99999", "int")}


def test_loop_bodies_become_subgraphs_that_a_file_can_hold():
    body = trace(lambda x: AddNumbers.node(AddNumbers.node(x), b=3))
    workflow = Workflow.from_outputs(Loop.node(1, body), Loop.node(2, body))
    assert [entry.inputs["body"] for entry in workflow.nodes.values()] == ["body", "body"]
    subgraph = workflow.subgraphs["body"]
    ((inner, name),) = subgraph.inputs["x"]
    assert name == "a"
    assert subgraph.nodes[subgraph.outputs["result"].node].links["a"] == Link(inner, "int")
    assert parse_workflow(dump_workflow(workflow)).subgraphs == workflow.subgraphs


def test_different_bodies_get_different_names():
    def step(x):
        return AddNumbers.node(x)

    workflow = Workflow.from_outputs(Loop.node(1, trace(step)), Loop.node(1, trace(step)))
    assert sorted(workflow.subgraphs) == ["step", "step_2"]


def test_with_input_replaces_a_link_and_leaves_the_original():
    workflow = Workflow.from_outputs(with_id(AddNumbers.node(AddNumbers.node(1)), "last"))
    changed = workflow.with_input("last", "a", 9)
    assert changed.nodes["last"].inputs == {"a": 9}
    assert changed.nodes["last"].links == {}
    assert "a" in workflow.nodes["last"].links


def test_with_input_names_the_nodes_there_are():
    with pytest.raises(WorkflowError, match="no node 'lost'; there are: add_numbers_1"):
        Workflow.from_outputs(AddNumbers.node(1)).with_input("lost", "a", 1)


@pytest.mark.parametrize(
    ("workflow", "text"),
    [
        (Workflow(), "<workflow of 0 nodes>"),
        (Workflow(name="Owl", nodes={"a": NodeEntry(type="A")}), "<workflow 'Owl' of 1 node>"),
        (
            Workflow(nodes={"a": NodeEntry(type="A"), "b": NodeEntry(type="B")}, subgraphs={"s": {}}),
            "<workflow of 2 nodes and 1 subgraph>",
        ),
    ],
)
def test_a_workflow_prints_on_one_line(workflow, text):
    assert (str(workflow), repr(workflow)) == (text, text)


def test_a_workflow_cannot_be_changed():
    workflow = Workflow(name="a")
    with pytest.raises(ValidationError):
        workflow.name = "b"


def test_subgraph_nodes_name_their_subgraph():
    assert NodeEntry(type="subgraph/refine").subgraph == "refine"
    assert NodeEntry(type="refine").subgraph is None
