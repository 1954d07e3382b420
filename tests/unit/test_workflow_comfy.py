from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph import node
from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import (
    NodeEntry,
    Workflow,
    dump_workflow,
    export_comfy,
    import_comfy,
    parse_workflow,
    workflow_of_any_format,
)
from nodegraph.workflow.strict_json import parse_json


@dataclass(frozen=True)
class Picture:
    size: int


class Loaded(NamedTuple):
    model: Picture
    clip: Picture


@node()
def Loader(name: str = "a") -> Loaded:
    """Load."""
    return Loaded(Picture(1), Picture(2))


@node(version=2, migrations={1: lambda inputs: {"value": 0, **inputs}})
def Sampler(
    model: Picture,
    mask: Picture | None = None,
    steps: int = 1,
    value: float = 1.0,
    curve: list[float] | None = None,
    words: list[str] | None = None,
    pair: list[Any] | None = None,
    anything: Any = None,
    text: str = "",
) -> Picture:
    """Sample."""
    return model


@node()
def Gather(images: list[Picture]) -> Picture:
    """Gather."""
    return images[0]


@pytest.fixture(scope="module")
def registry():
    registry = NodeRegistry()
    for function in (Loader, Sampler, Gather):
        registry.add(function)
    return registry


def sampler(**inputs):
    return {
        "1": {"class_type": "Loader", "inputs": {}},
        "2": {"class_type": "Sampler", "inputs": {"model": ["1", 0], **inputs}},
    }


def test_links_are_named_by_the_output_they_index(registry):
    entry = import_comfy(sampler(text="x", mask=["1", 1]), registry).nodes["2"]
    assert entry.links == {"model": Link("1", "model"), "mask": Link("1", "clip")}
    assert entry.inputs == {"text": "x"}
    assert entry.version == 2


@pytest.mark.parametrize("name", ["model", "mask", "steps", "value", "curve", "words", "anything", "text"])
def test_a_pair_is_a_link_where_the_input_takes_no_such_constant(registry, name):
    assert import_comfy(sampler(**{name: ["1", 1]}), registry).nodes["2"].links[name] == Link("1", "clip")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("curve", [0.0, 1]),
        ("words", ["1", "2"]),
        ("pair", ["1", 0]),
        ("anything", ["9", 0]),
        ("anything", ["1", True]),
        ("anything", ["1", -1]),
        ("anything", ["1", 0, 0]),
    ],
)
def test_other_pairs_are_constants(registry, name, value):
    entry = import_comfy(sampler(**{name: value}), registry).nodes["2"]
    assert entry.inputs == {name: value}
    assert name not in entry.links


def test_a_wrapped_list_is_a_constant_whatever_it_looks_like(registry):
    document = sampler(anything={"__value__": ["1", 0]}, curve={"__value__": [1.0, 2.0]})
    workflow = import_comfy(document, registry)
    assert workflow.nodes["2"].inputs == {"anything": ["1", 0], "curve": [1.0, 2.0]}
    assert export_comfy(workflow, registry) == document


def test_a_link_into_nothing_stays_a_link_so_that_validation_can_name_it(registry):
    assert import_comfy(sampler(model=["gone", 3]), registry).nodes["2"].links["model"] == Link("gone", "3")


def test_unknown_nodes_survive_and_keep_output_numbers(registry):
    document = {
        "1": {"class_type": "Nobody", "inputs": {"a": ["2", 5], "b": ["no node", 0], "c": [1, 2]}},
        "2": {"class_type": "Nobody", "inputs": {"list": [["1", 0]]}, "_meta": {"title": "T"}},
        "3": {"class_type": "Sampler", "inputs": {"model": ["1", 2]}},
    }
    workflow = import_comfy(document, registry)
    assert workflow.nodes["1"].links == {"a": Link("2", "5")}
    assert workflow.nodes["1"].inputs == {"b": ["no node", 0], "c": [1, 2]}
    assert workflow.nodes["2"].ui == {"title": "T"}
    assert export_comfy(workflow, registry) == document


def test_an_output_number_that_does_not_exist_is_kept(registry):
    document = sampler(model=["1", 7])
    workflow = import_comfy(document, registry)
    assert workflow.nodes["2"].links["model"] == Link("1", "7")
    assert export_comfy(workflow, registry) == document


names = st.sampled_from(
    ["model", "mask", "steps", "curve", "words", "pair", "anything", "text", "unheard", ""]
)
ids = st.sampled_from(["1", "2", "3", "57:8", "gone", "a.b"])
plain_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
)
pairs = st.tuples(ids, st.integers(-2, 5)).map(list)
json_values = st.recursive(
    plain_values | pairs,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.fixed_dictionaries({"__value__": inner})
    ),
    max_leaves=5,
)
comfy_nodes = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(["Loader", "Sampler", "Gather", "Unheard"]),
        "inputs": st.dictionaries(names, json_values, max_size=5),
    },
    optional={
        "_meta": st.dictionaries(st.sampled_from(["title", "more"]), json_values, min_size=1),
        "is_changed": json_values,
    },
)
documents = st.dictionaries(ids, comfy_nodes, max_size=4)


@settings(max_examples=400, deadline=None)
@given(documents)
def test_export_of_an_import_is_the_same_document(registry, document):
    through_a_file = parse_workflow(dump_workflow(import_comfy(document, registry)))
    assert export_comfy(through_a_file, registry) == document


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        ids, json_values | st.dictionaries(st.sampled_from(["class_type", "inputs", "_meta"]), json_values)
    )
)
def test_broken_documents_raise_only_workflow_errors(registry, document):
    try:
        export_comfy(import_comfy(document, registry), registry)
    except WorkflowError as error:
        assert str(error)


def test_lists_every_problem_of_a_broken_document(registry):
    with pytest.raises(WorkflowError) as error:
        import_comfy({"1": 3, "2": {"inputs": []}, "3": {"class_type": "A", "_meta": 1}}, registry)
    places = [line.split(":")[0] for line in str(error.value).splitlines()[1:]]
    assert places == ["- 1", "- 2.class_type", "- 2.inputs", "- 3._meta"]


def test_a_file_of_the_editor_is_read_as_well(registry):
    placed = {"id": 1, "type": "Loader", "widgets_values": ["b"]}
    workflow = workflow_of_any_format({"nodes": [placed], "links": [], "version": 0.4}, registry)
    assert workflow.nodes["1"].inputs == {"name": "b"}


def test_formats_are_told_apart(registry):
    own = {"format": "nodegraph", "version": 1, "nodes": {"class_type": {"type": "Loader"}}}
    assert list(workflow_of_any_format(own, registry).nodes) == ["class_type"]
    assert list(workflow_of_any_format(sampler(), registry).nodes) == ["1", "2"]


def test_export_says_what_it_has_no_words_for(registry):
    workflow = Workflow.model_validate(
        {
            "nodes": {
                "a": {"type": "subgraph/refine"},
                "b": {"type": "Gather", "links": {"images": [["c", "picture"], ["a", "x"]]}},
                "c": {
                    "type": "Sampler",
                    "version": 2,
                    "links": {"model": ["d", "mdl"]},
                    "inputs": {"anything": object()},
                },
                "d": {"type": "Loader"},
            }
        }
    )
    with pytest.raises(WorkflowError) as error:
        export_comfy(workflow, registry)
    places = [line.split(":")[0] for line in str(error.value).splitlines()[1:]]
    assert places == [
        "- nodes.a",
        "- nodes.b.links.images",
        "- nodes.c.inputs.anything",
        "- nodes.c.links.model",
    ]


def test_export_writes_the_present_version_and_only_what_counts(registry):
    entry = NodeEntry(
        type="Sampler", version=1, inputs={"steps": 3, "model": 1}, links={"model": Link("1", "clip")}
    )
    workflow = Workflow(nodes={"1": NodeEntry(type="Loader", ui={"position": [1, 2]}), "2": entry})
    assert export_comfy(workflow, registry) == {
        "1": {"class_type": "Loader", "inputs": {}},
        "2": {"class_type": "Sampler", "inputs": {"value": 0, "steps": 3, "model": ["1", 1]}},
    }


def test_nodes_of_a_script_need_no_registry():
    workflow = Workflow.from_outputs(Sampler.node(Loader.node().clip))
    assert export_comfy(workflow, NodeRegistry())["sampler_1"]["inputs"] == {"model": ["loader_1", 1]}


@pytest.mark.parametrize("said", ["NaN", "[NaN]"])
def test_nodes_that_run_anew_each_time_may_say_so_as_comfyui_does(registry, said):
    """``float("NaN")`` is what an ``IS_CHANGED`` is told to return; ComfyUI writes it into its pictures."""
    text = f'{{"1": {{"class_type": "Make", "inputs": {{}}, "is_changed": {said}}}}}'
    assert list(import_comfy(parse_json(text), registry).nodes) == ["1"]
    with pytest.raises(WorkflowError, match="NaN is not a number"):
        parse_json(text.replace("class_type", "type"))
