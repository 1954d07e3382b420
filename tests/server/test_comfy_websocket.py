"""What ComfyUI clients are told while a prompt runs."""

from __future__ import annotations

import itertools
import json

import pytest
from comfy_support import Comfy, picture, said, sampled

SEEDS = itertools.count(7000)
PREVIEW_METHOD = "/settings/Comfy.Execution.PreviewMethod"


def test_the_first_message_tells_queue_and_session(comfy: Comfy):
    for sid in ("mine", ""):
        socket = comfy.socket(sid)
        type, data = socket.receive()
        socket.close()
        assert type == "status" and data["status"] == {"exec_info": {"queue_remaining": 0}}
        assert data["sid"] == sid if sid else len(data["sid"]) == 32


def test_a_run_is_told_from_start_to_end(comfy: Comfy):
    socket = comfy.socket("run")
    id = comfy.submit(sampled(next(SEEDS)), client_id="run")
    messages = socket.until_done(id)
    names = [name for name, _ in messages]
    assert all(data.get("prompt_id", id) == id for _, data in messages)
    order = [names.index(name) for name in ("execution_start", "execution_cached", "executing", "executed")]
    assert order == sorted(order)
    executing = [data["node"] for data in said(messages, "executing")]
    assert executing[-1] is None and executing.index("3") < executing.index("8") < executing.index("9")
    assert [data["value"] for data in said(messages, "progress") if data["node"] == "3"][-1] == 4
    assert {data["max"] for data in said(messages, "progress") if data["node"] == "3"} == {4}
    states = said(messages, "progress_state")
    assert states[-1]["nodes"]["3"]["state"] == "finished" and states[-1]["nodes"]["3"]["max"] == 4
    [executed] = said(messages, "executed")
    assert executed["node"] == "9" and executed["output"]["images"][0]["type"] == "output"
    assert names[-3:] == ["execution_success", "status", "executing"]
    socket.close()


def test_the_history_is_there_when_the_end_is_told(comfy: Comfy):
    socket = comfy.socket("end")
    for color in ("#aa0001", "#aa0002", "#aa0003"):
        id = comfy.submit(picture(color), client_id="end")
        socket.until("execution_success", prompt_id=id)
        assert id in comfy.get(f"/history/{id}").json
        socket.until_done(id)
    socket.close()


def test_cached_nodes_are_told_once_and_their_output_again(comfy: Comfy):
    prompt = picture("#bb0001")
    first = comfy.result(prompt)["outputs"]
    socket = comfy.socket("cached")
    id = comfy.submit(prompt, client_id="cached")
    messages = socket.until_done(id)
    socket.close()
    [cached] = said(messages, "execution_cached")
    assert "2" in cached["nodes"]
    assert [data["node"] for data in said(messages, "executing")] == [None]
    [executed] = said(messages, "executed")
    assert executed["output"] == first["2"]


def test_only_the_client_that_asked_is_told(comfy: Comfy):
    other, mine = comfy.socket("other"), comfy.socket("mine")
    id = comfy.submit(picture("#cc0001"), client_id="mine")
    mine.until_done(id)
    other.say({"type": "feature_flags", "data": {}})
    names = {name for name, _ in other.until("feature_flags")}
    other.close()
    mine.close()
    assert names == {"status", "feature_flags"}


def test_a_client_that_connects_late_hears_the_rest(comfy: Comfy):
    watcher = comfy.socket("late")
    id = comfy.submit(sampled(next(SEEDS), 900), client_id="late")
    watcher.until("progress", prompt_id=id)
    late = comfy.socket("late")
    late.until("executing", node="3", prompt_id=id)
    comfy.post("/interrupt", {"prompt_id": id})
    assert said(late.until_done(id), "execution_interrupted")
    late.close()
    watcher.close()


def jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")


def test_previews_with_metadata_go_to_clients_that_know_them(comfy: Comfy):
    socket = comfy.socket("metadata")
    socket.say({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    [(_, flags)] = socket.until("feature_flags")[-1:]
    assert flags["supports_preview_metadata"] is True and flags["max_upload_size"] > 0
    id = comfy.submit(sampled(next(SEEDS), 12), client_id="metadata")
    frames = said(socket.until_done(id), "binary")
    socket.close()
    assert frames
    length = int.from_bytes(frames[0][4:8])
    about = json.loads(frames[0][8 : 8 + length])
    assert frames[0][:4] == (4).to_bytes(4) and jpeg(frames[0][8 + length :])
    assert about == {
        "node_id": "3",
        "display_node_id": "3",
        "parent_node_id": None,
        "real_node_id": "3",
        "prompt_id": id,
        "image_type": "image/jpeg",
    }


@pytest.mark.parametrize("how", ["prompt", "setting"])
def test_other_clients_get_plain_previews_if_they_are_asked_for(comfy: Comfy, how):
    socket = comfy.socket("plain")
    extra = {"preview_method": "latent2rgb"} if how == "prompt" else {}
    if how == "setting":
        comfy.post(PREVIEW_METHOD, "auto")
    id = comfy.submit(sampled(next(SEEDS), 12), client_id="plain", extra_data=extra)
    frames = said(socket.until_done(id), "binary")
    socket.close()
    comfy.post(PREVIEW_METHOD, "none")
    assert frames and all(frame[:8] == b"\0\0\0\1\0\0\0\1" and jpeg(frame[8:]) for frame in frames)


def test_clients_that_say_nothing_get_no_previews(comfy: Comfy):
    socket = comfy.socket("silent")
    id = comfy.submit(sampled(next(SEEDS), 12), client_id="silent")
    assert not said(socket.until_done(id), "binary")
    socket.close()


def test_what_a_client_says_otherwise_does_no_harm(comfy: Comfy):
    socket = comfy.socket("odd")
    for text in ("[" * 60_000, "[]", "{", '{"type": "feature_flags", "data": 3}', "\x00"):
        comfy.run(socket._socket.send_str(text))
    id = comfy.submit(picture("#dd0001"), client_id="odd")
    assert socket.until_done(id)
    socket.close()
