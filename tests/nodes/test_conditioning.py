"""Prompts become the embeddings that diffusers' pipeline computes."""

from __future__ import annotations

import pytest
import torch
from diffusion_support import PROMPT, checkpoint, context, encoded, pipeline

from nodegraph.specs import Spec
from nodes.conditioning.nodes import CLIPTextEncode, infer_encoded

LONG = " ".join([PROMPT] * 12)


@pytest.mark.parametrize("text", [PROMPT, "", "an OWL,  on an orange background!", "日本 🙂", LONG])
def test_equals_encode_prompt_bit_for_bit(text):
    expected, _ = pipeline().encode_prompt(text, "cpu", 1, False)
    conditioning = CLIPTextEncode(context(), checkpoint().clip, text)
    assert torch.equal(conditioning.prompts[0].embeddings, expected)


def test_one_prompt_of_the_width_and_length_the_model_was_trained_with():
    conditioning = encoded()
    assert [prompt.embeddings.shape for prompt in conditioning.prompts] == [(1, 32, 192)]
    assert conditioning.prompts[0].embeddings.dtype == torch.float32
    assert (conditioning.family, conditioning.text_width) == ("sd", 192)


def test_a_long_prompt_keeps_its_end_token():
    with context().lease(checkpoint().clip.weights) as encoder:
        seen = []
        hook = encoder.transformer.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
        CLIPTextEncode(context(), checkpoint().clip, LONG)
        hook.remove()
        assert seen[0].shape == (1, 32)
        assert seen[0][0, -1] == encoder.tokenizer.eos_token_id


def test_facts_are_those_of_the_text_encoder():
    clip = Spec({"family": "sd", "text_width": 768, "other": 1})
    assert infer_encoded(clip) == {"family": "sd", "text_width": 768}
