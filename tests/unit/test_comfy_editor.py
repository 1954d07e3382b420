"""Files of ComfyUI's editor: slots and widgets by position, and what the editor only draws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from nodegraph import node
from nodegraph.errors import WorkflowError
from nodegraph.graph import build_graph
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.validation import validate
from nodegraph.workflow import load_workflow
from nodegraph.workflow.comfy_editor import import_comfy_editor


@dataclass(frozen=True)
class Model:
    name: str


class Loaded(NamedTuple):
    model: Model
    clip: Model


@node()
def Loader(name: str = "a") -> Loaded:
    """Load."""
    return Loaded(Model(name), Model(name))


@node()
def Sampler(model: Model, seed: int = 0, steps: int = 1, label: str = "") -> Model:
    """Sample."""
    return model


@node(terminal=True)
def Save(images: Model, prefix: str = "x") -> None:
    """Save."""


@pytest.fixture
def registry() -> NodeRegistry:
    registry = NodeRegistry()
    for item in (Loader, Sampler, Save):
        registry.add(item)
    return registry


def placed(
    id: int | str, type: str, *slots: tuple[str, int | None], widgets: Any = (), **more: Any
) -> dict[str, Any]:
    inputs = [{"name": name, "type": "*", "link": link} for name, link in slots]
    values = widgets if isinstance(widgets, dict) else list(widgets)
    return {"id": id, "type": type, "inputs": inputs, "widgets_values": values, "mode": 0, **more}


def file(nodes: list[Any], links: list[Any], **more: Any) -> dict[str, Any]:
    return {"version": 0.4, "nodes": nodes, "links": links, **more}


CHAIN = file(
    [
        placed(1, "Loader", widgets=["b"], pos=[10, 20], size={"0": 200, "1": 80}, title="My model"),
        placed(2, "Sampler", ("model", 1), widgets=[7, "randomize", 20, "hi"], flags={"collapsed": True}),
        placed(3, "Save", ("images", 2), widgets=["out"], bgcolor="#335"),
    ],
    [[1, 1, 1, 2, 0, "MODEL"], [2, 2, 0, 3, 0, "IMAGE"]],
    groups=[{"title": "All", "bounding": [0, 0, 500, 300], "color": "#88A"}],
)


def test_widgets_and_links_find_their_inputs(registry: NodeRegistry) -> None:
    workflow, issues = import_comfy_editor(CHAIN, registry)
    assert issues == []
    assert workflow.nodes["1"].inputs == {"name": "b"}
    assert workflow.nodes["2"].inputs == {"seed": 7, "steps": 20, "label": "hi"}
    assert workflow.nodes["2"].links == {"model": Link("1", "clip")}
    assert workflow.nodes["3"].links == {"images": Link("2", "model")}
    assert validate(build_graph(workflow, registry)) == []


def test_places_titles_and_frames_are_kept(registry: NodeRegistry) -> None:
    workflow, _ = import_comfy_editor(CHAIN, registry)
    assert workflow.nodes["1"].ui == {"title": "My model", "position": [10, 20], "size": [200, 80]}
    assert workflow.nodes["2"].ui == {"collapsed": True, "comfyui": {"after_run": {"seed": "randomize"}}}
    assert workflow.nodes["3"].ui == {"color": "#335"}
    assert workflow.ui["groups"] == [
        {"id": "group-1", "title": "All", "position": [0, 0], "size": [500, 300], "color": "#88A"}
    ]


def test_frames_without_a_place_are_left_out(registry: NodeRegistry) -> None:
    odd = [{"title": "a", "bounding": [1]}, {"title": "b"}, None, 5, {"bounding": "x", "color": 5}]
    sound = {"title": {"x": 1}, "bounding": [1, 2, 3, 4], "color": 5}
    workflow, issues = import_comfy_editor(file([placed(1, "Loader")], [], groups=[*odd, sound]), registry)
    assert [issue.message[:9] for issue in issues] == [f"groups[{number}]" for number in range(5)]
    assert workflow.ui["groups"] == [{"id": "group-6", "title": "", "position": [1, 2], "size": [3, 4]}]


def test_two_nodes_of_one_id_are_both_kept_and_told(registry: NodeRegistry) -> None:
    nodes = [placed(1, "Loader"), placed(1, "Save", ("images", 1)), placed("1-2", "Sampler")]
    workflow, issues = import_comfy_editor(file(nodes, [[1, 1, 0, 1, 0, "*"]]), registry)
    assert {id: entry.type for id, entry in workflow.nodes.items()} == {
        "1": "Loader",
        "1-3": "Save",
        "1-2": "Sampler",
    }
    assert workflow.nodes["1-3"].links == {"images": Link("1", "model")}
    assert [(issue.node, issue.severity) for issue in issues] == [("1-3", "warning")]
    assert "two nodes of the file have the id 1" in issues[0].message


def test_what_is_only_drawn_is_dissolved(registry: NodeRegistry) -> None:
    nodes = [
        placed(1, "Loader"),
        placed(4, "Reroute", ("", 1)),
        placed(5, "Reroute", ("", 2)),
        placed(6, "PrimitiveNode", widgets=[42, "fixed"]),
        placed(7, "Note", widgets=["remember"], pos=[1, 2]),
        placed(2, "Sampler", ("model", 3), ("seed", 4), widgets=[7, "fixed", 20, ""]),
        placed(3, "Save", ("images", 5)),
    ]
    links = [[1, 1, 0, 4, 0, "*"], [2, 4, 0, 5, 0, "*"], [3, 5, 0, 2, 0, "*"], [4, 6, 0, 2, 1, "INT"]]
    workflow, _ = import_comfy_editor(file(nodes, [*links, [5, 2, 0, 3, 0, "*"]]), registry)
    assert list(workflow.nodes) == ["1", "2", "3"]
    assert workflow.nodes["2"].links == {"model": Link("1", "model")}
    assert workflow.nodes["2"].inputs["seed"] == 42
    assert workflow.ui["notes"] == [{"text": "remember", "position": [1, 2]}]


def test_reroutes_in_a_ring_lead_nowhere(registry: NodeRegistry) -> None:
    nodes = [placed(1, "Reroute", ("", 1)), placed(2, "Reroute", ("", 2)), placed(3, "Save", ("images", 3))]
    ring = [[1, 2, 0, 1, 0, "*"], [2, 1, 0, 2, 0, "*"], [3, 1, 0, 3, 0, "*"]]
    workflow, issues = import_comfy_editor(file(nodes, ring), registry)
    assert workflow.nodes["3"].links == {}
    assert [issue.message for issue in issues] == [
        "reroutes lead in a circle (1, 2); they are left out, and what they feed has no wire."
    ]


def test_modes_are_kept_and_unknown_ones_told(registry: NodeRegistry) -> None:
    modes = [placed(id, "Loader", mode=mode) for id, mode in ((1, 0), (2, 2), (3, 4), (4, 3))]
    workflow, issues = import_comfy_editor(file(modes, []), registry)
    assert [entry.mode for entry in workflow.nodes.values()] == [None, "muted", "bypassed", None]
    assert [(issue.node, issue.code, issue.severity) for issue in issues] == [("4", "not_mapped", "warning")]


def test_unknown_nodes_keep_what_is_known_of_them(registry: NodeRegistry) -> None:
    slots = [
        {"name": "model", "type": "MODEL", "link": 1},
        {"name": "amount", "type": "FLOAT", "link": None, "widget": {"name": "amount"}},
    ]
    nodes = [
        placed(1, "Loader"),
        placed(2, "TheirNode", widgets=[0.5]) | {"inputs": slots},
        placed(3, "Opaque", widgets=[1, 2]),
        placed(4, "Named", widgets={"a": 1}),
        placed(5, "Save", ("images", 2)),
    ]
    links = [[1, 1, 0, 2, 0, "MODEL"], [2, 2, 3, 5, 0, "IMAGE"]]
    workflow, issues = import_comfy_editor(file(nodes, links), registry)
    assert workflow.nodes["2"].type == "TheirNode"
    assert workflow.nodes["2"].inputs == {"amount": 0.5}
    assert workflow.nodes["3"].ui["comfyui"]["widgets"] == [1, 2]
    assert workflow.nodes["4"].inputs == {"a": 1}
    assert workflow.nodes["5"].links == {"images": Link("2", "3")}
    assert [issue.node for issue in issues] == ["3"]


def test_subgraphs_become_subgraphs(registry: NodeRegistry) -> None:
    inner = {
        "id": "5d1f-uuid",
        "name": "Refine",
        "inputs": [{"name": "model", "type": "MODEL"}],
        "outputs": [{"name": "done", "type": "MODEL"}],
        "nodes": [placed(8, "Sampler", ("model", 1), widgets=[3, "fixed", 5, ""])],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 8, "target_slot": 0, "type": "MODEL"},
            {"id": 2, "origin_id": 8, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "MODEL"},
        ],
    }
    nodes = [
        placed(1, "Loader"),
        placed(2, "5d1f-uuid", ("model", 1), outputs=[{"name": "done", "type": "MODEL", "links": [2]}]),
        placed(3, "Save", ("images", 2)),
    ]
    links = [[1, 1, 0, 2, 0, "MODEL"], [2, 2, 0, 3, 0, "MODEL"]]
    document = file(nodes, links, definitions={"subgraphs": [inner]})
    workflow, issues = import_comfy_editor(document, registry)
    assert workflow.nodes["2"].type == "subgraph/Refine" and issues == []
    graph = build_graph(workflow, registry)
    assert validate(graph) == []
    assert graph.nodes["2/8"].links == {"model": Link("1", "model")}
    assert graph.nodes["3"].links == {"images": Link("2/8", "model")}
    assert graph.nodes["2/8"].constants["steps"] == 5


def test_every_fault_of_a_damaged_file_is_told(registry: NodeRegistry) -> None:
    with pytest.raises(WorkflowError) as error:
        import_comfy_editor(
            file([3, {"id": 1}, placed(2, "A") | {"inputs": 4}], [[1, 2], "x", None]), registry
        )
    places = [line.split(":")[0] for line in str(error.value).splitlines()[1:]]
    assert places == ["- nodes[0]", "- nodes[1].type", "- nodes[2].inputs", "- links[0]", "- links[1]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-30, 30) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["0", "name", "link"]), inner)
    ),
    max_leaves=8,
)
FIELDS = ("inputs", "outputs", "widgets_values", "mode", "pos", "size", "flags", "title", "color")
TYPES = st.sampled_from(["Loader", "Sampler", "Reroute", "PrimitiveNode", "u"])
NODE = st.fixed_dictionaries({"id": st.integers(-1, 4), "type": TYPES}, optional=dict.fromkeys(FIELDS, JSON))
LINK = st.lists(st.integers(-20, 5), min_size=5, max_size=6) | JSON


@given(st.lists(NODE, max_size=5), st.lists(LINK, max_size=5), JSON, JSON)
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(nodes, links, groups, definitions) -> None:
    registry = NodeRegistry()
    for item in (Loader, Sampler, Save):
        registry.add(item)
    document = {"nodes": nodes, "links": links, "groups": groups, "definitions": definitions}
    try:
        workflow, _ = import_comfy_editor(document, registry)
    except WorkflowError as error:
        assert ":" in str(error)
    else:
        assert not {"Reroute", "PrimitiveNode"} & {entry.type for entry in workflow.nodes.values()}
        validate(build_graph(workflow, registry))


def test_a_picture_with_only_the_editors_file_is_read(registry: NodeRegistry, tmp_path) -> None:
    info = PngInfo()
    info.add_text("workflow", json.dumps(CHAIN))
    PillowImage.new("RGB", (1, 1)).save(tmp_path / "a.png", pnginfo=info)
    assert load_workflow(tmp_path / "a.png", registry).nodes["2"].inputs["steps"] == 20
