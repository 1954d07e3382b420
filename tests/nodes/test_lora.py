"""LoRAs: files as kohya, diffusers and PEFT write them, against what peft itself computes."""

from __future__ import annotations

import json

import pytest
import torch
from diffusion_support import MODELS, PROMPT, checkpoint, encoded, folders
from safetensors.torch import load_file, save_file

from nodegraph.devices import DeviceManager
from nodegraph.errors import FileProblem, InputError
from nodegraph.specs import Mismatch, Spec
from nodegraph.testing import TestContext
from nodes.adapters.lora.deltas import Scaling, delta
from nodes.adapters.lora.file import read_facts
from nodes.adapters.lora.keys import flattened, read_name
from nodes.adapters.lora.nodes import LoraLoader, LoraLoaderModelOnly, infer_lora, infer_lora_model
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler

UNET_MODULES = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "conv1", "ff.net.0.proj"]
TEXT_MODULES = ["q_proj", "v_proj", "fc1"]
RANK, ALPHA = 4, 6.0


def fresh(recipe):
    return recipe.build(folders(), torch.float32)


def randomised(model):
    """PEFT starts at no change at all; give every new weight some."""
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if any(mark in name for mark in ("lora_", "hada_", "lokr_")):
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    return model.eval()


def adapted(model, config):
    from peft import get_peft_model

    return randomised(get_peft_model(model, config))


def lora_config(modules):
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=modules)


def kohya(tensors, prefix):
    """Tensors named by PEFT under kohya's names."""
    found = {}
    for name, tensor in tensors.items():
        module, _, part = name.removeprefix("base_model.model.").partition(".lora_")
        flat = f"{prefix}_{module.replace('.', '_')}"
        found[f"{flat}.{'lora_down' if part == 'A.weight' else 'lora_up'}.weight"] = tensor
        found[f"{flat}.alpha"] = torch.tensor(ALPHA)
    return found


@pytest.fixture(scope="module")
def unet():
    """The bundled U-Net with a LoRA by peft."""
    return adapted(fresh(checkpoint().model.weights), lora_config(UNET_MODULES))


@pytest.fixture(scope="module")
def text():
    from peft import inject_adapter_in_model

    transformer = fresh(checkpoint().clip.weights)["l"].transformer
    return randomised(inject_adapter_in_model(lora_config(TEXT_MODULES), transformer))


@pytest.fixture(scope="module")
def root(tmp_path_factory, unet, text):
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict

    root = tmp_path_factory.mktemp("models")
    loras = root / "loras"
    loras.mkdir()
    unet.save_pretrained(loras / "peft")
    of_unet, of_text = load_file(loras / "peft/adapter_model.safetensors"), get_peft_model_state_dict(text)
    save_file({**kohya(of_unet, "lora_unet"), **kohya(of_text, "lora_te")}, loras / "kohya.safetensors")
    bare = {name.removeprefix("base_model.model."): tensor for name, tensor in of_unet.items()}
    StableDiffusionPipeline.save_lora_weights(
        loras,
        unet_lora_layers=bare,
        weight_name="diffusers.safetensors",
        unet_lora_adapter_metadata={"r": RANK, "lora_alpha": ALPHA},
    )
    old = {name.replace("lora_A", "lora.down").replace("lora_B", "lora.up"): t for name, t in bare.items()}
    scaled = {f"unet.{name}": t * ALPHA / RANK if ".up." in name else t for name, t in old.items()}
    save_file({_old_attention(name): tensor for name, tensor in scaled.items()}, loras / "old.safetensors")
    return root


def _old_attention(name):
    """diffusers' names of 2023: the LoRA of an attention layer is part of its processor."""
    for part in ("to_q", "to_k", "to_v"):
        name = name.replace(f".{part}.lora.", f".processor.{part}_lora.")
    return name.replace(".to_out.0.lora.", ".processor.to_out_lora.")


@pytest.fixture
def ctx(root):
    return TestContext(folders(root, root))


def inputs():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, 4, 16, 16, generator=generator), torch.tensor(400), encoded().prompts[0].embeddings


@torch.no_grad()
def output(unet):
    return unet(*inputs(), return_dict=False)[0]


@pytest.mark.parametrize("name", ["peft", "kohya.safetensors", "diffusers.safetensors", "old.safetensors"])
def test_equals_peft_in_every_layout(ctx, unet, name):
    model = LoraLoaderModelOnly(ctx, checkpoint().model, name)
    with ctx.lease(model.weights) as found:
        torch.testing.assert_close(output(found), output(unet), atol=2e-5, rtol=0)
    plain = fresh(checkpoint().model.weights)
    assert (output(plain) - output(unet)).abs().max() > 0.05


def test_strength_scales_it(ctx, unet):
    from peft.tuners.lora import LoraLayer

    layers = [module for module in unet.modules() if isinstance(module, LoraLayer)]
    model = LoraLoaderModelOnly(ctx, checkpoint().model, "kohya.safetensors", 0.3)
    for layer in layers:
        layer.set_scale("default", 0.3)
    try:
        with ctx.lease(model.weights) as found:
            torch.testing.assert_close(output(found), output(unet), atol=2e-5, rtol=0)
    finally:
        for layer in layers:
            layer.set_scale("default", 1.0)


def test_the_text_encoder_is_changed_too(ctx, text):
    _, clip = LoraLoader(ctx, checkpoint().model, checkpoint().clip, "kohya.safetensors")
    found = CLIPTextEncode(ctx, clip, PROMPT).prompts[0].embeddings
    tokenizer = fresh(checkpoint().clip.weights)["l"].tokenizer
    rows = tokenizer(PROMPT, padding="max_length", max_length=32, return_tensors="pt").input_ids
    with torch.no_grad():
        expected = text(rows)[0]
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)
    assert not torch.allclose(found, encoded().prompts[0].embeddings, atol=1e-2)


def test_stacked_ones_add_up_and_cancel_out(ctx):
    once = LoraLoaderModelOnly(ctx, checkpoint().model, "kohya.safetensors", 1.0)
    twice = LoraLoaderModelOnly(ctx, once, "diffusers.safetensors", -1.0)
    double = LoraLoaderModelOnly(ctx, LoraLoaderModelOnly(ctx, checkpoint().model, "peft", 0.5), "peft", 0.5)
    with ctx.lease(twice.weights) as found, ctx.lease(checkpoint().model.weights) as plain:
        torch.testing.assert_close(output(found), output(plain), atol=1e-5, rtol=0)
    with ctx.lease(double.weights) as found, ctx.lease(once.weights) as expected:
        torch.testing.assert_close(output(found), output(expected), atol=1e-5, rtol=0)
    assert double.weights.base == checkpoint().model.weights


def test_no_strength_is_no_change(ctx):
    model, clip = LoraLoader(ctx, checkpoint().model, checkpoint().clip, "kohya.safetensors", 0.0, 0.0)
    assert (model, clip) == (checkpoint().model, checkpoint().clip)


class CountedFiles:
    """Notes what is read."""

    def __init__(self, folders):
        self.folders = folders
        self.read = []

    def path(self, file):
        self.read.append(file.name)
        return self.folders.path(file)


def test_another_strength_reads_the_lora_alone_and_leaves_the_original_bit_for_bit(ctx, root):
    files = CountedFiles(folders(root, root))
    devices = DeviceManager(torch.device("cpu"), files, 2**30, torch.float32)
    plain = checkpoint().model
    with devices.lease(plain.weights) as module:
        before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    files.read.clear()
    for strength in (1.0, 0.5):
        changed = LoraLoaderModelOnly(ctx, plain, "kohya.safetensors", strength)
        with devices.lease(changed.weights) as module:
            output(module)
    assert set(files.read) == {"kohya.safetensors"}
    assert devices.builds == 1
    with devices.lease(plain.weights) as module:
        assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_what_a_lora_leaves_alone_is_kept_once(ctx, root):
    devices = DeviceManager(torch.device("cpu"), folders(root, root), 2**30, torch.float32)
    changed = LoraLoaderModelOnly(ctx, checkpoint().model, "kohya.safetensors")
    with devices.lease(changed.weights) as module, devices.lease(checkpoint().model.weights) as plain:
        shared = {id(parameter) for parameter in plain.parameters()}
        own = sum(p.nbytes for p in module.parameters() if id(p) not in shared)
        sizes = {type(model.recipe).__name__: model.bytes for model in devices.loaded()}
        assert 0 < own == sizes["WithLoras"] < sum(p.nbytes for p in plain.parameters())
    devices.free()
    assert devices.loaded() == []


def test_sampling_with_a_lora(ctx):
    changed, clip = LoraLoader(ctx, checkpoint().model, checkpoint().clip, "kohya.safetensors", 0.5, 0.5)
    positive = CLIPTextEncode(ctx, clip, PROMPT)
    settings = {"negative": encoded(""), "latent_image": EmptyLatentImage(128, 128), "steps": 2, "seed": 3}
    found = KSampler(ctx, changed, positive, **settings).samples
    assert found.isfinite().all()
    plain = KSampler(ctx, checkpoint().model, encoded(), **settings).samples
    assert (found - plain).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["loha", "lokr", "lokr_factored"])
def test_loha_and_lokr_equal_peft(tmp_path, kind):
    from peft import LoHaConfig, LoKrConfig

    modules = ["to_q", "to_k", "proj_in", "conv1"]
    config = {
        "loha": lambda: LoHaConfig(r=RANK, alpha=3, target_modules=modules, use_effective_conv2d=True),
        "lokr": lambda: LoKrConfig(r=64, alpha=64, target_modules=modules),  # neither factor is factored
        "lokr_factored": lambda: LoKrConfig(
            r=2, alpha=3, target_modules=modules, decompose_both=True, use_effective_conv2d=True
        ),
    }[kind]()
    model = adapted(fresh(checkpoint().model.weights), config)
    model.save_pretrained(tmp_path / "saved")
    tensors = {}
    for name, tensor in load_file(tmp_path / "saved/adapter_model.safetensors").items():
        module, _, part = name.removeprefix("base_model.model.").rpartition(".")
        flat = f"lora_unet_{module.replace('.', '_')}"
        tensors |= {f"{flat}.{part}": tensor, f"{flat}.alpha": torch.tensor(float(config.alpha))}
    (tmp_path / "loras").mkdir()
    save_file(tensors, tmp_path / "loras/small.safetensors")
    ctx = TestContext(folders(tmp_path, tmp_path))
    changed = LoraLoaderModelOnly(ctx, checkpoint().model, "small.safetensors")
    with ctx.lease(changed.weights) as found:
        difference = (output(found) - output(model)).abs().max()
    assert difference < 1e-4
    assert (output(fresh(checkpoint().model.weights)) - output(model)).abs().max() > 1e-3


def write(root, tensors, name="bad.safetensors"):
    (root / "loras").mkdir(exist_ok=True)
    save_file(tensors, root / "loras" / name)
    return TestContext(folders(root, root))


def pair(module, width, out=192, rank=2):
    down, up = torch.zeros(rank, width), torch.zeros(out, rank)
    return {f"{module}.lora_down.weight": down, f"{module}.lora_up.weight": up}


CROSS = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
PAIRINGS = {
    "Stable Diffusion 1": pair(CROSS, 768),
    "Stable Diffusion 2": pair(CROSS, 1024),
    "SDXL": pair("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 2048),
    "SDXL's refiner": pair(CROSS, 1280),
    "family flux": pair("lora_unet_double_blocks_0_img_attn_qkv", 3072),
    "family flux or sd3": pair("transformer.transformer_blocks.0.attn.to_q", 1536),
    "family sd3": pair("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536),
}


@pytest.mark.parametrize("kind", PAIRINGS)
def test_wrong_pairings_are_found_before_the_run(tmp_path, kind):
    ctx = write(tmp_path, PAIRINGS[kind])
    model, name = Spec({"family": "sd", "text_width": 192}), Spec(value="bad.safetensors")
    with pytest.raises(
        Mismatch, match=f"LoRA 'bad.safetensors' is for {kind}.*the model is of family sd"
    ) as caught:
        infer_lora_model(model, name, ctx.folders)
    assert caught.value.inputs == ("lora_name", "model")
    with pytest.raises(InputError, match=f"lora_name: LoRA 'bad.safetensors' is for {kind}"):
        LoraLoaderModelOnly(ctx, checkpoint().model, "bad.safetensors")


def test_model_and_clip_of_different_families_are_found_before_the_run(tmp_path):
    ctx = write(tmp_path, pair(CROSS, 192))
    with pytest.raises(Mismatch, match="family of clip is sdxl"):
        infer_lora(
            Spec({"family": "sd"}), Spec({"family": "sdxl"}), Spec(value="bad.safetensors"), ctx.folders
        )


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"model.weight": torch.zeros(2, 2)}, r"'bad\.safetensors' is not a LoRA: it holds a tensor 'model"),
        (
            pair("lora_unet_down_blocks_9_attn1_to_k", 8),
            "'down_blocks_9_attn1_to_k', which the model has not",
        ),
        (pair(CROSS, 192, out=7), r"it changes a weight of \[7, 192\], the model's is \[128, 192\]"),
        ({f"{CROSS}.lora_down.weight": torch.zeros(2, 192)}, "its part 'up' is missing"),
        ({**pair(CROSS, 192, out=128), f"{CROSS}.dora_scale": torch.ones(1)}, "it sets 1 magnitudes"),
    ],
)
def test_what_cannot_be_applied_is_refused(tmp_path, tensors, problem):
    ctx = write(tmp_path, tensors)
    with pytest.raises(FileProblem, match=problem):
        model = LoraLoaderModelOnly(ctx, checkpoint().model, "bad.safetensors")
        with ctx.lease(model.weights):
            pass


@pytest.mark.parametrize("content", [b"", b"x" * 64, b"\xff" * 8])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras/bad.safetensors").write_bytes(content)
    with pytest.raises(FileProblem, match=r"LoRA 'bad\.safetensors' cannot be read"):
        LoraLoaderModelOnly(TestContext(folders(tmp_path, tmp_path)), checkpoint().model, "bad.safetensors")


def test_names_of_the_original_unet_are_those_of_diffusers():
    from diffusers import UNet2DConditionModel

    config = json.loads((MODELS / "checkpoints/emoji-sd/unet/config.json").read_text())
    config |= {
        "layers_per_block": 2,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    }
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config)
    known = {flattened(name) for name, _ in unet.named_modules()}
    originals = {
        "input_blocks_0_0": "conv_in",
        "input_blocks_1_0_in_layers_2": "down_blocks_0_resnets_0_conv1",
        "input_blocks_3_0_op": "down_blocks_0_downsamplers_0_conv",
        "input_blocks_4_0_skip_connection": "down_blocks_1_resnets_0_conv_shortcut",
        "input_blocks_5_1_transformer_blocks_0_attn2_to_k": (
            "down_blocks_1_attentions_1_transformer_blocks_0_attn2_to_k"
        ),
        "middle_block_1_proj_in": "mid_block_attentions_0_proj_in",
        "middle_block_2_out_layers_3": "mid_block_resnets_1_conv2",
        "output_blocks_0_1_proj_out": "up_blocks_0_attentions_0_proj_out",
        "output_blocks_2_2_conv": "up_blocks_0_upsamplers_0_conv",
        "output_blocks_8_0_emb_layers_1": "up_blocks_2_resnets_2_time_emb_proj",
        "time_embed_2": "time_embedding_linear_2",
        "out_2": "conv_out",
    }
    assert {original: flattened(original) for original in originals} == originals
    assert set(originals.values()) <= known


LAYER, DOTTED = "encoder_layers_{}_mlp_fc1", "text_model.encoder.layers.0.mlp.fc1"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lora_te2_text_model_encoder_layers_3_mlp_fc1.alpha", ("text_encoder_2", LAYER.format(3), "alpha")),
        (f"text_encoder.{DOTTED}.lora_linear_layer.up.weight", ("text_encoder", LAYER.format(0), "up")),
        (f"base_model.model.{DOTTED}.lora_A.weight", ("text_encoder", LAYER.format(0), "down")),
        ("conv.weight", None),
        ("", None),
    ],
)
def test_names(name, expected):
    found = read_name(name)
    assert (found and found[:3]) == expected


def test_a_core_between_projections():
    """A convolution as LyCORIS factors it (Tucker), against the convolutions one after another."""
    generator = torch.Generator().manual_seed(0)
    down, mid, up = (
        torch.randn(*shape, generator=generator) for shape in ((3, 5, 1, 1), (3, 3, 3, 3), (7, 3, 1, 1))
    )
    x = torch.randn(1, 5, 8, 8, generator=generator)
    conv = torch.nn.functional.conv2d
    expected = conv(conv(conv(x, down), mid, padding=1), up)
    found = delta({"down": down, "mid": mid, "up": up}, torch.Size((7, 5, 3, 3)))
    torch.testing.assert_close(conv(x, found, padding=1), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"up": (1 << 20, 1), "down": (1, 1 << 20)}, "it changes a weight of"),  # 4 TiB
        ({"lokr_w1": (1 << 12, 1 << 12), "lokr_w2": (1 << 12, 1 << 12)}, "it changes a weight of"),
        ({"up": (), "down": ()}, "do not fit together"),
        ({"up": (8, 2), "down": (2, 8), "alpha": (3,)}, r"its alpha is \[3\]"),
    ],
)
def test_small_parts_never_become_a_large_product(parts, words):
    with pytest.raises(ValueError, match=words):
        delta({name: torch.zeros(shape) for name, shape in parts.items()}, torch.Size((8, 8)))


@pytest.mark.parametrize("factor", [(), (2,), (2, 8, 1)])
def test_a_core_between_what_is_no_matrix_is_refused(factor):
    shapes = {"hada_w1_a": factor, "hada_w1_b": (2, 8), "hada_t1": (2, 2), "hada_w2_a": (8, 2)}
    parts = {name: torch.zeros(shape) for name, shape in {**shapes, "hada_w2_b": (2, 8)}.items()}
    with pytest.raises(ValueError, match="do not fit together"):
        delta(parts, torch.Size((8, 8)))


def test_a_change_of_rank_zero_is_none_and_an_infinite_one_is_refused():
    shape, parts = torch.Size((8, 8)), {"up": torch.zeros(8, 0), "down": torch.zeros(0, 8)}
    assert not delta(parts, shape, Scaling(4.0)).any()
    with pytest.raises(ValueError, match="no number"):
        delta({"up": torch.ones(8, 1), "down": torch.ones(1, 8)}, shape, Scaling(float("inf")))


def test_numbers_in_names_that_count_no_block():
    assert read_name("lora_unet_input_blocks_" + "9" * 5000 + "_1_proj.lora_up.weight") is not None


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "LoRA 'a.safetensors' holds no tensors, so it changes nothing"),
        (
            {"unet.to_q.lora_A.weight": torch.zeros(0, 8), "unet.to_q.lora_B.weight": torch.zeros(8, 0)},
            r"LoRA 'a.safetensors' is of rank 0, so it changes nothing: its tensor 'unet.to_q",
        ),
    ],
)
def test_a_lora_that_changes_nothing_is_refused(tmp_path, tensors, message):
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(FileProblem, match=message):
        read_facts(tmp_path / "a.safetensors")
