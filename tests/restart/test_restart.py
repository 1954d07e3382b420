"""What a new process still knows, and what it must not believe."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from processes import run_once
from run_once import make_engine as load_engine
from safetensors.torch import load_file, save_file

from nodegraph import node
from nodegraph.cache.results import KeepPolicy
from nodegraph.workflow import workflow_from_document

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "nodes/models/checkpoints/emoji-sd"
THRESHOLD = KeepPolicy().min_seconds

PACK = {
    "__init__.py": """
import time
from nodegraph import InFolder, node
from typing import Annotated
from .helpers import weight

@node()
def Weigh(x: int = 1) -> float:
    time.sleep(0.03)
    return weight(x)

@node()
def Other(x: int = 1) -> int:
    time.sleep(0.03)
    return x + 1

@node()
def Sum(a: float, b: int) -> float:
    time.sleep(0.03)
    return a + b

@node()
def Load(name: Annotated[str, InFolder("notes")] = "note.txt") -> str:
    time.sleep(0.03)
    return f"loaded {name}"
""",
    "helpers.py": """
from .constants import FACTOR

def weight(x):
    return x * FACTOR

def unrelated(x):
    return x
""",
    "constants.py": "FACTOR = 2.5\n",
}
NODES = {
    "weigh": {"type": "pack.Weigh", "inputs": {"x": 4}},
    "other": {"type": "pack.Other", "inputs": {"x": 4}},
    "sum": {"type": "pack.Sum", "links": {"a": ["weigh", "float"], "b": ["other", "int"]}},
    "load": {"type": "pack.Load"},
}


class Installation:
    """A folder with a pack of nodes, a model file, and what runs leave behind."""

    def __init__(self, root):
        self.root = root
        for name, text in PACK.items():
            self.write(f"plugins/pack/{name}", text)
        self.write("models/notes/note.txt", "first")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name, old, new):
        text = (self.root / "plugins/pack" / name).read_text()
        assert old in text
        self.write(f"plugins/pack/{name}", text.replace(old, new))

    def run(self):
        """Run in a new process; returns what it answers, and the set of nodes that ran."""
        document = {"format": "nodegraph", "version": 1, "nodes": NODES}
        answer = run_once(root=str(self.root), workflow=document, targets=list(NODES), builtin=False)
        return answer, ran(answer)


def ran(answer):
    return {id for id, origin in answer["origins"].items() if origin == "run"}


@pytest.fixture
def pack(tmp_path):
    """An installation in which the workflow has run once."""
    pack = Installation(tmp_path)
    answer, executed = pack.run()
    assert executed == set(NODES)
    assert answer["outputs"]["sum"] == repr({"float": 15.0})
    assert answer["imported"] == []
    return pack


def test_nothing_runs_in_a_new_process(pack):
    answer, executed = pack.run()
    assert executed == set()
    assert set(answer["origins"].values()) == {"disk"}
    assert answer["outputs"]["sum"] == repr({"float": 15.0})


def test_an_edited_helper_runs_the_node_that_calls_it_and_what_follows(pack):
    pack.edit("helpers.py", "return x * FACTOR", "return x * FACTOR + 1")
    answer, executed = pack.run()
    assert executed == {"weigh", "sum"}
    assert answer["outputs"]["sum"] == repr({"float": 16.0})


def test_an_edited_constant_two_modules_away_counts(pack):
    pack.edit("constants.py", "2.5", "3.0")
    answer, executed = pack.run()
    assert executed == {"weigh", "sum"}
    assert answer["outputs"]["sum"] == repr({"float": 17.0})


def test_an_edited_helper_that_gives_the_same_still_runs_what_follows_once(pack):
    pack.edit("helpers.py", "return x * FACTOR", "return FACTOR * x")
    assert pack.run()[1] == {"weigh", "sum"}
    assert pack.run()[1] == set()


def test_comments_and_unrelated_functions_do_not_count(pack):
    pack.edit("helpers.py", "def weight(x):\n", "def weight(x):\n    # what it weighs\n")
    pack.edit("helpers.py", "def unrelated(x):\n    return x", "def unrelated(x):\n    return -x")
    assert pack.run()[1] == set()


def test_taking_an_edit_back_finds_the_old_results(pack):
    pack.edit("helpers.py", "return x * FACTOR", "return 0.0")
    assert pack.run()[1] == {"weigh", "sum"}
    pack.edit("helpers.py", "return 0.0", "return x * FACTOR")
    answer, executed = pack.run()
    assert executed == set()
    assert answer["outputs"]["sum"] == repr({"float": 15.0})


def test_a_file_replaced_under_the_same_name_misses(pack):
    pack.write("models/notes/note.txt", "again")  # of the same length
    assert pack.run()[1] == {"load"}


def test_a_file_written_again_with_the_same_content_hits(pack):
    pack.write("models/notes/note.txt", "first")
    assert pack.run()[1] == set()


def stored(root, suffix):
    return sorted((root / "results").rglob(f"*{suffix}"))


def flip_a_byte(path, place):
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.999])
def test_a_flipped_byte_is_noticed_and_the_result_computed_again(pack, share):
    documents = stored(pack.root, ".json")
    assert len(documents) == len(NODES)
    for path in documents:
        flip_a_byte(path, int(path.stat().st_size * share))
    answer, executed = pack.run()
    assert executed == set(NODES)
    assert answer["outputs"]["sum"] == repr({"float": 15.0})
    assert pack.run()[1] == set()


def test_one_damaged_result_costs_only_itself(pack):
    damaged = {path: path.read_bytes() for path in stored(pack.root, ".json")}
    for path in damaged:
        flip_a_byte(path, 200)
        answer, executed = pack.run()
        assert len(executed) == 1
        assert answer["outputs"]["sum"] == repr({"float": 15.0})


@node()
def Grid(side: int) -> torch.Tensor:
    return torch.arange(side * side, dtype=torch.float32).reshape(side, side)


def test_a_flipped_byte_in_a_tensor_is_noticed(make_engine, workflow_of, tmp_path):
    workflow = workflow_of({"grid": {"type": "Grid", "inputs": {"side": 40}}})
    expected = make_engine(Grid, memory=False, disk=True).run_sync(workflow, targets=["grid"]).outputs["grid"]
    [blob] = stored(tmp_path, ".safetensors")
    for share in (0.01, 0.5, 0.999):
        flip_a_byte(blob, int(blob.stat().st_size * share))
        result = make_engine(Grid, memory=False, disk=True).run_sync(workflow, targets=["grid"])
        assert result.executed == 1
        assert torch.equal(result.outputs["grid"]["tensor"], expected["tensor"])
    assert make_engine(Grid, memory=False, disk=True).run_sync(workflow, targets=["grid"]).executed == 0


# --- the bundled model -------------------------------------------------------------------------------


class Studio:
    """A folder with a copy of the bundled model, and the text-to-image workflow."""

    def __init__(self, root):
        self.root = root
        self.model = root / "models/checkpoints/emoji-sd"
        shutil.copytree(BUNDLED, self.model)
        self.workflow = json.loads((ROOT / "workflows/text_to_image.json").read_text())
        self.sampler = self.workflow["nodes"]["sampler"]["inputs"]
        self.sampler["steps"] = 3

    def run(self):
        return run_once(root=str(self.root), workflow=self.workflow, targets=None, builtin=True)

    def planned(self):
        """The nodes that a run would run now."""
        plan = load_engine(self.root, builtin=True).plan(workflow_from_document(self.workflow))
        return {id for id, origin in plan.steps.items() if origin == "run"}


def test_text_to_image_from_process_to_process(tmp_path):
    studio = Studio(tmp_path)
    first = studio.run()
    assert ran(first) == set(studio.workflow["nodes"])
    assert first["builds"] > 0
    cheap = {id for id, seconds in first["seconds"].items() if seconds < THRESHOLD}

    second = studio.run()
    assert ran(second) == set()
    assert second["builds"] == 0
    assert second["imported"] == ["torch"]
    assert second["files"] == first["files"]

    studio.sampler["seed"] += 1
    reseeded = studio.run()
    assert {"sampler", "decode", "save"} <= ran(reseeded) <= {"sampler", "decode", "save", *cheap}
    assert reseeded["files"][0][1] != first["files"][0][1]
    assert studio.planned() == set()

    unet = studio.model / "unet/diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 0.9 for name, tensor in load_file(unet).items()}, unet)
    assert {"checkpoint", "sampler", "decode", "save"} <= studio.planned()
