"""Text encoders: hidden states, pooled states and tokens are those of transformers."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from nodes.text_encoders.clip import ClipEncoder
from nodes.text_encoders.encoder import TextEncoders
from nodes.text_encoders.t5 import T5Encoder
from nodes.text_encoders.tokenizers import clip_tokenizer, t5_tokenizer

TEXTS = ["a photo of a cat", "", "it's 12 très grandes 🦊, isn't it? <|endoftext|>"]


@cache
def tokenizer():
    return clip_tokenizer()


@cache
def transformer(projected=True):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=24,
        bos_token_id=49406,
        eos_token_id=49407,
    )
    torch.manual_seed(0)
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def chunks(pad="max_length"):
    return tokenizer()(TEXTS, padding=pad, return_tensors="pt").input_ids


def encoder(projected=True, **settings):
    return ClipEncoder(tokenizer(), transformer(projected), tokens=77, pad=49407, **settings)


def test_ids_are_those_of_clip():
    assert tokenizer()("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]


def test_ids_of_the_vocabulary_are_complete():
    vocabulary = tokenizer().get_vocab()
    assert sorted(vocabulary.values()) == list(range(49408))
    assert (vocabulary["!"], vocabulary["!</w>"], vocabulary["<|endoftext|>"]) == (0, 256, 49407)


@pytest.mark.parametrize("layer", [-1, -2, -3])
@pytest.mark.parametrize("projected", [True, False])
def test_every_layer_and_the_pooled_state_are_those_of_transformers(layer, projected):
    ids = chunks()
    with torch.no_grad():
        theirs = transformer(projected)(ids, output_hidden_states=True)
    hidden, pooled = encoder(projected, final_norm=False).encode(ids.tolist(), layer)
    torch.testing.assert_close(hidden, theirs.hidden_states[layer], atol=1e-6, rtol=0)
    expected = theirs.text_embeds if projected else theirs.pooler_output
    torch.testing.assert_close(pooled, expected, atol=1e-6, rtol=0)


def test_the_final_norm_is_applied_where_the_model_wants_it():
    ids = chunks()
    with torch.no_grad():
        last = transformer(False)(ids).last_hidden_state
    torch.testing.assert_close(encoder(False).encode(ids.tolist()).hidden, last, atol=1e-6, rtol=0)


def test_a_vector_stands_in_the_place_of_a_token():
    row = chunks()[0].tolist()
    vector = transformer().get_input_embeddings().weight[row[3]].detach()
    with_vector = [*row[:3], vector, *row[4:]]
    same, other = encoder().encode([row]), encoder().encode([with_vector])
    assert torch.equal(same.hidden, other.hidden)
    assert torch.equal(same.pooled, other.pooled)


@pytest.mark.parametrize("layer", [0, -4, 2])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(ValueError, match="has 3, from -1 backwards"):
        encoder().encode([chunks()[0].tolist()], layer)


def test_t5_is_that_of_transformers():
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(0)
    config = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    model = T5EncoderModel(config).eval()
    ids = torch.tensor([[3, 4, 5, 1, 0, 0]])
    hidden, pooled = T5Encoder(None, model, tokens=6, pad=0).encode(ids.tolist())
    with torch.no_grad():
        assert torch.equal(hidden, model(ids)[0])
    assert pooled is None


def test_encoders_are_found_by_name():
    both = TextEncoders({"l": encoder(), "g": encoder(final_norm=False)})
    assert both.names() == ["l", "g"]
    assert both["l"].width == 32


def t5_file(folder):
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.processors import TemplateProcessing

    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("a", -1.0), ("cat", -2.0), ("▁", -1.0)]
    made = Tokenizer(Unigram(words, 2))
    made.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    folder.mkdir(exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_t5_tokenizer_is_read_from_its_folder(tmp_path):
    read = t5_tokenizer(t5_file(tmp_path / "t5"))
    assert read("cata").input_ids == [4, 3, 1]
    assert (read.eos_token_id, read.pad_token_id) == (1, 0)


def test_a_t5_tokenizer_is_found_in_the_cache_of_the_hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    repository = tmp_path / "models--black-forest-labs--FLUX.1-dev"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    t5_file(repository / "snapshots" / "abc" / "tokenizer_2")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert t5_tokenizer(None)("cat").input_ids == [4, 1]


def test_a_t5_tokenizer_that_is_not_at_hand_is_an_error(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="in the cache of the Hugging Face hub"):
        t5_tokenizer(None)
    with pytest.raises(FileNotFoundError, match=r"no tokenizer\.json in"):
        t5_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(ValueError, match="is not a tokenizer"):
        t5_tokenizer(tmp_path)
