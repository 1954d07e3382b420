"""Prompts of SDXL, SD3 and Flux: how encoders are joined, and what models are told beside the words."""

from __future__ import annotations

import pytest
import torch
from diffusion_support import MODELS, checkpoint, context, folders

from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodegraph.testing import TestContext
from nodes.conditioning.families.nodes import (
    CLIPTextEncodeFlux,
    CLIPTextEncodeSD3,
    CLIPTextEncodeSDXL,
    CLIPTextEncodeSDXLRefiner,
    FluxGuidance,
    infer_flux,
    infer_refiner,
    infer_sd3,
    infer_sdxl,
)
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.sampling.picture_size import told_size
from nodes.text_encoders.clip import ClipEncoder
from nodes.text_encoders.encoder import TextEncoders
from nodes.text_encoders.t5 import T5Encoder
from nodes.types import Clip, PictureSize

WIDTHS = {"l": 16, "g": 24}
TOKENS = 32
T5_WIDTH = 4096


def bundled_tokenizer():
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(MODELS / "checkpoints/emoji-sd/tokenizer", local_files_only=True)


def clip_encoder(name, layer):
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    torch.manual_seed(WIDTHS[name])
    tokenizer = bundled_tokenizer()
    config = CLIPTextConfig(
        vocab_size=4317,
        hidden_size=WIDTHS[name],
        intermediate_size=32,
        projection_dim=WIDTHS[name],
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = CLIPTextModelWithProjection(config).eval()
    pad = tokenizer.pad_token_id if name == "l" else 0
    return ClipEncoder(tokenizer, model, tokens=TOKENS, pad=pad, layer=layer, final_norm=layer == -1)


def t5_encoder():
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(5)
    config = T5Config(vocab_size=4317, d_model=T5_WIDTH, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return T5Encoder(bundled_tokenizer(), T5EncoderModel(config).eval(), tokens=TOKENS, pad=0)


ENCODERS = {
    "sdxl": lambda: {"l": clip_encoder("l", -2), "g": clip_encoder("g", -2)},
    "sdxl_refiner": lambda: {"g": clip_encoder("g", -2)},
    "sd3": lambda: {"l": clip_encoder("l", -2), "g": clip_encoder("g", -2), "t5xxl": t5_encoder()},
    "flux": lambda: {"l": clip_encoder("l", -1), "t5xxl": t5_encoder()},
}


class Ready:
    """A recipe of encoders that are there already."""

    def __init__(self, family):
        self.encoders = TextEncoders(ENCODERS[family]())

    def build(self, files, dtype):
        return self.encoders


@pytest.fixture(scope="module")
def clips():
    return {family: Clip(Ready(family), family, 4096) for family in ENCODERS}


@pytest.fixture(scope="module")
def ctx():
    return TestContext(folders())


def reference(clip, name, text):
    """Penultimate states and projected pooled vector, by transformers' own tokenizer and model."""
    encoder = clip.weights.encoders[name]
    ids = bundled_tokenizer()(text).input_ids
    row = torch.tensor([ids + [encoder.pad] * (TOKENS - len(ids))])
    with torch.no_grad():
        out = encoder.transformer(row, output_hidden_states=True)
    return out.hidden_states[-2], out.text_embeds


def test_sdxl_joins_two_encoders(clips, ctx):
    found = CLIPTextEncodeSDXL(
        ctx, clips["sdxl"], "a red apple", "an owl", 640, 512, 8, 16, 1024, 768
    ).prompts[0]
    g, pooled = reference(clips["sdxl"], "g", "a red apple")
    l, _ = reference(clips["sdxl"], "l", "an owl")  # noqa: E741 - the field's name of the encoder
    torch.testing.assert_close(found.embeddings, torch.cat([l, g], dim=-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.pooled, pooled, atol=1e-5, rtol=0)
    assert found.size == PictureSize(512, 640, 16, 8, 768, 1024)


def test_the_plain_node_encodes_for_sdxl_too(clips, ctx):
    plain = CLIPTextEncode(ctx, clips["sdxl"], "a (red:1.3) apple").prompts[0]
    both = CLIPTextEncodeSDXL(ctx, clips["sdxl"], "a (red:1.3) apple", "a (red:1.3) apple").prompts[0]
    assert torch.equal(plain.embeddings, both.embeddings)
    assert plain.size is None


def test_the_shorter_prompt_is_followed_by_empty_chunks(clips, ctx):
    long = " ".join(["a red apple"] * 15)
    found = CLIPTextEncodeSDXL(ctx, clips["sdxl"], long, "an owl").prompts[0]
    assert found.embeddings.shape[1] >= 2 * TOKENS
    empty, _ = reference(clips["sdxl"], "l", "")
    torch.testing.assert_close(found.embeddings[:, TOKENS : 2 * TOKENS, :16], empty, atol=1e-5, rtol=0)


def test_the_refiner_has_one_encoder_and_a_score(clips, ctx):
    found = CLIPTextEncodeSDXLRefiner(ctx, clips["sdxl_refiner"], "an owl", 7.5, 640, 512).prompts[0]
    states, pooled = reference(clips["sdxl_refiner"], "g", "an owl")
    torch.testing.assert_close(found.embeddings, states, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.pooled, pooled, atol=1e-5, rtol=0)
    assert found.size == PictureSize(512, 640, aesthetic_score=7.5)


def test_sd3_puts_t5_after_padded_clip(clips, ctx):
    clip = clips["sd3"]
    found = CLIPTextEncodeSD3(ctx, clip, "an owl", "a red apple", "a blue boat").prompts[0]
    l, pooled_l = reference(clip, "l", "an owl")  # noqa: E741
    g, pooled_g = reference(clip, "g", "a red apple")
    assert found.embeddings.shape == (1, 2 * TOKENS, 4096)
    torch.testing.assert_close(found.embeddings[:, :TOKENS, :40], torch.cat([l, g], -1), atol=1e-5, rtol=0)
    assert not found.embeddings[:, :TOKENS, 40:].any()
    torch.testing.assert_close(found.pooled, torch.cat([pooled_l, pooled_g], -1), atol=1e-5, rtol=0)


def t5_states(clip, text):
    ids = [*bundled_tokenizer()(text).input_ids[1:-1], bundled_tokenizer().eos_token_id]
    row = torch.tensor([ids + [0] * (TOKENS - len(ids))])
    with torch.no_grad():
        return clip.weights.encoders["t5xxl"].transformer(row)[0]


def test_flux_follows_t5_and_takes_clip_as_one_vector(clips, ctx):
    found = CLIPTextEncodeFlux(ctx, clips["flux"], "an owl", "a blue boat", 2.5)
    _, pooled = reference(clips["flux"], "l", "an owl")
    expected = t5_states(clips["flux"], "a blue boat")
    torch.testing.assert_close(found.prompts[0].embeddings, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.prompts[0].pooled, pooled, atol=1e-5, rtol=0)
    assert found.prompts[0].guidance == 2.5
    assert FluxGuidance(found, 4.0).prompts[0].guidance == 4.0


@pytest.mark.parametrize(
    ("node", "texts", "family"),
    [
        (CLIPTextEncodeSDXL, ("a", "b"), "sdxl"),
        (CLIPTextEncodeSDXLRefiner, ("a",), "sdxl_refiner"),
        (CLIPTextEncodeSD3, ("a", "b", "c"), "sd3"),
        (CLIPTextEncodeFlux, ("a", "b"), "flux"),
    ],
)
def test_the_text_encoder_of_another_family_is_refused(node, texts, family):
    with pytest.raises(InputError, match=f"clip: it is of family sd; this node encodes prompts for {family}"):
        node(context(), checkpoint().clip, *texts)


@pytest.mark.parametrize(
    ("infer", "texts"), [(infer_sdxl, 2), (infer_refiner, 1), (infer_sd3, 3), (infer_flux, 2)]
)
def test_it_is_found_before_the_run(infer, texts):
    with pytest.raises(Mismatch, match=r"clip is of family sd$"):
        infer(Spec({"family": "sd"}), *[Spec(value="a")] * texts, folders())


def test_numbers_of_the_size():
    size = PictureSize(512, 640, 16, 8, 768, 1024)
    assert told_size(size, "sdxl", 0, 0)[:6] == (512, 640, 16, 8, 768, 1024)
    assert told_size(None, "sdxl", 512, 640)[:6] == (512, 640, 0, 0, 512, 640)
    assert told_size(None, "sdxl_refiner", 512, 640)[6] == 6.0
    assert told_size(None, "sdxl_refiner", 512, 640, negative=True)[6] == 2.5
    scored = PictureSize(512, 640, aesthetic_score=7.5)
    assert told_size(scored, "sdxl_refiner", 0, 0, negative=True)[6] == 7.5
    assert told_size(size, "sd", 512, 640) is None
