"""Model files in folders laid out by other programs."""

from __future__ import annotations

import os

import pytest

from nodegraph.errors import FileProblem
from nodegraph.files import Folders
from nodegraph.model_folders import kinds_of

PATHS = """
comfyui:
  base_path: {base}
  is_default: true
  checkpoints: models/checkpoints/
  clip: models/clip
  loras: |
    models/loras
    elsewhere
other:
  loras: {base}/third
"""


def placed(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"weights")
    return Folders(root / "output", models=(root,))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("checkpoints/a.safetensors", "checkpoints"),
        ("models/checkpoints/a.safetensors", "checkpoints"),
        ("unet/a.safetensors", "diffusion_models"),
        ("models/diffusion_models/a.safetensors", "diffusion_models"),
        ("clip/a.safetensors", "text_encoders"),
        ("models/Stable-diffusion/a.safetensors", "checkpoints"),
        ("models/VAE/a.safetensors", "vae"),
        ("Lora/a.safetensors", "loras"),
        ("embeddings/a.safetensors", "embeddings"),
    ],
)
def test_the_layouts_of_comfyui_and_a1111(tmp_path, name, kind):
    folders = placed(tmp_path, name)
    assert folders.names(kind) == ["a.safetensors"]
    file = folders.resolve(kind, "a.safetensors")
    assert folders.path(file) == tmp_path / name
    assert file.folder == kind


@pytest.mark.parametrize("base", ["{root}", "."])
def test_extra_model_paths(tmp_path, base):
    base = base.format(root=tmp_path)
    names = ("models/checkpoints/a", "models/clip/b", "models/loras/c", "elsewhere/d", "third/e")
    placed(tmp_path, *names)
    paths = tmp_path / "extra_model_paths.yaml"
    paths.write_text(PATHS.format(base=base))
    folders = Folders(tmp_path / "output", models=(paths,))
    assert folders.names("checkpoints") == ["a"]
    assert folders.names("text_encoders") == ["b"]
    assert folders.names("loras") == ["c", "d", "e"]
    assert {"checkpoints", "text_encoders", "loras"} <= kinds_of(paths)


def test_a_changed_file_of_paths_is_read_anew(tmp_path):
    placed(tmp_path, "one/a", "two/b")
    paths = tmp_path / "paths.yaml"
    folders = Folders(tmp_path / "output", models=(paths,))
    for folder, found in (("one", "a"), ("two", "b")):
        paths.write_text(f"x:\n  vae: {folder}\n")
        os.utime(paths, ns=(0, hash(folder) % 10**9))
        assert folders.names("vae") == [found]


@pytest.mark.parametrize("text", ["[", "- a list", "a: 1", "\0"])
def test_a_file_of_paths_that_makes_no_sense_is_refused(tmp_path, text):
    paths = tmp_path / "paths.yaml"
    paths.write_text(text)
    with pytest.raises(FileProblem, match=r"paths\.yaml"):
        Folders(tmp_path / "output", models=(paths,)).names("vae")


def test_a_name_does_not_lead_out_of_the_folders(tmp_path):
    folders = placed(tmp_path, "vae/a", "secret")
    with pytest.raises(FileProblem, match="not a plain file name"):
        folders.resolve("vae", "../secret")
