"""Parts of different families are found out from headers, before any weight is read."""

from __future__ import annotations

import itertools

import pytest
import torch
from diffusion_support import folders
from family_files import single_file, t5_tokenizer_file, write_file

from nodegraph.specs import Mismatch, Spec
from nodes.checkpoints.nodes import infer_checkpoint
from nodes.sampling.nodes import infer_sampled
from nodes.vae.nodes import infer_decoded

KINDS = ("sd1", "sd2", "sdxl", "sdxl_refiner", "sd3", "flux")


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What is known of the parts of each checkpoint, whose data were never written."""
    root = tmp_path_factory.mktemp("models")
    t5_tokenizer_file(root / "tokenizers" / "t5xxl")
    found = {}
    for kind in KINDS:
        name = f"{kind}.safetensors"
        write_file(root / "checkpoints" / name, single_file(kind, torch.float16))
        found[kind] = infer_checkpoint(Spec(value=name), folders(root, root))
    return found


def spec(facts, part):
    return Spec(facts[part])


def sampled(model, clip, vae):
    """The facts of latents that were encoded, sampled and told a prompt."""
    prompt, latent = spec(clip, "clip"), spec(vae, "vae")
    return infer_sampled(spec(model, "model"), prompt, prompt, latent)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_one_checkpoint_go_together(facts, kind):
    made = sampled(facts[kind], facts[kind], facts[kind])
    infer_decoded(Spec(made), spec(facts[kind], "vae"))


@pytest.mark.parametrize(("model", "clip"), list(itertools.permutations(KINDS, 2)))
def test_a_prompt_for_another_model_is_refused_by_both_names(facts, model, clip):
    with pytest.raises(Mismatch, match=r"family|text width") as caught:
        sampled(facts[model], facts[clip], facts[model])
    assert caught.value.inputs == ("positive", "model")
    families = facts[model]["model"]["family"], facts[clip]["clip"]["family"]
    if families[0] != families[1]:
        assert all(family in str(caught.value) for family in families)


@pytest.mark.parametrize(("model", "vae"), list(itertools.permutations(("sd1", "sdxl", "sd3", "flux"), 2)))
def test_latents_of_another_model_are_refused_by_both_names(facts, model, vae):
    with pytest.raises(Mismatch) as caught:
        sampled(facts[model], facts[model], facts[vae])
    assert caught.value.inputs == ("latent_image", "model")
    assert all(facts[kind]["vae"]["family"] in str(caught.value) for kind in (model, vae))
    made = sampled(facts[model], facts[model], facts[model])
    with pytest.raises(Mismatch, match="family"):
        infer_decoded(Spec(made), spec(facts[vae], "vae"))


def test_the_refiner_goes_on_with_latents_of_the_base_model(facts):
    base = sampled(facts["sdxl"], facts["sdxl"], facts["sdxl"])
    prompt = spec(facts["sdxl_refiner"], "clip")
    refined = infer_sampled(spec(facts["sdxl_refiner"], "model"), prompt, prompt, Spec(base))
    assert refined["family"] == "sdxl"
    infer_decoded(Spec(refined), spec(facts["sdxl"], "vae"))
