"""Muted and bypassed nodes: what is left of a graph, inside subgraphs and loops too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Subgraph, node
from nodegraph.body import Body
from nodegraph.engine import Engine
from nodegraph.graph import Graph, build_graph
from nodegraph.handles import Link
from nodegraph.locations import default_folders
from nodegraph.registry import NodeRegistry
from nodegraph.targets import unknown_targets
from nodegraph.validation import validate
from nodegraph.worker.telling import plan_message
from nodegraph.workflow import Workflow, dump_workflow, export_comfy, parse_workflow

T = TypeVar("T")


@dataclass(frozen=True)
class Latent:
    value: int


class Pair(NamedTuple):
    positive: str
    negative: str


@node()
def Make(value: int = 1) -> Latent:
    """Make."""
    return Latent(value)


@node()
def Sample(steps: int, latent: Latent, extra: Latent | None = None) -> Latent:
    """Sample."""
    return Latent(latent.value * 10 + (extra.value if extra else 0) + steps)


@node()
def Guide(positive: str, negative: str = "none", amount: float = 1.0) -> Pair:
    """Guide."""
    return Pair(f"+{positive}", f"-{negative}")


@node()
def Say(text: str = "hm") -> str:
    """Say."""
    return text


@node()
def Pass(value: T) -> T:
    """Pass."""
    return value


@node()
def Sum(items: list[Latent]) -> Latent:
    """Add up."""
    return Latent(sum(item.value for item in items))


@node(terminal=True)
def Show(latent: Latent) -> int:
    """Show."""
    return latent.value


@node(outputs=["value"])
def Twice(body: Body, value: Latent) -> Latent | Subgraph:
    """Apply a body two times."""
    once, also = body.call(value=value)
    again, more = body.call(value=once["value"])
    return Subgraph(*also, *more, value=again["value"])


@node()
def Add(a: int, b: int = 5) -> int:
    """Add."""
    return a + b


REGISTRY = NodeRegistry()
for item in (Make, Sample, Guide, Say, Pass, Sum, Show, Twice, Add):
    REGISTRY.add(item)


def graph_of(nodes: dict[str, Any], **more: Any) -> Graph:
    return build_graph(Workflow.model_validate({"nodes": nodes, **more}), REGISTRY)


def chain(**modes: str) -> dict[str, Any]:
    """make -> sample -> show, with modes."""
    nodes: dict[str, Any] = {
        "make": {"type": "Make"},
        "sample": {"type": "Sample", "inputs": {"steps": 3}, "links": {"latent": ["make", "latent"]}},
        "show": {"type": "Show", "links": {"latent": ["sample", "latent"]}},
    }
    for id, mode in modes.items():
        nodes[id]["mode"] = mode
    return nodes


def test_the_mode_is_part_of_the_file():
    workflow = Workflow.model_validate({"nodes": chain(sample="muted")})
    assert parse_workflow(dump_workflow(workflow)) == workflow
    assert workflow.nodes["sample"].mode == "muted"
    with pytest.raises(ValueError, match='"muted", "bypassed" or null'):
        Workflow.model_validate({"nodes": chain(sample="off")})


def test_a_muted_node_takes_with_it_what_needs_it():
    graph = graph_of(chain(sample="muted"))
    assert list(graph.nodes) == ["make"]
    assert graph.left_out == {"sample": "sample", "show": "sample"}
    [issue] = validate(graph)
    assert (issue.code, issue.node, issue.severity) == ("no_output", "sample", "error")
    assert "muted" in issue.message
    [wanted] = unknown_targets(["show"], graph)
    assert "needs sample" in wanted.message


def test_an_input_with_a_default_falls_back_to_it():
    nodes = chain() | {"other": {"type": "Make", "mode": "muted"}}
    nodes["sample"]["links"]["extra"] = ["other", "latent"]
    graph = graph_of(nodes)
    assert set(graph.nodes) == {"make", "sample", "show"}
    assert graph.nodes["sample"].links == {"latent": Link("make", "latent")}
    assert graph.nodes["sample"].constants["extra"] is None
    assert validate(graph) == []


def test_a_constant_beside_the_link_counts_again():
    nodes = {
        "say": {"type": "Say", "mode": "muted"},
        "again": {"type": "Say", "inputs": {"text": "own"}, "links": {"text": ["say", "str"]}},
    }
    assert graph_of(nodes).nodes["again"].constants == {"text": "own"}


def test_a_bypassed_node_gives_what_comes_in():
    graph = graph_of(chain(sample="bypassed"))
    assert graph.nodes["show"].links == {"latent": Link("make", "latent")}
    assert graph.left_out == {}


def test_outputs_of_one_type_take_the_inputs_of_their_names():
    nodes = {
        "yes": {"type": "Say"},
        "no": {"type": "Say"},
        "guide": {
            "type": "Guide",
            "mode": "bypassed",
            "links": {"negative": ["no", "str"], "positive": ["yes", "str"]},
        },
        "p": {"type": "Say", "links": {"text": ["guide", "positive"]}},
        "n": {"type": "Say", "links": {"text": ["guide", "negative"]}},
    }
    graph = graph_of(nodes)
    assert graph.nodes["p"].links == {"text": Link("yes", "str")}
    assert graph.nodes["n"].links == {"text": Link("no", "str")}


def test_chains_rings_and_loaders_that_are_bypassed():
    nodes = chain(sample="bypassed") | {
        "second": {"type": "Pass", "mode": "bypassed", "links": {"value": ["sample", "latent"]}},
        "ring": {"type": "Pass", "mode": "bypassed", "links": {"value": ["ring", "value"]}},
        "lost": {"type": "Show", "links": {"latent": ["ring", "value"]}},
    }
    nodes["show"]["links"]["latent"] = ["second", REGISTRY.get("Pass").outputs[0].name]
    graph = graph_of(nodes)
    assert graph.nodes["show"].links == {"latent": Link("make", "latent")}
    assert graph.left_out == {"lost": "ring"}
    assert graph_of(chain(make="bypassed")).left_out == {"sample": "make", "show": "make"}


def test_gathered_inputs_lose_what_is_muted():
    nodes = {
        "a": {"type": "Make"},
        "b": {"type": "Make", "mode": "muted"},
        "sum": {"type": "Sum", "links": {"items": [["a", "latent"], ["b", "latent"]]}},
        "none": {"type": "Sum", "links": {"items": [["b", "latent"]]}},
    }
    graph = graph_of(nodes)
    assert graph.nodes["sum"].links == {"items": (Link("a", "latent"),)}
    assert graph.left_out == {"b": "b", "none": "b"}


INNER = {
    "inputs": {"value": [["inner", "latent"]]},
    "outputs": {"value": ["inner", "latent"]},
    "nodes": {"inner": {"type": "Sample", "inputs": {"steps": 2}}},
}


def test_subgraphs_are_muted_and_bypassed_as_a_whole():
    nodes = chain() | {"sample": {"type": "subgraph/s", "links": {"value": ["make", "latent"]}}}
    nodes["show"]["links"]["latent"] = ["sample", "value"]
    nodes["sample"]["mode"] = "bypassed"
    graph = graph_of(nodes, subgraphs={"s": INNER})
    assert set(graph.nodes) == {"make", "show"}
    assert graph.nodes["show"].links == {"latent": Link("make", "latent")}
    nodes["sample"]["mode"] = "muted"
    graph = graph_of(nodes, subgraphs={"s": INNER})
    assert graph.left_out == {"sample/inner": "sample/inner", "show": "sample/inner"}


def test_nodes_inside_subgraphs_have_modes_of_their_own():
    inner = {**INNER, "nodes": {"inner": {"type": "Sample", "inputs": {"steps": 2}, "mode": "bypassed"}}}
    nodes = chain() | {"sample": {"type": "subgraph/s", "links": {"value": ["make", "latent"]}}}
    nodes["show"]["links"]["latent"] = ["sample", "value"]
    graph = graph_of(nodes, subgraphs={"s": inner})
    assert graph.nodes["show"].links == {"latent": Link("make", "latent")}


def test_a_bypassed_node_in_a_loop_passes_the_open_input_on(tmp_path):
    first = {"type": "Sample", "inputs": {"steps": 2}, "mode": "bypassed"}
    last = {"type": "Sample", "inputs": {"steps": 1}, "links": {"latent": ["first", "latent"]}}
    body = {
        "inputs": {"value": [["first", "latent"]]},
        "outputs": {"value": ["last", "latent"]},
        "nodes": {"first": first, "last": last},
    }
    nodes = chain() | {
        "sample": {"type": "Twice", "inputs": {"body": "b"}, "links": {"value": ["make", "latent"]}}
    }
    nodes["show"]["links"]["latent"] = ["sample", "value"]
    folders = default_folders(REGISTRY, tmp_path / "cache", output=tmp_path)
    engine = Engine.create(registry=REGISTRY, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"b": body}})
    assert engine.run_sync(workflow).or_raise().outputs["show"] == {"int": (1 * 10 + 1) * 10 + 1}
    assert plan_message(engine.plan(workflow), folders)["left_out"] == {}
    first["mode"], last["mode"] = None, "muted"
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"b": body}})
    assert [issue.node for issue in engine.validate(workflow) if issue.severity == "error"]


def test_a_plan_tells_what_is_left_out(tmp_path):
    folders = default_folders(REGISTRY, tmp_path / "cache", output=tmp_path)
    engine = Engine.create(registry=REGISTRY, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    nodes = chain(sample="muted") | {"again": {"type": "Show", "links": {"latent": ["make", "latent"]}}}
    told = plan_message(engine.plan(Workflow.model_validate({"nodes": nodes})), folders)
    assert told["left_out"] == {"sample": "sample", "show": "sample"}
    assert set(told["nodes"]) == {"make", "again"}


def test_a_muted_node_of_an_unknown_type_keeps_nothing_from_running():
    nodes = chain() | {"theirs": {"type": "Theirs", "mode": "muted"}}
    assert validate(graph_of(nodes)) == []


def test_comfyuis_format_gets_what_is_left():
    workflow = Workflow.model_validate({"nodes": chain(sample="bypassed")})
    exported = export_comfy(workflow, REGISTRY)
    assert exported.keys() == {"make", "show"}
    assert exported["show"]["inputs"] == {"latent": ["make", 0]}


def test_subgraphs_nested_without_end_are_passed_by_in_bounded_depth():
    depth = 5000
    subgraphs = {
        str(level): {**INNER, "nodes": {"inner": {"type": f"subgraph/{level + 1}"}}} for level in range(depth)
    }
    nodes = {"a": {"type": "subgraph/0", "mode": "bypassed"}, "b": {"type": "Make"}}
    assert list(graph_of(nodes, subgraphs=subgraphs).nodes) == ["b"]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Graphs of ``Add`` with links backwards, some nodes muted or bypassed."""
    nodes: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 8))):
        entry: dict[str, Any] = {"type": "Add", "inputs": {"a": number}, "links": {}}
        entry["mode"] = draw(st.sampled_from([None, None, "muted", "bypassed"]))
        for name in ("a", "b"):
            source = draw(st.none() | st.integers(0, number - 1)) if number else None
            if source is not None:
                entry["links"][name] = [str(source), "int"]
        nodes[str(number)] = entry
    return nodes


def expected(id: str, nodes: dict[str, Any]) -> int | None:
    """What a node gives by the words of the documentation, or ``None`` where it gives nothing."""
    entry = nodes[id]
    came = {name: expected(source, nodes) for name, (source, _) in entry["links"].items()}
    if entry["mode"] == "muted":
        return None
    if entry["mode"] == "bypassed":
        return came[next(iter(sorted(came)))] if came else None
    a = came.get("a", entry["inputs"]["a"])
    b = came.get("b")
    return None if a is None else a + (5 if b is None else b)


def computed(graph: Graph, id: str) -> int:
    node = graph.nodes[id]
    values = {name: computed(graph, link.node) for name, link in node.links.items()}  # type: ignore[union-attr]
    return Add(**{**node.constants, **values})


@given(documents())
def test_what_is_left_computes_what_the_words_say(nodes: dict[str, Any]):
    graph = graph_of(nodes)
    for id, entry in nodes.items():
        value = expected(id, nodes)
        runs = entry["mode"] is None and value is not None
        assert (id in graph.nodes) == runs
        if runs:
            assert computed(graph, id) == value
        if entry["mode"] is None and not runs:
            assert nodes[graph.left_out[id]]["mode"] is not None
