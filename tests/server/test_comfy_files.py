"""Files of ComfyUI clients: uploads, views, settings and user data."""

from __future__ import annotations

import io

import pytest
from comfy_support import Comfy, node, picture
from PIL import Image


def png(color=(200, 30, 40), size=(8, 6)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(stream, "png")
    return stream.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_an_uploaded_picture_can_be_loaded_and_seen(comfy: Comfy):
    uploaded = comfy.upload("/upload/image", png(), "fresh.png", subfolder="up", type="input").json
    assert uploaded == {"name": "fresh.png", "subfolder": "up", "type": "input"}
    seen = comfy.get("/view", filename="fresh.png", subfolder="up", type="input")
    assert seen.status == 200 and seen.body == png()
    assert seen.headers["Content-Disposition"] == 'inline; filename="fresh.png"'
    prompt = {
        "1": node("LoadImage", image="up/fresh.png [input]", upload="image"),
        "2": node("PreviewImage", images=["1", 0]),
    }
    [image] = comfy.result(prompt)["outputs"]["2"]["images"]
    assert opened(comfy.get("/view", **image).body).getpixel((0, 0)) == (200, 30, 40)


@pytest.mark.parametrize("type", ["temp", "output", ""])
def test_every_kind_of_upload_is_kept_among_the_inputs(comfy: Comfy, type: str):
    told = comfy.upload("/upload/image", png(), "kind.png", type=type, overwrite="true").json
    assert told == {"name": "kind.png", "subfolder": "", "type": "input"}


@pytest.mark.parametrize("type", ["weird", "Input", "../input", " input"])
def test_another_kind_of_upload_is_refused_with_those_there_are(comfy: Comfy, type: str):
    reply = comfy.upload("/upload/image", png(), "weird.png", type=type)
    assert reply.status == 400
    assert "type must be input, temp, output, not " in reply.body.decode()
    assert comfy.get("/view", filename="weird.png", type="input").status == 404


def test_names_are_not_overwritten_unless_asked_for(comfy: Comfy):
    def name(color, **fields):
        return comfy.upload("/upload/image", png(color), "same.png", **fields).json["name"]

    assert name((1, 1, 1)) == "same.png"
    assert name((1, 1, 1)) == "same.png"  # the same picture again
    assert name((2, 2, 2)) == "same (1).png"
    assert name((3, 3, 3), overwrite="true") == "same.png"
    assert comfy.get("/view", filename="same.png", type="input").body == png((3, 3, 3))


def test_a_mask_becomes_the_opacity_of_its_picture(comfy: Comfy):
    comfy.upload("/upload/image", png((9, 8, 7)), "masked.png", overwrite="1")
    reference = '{"filename": "masked.png", "subfolder": "", "type": "input"}'
    made = comfy.upload("/upload/mask", png((0, 0, 0, 77)), "mask.png", original_ref=reference).json
    seen = comfy.get("/view", filename=made["name"], subfolder=made["subfolder"], type=made["type"])
    assert opened(seen.body).getpixel((0, 0)) == (9, 8, 7, 77)
    alpha = comfy.get("/view", filename=made["name"], type="input", channel="a")
    assert opened(alpha.body).getpixel((0, 0)) == (0, 0, 0, 77)
    rgb = comfy.get("/view", filename=made["name"], type="input", channel="rgb")
    assert opened(rgb.body).getpixel((0, 0)) == (9, 8, 7)
    other_size = png((0, 0, 0, 77), (3, 3))
    assert comfy.upload("/upload/mask", other_size, "m.png", original_ref=reference).status == 400
    assert comfy.upload("/upload/mask", png(), "m.png", original_ref="{}").status in (400, 404)
    assert comfy.upload("/upload/mask", png(), "m.png", original_ref="[" * 50_000).status == 400
    assert comfy.upload("/upload/mask", png(), "m.png").status == 400


@pytest.mark.parametrize(("wanted", "format"), [("webp;50", "WEBP"), ("jpeg", "JPEG"), ("bmp;9999", "WEBP")])
def test_a_preview_is_a_smaller_form_of_a_picture(comfy: Comfy, wanted, format):
    [image] = comfy.result(picture("#405060"))["outputs"]["2"]["images"]
    small = comfy.get("/view", preview=wanted, **image)
    assert small.status == 200 and opened(small.body).format == format
    assert small.headers["Content-Type"] == f"image/{format.lower()}"


def test_what_is_not_there_is_not_found(comfy: Comfy):
    assert comfy.get("/view", filename="absent.png").status == 404
    assert comfy.get("/view").status in (400, 404)
    assert comfy.get("/view", filename="fresh.png", type="elsewhere").status in (400, 404)


@pytest.mark.parametrize("name", ["../jobs.sqlite", "..%2f..%2fjobs.sqlite", "/etc/passwd", "a\0b", ".."])
def test_names_lead_nowhere_else(comfy: Comfy, name):
    for type in ("input", "output", "temp"):
        assert comfy.get("/view", filename=name, type=type).status in (400, 403, 404)
        assert comfy.get("/view", filename="passwd", subfolder="../../../etc", type=type).status in (400, 404)
    refused = comfy.upload("/upload/image", png(), "x.png", subfolder="../../escaped")
    assert refused.status in (400, 403)


def test_a_form_without_a_picture_is_refused(comfy: Comfy):
    assert comfy.post("/upload/image", {"image": "x"}).status == 400
    assert comfy.post("/upload/image", data={"overwrite": "true"}).status == 400


def test_settings_are_kept_by_id(comfy: Comfy):
    assert comfy.get("/settings/Comfy.Never").json is None
    assert comfy.post("/settings/Comfy.One", {"deep": [1, None]}).status == 200
    assert comfy.post("/settings", {"Comfy.Two": "two", "Comfy.Three": 3}).status == 200
    assert comfy.get("/settings/Comfy.One").json == {"deep": [1, None]}
    assert comfy.get("/settings").json.items() >= {"Comfy.Two": "two", "Comfy.Three": 3}.items()
    assert comfy.post("/settings", [1]).status == 400


def test_user_data_is_kept_listed_moved_and_removed(comfy: Comfy):
    assert comfy.get("/userdata").status == 400
    assert comfy.get("/userdata", dir="nowhere").status == 404
    assert comfy.post("/userdata/workflows%2Fone.json", data=b'{"a": 1}').json == "workflows/one.json"
    assert comfy.get("/userdata/workflows%2Fone.json").json == {"a": 1}
    assert comfy.post("/userdata/workflows%2Fone.json?overwrite=false", data=b"{}").status == 409
    told = comfy.post("/userdata/workflows%2Fdeep%2Ftwo.json?full_info=true", data=b"[2]").json
    assert told.items() >= {"path": "workflows/deep/two.json", "size": 3}.items()
    assert comfy.get("/userdata", dir="workflows").json == ["one.json"]
    assert comfy.get("/userdata", dir="workflows", recurse="true").json == ["deep/two.json", "one.json"]
    split = comfy.get("/userdata", dir="workflows", recurse="true", split="true").json
    assert split[0] == ["deep/two.json", "deep", "two.json"]
    kinds = {entry["name"]: entry["type"] for entry in comfy.get("/v2/userdata", path="workflows").json}
    assert kinds == {"deep": "directory", "one.json": "file"}
    moved = comfy.post("/userdata/workflows%2Fone.json/move/workflows%2F.index.json")
    assert moved.json == "workflows/.index.json"
    assert comfy.get("/userdata/workflows%2Fone.json").status == 404
    assert comfy.post("/userdata/absent/move/x").status == 404
    assert comfy.request("DELETE", "/userdata/workflows%2F.index.json").status == 204
    assert comfy.request("DELETE", "/userdata/workflows%2F.index.json").status == 404


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fjobs.sqlite", "%2Fetc%2Fpasswd", "a%2F..%2F..%2Fb", "%00", "..%5Cx"]
)
def test_user_data_lies_in_the_folder_of_the_user(comfy: Comfy, name):
    assert comfy.get(f"/userdata/{name}").status in (400, 403, 404)
    assert comfy.post(f"/userdata/{name}", data=b"x").status in (400, 403, 404)
    assert comfy.request("DELETE", f"/userdata/{name}").status in (400, 403, 404)


def test_no_page_of_a_user_is_run_by_a_browser(comfy: Comfy):
    comfy.post("/userdata/page.html", data=b"<script>alert(1)</script>")
    page = comfy.get("/userdata/page.html")
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_long_menu_is_not_sent_with_an_error(comfy: Comfy):
    for number in range(21):
        assert comfy.upload("/upload/image", png(), f"{number}.png", subfolder="many").status == 200
    loaded = {"1": node("LoadImage", image="absent.png"), "2": node("PreviewImage", images=["1", 0])}
    [told] = comfy.post("/prompt", {"prompt": loaded}).json["node_errors"]["1"]["errors"]
    assert told["extra_info"] == {
        "input_name": "image",
        "input_config": None,
        "received_value": "absent.png",
    }
