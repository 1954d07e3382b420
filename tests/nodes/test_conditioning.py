"""Prompts become the embeddings that diffusers' pipeline computes, and weights move them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from diffusion_support import PROMPT, checkpoint, context, encoded, folders, pipeline
from safetensors.torch import save_file

from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.graph import build_graph
from nodegraph.registry import NodeRegistry
from nodegraph.specs import Mismatch, Spec
from nodegraph.testing import TestContext
from nodegraph.validation import analyse
from nodegraph.workflow import workflow_from_document
from nodes.conditioning.nodes import CLIPSetLastLayer, CLIPTextEncode, embedding_digests, infer_encoded

LONG = " ".join([PROMPT] * 12)
WIDTH = 192


def embeddings(text, ctx=None, clip=None):
    return CLIPTextEncode(ctx or context(), clip or checkpoint().clip, text).prompts[0].embeddings


def ids(text):
    return pipeline().tokenizer(text).input_ids[1:-1]


def states(*tokens):
    """What the transformer alone makes of the tokens of one prompt."""
    tokenizer = pipeline().tokenizer
    row = [tokenizer.bos_token_id, *tokens, tokenizer.eos_token_id]
    row += [tokenizer.pad_token_id] * (32 - len(row))
    with torch.no_grad():
        return pipeline().text_encoder(torch.tensor([row]))[0]


@pytest.mark.parametrize(
    "text", [PROMPT, "", "an OWL,  on an orange background!", "日本 🙂", "(red apple:1.0)"]
)
def test_equals_encode_prompt_bit_for_bit(text):
    expected, _ = pipeline().encode_prompt(text.strip("(:1.0)"), "cpu", 1, False)
    assert torch.equal(embeddings(text), expected)


def test_one_prompt_of_the_width_and_length_the_model_was_trained_with():
    conditioning = encoded()
    assert [prompt.embeddings.shape for prompt in conditioning.prompts] == [(1, 32, WIDTH)]
    assert conditioning.prompts[0].embeddings.dtype == torch.float32
    assert (conditioning.family, conditioning.text_width) == ("sd", WIDTH)


def test_a_long_prompt_is_encoded_in_chunks():
    tokens = ids(LONG)
    expected = torch.cat([states(*tokens[start : start + 30]) for start in range(0, len(tokens), 30)], dim=1)
    assert expected.shape[1] > 32
    torch.testing.assert_close(embeddings(LONG), expected, atol=1e-5, rtol=0)


def test_a_break_begins_a_new_chunk():
    expected = torch.cat([states(*ids("a red apple")), states(*ids("on a blue background"))], dim=1)
    found = embeddings("a red apple BREAK on a blue background")
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_weights_are_measured_from_the_empty_prompt():
    found = embeddings("a (red:1.5) apple [now]")
    parts = [(ids("a"), 1.0), (ids("red"), 1.5), (ids("apple"), 1.0), (ids("now"), 1 / 1.1)]
    expected, empty = states(*(id for part, _ in parts for id in part)).clone(), states()
    place = 1
    for part, weight in parts:
        for _ in part:
            expected[0, place] = empty[0, place] + weight * (expected[0, place] - empty[0, place])
            place += 1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    unweighted = embeddings("a red apple now")
    assert torch.equal(found[:, 1], unweighted[:, 1])
    assert not torch.allclose(found[:, 2], unweighted[:, 2])


def test_words_of_no_weight_are_those_of_an_empty_prompt():
    torch.testing.assert_close(embeddings("(apple:0)"), _with_others_of("apple"), atol=1e-5, rtol=0)


def _with_others_of(text):
    found, count = states(*ids(text)).clone(), len(ids(text))
    found[0, 1 : 1 + count] = states()[0, 1 : 1 + count]
    return found


@pytest.mark.parametrize("layer", [-1, -2, -3])
def test_an_earlier_layer_goes_through_the_final_norm(layer):
    clip = CLIPSetLastLayer(checkpoint().clip, layer)
    encoder, tokens = pipeline().text_encoder, pipeline().tokenizer
    rows = tokens(PROMPT, padding="max_length", max_length=32, return_tensors="pt").input_ids
    with torch.no_grad():
        hidden = encoder(rows, output_hidden_states=True).hidden_states
        expected = encoder.final_layer_norm(hidden[layer])
    torch.testing.assert_close(embeddings(PROMPT, clip=clip), expected, atol=1e-5, rtol=0)


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="clip: layer -9; the text encoder has 3"):
        embeddings(PROMPT, clip=dataclasses.replace(checkpoint().clip, layer=-9))


VECTORS = torch.randn(2, WIDTH, generator=torch.Generator().manual_seed(0)) * 0.02
LAYOUTS = {
    "plain.safetensors": {"emb_params": VECTORS},
    "sdxl.safetensors": {"clip_l": VECTORS, "clip_g": torch.zeros(2, 320)},
    "diffusers.bin": {"<style>": VECTORS},
    "a1111.pt": {"string_to_token": {"*": 265}, "string_to_param": {"*": VECTORS}, "name": "style"},
    "deep/nested.pt": {"*": VECTORS},
}


USELESS = {
    "wide.safetensors": {"x": torch.zeros(1, 768)},
    "whole.safetensors": {"x": torch.zeros(1, WIDTH, dtype=torch.int32)},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for name, content in {**LAYOUTS, **USELESS}.items():
        path = root / "embeddings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (save_file if path.suffix == ".safetensors" else torch.save)(content, path)
    (root / "embeddings" / "broken.safetensors").write_bytes(b"x" * 100)
    (root / "embeddings" / "empty.pt").write_bytes(b"")
    (root / "embeddings" / "readme.txt").write_bytes(b"x" * 100)
    return root


def pickles_allowed(root):
    return dataclasses.replace(folders(root, root), pickles=True)


def expected_inversion():
    """The same vectors by transformers' own means: two words more in the vocabulary."""
    encoder, tokens = pipeline().text_encoder, [*ids("a"), 4317, 4318, *ids("apple")]
    table = encoder.get_input_embeddings()
    grown = torch.nn.Embedding.from_pretrained(torch.cat([table.weight.detach(), VECTORS]))
    encoder.set_input_embeddings(grown)
    try:
        return states(*tokens)
    finally:
        encoder.set_input_embeddings(table)


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_embedding_stands_for_its_vectors(root, name):
    ctx = TestContext(pickles_allowed(root))
    found = embeddings(f"a embedding:{name} apple", ctx)
    torch.testing.assert_close(found, expected_inversion(), atol=1e-5, rtol=0)
    stem = name.rsplit(".", 1)[0]
    assert torch.equal(embeddings(f"a (embedding:{stem}:1.0) apple", ctx), found)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nothing", "text: no file 'nothing' in 'embeddings'"),
        ("../secret", "text: '../secret' is not a plain file name"),
        ("wide", "text: embedding 'wide' has vectors of width 768; the text encoder takes l 192"),
        ("broken", "text: embedding 'broken.safetensors' cannot be read"),
        ("empty", "text: embedding 'empty.pt' cannot be read"),
    ],
)
def test_an_embedding_that_does_not_serve_is_refused(root, name, problem):
    with pytest.raises(InputError, match=problem):
        embeddings(f"embedding:{name}", TestContext(pickles_allowed(root)))


@pytest.mark.parametrize(
    ("name", "code", "problem"),
    [
        ("plan", "missing_file", "no file 'plan' in 'embeddings'"),
        ("broken", "unusable_file", "embedding 'broken.safetensors' cannot be read"),
        ("whole", "unusable_file", r"embedding 'whole.safetensors' holds no vectors \[count, width\]"),
        ("a1111", "unusable_file", "embedding 'a1111.pt' is a pickle.* --allow-pickles"),
        ("diffusers.bin", "unusable_file", "embedding 'diffusers.bin' is a pickle"),
        ("readme.txt", "unusable_file", "embedding 'readme.txt' is no file of the kind .safetensors"),
        ("wide", "mismatch", "embedding 'wide' has vectors of width 768, but the text encoder takes 192"),
    ],
)
def test_an_embedding_that_does_not_serve_is_found_before_the_run(root, name, code, problem):
    clip, files = Spec({"family": "sd", "text_width": 192}), folders(root, root)
    with pytest.raises(Mismatch, match=problem) as caught:
        infer_encoded(clip, Spec(value=f"a embedding:{name}"), files)
    assert (caught.value.code, caught.value.inputs[0]) == (code, "text")
    with pytest.raises(InputError):
        embeddings(f"embedding:{name}", TestContext(files))


def test_all_embeddings_that_do_not_serve_are_told(root):
    clip = Spec({"family": "sd", "text_width": 192})
    prompt = "embedding:plan embedding:plain (embedding:wide:1.2) embedding:broken embedding:plan"
    with pytest.raises(Mismatch) as caught:
        infer_encoded(clip, Spec(value=prompt), folders(root, root))
    told = str(caught.value).split("; embedding")
    assert len(told) == 3
    assert all(name in text for name, text in zip(("'plan'", "'wide'", "'broken"), told, strict=True))


@pytest.mark.parametrize("name", ["empty", "cut", "text"])
def test_a_damaged_pickle_is_found_before_the_run(root, name):
    whole = (root / "embeddings" / "a1111.pt").read_bytes()
    (root / "embeddings" / "cut.pt").write_bytes(whole[: len(whole) // 2])
    (root / "embeddings" / "text.pt").write_bytes(b"<html>not found</html>")
    clip = Spec({"family": "sd", "text_width": 192})
    with pytest.raises(Mismatch, match=f"embedding '{name}.pt' cannot be read: it is damaged, or a pickle"):
        infer_encoded(clip, Spec(value=f"embedding:{name}"), pickles_allowed(root))


def test_an_embedding_that_serves_is_not_complained_of(root):
    clip = Spec({"family": "sd", "text_width": 192})
    for name in ("plain", "sdxl"):
        assert infer_encoded(clip, Spec(value=f"a embedding:{name}"), folders(root, root)) == clip.facts
    for name in ("a1111", "diffusers.bin"):
        assert infer_encoded(clip, Spec(value=f"a embedding:{name}"), pickles_allowed(root)) == clip.facts


class Program:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_program_in_a_pickle_does_not_run_where_pickles_are_allowed(tmp_path):
    (tmp_path / "embeddings").mkdir()
    torch.save({"*": Program(tmp_path / "ran")}, tmp_path / "embeddings" / "evil.pt")
    with pytest.raises(InputError, match="a pickle of more than plain tensors, which is never loaded"):
        embeddings("embedding:evil", TestContext(pickles_allowed(tmp_path)))
    assert not (tmp_path / "ran").exists()


def test_the_content_of_an_embedding_is_part_of_the_key(tmp_path):
    def digests(files, *text):
        return embedding_digests(files, *text)

    path = tmp_path / "embeddings" / "style.safetensors"
    path.parent.mkdir()
    save_file({"x": VECTORS}, path)
    first = digests(Folders(tmp_path, (tmp_path,)), "embedding:style")
    save_file({"x": VECTORS + 1}, path)
    second = Folders(tmp_path, (tmp_path,))
    assert first.keys() == digests(second, "embedding:style").keys() == {"style"}
    assert first != digests(second, "embedding:style")
    assert digests(second, "a style") == {}
    assert list(digests(second)) == ["style.safetensors"]


def test_facts_are_those_of_the_text_encoder():
    clip = Spec({"family": "sd", "text_width": 768, "other": 1})
    assert infer_encoded(clip, Spec(), folders()) == {"family": "sd", "text_width": 768}


@pytest.mark.parametrize("text", ["(red:" + "9" * 400 + ")", "(" * 9000 + "red" + ")" * 9000, "(red:-1001)"])
def test_weights_beyond_all_numbers_are_refused(text):
    with pytest.raises(InputError, match=r"'red' weighs -?(inf|1001); weights go up to 1000") as error:
        CLIPTextEncode(TestContext(folders=folders()), checkpoint().clip, text)
    assert error.value.input == "text"
    with pytest.raises(Mismatch, match="'red' weighs") as before_the_run:
        infer_encoded(Spec(), Spec(value=text), folders())
    assert before_the_run.value.code == "out_of_range"


@pytest.mark.parametrize(("count", "codes"), [(20_000, []), (20_001, ["out_of_range"])])
def test_a_prompt_that_would_take_minutes_is_refused_before_the_run(count, codes):
    encode = {"type": "CLIPTextEncode", "inputs": {"text": "(" * count}, "links": {"clip": ["load", "clip"]}}
    nodes = {"load": {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "emoji-sd"}}, "text": encode}
    workflow = workflow_from_document({"format": "nodegraph", "version": 1, "nodes": nodes})
    issues = analyse(
        build_graph(workflow, NodeRegistry.with_plugins()), folders(), need_terminal=False
    ).issues
    assert [issue.code for issue in issues] == codes
    assert all((issue.node, issue.expected) == ("text", "at most 20000 characters") for issue in issues)
