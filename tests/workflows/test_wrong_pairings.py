"""Files of different families in one workflow are issues before the run; no weight is read for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodegraph import locations
from nodegraph.engine import Engine
from nodegraph.errors import Issue
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow, read_workflow

FOLDER = Path(__file__).parents[2] / "workflows"
SD15, SDXL, REFINER = (
    f"{name}.safetensors" for name in ("v1-5-pruned-emaonly-fp16", "sd_xl_base_1.0", "sd_xl_refiner_1.0")
)
T2I_XL, IP_XL = "t2i-adapter_xl_canny.safetensors", "ip-adapter_sdxl_vit-h.safetensors"
IP_PLUS, CLIP_G = "ip-adapter-plus_sd15.safetensors", "clip_vision_g.safetensors"

Changes = dict[tuple[str, str], str]
"""Names of files by node and input."""


@pytest.fixture(scope="module")
def engine(named_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    registry, cache = NodeRegistry.with_plugins(), tmp_path_factory.mktemp("cache")
    folders = locations.default_folders(registry, cache, output=cache / "output", models=[named_models])
    return Engine.create(registry=registry, folders=folders, cache_folder=cache, device="cpu")


def changed(name: str, changes: Changes) -> Workflow:
    workflow = read_workflow(FOLDER / f"{name}.json")
    for (id, input), file in changes.items():
        workflow = workflow.with_input(id, input, file)
    return workflow


CHECKPOINT, ADAPTER = ("checkpoint", "ckpt_name"), ("adapter", "control_net_name")
IP_ADAPTER, VISION = ("adapter", "ipadapter_file"), ("clip_vision", "clip_name")


@pytest.mark.parametrize(
    ("name", "changes", "where", "told"),
    [
        ("t2i_adapter", {CHECKPOINT: SDXL}, "control", ("sdxl", "sd")),
        ("t2i_adapter", {CHECKPOINT: REFINER}, "control", ("sdxl_refiner", "sd")),
        ("t2i_adapter", {ADAPTER: T2I_XL}, "control", ("sdxl", "sd")),
        ("t2i_adapter", {ADAPTER: T2I_XL, CHECKPOINT: REFINER}, "control", ("sdxl_refiner", "sdxl")),
        ("ip_adapter", {CHECKPOINT: SDXL}, "prompted", ("text width", "192", "64")),
        ("ip_adapter", {CHECKPOINT: REFINER}, "prompted", ("text width", "128", "64")),
        ("ip_adapter", {IP_ADAPTER: IP_XL}, "prompted", ("text width", "192", "64")),
        ("ip_adapter", {IP_ADAPTER: IP_XL, CHECKPOINT: REFINER}, "prompted", ("192", "128")),
        ("ip_adapter", {VISION: CLIP_G}, "prompted", ("embed width", "80", "48")),
        ("ip_adapter", {VISION: CLIP_G, IP_ADAPTER: IP_PLUS}, "prompted", ("hidden width", "128", "64")),
        ("sdxl_refiner", {("refiner", "ckpt_name"): SDXL}, "refiner_positive", ("sdxl", "sdxl_refiner")),
        ("sdxl_refiner", {CHECKPOINT: SD15}, "details", ("sd", "sdxl")),
        ("sdxl_refiner", {CHECKPOINT: REFINER, ("refiner", "ckpt_name"): SD15}, "details", ("sd",)),
    ],
)
def test_a_wrong_pairing_is_an_issue(
    engine: Engine, name: str, changes: Changes, where: str, told: tuple[str, ...]
) -> None:
    issues = [issue for issue in engine.validate(changed(name, changes)) if is_error(issue)]
    assert where in {issue.node for issue in issues}
    found = next(issue for issue in issues if issue.node == where)
    assert all(word in found.message for word in told), found.message
    assert found.related  # the nodes that what does not fit comes from


def is_error(issue: Issue) -> bool:
    return issue.severity == "error"


FITTING: list[tuple[str, Changes]] = [
    ("t2i_adapter", {}),
    ("t2i_adapter", {CHECKPOINT: SDXL, ADAPTER: T2I_XL}),
    ("ip_adapter", {}),
    ("ip_adapter", {IP_ADAPTER: IP_PLUS}),
    ("ip_adapter", {CHECKPOINT: SDXL, IP_ADAPTER: IP_XL}),
    ("sdxl_refiner", {}),
    ("turbo", {}),
    ("turbo", {CHECKPOINT: SDXL}),
    ("lcm", {}),
    ("inpaint_model", {}),
]


@pytest.mark.parametrize(("name", "changes"), FITTING)
def test_what_fits_is_no_issue(engine: Engine, name: str, changes: Changes) -> None:
    assert engine.validate(changed(name, changes)) == []
