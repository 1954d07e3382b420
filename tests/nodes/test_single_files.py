"""Checkpoints as single files: what is in them is what they were made from, bit by bit."""

from __future__ import annotations

import pytest
import torch
from diffusion_support import TestContext, folders
from family_files import LAYOUTS, single_file, tiny, write_file

from nodes.checkpoints.nodes import CheckpointLoaderSimple

FAMILY = {
    "sd1": "sd",
    "sd2": "sd",
    "sdxl": "sdxl",
    "sdxl_refiner": "sdxl_refiner",
    "sd3": "sd3",
    "sd35": "sd3",
    "flux": "flux",
    "schnell": "flux",
}
STORED = [*((kind, torch.float16) for kind in LAYOUTS)]
STORED += [("sd1", torch.float32), ("sd1", torch.bfloat16), ("flux", torch.float8_e4m3fn)]


@pytest.fixture(autouse=True)
def t5_at_hand(tmp_path):
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram

    (tmp_path / "tokenizers" / "t5xxl").mkdir(parents=True)
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("a", -1.0)]
    Tokenizer(Unigram(words, 2)).save(str(tmp_path / "tokenizers" / "t5xxl" / "tokenizer.json"))


def loaded(root, tensors, metadata=None):
    write_file(root / "checkpoints" / "model.safetensors", tensors, metadata)
    return CheckpointLoaderSimple(TestContext(folders(root, root)), "model.safetensors")


def same(built, expected, dtype):
    ours, theirs = built.state_dict(), expected.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor.to(dtype).float()), name


@pytest.mark.parametrize(("kind", "dtype"), STORED, ids=str)
def test_parameters_are_bit_equal(tmp_path, kind, dtype):
    model, clip, vae = loaded(tmp_path, single_file(kind, dtype))
    assert (model.family, clip.family, vae.family) == (FAMILY[kind], FAMILY[kind], FAMILY[kind])
    files = folders(tmp_path, tmp_path)
    same(model.weights.build(files, torch.float32), tiny(kind).network, dtype)
    same(vae.weights.build(files, torch.float32), tiny(kind).vae, dtype)
    encoders = clip.weights.build(files, torch.float32)
    assert encoders.names() == list(tiny(kind).encoders)
    for name, expected in tiny(kind).encoders.items():
        same(encoders[name].transformer, expected, dtype)
