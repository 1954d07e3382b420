"""However broken a document is, only the project's own errors come out, and soon."""

import json

import pytest
from broken_documents import COMFY, DOCUMENTS, broken, choices, wild
from engines import cases, make_engine, within
from hypothesis import given
from hypothesis import strategies as st
from toy_nodes import toy_registry

from nodegraph.engine import RunResult
from nodegraph.errors import NodeGraphError, ValidationError, WorkflowError, errors_among
from nodegraph.graph import build_graph
from nodegraph.validation import validate
from nodegraph.workflow import dump_workflow, export_comfy, import_comfy, parse_workflow

SECONDS = 60


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return make_engine(toy_registry(), tmp_path_factory.mktemp("engine"))


def read(text):
    """The workflow, or ``None`` where the text is refused with a message."""
    try:
        return parse_workflow(text)
    except WorkflowError as error:
        assert str(error)
        return None


def use(engine, workflow):
    """Take a workflow all the way: issues with a place, or a result."""
    issues = validate(build_graph(workflow, engine.registry), engine.folders)
    for issue in issues:
        check_issue(issue, workflow)
    try:
        result = engine.run_sync(workflow)
    except ValidationError as error:
        assert list(error.issues) == issues
    else:
        assert isinstance(result, RunResult)
        assert not errors_among(issues)
        assert result.warnings == issues
        assert all(isinstance(error, NodeGraphError) for error in result.errors)
        assert (result.status == "failed") == bool(result.errors)


def check_issue(issue, workflow):
    assert issue.message
    assert str(issue)
    json.dumps(issue.to_json())
    places = [issue.node, *issue.related] if issue.node is not None else issue.related
    for place in places:
        assert any(place == id or place.startswith(f"{id}/") for id in workflow.nodes), issue
    assert issue.node is not None or issue.code in ("no_output", "cycle", "unknown_key")


def read_and_use(engine, text):
    workflow = read(text)
    if workflow is not None:
        assert parse_workflow(dump_workflow(workflow)) == workflow
        use(engine, workflow)


def test_the_documents_to_be_broken_are_whole(engine):
    for document in DOCUMENTS:
        assert engine.run_sync(parse_workflow(json.dumps(document))).status == "done"


@cases(4500)
@given(document=choices.map(lambda c: broken(c, *DOCUMENTS)))
def test_changed_documents(engine, document):
    within(SECONDS, read_and_use, engine, json.dumps(document))


@cases(2500)
@given(document=choices.map(wild))
def test_nodes_wired_at_random(engine, document):
    within(SECONDS, read_and_use, engine, json.dumps(document))


@cases(1500)
@given(document=choices.map(lambda c: broken(c, COMFY)))
def test_changed_documents_of_comfyui(engine, document):
    def convert_and_use():
        try:
            workflow = import_comfy(document, engine.registry)
        except WorkflowError as error:
            assert str(error)
            return
        use(engine, workflow)
        read_and_use(engine, dump_workflow(workflow))
        try:
            json.dumps(export_comfy(workflow, engine.registry))
        except WorkflowError as error:
            assert str(error)

    within(SECONDS, convert_and_use)


TEXTS = [json.dumps(document, ensure_ascii=False) for document in DOCUMENTS]
SNIPPETS = [
    "",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\ud800",
    "null",
    "1e999",
    "NaN",
    "-",
    "\0",
    "\ufeff",
    "é",
]
edits = st.tuples(st.integers(0, 5000), st.integers(0, 20), st.sampled_from(SNIPPETS) | st.text(max_size=3))


@cases(1500)
@given(text=st.sampled_from(TEXTS), changes=st.lists(edits, min_size=1, max_size=3))
def test_changed_text(engine, text, changes):
    for place, length, snippet in changes:
        start = place % (len(text) + 1)
        text = text[:start] + snippet + text[start + length :]
    within(SECONDS, read_and_use, engine, text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
HEAD = {"format": "nodegraph", "version": 1}


@cases(500)
@given(value=json_values, nodes=json_values)
def test_any_json(engine, value, nodes):
    for document in (value, {**HEAD, "nodes": nodes}, {**HEAD, "nodes": {"a": nodes}, "subgraphs": value}):
        within(SECONDS, read_and_use, engine, json.dumps(document))


@cases(500)
@given(data=st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_and_text(engine, data):
    within(SECONDS, read_and_use, engine, data)


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"format": "nodegraph", "version": 1, "nodes": {"a": '])
def test_a_hundred_thousand_levels(engine, opening):
    within(SECONDS, read_and_use, engine, opening * 100_000)
    assert read(opening * 100_000) is None
