import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nodegraph.cli import app

TOY_PACK = '''
import io
import time
from pathlib import Path
from typing import Annotated

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import Field

from nodegraph import NodeContext, OutputFile, node


@node(category="toy")
def Number(value: Annotated[int, Field(ge=0, le=255)] = 1, note: str = "") -> int:
    """A number that takes a moment.

    Args:
        value: the number.
    """
    time.sleep(0.05)
    return value


@node(category="toy")
def Slow(ctx: NodeContext, value: int, mark: str = "") -> int:
    """Count until somebody stops it."""
    if mark:
        Path(mark).touch()
    for step in range(2000):
        ctx.progress(step, 2000)
        time.sleep(0.01)
    return value


@node(category="toy")
def Fail(value: int) -> int:
    """Always fails."""
    raise RuntimeError("no luck today")


@node(category="toy", terminal=True)
def Paint(ctx: NodeContext, value: int, name: str = "picture") -> OutputFile:
    """Save a grey square."""
    buffer, info = io.BytesIO(), PngInfo()
    for keyword, text in ctx.metadata.items():
        info.add_text(keyword, text)
    Image.new("RGB", (32, 24), (value, value, value)).save(buffer, "png", pnginfo=info)
    return ctx.save(buffer.getvalue(), prefix=name, suffix=".png", media_type="image/png")
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home with one small plugin pack; the working directory is in it."""
    plugins = tmp_path / "home" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "toy.py").write_text(TOY_PACK)
    monkeypatch.setenv("NODEGRAPH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(home):
    """Runs the command line in this process and gives its result."""
    return lambda *args: CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def save(home):
    """Writes a workflow file from nodes given as ``id=(type, inputs, links)``."""

    def write(file="w.json", **nodes) -> Path:
        entries = {
            key: {"type": f"toy.{name}", "inputs": inputs, "links": links}
            for key, (name, inputs, links) in nodes.items()
        }
        document = {"format": "nodegraph", "version": 1, "nodes": entries}
        (home / file).write_text(json.dumps(document))
        return home / file

    return write


@pytest.fixture
def painting(save):
    """A workflow of two nodes that saves a picture."""
    return save(number=("Number", {"value": 9}, {}), paint=("Paint", {}, {"value": ["number", "int"]}))
