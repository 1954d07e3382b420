"""Every workflow that ships runs to pictures; what needs weights of its own gets small ones made here."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import nodes
from nodegraph import locations
from nodegraph.engine import Engine
from nodegraph.errors import WorkflowError
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow, dump_workflow, read_workflow
from nodegraph.workflow.comfy import export_comfy, import_comfy

FOLDER = Path(__file__).parents[2] / "workflows"
GOLDEN = sorted(FOLDER.glob("*.json"))
UNET = Path(nodes.__file__).parent / "models/checkpoints/emoji-sd/unet"
FEWER_STEPS = 4
SMALL = 128
SIZED = ("EmptyLatentImage", "ImageScale")


@pytest.fixture(scope="module")
def registry() -> NodeRegistry:
    registry = NodeRegistry.with_plugins()
    assert not registry.problems
    return registry


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a ControlNet of the bundled family and a DCGAN, of the true layouts."""
    folder = tmp_path_factory.mktemp("models")
    make_controlnet(folder / "controlnet" / "emoji-control")
    make_dcgan(folder / "gan" / "generator.safetensors")
    make_lora(folder / "loras" / "emoji-lora.safetensors")
    make_checkpoint(folder / "checkpoints" / "emoji-instruct", in_channels=8)
    make_checkpoint(folder / "checkpoints" / "emoji-other")
    return folder


def make_controlnet(folder: Path) -> None:
    from diffusers import ControlNetModel, UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(UNET, dtype=torch.float32, local_files_only=True)
    ControlNetModel.from_unet(unet).save_pretrained(folder)


def make_lora(path: Path) -> None:
    """A LoRA of rank 2 for one attention layer of the U-Net and one of the text encoder."""
    torch.manual_seed(0)
    layers = {
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k": (192, 224),
        "lora_te_text_model_encoder_layers_0_mlp_fc1": (192, 576),
    }
    tensors = {}
    for name, (given, made) in layers.items():
        tensors[f"{name}.lora_down.weight"] = 0.1 * torch.randn(2, given)
        tensors[f"{name}.lora_up.weight"] = 0.1 * torch.randn(made, 2)
    path.parent.mkdir(parents=True)
    save_file(tensors, path)


def make_checkpoint(folder: Path, in_channels: int = 4) -> None:
    """The bundled checkpoint with a U-Net that takes so many channels, the new ones random."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    shutil.copytree(UNET.parent, folder)
    plain = UNet2DConditionModel.from_pretrained(UNET, dtype=torch.float32, local_files_only=True)
    unet = UNet2DConditionModel.from_config({**plain.config, "in_channels": in_channels})
    entry = 0.05 * torch.randn(unet.conv_in.weight.shape)
    entry[:, :4] = plain.conv_in.weight.detach()
    unet.load_state_dict({**plain.state_dict(), "conv_in.weight": entry})
    unet.save_pretrained(folder / "unet")


def make_dcgan(path: Path) -> None:
    """The generator of the DCGAN paper for 32 x 32 pixels, freshly initialised."""
    torch.manual_seed(0)
    widths = [16, 32, 16, 8]
    layers: list[torch.nn.Module] = []
    for index, (wide, narrow) in enumerate(itertools.pairwise(widths)):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers += [torch.nn.ConvTranspose2d(wide, narrow, 4, stride, padding, bias=False)]
        layers += [torch.nn.BatchNorm2d(narrow), torch.nn.ReLU()]
    layers += [torch.nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1, bias=False), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers)
    path.parent.mkdir(parents=True)
    save_file({f"main.{name}": tensor for name, tensor in network.state_dict().items()}, path)


@pytest.fixture(scope="module")
def engine(
    registry: NodeRegistry, models: Path, named_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Engine:
    return make_engine(registry, [models, named_models], tmp_path_factory, "cpu")


@pytest.fixture(scope="module")
def gpu_engine(
    registry: NodeRegistry, models: Path, named_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Engine:
    return make_engine(registry, [models, named_models], tmp_path_factory, "cuda")


def make_engine(
    registry: NodeRegistry, models: list[Path], tmp_path_factory: pytest.TempPathFactory, device: str
) -> Engine:
    cache = tmp_path_factory.mktemp("cache")
    folders = locations.default_folders(
        registry, cache, output=tmp_path_factory.mktemp("output"), models=models
    )
    return Engine.create(registry=registry, folders=folders, cache_folder=cache, device=device)


def quick(workflow: Workflow) -> Workflow:
    """The same workflow with few steps and iterations, and small pictures."""
    for id, entry in workflow.nodes.items():
        for side in ("width", "height"):
            if entry.type in SIZED and entry.inputs[side] > SMALL:
                workflow = workflow.with_input(id, side, SMALL)
        if entry.inputs.get("steps", 0) > FEWER_STEPS:
            workflow = workflow.with_input(id, "steps", FEWER_STEPS)
    return workflow


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_it_runs_to_pictures_that_show_something(path: Path, engine: Engine) -> None:
    check_run(path, engine)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_it_runs_on_a_gpu(path: Path, gpu_engine: Engine) -> None:
    check_run(path, gpu_engine)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_in_float16_on_a_gpu_the_picture_is_nearly_that_of_the_processor(
    engine: Engine, gpu_engine: Engine
) -> None:
    workflow = read_workflow(FOLDER / "text_to_image.json")
    one, other = (
        np.asarray(Image.open(made.run_sync(workflow).files[0].path).convert("RGB")).astype(int)
        for made in (engine, gpu_engine)
    )
    difference = np.abs(one - other)
    print(f"mean {difference.mean():.3f}/255, largest {difference.max()}/255")
    assert difference.mean() <= 1


def check_run(path: Path, engine: Engine) -> None:
    workflow = quick(read_workflow(path))
    assert engine.validate(workflow) == []
    result = engine.run_sync(workflow)
    assert result.status == "done", [error.traceback for error in result.errors]
    assert result.files
    for file in result.files:
        with Image.open(file.path) as picture:
            assert np.asarray(picture).std() > 1.0  # not one flat colour


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_reading_and_writing_changes_no_byte(path: Path) -> None:
    assert dump_workflow(read_workflow(path)) == path.read_text("utf-8")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_it_says_what_it_is(path: Path) -> None:
    workflow = read_workflow(path)
    assert workflow.name
    assert workflow.description


BEYOND_COMFYUI = {"refine_loop": "subgraph", "style_transfer": "several links"}
PLAIN = [path for path in GOLDEN if path.stem not in BEYOND_COMFYUI]


@pytest.mark.parametrize("name", BEYOND_COMFYUI)
def test_what_comfyui_has_no_form_for_is_not_exported(name: str, registry: NodeRegistry) -> None:
    with pytest.raises(WorkflowError, match=BEYOND_COMFYUI[name]):
        export_comfy(read_workflow(FOLDER / f"{name}.json"), registry)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_it_means_the_same_as_a_comfyui_file(path: Path, registry: NodeRegistry, engine: Engine) -> None:
    workflow = read_workflow(path)
    again = import_comfy(export_comfy(workflow, registry), registry)
    keys, keys_again = engine.plan(workflow).keys, engine.plan(again).keys
    assert keys == keys_again


def test_a_missing_model_is_an_issue_that_says_where_to_put_it(
    registry: NodeRegistry, tmp_path: Path
) -> None:
    folders = locations.default_folders(registry, tmp_path / "cache", models=[tmp_path])
    bare = Engine.create(registry=registry, folders=folders, cache_folder=tmp_path / "cache", device="cpu")
    issues = bare.validate(read_workflow(FOLDER / "gan.json"))
    assert [(issue.code, issue.node, issue.input) for issue in issues] == [
        ("missing_file", "generator", "gan_name")
    ]
    assert str(tmp_path / "gan") in issues[0].message
