"""What the documents say is so: the README's code runs, the reference page is up to date."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from nodegraph import locations
from nodegraph.engine import Engine
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow, parse_workflow

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def test_the_readme_shows_a_node_a_graph_and_a_client() -> None:
    for block, told in zip(BLOCKS, ("@node", "from_outputs", "Client("), strict=True):
        assert told in block


def test_the_readmes_node_is_twenty_lines_and_works(tmp_path: Path) -> None:
    assert len(BLOCKS[0].splitlines()) <= 22
    (tmp_path / "effects.py").write_text(BLOCKS[0], "utf-8")
    registry = NodeRegistry()
    registry.discover("nodes")
    registry.discover_folder(tmp_path)
    assert not registry.problems
    engine = Engine.create(registry=registry, cache_folder=tmp_path / "cache", device="cpu")
    workflow = Workflow.model_validate(
        {
            "nodes": {
                "white": {"type": "EmptyImage", "inputs": {"width": 9, "height": 9, "color": "#ffffff"}},
                "dark": {"type": "effects.Vignette", "links": {"image": ["white", "image"]}},
            }
        }
    )
    pixels = engine.run_sync(workflow, targets=["dark"]).outputs["dark"]["image"].pixels
    assert pixels[0, 4, 4].tolist() == [1.0] * 3
    assert pixels[0, 0, 0].tolist() == [0.5] * 3


def test_the_example_of_the_file_format_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs/workflow-format.md").read_text("utf-8")
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    registry = NodeRegistry()
    registry.discover("nodes")
    folders = locations.default_folders(registry, tmp_path / "cache", output=tmp_path)
    engine = Engine.create(registry=registry, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    result = engine.run_sync(parse_workflow(text)).or_raise()
    assert [Path(file.path).name for file in result.files] == ["two_00001.png"]


def test_the_readmes_graph_makes_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NODEGRAPH_HOME", str(tmp_path / "home"))
    exec(compile(BLOCKS[1], "README.md", "exec"), {})
    assert Path(capsys.readouterr().out.strip()).read_bytes().startswith(b"\x89PNG")


def test_the_guides_loop_runs_its_body_and_refuses_one_that_does_not_fit(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "writing-nodes.md").read_text("utf-8")
    (loop,) = (
        block for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "Interface(" in block
    )
    (tmp_path / "guide.py").write_text(loop, "utf-8")
    registry = NodeRegistry()
    registry.discover("nodes")
    registry.discover_folder(tmp_path)
    assert not registry.problems
    engine = Engine.create(registry=registry, cache_folder=tmp_path / "cache", device="cpu")
    body = {
        "inputs": {"image": [["blend", "image1"]], "amount": [["blend", "blend_factor"]]},
        "outputs": {"blended": ["blend", "image"]},
        "nodes": {
            "black": {"type": "EmptyImage", "inputs": {"width": 9, "height": 9, "color": "#000000"}},
            "blend": {"type": "ImageBlend", "links": {"image2": ["black", "image"]}},
        },
    }
    nodes = {
        "white": {"type": "EmptyImage", "inputs": {"width": 9, "height": 9, "color": "#ffffff"}},
        "fade": {
            "type": "guide.Fade",
            "inputs": {"body": "darker", "amounts": [0.5, 0.5]},
            "links": {"image": ["white", "image"]},
        },
    }
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"darker": body}})
    pixels = engine.run_sync(workflow, targets=["fade"]).outputs["fade"]["image"].pixels
    assert pixels[0, 4, 4].tolist() == [0.25] * 3
    del body["inputs"]["amount"]
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"darker": body}})
    assert [issue.code for issue in engine.validate(workflow)] == ["body_input", "no_output"]


def test_the_node_reference_is_what_the_nodes_say() -> None:
    spec = importlib.util.spec_from_file_location("make_nodes", ROOT / "docs" / "make_nodes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), "run: python docs/make_nodes.py"


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_between_documents_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_default_folders_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("NODEGRAPH_HOME", str(tmp_path / "b"))
    assert locations.cache_folder() == tmp_path / "a"
    assert locations.data_folder() == tmp_path / "b"
