"""What jobs tell of themselves in lists: name, what they make, seed and prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comfy_support import Comfy, sampled

from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.server.checking import Checker
from nodegraph.server.summary import summary_of

WORKFLOWS = Path(__file__).parents[2] / "workflows"
LARGEST = 2**64 - 1


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    folders = Folders(tmp_path_factory.mktemp("output"))
    return Checker(NodeRegistry.with_plugins(), lambda _: folders, max_nodes=1000)


def template(**inputs: Any) -> dict[str, Any]:
    """The one for text to image with other inputs, given as ``node__input``."""
    document: dict[str, Any] = json.loads((WORKFLOWS / "text_to_image.json").read_text())
    for place, value in inputs.items():
        node, name = place.split("__")
        document["nodes"][node]["inputs"][name] = value
    return document


def summary(checker: Checker, document: dict[str, Any], targets: list[str] | None = None) -> Any:
    return summary_of(checker.check(document, owner="ann", targets=targets), targets)


def test_it_tells_name_outputs_seed_and_the_prompt_itself(checker: Checker) -> None:
    document = template(sampler__seed=LARGEST, positive__text="a cat", negative__text="blurred")
    document["nodes"] = dict(reversed(document["nodes"].items()))  # the order of the file tells nothing
    assert summary(checker, document) == {
        "name": "Text to image",
        "makes": ["SaveImage"],
        "seed": str(LARGEST),
        "prompt": "a cat",
    }


def test_only_what_leads_to_the_targets_counts(checker: Checker) -> None:
    document = template(negative__text="blurred")
    told = summary(checker, document, ["negative"])
    assert (told["makes"], told["seed"], told["prompt"]) == (["CLIPTextEncode"], None, "blurred")


def test_seeds_and_prompts_are_found_where_they_are_wired_from(checker: Checker) -> None:
    document = template()
    text = {"type": "Text", "inputs": {"text": "x" * 1000}}
    document["nodes"] |= {"text": text, "seed": {"type": "Seed", "inputs": {"seed": 8}}}
    document["nodes"]["positive"]["links"]["text"] = ["text", "str"]
    document["nodes"]["sampler"]["links"]["seed"] = ["seed", "seed"]
    told = summary(checker, document)
    assert told["seed"] == "8"
    assert set(told["prompt"]) == {"x"}
    assert len(told["prompt"]) < 1000


def test_a_workflow_without_any_of_it(checker: Checker) -> None:
    nodes = {"a": {"type": "Integer"}}
    told = summary(checker, {"format": "nodegraph", "version": 1, "nodes": nodes}, ["a"])
    assert told == {"name": "", "makes": ["Integer"], "seed": None, "prompt": ""}


def test_jobs_of_both_apis_are_listed_with_it(comfy: Comfy) -> None:
    prompt = comfy.submit(sampled(77, 2))
    body = {"workflow": template(), "variants": [{"sampler.seed": seed} for seed in (5, 6)]}
    batch = comfy.post("/api/v1/jobs/batch", body).json["jobs"]
    listed = {job["id"]: job["summary"] for job in comfy.get("/api/v1/jobs").json["jobs"]}
    assert [listed[job["id"]]["seed"] for job in batch] == ["5", "6"]
    assert listed[batch[0]["id"]]["name"] == "Text to image"
    assert listed[prompt]["seed"] == "77"
    assert listed[prompt]["makes"] == ["SaveImage"]
    for id in listed:
        comfy.post(f"/api/v1/jobs/{id}/cancel")
