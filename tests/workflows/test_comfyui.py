"""The samples in ComfyUI's API format: written by ``export``, read by ``import``, run as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from nodegraph import locations
from nodegraph.cli import app
from nodegraph.engine import Engine
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import read_workflow

FOLDER = Path(__file__).parents[2] / "workflows"
SAMPLE = FOLDER / "comfyui" / "text_to_image.json"
SAMPLES = pytest.mark.parametrize(
    "sample", sorted((FOLDER / "comfyui").glob("*.json")), ids=lambda path: path.stem
)

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, named_models: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command line in a folder of its own; whatever it does has to succeed."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(named_models)
    monkeypatch.setenv("NODEGRAPH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.stderr
        return result

    return run


@SAMPLES
def test_a_sample_is_what_export_writes(sample: Path, command: Command) -> None:
    assert command("export", FOLDER / sample.name).stdout == sample.read_text("utf-8")


@SAMPLES
def test_an_imported_sample_is_exported_as_it_was(sample: Path, command: Command) -> None:
    command("import", sample, "-o", "mine.json")
    assert command("export", "mine.json").stdout == sample.read_text("utf-8")


@SAMPLES
def test_an_imported_sample_means_the_same_as_the_workflow_it_was_made_from(
    sample: Path, command: Command, tmp_path: Path
) -> None:
    command("import", sample, "-o", "mine.json")
    command("validate", "mine.json")
    registry = NodeRegistry.with_plugins()
    folders = locations.default_folders(registry, tmp_path / "cache")
    engine = Engine.create(registry=registry, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    keys = [engine.plan(read_workflow(path)).keys for path in (FOLDER / sample.name, tmp_path / "mine.json")]
    assert keys[0] == keys[1]


def test_the_sample_runs_as_it_is_and_the_imported_one_has_nothing_left_to_do(command: Command) -> None:
    steps = ("--device", "cpu", "--set", "sampler.steps=4")
    path = command("run", SAMPLE, "--quiet", *steps).stdout.strip()
    with Image.open(path) as picture:
        assert np.asarray(picture).std() > 1.0  # not one flat colour
    command("import", SAMPLE, "-o", "mine.json")
    assert "every node came from disk" in command("run", "mine.json", *steps).stdout
