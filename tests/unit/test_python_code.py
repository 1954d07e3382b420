"""Workflows as Python programs: what they build is what was exported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.engine import Engine
from nodegraph.errors import ValidationError, WorkflowError
from nodegraph.locations import default_folders
from nodegraph.python_code import export_python
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import NodeEntry, Workflow, load_workflow

WORKFLOWS = Path(__file__).parents[2] / "workflows"
REGISTRY = NodeRegistry.with_plugins()
RUNNABLE = ("text_to_image", "contact_sheet", "image_to_image", "style_transfer")


def built(code: str) -> Workflow:
    """The workflow that a program builds."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(code, "program", "exec"), names)
    workflow = names["workflow"]
    assert isinstance(workflow, Workflow)
    return workflow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("engine")
    folders = default_folders(REGISTRY, folder / "cache", output=folder / "output")
    return Engine.create(registry=REGISTRY, folders=folders, cache_folder=folder / "cache", device="cpu")


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_program_builds_nodes_of_the_same_keys(name: str, engine: Engine) -> None:
    workflow = load_workflow(WORKFLOWS / f"{name}.json", REGISTRY)
    again = built(export_python(workflow, REGISTRY))
    original, copy = engine.plan(workflow), engine.plan(again)
    assert sorted(copy.keys.values()) == sorted(original.keys.values())


def test_a_loop_becomes_a_function_that_computes_the_same(engine: Engine) -> None:
    body = {
        "inputs": {"value": [["add", "a"]], "index": [["add", "b"]]},
        "outputs": {"value": ["double", "product"]},
        "nodes": {
            "add": {"type": "AddIntegers"},
            "double": {"type": "MultiplyIntegers", "inputs": {"b": 2}, "links": {"a": ["add", "sum"]}},
        },
    }
    nodes = {
        "start": {"type": "Integer", "inputs": {"value": 3}},
        "loop": {
            "type": "Repeat",
            "inputs": {"body": "class", "times": 4},  # no word for a function
            "links": {"value": ["start", "int"]},
        },
    }
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"class": body}})
    again = built(export_python(workflow, REGISTRY))
    results = [
        next(iter(engine.run_sync(w, targets=[target]).or_raise().outputs[target].values()))
        for w, target in ((workflow, "loop"), (again, again.targets[0]))
    ]
    assert results[0] == results[1] == 3 * 16 + 2 * (0 * 8 + 1 * 4 + 2 * 2 + 3)


def test_a_program_runs_by_itself(tmp_path: Path) -> None:
    nodes = {
        "1": {"type": "EmptyImage", "inputs": {"width": 8, "height": 8, "color": "#336699"}},
        "KSampler": {"type": "SaveImage", "links": {"images": ["1", "image"]}},
    }
    source = export_python(Workflow.model_validate({"nodes": nodes}), REGISTRY)
    (tmp_path / "program.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert Path(done.stdout.strip()).read_bytes().startswith(b"\x89PNG")


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ['"""', "'); import os #", "\\", "\\N{DASH}", "{x}", "\n\r\x00\u2028", "class", "print", "Text"]
)


@given(TEXT, TEXT, TEXT.filter(lambda id: "/" not in id and id), TEXT)
def test_no_text_becomes_code(name: str, description: str, id: str, value: str) -> None:
    entry = NodeEntry(type="Text", inputs={"text": value})
    code = export_python(Workflow(name=name, description=description, nodes={id: entry}), REGISTRY)
    [statement] = [
        s for s in ast.parse(code).body if isinstance(s, ast.Assign) and "Text.node" in ast.unparse(s)
    ]
    assert isinstance(statement.value, ast.Call)
    assert [ast.literal_eval(keyword.value) for keyword in statement.value.keywords if value] in (
        [value],
        [],
    )
    assert built(code).node_types[0].id == "Text"
    assert next(iter(built(code).nodes.values())).inputs.get("text", "") == value


def test_what_must_not_run_is_not_written() -> None:
    nodes = {
        "a": NodeEntry(type="SavImage"),
        "b": NodeEntry(type="SaveImage", links={"images": ("c", "x;y")}),
    }
    with pytest.raises(ValidationError) as error:
        export_python(Workflow(nodes=nodes), REGISTRY)
    assert {issue.node for issue in error.value.issues} == {"a", "b"}


def test_nodes_of_the_plugins_folder_are_named(tmp_path: Path) -> None:
    lines = ("from nodegraph import node", "@node()", "def Mine() -> int:", '    """Mine."""', "    return 1")
    (tmp_path / "mine.py").write_text("\n".join(lines))
    registry = NodeRegistry.with_plugins(tmp_path)
    with pytest.raises(WorkflowError, match="plugins folder"):
        export_python(Workflow(nodes={"a": NodeEntry(type="mine.Mine")}), registry)
