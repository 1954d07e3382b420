import pytest

from nodegraph import node
from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import NodeEntry, Workflow, migrate_entry, migrate_workflow, parse_workflow
from nodegraph.workflow.migration import migrate_document


def _strength_to_percent(inputs):
    return {**inputs, "strength": inputs["strength"] * 100}


def _rename_source(inputs):
    inputs["image"] = inputs.pop("source")
    return inputs


@node(version=3, migrations={1: _strength_to_percent, 2: _rename_source})
def Blend(image: list[int], strength: float) -> float:
    """Blend."""
    return strength * len(image)


@node(version=2)
def Widened(a: int, b: int = 0) -> int:
    """A later version that only added an input needs no migration."""
    return a + b


@node(version=2, migrations={1: lambda inputs: inputs["gone"]})
def Fragile(a: int) -> int:
    """Its migration fails."""
    return a


@node(version=2, migrations={1: lambda inputs: None})
def Forgetful(a: int) -> int:
    """Its migration returns nothing."""
    return a


@pytest.fixture
def registry():
    registry = NodeRegistry()
    for function in (Blend, Widened, Fragile, Forgetful):
        registry.add(function)
    return registry


def test_migrations_are_chained_over_versions():
    entry = NodeEntry(type="Blend", version=1, inputs={"strength": 0.5}, links={"source": Link("a", "image")})
    migrated = migrate_entry(entry, Blend.record)
    assert migrated.version == 3
    assert migrated.inputs == {"strength": 50.0}
    assert migrated.links == {"image": Link("a", "image")}


def test_migrations_see_gathered_links_and_start_where_the_entry_is():
    gathered = [Link("a", "image"), Link("b", "image")]
    entry = NodeEntry(type="Blend", version=2, inputs={"strength": 0.5}, links={"source": gathered})
    migrated = migrate_entry(entry, Blend.record)
    assert migrated.inputs == {"strength": 0.5}
    assert migrated.links == {"image": gathered}


def test_migrating_leaves_the_old_entry_and_unknown_fields_alone():
    given = {
        "type": "Blend",
        "version": 1,
        "inputs": {"strength": 1, "source": [1]},
        "later": 1,
        "ui": {"x": 1},
    }
    entry = NodeEntry.model_validate(given)
    migrated = migrate_entry(entry, Blend.record)
    assert entry == NodeEntry.model_validate(given)
    assert migrated.model_extra == {"later": 1}
    assert migrated.ui == {"x": 1}


def test_a_version_without_a_migration_keeps_its_inputs():
    assert migrate_entry(NodeEntry(type="Widened", inputs={"a": 1}), Widened.record).inputs == {"a": 1}


def test_a_newer_version_than_known_is_refused():
    with pytest.raises(WorkflowError, match="written for version 4 of Blend, but version 3 is installed"):
        migrate_entry(NodeEntry(type="Blend", version=4), Blend.record)


def test_a_failing_migration_is_told_as_such():
    with pytest.raises(
        WorkflowError, match="migration of Fragile from version 1 to 2 failed: KeyError: 'gone'"
    ):
        migrate_entry(NodeEntry(type="Fragile"), Fragile.record)
    with pytest.raises(WorkflowError, match="migration of Forgetful from version 1 to 2 returned NoneType"):
        migrate_entry(NodeEntry(type="Forgetful"), Forgetful.record)


def test_a_workflow_is_migrated_with_its_subgraphs(registry):
    old = {"type": "Blend", "version": 1, "inputs": {"strength": 1.0, "source": [1]}}
    workflow = Workflow.model_validate(
        {
            "nodes": {"a": old, "other": {"type": "Missing", "version": 7}},
            "subgraphs": {"s": {"nodes": {"b": old}}},
        }
    )
    migrated = migrate_workflow(workflow, registry)
    for entry in (migrated.nodes["a"], migrated.subgraphs["s"].nodes["b"]):
        assert entry.inputs == {"strength": 100.0, "image": [1]}
    assert migrated.nodes["other"] == workflow.nodes["other"]


def test_a_workflow_that_is_up_to_date_is_returned_itself(registry):
    workflow = Workflow.model_validate(
        {"nodes": {"a": {"type": "Blend", "version": 3}}, "subgraphs": {"s": {"nodes": {"b": {"type": "?"}}}}}
    )
    assert migrate_workflow(workflow, registry) is workflow


def test_every_entry_that_cannot_be_migrated_is_listed(registry):
    workflow = Workflow.model_validate(
        {
            "nodes": {"a": {"type": "Blend", "version": 9}, "b": {"type": "Fragile"}},
            "subgraphs": {"s": {"nodes": {"c": {"type": "Forgetful"}}}},
        }
    )
    with pytest.raises(WorkflowError) as error:
        migrate_workflow(workflow, registry)
    places = [line.split(":")[0] for line in str(error.value).splitlines()[1:]]
    assert places == ["- nodes.a", "- nodes.b", "- subgraphs.s.nodes.c"]


def test_format_migrations_are_chained_and_note_their_version():
    steps = {1: lambda d: {**d, "seen": [1]}, 2: lambda d: {**d, "seen": [*d["seen"], d["version"]]}}
    assert migrate_document({"version": 1}, steps, current=3) == {"version": 3, "seen": [1, 2]}
    assert migrate_document({"version": 3}, steps, current=3) == {"version": 3}


def test_an_entry_without_a_version_means_version_one():
    workflow = parse_workflow('{"format": "nodegraph", "version": 1, "nodes": {"a": {"type": "Blend"}}}')
    assert workflow.nodes["a"].version == 1
