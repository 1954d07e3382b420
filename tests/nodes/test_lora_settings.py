"""LoRAs whose settings scale each change for itself: against peft, on the bundled U-Net."""

from __future__ import annotations

import json
import math

import pytest
import torch
from diffusion_support import checkpoint, folders
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from test_lora import UNET_MODULES, adapted, fresh, output

from nodegraph.errors import FileProblem
from nodegraph.testing import TestContext
from nodes.adapters.lora.deltas import Scaling
from nodes.adapters.lora.file import read_facts, settings_of
from nodes.adapters.lora.nodes import LoraLoaderModelOnly
from nodes.adapters.lora.patterns import MAX_LENGTH, MAX_PATTERNS, Pattern

ONE = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
PATTERNS = {
    "alpha_pattern": {"attn2.to_q": 9.0, r"up_blocks\.\d+\..*to_[kv]": 1.5, ONE: 0.5, "to_q": 3},
    "rank_pattern": {"^mid_block.*": 2, "conv1": 6},
}
KINDS = {
    "rslora": {"use_rslora": True},
    "patterns": PATTERNS,
    "rslora, patterns": {"use_rslora": True, **PATTERNS},
    "rslora, dora": {"use_rslora": True, "use_dora": True},
}


def configured(**settings):
    from peft import LoraConfig

    return LoraConfig(r=4, lora_alpha=6, target_modules=UNET_MODULES, **settings)


def difference(root, name, expected):
    """Of what the U-Net gives with the LoRA in a file from what peft gives."""
    ctx = TestContext(folders(root, root))
    with ctx.lease(LoraLoaderModelOnly(ctx, checkpoint().model, name).weights) as found:
        return float((output(found) - output(expected)).abs().max())


@pytest.mark.filterwarnings("ignore:.*use_rslora:UserWarning")  # of peft: ranks of scaled ones cannot change
@pytest.mark.parametrize("kind", KINDS)
def test_each_change_is_scaled_as_peft_scales_it(tmp_path, kind):
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict

    config = configured(**KINDS[kind])
    model = adapted(fresh(checkpoint().model.weights), config)
    model.save_pretrained(tmp_path / "loras" / "peft")
    assert difference(tmp_path, "peft", model) < 5e-5
    layers = {
        name.removeprefix("base_model.model."): t for name, t in get_peft_model_state_dict(model).items()
    }
    settings = {name: list(v) if isinstance(v, set) else v for name, v in config.to_dict().items()}
    StableDiffusionPipeline.save_lora_weights(
        tmp_path / "loras",
        unet_lora_layers=layers,
        weight_name="diffusers.safetensors",
        unet_lora_adapter_metadata=settings,
    )
    assert difference(tmp_path, "diffusers.safetensors", model) < 5e-5
    (tmp_path / "loras" / "peft" / "adapter_config.json").write_text(json.dumps({"lora_alpha": 6}))
    assert difference(tmp_path, "peft", model) > 1e-2


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("LoHaConfig", {"r": 4, "alpha": 3, "alpha_pattern": {"to_q": 8, "mid_block.*k": 1}}),
        ("LoKrConfig", {"r": 64, "alpha": 48, "rank_pattern": {"to_q": 96}}),  # neither factor is factored
        ("LoKrConfig", {"r": 2, "alpha": 3, "decompose_both": True, "alpha_pattern": {"to_k": 5}}),
    ],
)
def test_loha_and_lokr_in_folders_of_peft_are_scaled(tmp_path, kind, settings):
    import peft

    modules = ["to_q", "to_k", "proj_in"]
    model = adapted(
        fresh(checkpoint().model.weights), getattr(peft, kind)(target_modules=modules, **settings)
    )
    model.save_pretrained(tmp_path / "loras" / "peft")
    assert difference(tmp_path, "peft", model) < 1e-4
    (tmp_path / "loras" / "peft" / "adapter_config.json").unlink()
    assert difference(tmp_path, "peft", model) > 1e-3


def stored(root, settings, place="inside"):
    """A LoRA with settings, in its header or beside it."""
    (root / "adapter_model.safetensors").parent.mkdir(exist_ok=True)
    inside = {f"unet.{name}": value for name, value in settings.items()}
    metadata = {"lora_adapter_metadata": json.dumps(inside)} if place == "inside" else None
    tensors = {"base_model.model.to_q.lora_A.weight": torch.zeros(1, 8)}
    save_file(tensors, root / "adapter_model.safetensors", metadata)
    if place == "beside":
        (root / "adapter_config.json").write_text(json.dumps(settings))
    return root


@pytest.mark.parametrize("place", ["beside", "inside"])
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"lora_alpha": "x"}, "lora_alpha is 'x'; a number is wanted"),
        ({"lora_alpha": [8]}, r"lora_alpha is \[8\]; a number is wanted"),
        ({"lora_alpha": True}, "lora_alpha is True; a number is wanted"),
        ({"r": {}}, r"r is \{\}; a number is wanted"),
        ({"use_rslora": "yes"}, "use_rslora is 'yes'; true or false is wanted"),
        ({"alpha_pattern": [1]}, r"alpha_pattern is \[1\]; numbers by name are wanted"),
        ({"alpha_pattern": {"to_q": "x"}}, "alpha_pattern is 'x'; a number is wanted"),
        ({"alpha_pattern": dict.fromkeys(map(str, range(MAX_PATTERNS + 1)), 1)}, "5000 at most"),
        ({"alpha_pattern": {"(": 1}}, r"'\(' is no regular expression: missing \)"),
        ({"rank_pattern": {"a" * (MAX_LENGTH + 1): 1}}, "has 501 characters; 500 at most"),
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights is 'pissa_niter_4'; the model's own"),
        ({"init_lora_weights": "OLoRA"}, "let peft save it with path_initial_model_for_weight_conversion"),
    ],
)
def test_settings_that_cannot_be_followed_are_told(tmp_path, place, settings, told):
    with pytest.raises(FileProblem, match=rf"the settings of LoRA .* cannot be followed: .*{told}"):
        read_facts(stored(tmp_path, settings, place))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "\ud800"])
def test_settings_that_cannot_be_read_are_told(tmp_path, text):
    stored(tmp_path, {})
    (tmp_path / "adapter_config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FileProblem, match=r"the settings of LoRA .* cannot be followed"):
        settings_of(tmp_path, "denoiser")


def test_settings_of_no_interest_change_nothing(tmp_path):
    (tmp_path / "adapter_config.json").write_text("[]")
    assert settings_of(stored(tmp_path, {}), "denoiser").scaling("to_q") == Scaling()
    settings = {"lora_alpha": 10**400, "alpha_pattern": None, "use_rslora": None, "init_lora_weights": True}
    (tmp_path / "adapter_config.json").unlink()
    assert settings_of(stored(tmp_path, settings), "denoiser").scaling("to_q") == Scaling(math.inf)


def test_the_settings_of_each_network_are_its_own(tmp_path):
    settings = {"unet.lora_alpha": 2, "text_encoder.lora_alpha": 3, "text_encoder.alpha_pattern": {"fc1": 7}}
    tensors = {"unet.to_q.lora_A.weight": torch.zeros(1, 8)}
    path = tmp_path / "a.safetensors"
    save_file(tensors, path, {"lora_adapter_metadata": json.dumps(settings)})
    assert settings_of(path, "denoiser").scaling("mlp.fc1").alpha == 2
    text = settings_of(path, "text_encoder")
    assert (text.scaling("mlp.fc1").alpha, text.scaling("mlp.fc2").alpha) == (7, 3)


def test_an_expression_that_takes_for_ever_is_refused():
    with pytest.raises(ValueError, match="takes too long to be compared with"):
        Pattern("(a|aa)+b").matches("a" * 200)


NAMES = st.lists(st.sampled_from(["to_q", "attn1", "attn", "1", "conv"]), min_size=1, max_size=5).map(
    ".".join
)


@given(NAMES, st.one_of(NAMES, st.sampled_from([r"attn\d", "^attn1", "to_q$", "(conv|1)", ".*", "attn1.+q"])))
def test_names_are_matched_as_peft_matches_them(module, pattern):
    from peft.utils.other import get_pattern_key

    assert Pattern(pattern).matches(module) == (get_pattern_key([pattern], module) == pattern)


def test_the_scale_is_alpha_over_the_rank_or_its_root():
    assert Scaling(6.0).factor(4) == 1.5
    assert Scaling(6.0, by_root=True).factor(4) == 3.0
    assert Scaling(6.0, rank=3).factor(None) == 2.0
    assert Scaling(6.0, rank=3).factor(4) == 1.5
    assert Scaling(6.0).factor(None) == Scaling().factor(4) == 1.0
