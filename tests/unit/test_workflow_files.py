import enum
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.workflow import (
    NodeEntry,
    Workflow,
    dump_workflow,
    parse_workflow,
    read_workflow,
    workflow_from_document,
    write_workflow,
)

DOCUMENT = {
    "format": "nodegraph",
    "version": 1,
    "id": "b2f1",
    "name": "Größe 😀",
    "description": "two samplers",
    "nodes": {
        "sampler": {
            "type": "KSampler",
            "version": 1,
            "inputs": {"cfg": 2.5, "seed": 18446744073709551615, "nothing": None},
            "links": {"model": ["checkpoint", "model"], "images": [["a", "image"], ["b", "image"]]},
            "ui": {"position": [1, 2.5]},
        },
        "7": {"type": "pack.Unheard", "pack": "pack", "invented": {"nodes": {"x": 1}}, "subgraphs": 3},
    },
    "subgraphs": {
        "refine": {
            "inputs": {"latent": [["sampler", "latent_image"]]},
            "outputs": {"latent": ["sampler", "latent"]},
            "nodes": {"sampler": {"type": "KSampler"}},
            "colour": "red",
            "subgraphs": [1],
        }
    },
    "ui": {"zoom": 1},
    "from_the_future": [1, {"deep": None}],
}
TEXT = json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


def test_reads_every_part():
    workflow = parse_workflow(TEXT)
    sampler = workflow.nodes["sampler"]
    assert sampler.inputs == {"cfg": 2.5, "seed": 2**64 - 1, "nothing": None}
    assert sampler.links["model"] == Link("checkpoint", "model")
    assert isinstance(sampler.links["model"], Link)
    assert sampler.links["images"] == [Link("a", "image"), Link("b", "image")]
    assert workflow.subgraphs["refine"].inputs["latent"] == [Link("sampler", "latent_image")]
    assert workflow.subgraphs["refine"].outputs["latent"].output == "latent"
    assert workflow.nodes["7"].version == 1


def test_read_and_write_gives_the_same_bytes():
    assert dump_workflow(parse_workflow(TEXT)) == TEXT


def test_a_file_survives_byte_for_byte(tmp_path):
    source, copy = tmp_path / "a.json", tmp_path / "b.json"
    source.write_bytes(TEXT.encode())
    write_workflow(read_workflow(source), copy)
    assert copy.read_bytes() == source.read_bytes()


def test_one_line_text_reads_back_the_same():
    workflow = parse_workflow(TEXT)
    line = dump_workflow(workflow, indent=None)
    assert "\n" not in line
    assert parse_workflow(line) == workflow


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.text(max_size=6) | st.sampled_from(["model_config", "_node_types", "copy", "nodes", "Link"])
links = st.tuples(names, names).map(list)
entries = st.fixed_dictionaries(
    {"type": names},
    optional={
        "version": st.integers(1, 9),
        "pack": names,
        "inputs": st.dictionaries(names, json_values, max_size=3),
        "links": st.dictionaries(names, links | st.lists(links, max_size=2), max_size=3),
        "ui": st.dictionaries(names, json_values, max_size=2),
        "_targets": json_values,
        "later": json_values,
    },
)
documents = st.fixed_dictionaries(
    {"format": st.just("nodegraph"), "version": st.just(1)},
    optional={
        "name": st.text(),
        "nodes": st.dictionaries(names, entries, max_size=4),
        "subgraphs": st.dictionaries(
            names,
            st.fixed_dictionaries(
                {},
                optional={
                    "inputs": st.dictionaries(names, st.lists(links, max_size=2), max_size=2),
                    "outputs": st.dictionaries(names, links, max_size=2),
                    "nodes": st.dictionaries(names, entries, max_size=2),
                },
            ),
            max_size=2,
        ),
        "ui": st.dictionaries(names, json_values, max_size=2),
        "model_fields": json_values,
    },
)


@settings(max_examples=200, deadline=None)
@given(documents)
def test_any_workflow_survives_unchanged(document):
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    once = dump_workflow(parse_workflow(text))
    assert json.loads(once) == document
    assert dump_workflow(parse_workflow(once)) == once


def test_lists_every_problem_with_its_place():
    broken = json.loads(TEXT)
    broken["name"] = 1
    sampler = broken["nodes"]["sampler"]
    sampler["version"] = "2"
    sampler["inputs"] = []
    sampler["links"] = {"model": ["a"], "vae": {"node": 1}, "clip": [["a", "b"], 3]}
    broken["nodes"]["none"] = {}
    broken["nodes"]["five"] = 5
    broken["subgraphs"]["refine"]["outputs"] = {"latent": 3}
    broken["subgraphs"]["refine"]["inputs"] = {"latent": [["a"]]}
    with pytest.raises(WorkflowError) as error:
        workflow_from_document(broken)
    lines = str(error.value).splitlines()
    assert lines[0] == "10 problems:"
    assert {line.removeprefix("- ").split(":")[0] for line in lines[1:]} == {
        "name",
        "nodes.sampler.version",
        "nodes.sampler.inputs",
        "nodes.sampler.links.model",
        "nodes.sampler.links.vae",
        "nodes.sampler.links.clip",
        "nodes.none.type",
        "nodes.five",
        "subgraphs.refine.outputs.latent",
        "subgraphs.refine.inputs.latent",
    }
    assert '- nodes.sampler.version: must be a whole number from 1 up, not "2"' in lines


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], r"a JSON object, not \[\]"),
        ({}, "format: is missing"),
        ({"format": "other", "version": 1}, "must be 'nodegraph', not \"other\""),
        ({"format": "nodegraph"}, "version: must be a whole number"),
        ({"format": "nodegraph", "version": True}, "version: must be a whole number"),
        ({"format": "nodegraph", "version": 1.0}, "version: must be a whole number"),
        ({"format": "nodegraph", "version": 0}, "version: must be a whole number"),
        ({"format": "nodegraph", "version": 99}, "a newer nodegraph wrote it"),
        ({"format": "nodegraph", "version": 1, "nodes": [1]}, r"nodes: must be an object, not \[1\]"),
    ],
)
def test_refuses_other_documents_in_plain_words(document, says):
    with pytest.raises(WorkflowError, match=says):
        workflow_from_document(document)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({"format": st.just("nodegraph"), "version": json_values, "nodes": json_values}))
def test_broken_documents_raise_only_workflow_errors(document):
    try:
        workflow_from_document(document)
    except WorkflowError as error:
        assert str(error)


def test_python_objects_cannot_be_written_and_are_named():
    entry = NodeEntry(type="A", inputs={"good": 1, "bad": object(), "worse": float("nan")})
    with pytest.raises(WorkflowError) as error:
        dump_workflow(Workflow(nodes={"n": entry}, ui={"set": {1, 2}}))
    message = str(error.value)
    assert "nodes.n.inputs.bad: cannot be written: object has no JSON form" in message
    assert "nodes.n.inputs.worse" in message
    assert "ui: " in message
    assert "good" not in message


def test_a_value_nested_too_deep_to_write_is_named():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(WorkflowError, match=r"nodes\.n\.inputs\.x: .*nested too deep"):
        dump_workflow(Workflow(nodes={"n": NodeEntry(type="A", inputs={"x": deep})}))


def test_enum_members_and_tuples_take_their_json_form():
    class Colour(enum.Enum):
        RED = "red"

    text = dump_workflow(Workflow(nodes={"n": NodeEntry(type="A", inputs={"c": Colour.RED, "t": (1, 2)})}))
    assert parse_workflow(text).nodes["n"].inputs == {"c": "red", "t": [1, 2]}


def test_reading_names_the_file(tmp_path):
    with pytest.raises(WorkflowError, match=r"missing\.json: cannot be read: No such file"):
        read_workflow(tmp_path / "missing.json")
    with pytest.raises(WorkflowError, match="cannot be read: Is a directory"):
        read_workflow(tmp_path)
    with pytest.raises(WorkflowError, match="null byte"):
        read_workflow("a\0b")


def test_writing_replaces_in_one_step_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "w.json"
    target.write_text("before")
    target.chmod(0o640)
    write_workflow(Workflow(name="after"), target)
    assert read_workflow(target).name == "after"
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "w.json"
    target.write_text("before")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WorkflowError, match="cannot be written: No space left"):
        write_workflow(Workflow(), target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_writing_through_a_link_keeps_the_link(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("before")
    link.symlink_to(real)
    write_workflow(Workflow(name="after"), link)
    assert link.is_symlink()
    assert read_workflow(real).name == "after"
