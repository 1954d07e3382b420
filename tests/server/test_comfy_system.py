"""What ComfyUI clients ask a server about itself."""

from __future__ import annotations

import pytest
from comfy_support import Comfy


def test_every_node_is_described(comfy: Comfy):
    nodes = comfy.get("/object_info").json
    assert {"KSampler", "CheckpointLoaderSimple", "SaveImage", "LoadImage"} <= nodes.keys()
    for id, info in nodes.items():
        assert info["name"] == id and isinstance(info["category"], str)
        assert len(info["output"]) == len(info["output_name"]) == len(info["output_is_list"])
        for group, names in info["input_order"].items():
            assert list(info["input"][group]) == names
            for type, options in info["input"][group].values():
                assert isinstance(type, str | list) and isinstance(options, dict)


def test_a_node_is_described_as_clients_read_it(comfy: Comfy):
    sampler = comfy.get("/object_info/KSampler").json["KSampler"]
    required = sampler["input"]["required"]
    assert list(required)[:3] == ["model", "seed", "steps"]  # ComfyUI's order: some clients count
    assert required["model"][0] == "MODEL"
    assert required["steps"][0] == "INT"
    assert required["steps"][1].items() >= {"default": 20, "min": 1, "max": 10000}.items()
    assert required["seed"][1]["control_after_generate"] is True
    assert required["sampler_name"][0][:1] == ["euler"] and required["sampler_name"][1]["default"] == "euler"
    assert sampler["output"] == ["LATENT"] and sampler["output_node"] is False
    save = comfy.get("/object_info/SaveImage").json["SaveImage"]
    assert save["output_node"] is True and save["output"] == []
    text = comfy.get("/object_info/CLIPTextEncode").json["CLIPTextEncode"]
    assert text["input"]["required"]["text"][1]["multiline"] is True
    mask = comfy.get("/object_info/ImageCompositeMasked").json["ImageCompositeMasked"]
    assert mask["input"]["optional"]["mask"][0] == "MASK"
    assert comfy.get("/object_info/NoSuchNode").json == {}


def test_menus_of_files_hold_the_files(comfy: Comfy):
    loader = comfy.get("/object_info/CheckpointLoaderSimple").json["CheckpointLoaderSimple"]
    assert "emoji-sd" in loader["input"]["required"]["ckpt_name"][0]
    assert loader["output"] == ["MODEL", "CLIP", "VAE"]
    image = comfy.get("/object_info/LoadImage").json["LoadImage"]["input"]["required"]["image"]
    assert "red_apple.png" in image[0] and image[1]["image_upload"] is True


def test_models_are_listed_by_folder(comfy: Comfy):
    assert "checkpoints" in comfy.get("/models").json
    assert "emoji-sd" in comfy.get("/models/checkpoints").json
    assert comfy.get("/models/unheard-of").status == 404
    assert comfy.get("/models/..%2f..").status == 404
    assert comfy.get("/embeddings").json == []


def test_the_machine_is_described(comfy: Comfy):
    stats = comfy.get("/system_stats").json
    assert stats["system"]["ram_total"] > stats["system"]["ram_free"] > 0
    assert stats["system"]["python_version"] and stats["system"]["pytorch_version"]
    assert {"name", "type", "index", "vram_total", "vram_free"} <= stats["devices"][0].keys()


def test_abilities_extensions_and_users(comfy: Comfy):
    assert comfy.get("/features").json["supports_preview_metadata"] is True
    assert comfy.get("/extensions").json == []
    assert comfy.get("/users").json == {"storage": "server", "migrated": True}
    assert comfy.post("/users", {"username": "eve"}).status == 403


def test_memory_is_freed_on_demand(comfy: Comfy):
    assert comfy.post("/free", {"unload_models": True, "free_memory": True}).status == 200


@pytest.mark.parametrize(
    "path",
    ["/prompt", "/queue", "/history", "/object_info/KSampler", "/system_stats", "/models", "/settings"],
)
def test_every_route_is_there_under_api_as_well(comfy: Comfy, path):
    assert comfy.get(f"/api{path}").json.keys if isinstance(comfy.get(path).json, dict) else True
    assert comfy.get(f"/api{path}").status == 200
