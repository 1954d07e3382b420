"""Prompts of ComfyUI clients: what is taken, what is refused and how, queue and history."""

from __future__ import annotations

import pytest
from comfy_support import Comfy, node, picture, said, sampled


def test_a_prompt_makes_a_picture_that_the_history_tells(comfy: Comfy):
    prompt = picture("#102030")
    socket = comfy.socket("history")
    reply = comfy.post(
        "/prompt",
        {
            "prompt": prompt,
            "client_id": "history",
            "extra_data": {"extra_pnginfo": {"workflow": {"id": "w1"}}, "api_key_comfy_org": "secret"},
        },
    ).json
    socket.until_done(reply["prompt_id"])
    socket.close()
    assert reply["node_errors"] == {} and isinstance(reply["number"], int)
    entry = comfy.get(f"/history/{reply['prompt_id']}").json[reply["prompt_id"]]
    number, id, told, extra, outputs = entry["prompt"]
    assert (number, id, told, outputs) == (reply["number"], reply["prompt_id"], prompt, ["2"])
    assert extra["extra_pnginfo"] == {"workflow": {"id": "w1"}} and extra["client_id"] == "history"
    assert "secret" not in str(entry)
    [image] = entry["outputs"]["2"]["images"]
    assert image["subfolder"] == "tests" and image["type"] == "output"
    assert entry["status"]["status_str"] == "success" and entry["status"]["completed"] is True
    assert [name for name, _ in entry["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    assert entry["meta"]["2"] == {
        "node_id": "2",
        "display_node": "2",
        "parent_node": None,
        "real_node_id": "2",
    }
    seen = comfy.get("/view", **image)
    assert seen.headers["Content-Type"] == "image/png" and seen.body.startswith(b"\x89PNG")


def test_inputs_are_read_as_leniently_as_comfyui_does(comfy: Comfy):
    prompt = picture("#112131")
    prompt["1"]["inputs"] |= {"width": "40", "height": 8.0, "upload": "image", "unheard": ["1", 0]}
    [image] = comfy.result(prompt)["outputs"]["2"]["images"]
    seen = comfy.get("/view", **image).body
    assert (int.from_bytes(seen[16:20]), int.from_bytes(seen[20:24])) == (40, 8)


WRONG_INPUTS = [
    ({"steps": 0}, "value_smaller_than_min"),
    ({"steps": 20_000}, "value_bigger_than_max"),
    ({"steps": "many"}, "invalid_input_type"),
    ({"sampler_name": "none"}, "value_not_in_list"),
    ({"model": ["5", 0]}, "return_type_mismatch"),
    ({"model": ["4"]}, "bad_linked_input"),
    ({"model": ["4", 9]}, "bad_linked_input"),
    ({"model": ["99", 0]}, "bad_linked_input"),
    ({"latent_image": ["3", 0]}, "dependency_cycle"),
]


@pytest.mark.parametrize(("inputs", "type"), WRONG_INPUTS)
def test_a_wrong_input_is_told_with_node_and_input(comfy: Comfy, inputs, type):
    reply = comfy.post("/prompt", {"prompt": sampled(1, **inputs)})
    assert reply.status == 400
    error, node_errors = reply.json["error"], reply.json["node_errors"]
    assert error["type"] == "prompt_outputs_failed_validation"
    assert error.keys() == {"type", "message", "details", "extra_info"}
    assert node_errors.keys() == {"3"}
    assert node_errors["3"]["class_type"] == "KSampler" and node_errors["3"]["dependent_outputs"] == ["9"]
    [told] = node_errors["3"]["errors"]
    assert told["type"] == type and told.keys() == {"type", "message", "details", "extra_info"}
    if type != "dependency_cycle":
        assert told["extra_info"]["input_name"] == next(iter(inputs))


def test_a_missing_input_and_a_missing_file_are_told(comfy: Comfy):
    prompt = sampled(1)
    del prompt["3"]["inputs"]["model"]
    prompt["4"]["inputs"]["ckpt_name"] = "absent"
    errors = comfy.post("/prompt", {"prompt": prompt}).json["node_errors"]
    assert errors["3"]["errors"][0]["type"] == "required_input_missing"
    [told] = errors["4"]["errors"]
    assert told["type"] == "value_not_in_list"
    assert told["details"] == "ckpt_name: \"absent\" not in ['emoji-sd']"
    assert told["extra_info"]["input_config"][0] == ["emoji-sd"]  # what /object_info has there
    assert told["extra_info"]["received_value"] == "absent"
    loaded = {"1": node("LoadImage", image="absent.png"), "2": node("PreviewImage", images=["1", 0])}
    errors = comfy.post("/prompt", {"prompt": loaded}).json["node_errors"]
    [told] = errors["1"]["errors"]
    assert told["type"] == "custom_validation_failed" and told["details"] == "image"


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({}, "no_prompt"),
        ({"prompt": {}}, "no_prompt"),
        ({"prompt": [1]}, "no_prompt"),
        ({"prompt": {"1": {"inputs": {}}}}, "missing_node_type"),
        ({"prompt": {"1": node("KSamplr")}}, "missing_node_type"),
        ({"prompt": {"1": {"class_type": "EmptyImage", "inputs": []}}}, "invalid_prompt"),
        ({"prompt": {"1": node("EmptyImage")}}, "prompt_no_outputs"),
        ({"prompt": picture(), "partial_execution_targets": ["1"]}, "prompt_no_outputs"),
        ({"prompt": picture(), "prompt_id": 7}, "invalid_request"),
        ([], "invalid_request"),
    ],
)
def test_what_is_no_prompt_is_refused_as_a_whole(comfy: Comfy, body, type):
    reply = comfy.post("/prompt", body)
    assert reply.status == 400
    assert reply.json["error"]["type"] == type and reply.json["node_errors"] == {}


def test_a_body_that_is_not_json_is_refused(comfy: Comfy):
    reply = comfy.post("/prompt", data=b"{prompt")
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_json")


ODD = [
    None,
    7,
    -1.5,
    "x",
    "\ud800",
    True,
    [],
    [["1", 0]],
    {"a": 1},
    ["1", 0, 0],
    [1, 2],
    {"__value__": ["1", 0]},
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_nothing_odd_makes_the_server_fail(comfy: Comfy, odd):
    prompts: list[object] = [
        {"1": odd},
        {"1": {"class_type": odd}},
        {"1": {"class_type": "EmptyImage", "inputs": odd}},
    ]
    prompts += [picture(), sampled(1, cfg=odd), sampled(1, model=odd), sampled(1, sampler_name=odd)]
    more = ("client_id", "prompt_id", "number", "front", "extra_data", "partial_execution_targets")
    bodies = [{"prompt": prompt} for prompt in [odd, *prompts]]
    bodies += [{"prompt": picture(), name: odd} for name in more]
    assert {comfy.post("/prompt", body).status for body in bodies} <= {200, 400, 409}
    for path, name in (("/queue", "delete"), ("/history", "delete"), ("/interrupt", "prompt_id")):
        assert comfy.post(path, {name: odd}).status in (200, 400)
    assert comfy.post("/api/jobs/cancel", {"job_ids": odd}).status in (200, 400, 404)
    comfy.post("/queue", {"clear": True})
    comfy.post("/interrupt")


def test_json_needs_no_content_type(comfy: Comfy):
    import json

    data = json.dumps({"prompt": picture("#334455")}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert comfy.post("/prompt", data=data, headers=form).status == 200


def test_a_wrong_branch_leaves_the_others_to_run(comfy: Comfy):
    prompt = picture("#405060", **{"3": node("PreviewImage"), "4": node("ImageInvert")})
    socket = comfy.socket("branches")
    reply = comfy.post("/prompt", {"prompt": prompt, "client_id": "branches"})
    assert reply.status == 200
    assert reply.json["node_errors"].keys() == {"3"}  # nothing needs node 4, so nothing is said of it
    assert reply.json["node_errors"]["3"]["dependent_outputs"] == ["3"]
    socket.until_done(reply.json["prompt_id"])
    socket.close()
    entry = comfy.get(f"/history/{reply.json['prompt_id']}").json[reply.json["prompt_id"]]
    assert entry["status"]["completed"] and entry["outputs"].keys() == {"2"}
    assert entry["prompt"][4] == ["2"] and entry["prompt"][2] == prompt


def test_partial_execution_runs_the_outputs_that_are_wanted(comfy: Comfy):
    prompt = picture("#506070", **{"3": node("PreviewImage", images=["1", 0])})
    entry = comfy.result(prompt, partial_execution_targets=["3"])
    assert entry["outputs"].keys() == {"3"}
    assert entry["outputs"]["3"]["images"][0]["type"] == "temp"


def test_an_id_of_the_client_is_kept_and_taken_once(comfy: Comfy):
    socket = comfy.socket("mine")
    body = {"prompt": picture("#607080"), "prompt_id": "my-own-id", "client_id": "mine"}
    assert comfy.post("/prompt", body).json["prompt_id"] == "my-own-id"
    socket.until_done("my-own-id")
    socket.close()
    again = comfy.post("/prompt", body)
    assert again.status == 409 and again.json["error"]["message"]


def test_a_node_that_fails_is_told_in_messages_and_history(comfy: Comfy):
    socket = comfy.socket("fails")
    id = comfy.submit(sampled(5, 3000), client_id="fails")  # the model has 1000 timesteps
    [error] = said(socket.until_done(id), "execution_error")
    socket.close()
    assert error["prompt_id"] == id and error["node_id"] == "3" and error["node_type"] == "KSampler"
    assert "3000 steps do not fit" in error["exception_message"]
    assert error["exception_type"].endswith("InputError") and isinstance(error["traceback"], list)
    entry = comfy.get(f"/history/{id}").json[id]
    assert entry["status"]["status_str"] == "error" and entry["status"]["completed"] is False
    name, told = entry["status"]["messages"][-1]
    assert name == "execution_error" and told["node_id"] == "3"


def ids(items):
    return [item[1] for item in items]


def test_the_queue_is_shown_sorted_cleared_and_interrupted(comfy: Comfy):
    socket = comfy.socket("queue")
    running = comfy.submit(sampled(11, 900), client_id="queue")
    socket.until("progress", prompt_id=running)
    last = comfy.submit(picture("#010101"), client_id="queue", number=500_000)
    first = comfy.submit(picture("#020202"), client_id="queue", front=True)
    between = comfy.submit(picture("#030303"), client_id="queue", number=400_000)
    assert comfy.get("/prompt").json == {"exec_info": {"queue_remaining": 4}}
    queue = comfy.get("/queue").json
    assert ids(queue["queue_running"]) == [running]
    assert ids(queue["queue_pending"]) == [first, between, last]
    number, id, prompt, _, outputs = queue["queue_pending"][2]
    assert (number, id, prompt, outputs) == (500_000, last, picture("#010101"), ["2"])
    assert comfy.post("/queue", {"delete": [between, running, "unheard-of"]}).status == 200
    assert ids(comfy.get("/queue").json["queue_pending"]) == [first, last]
    assert comfy.post("/queue", {"clear": True}).status == 200
    assert comfy.post("/interrupt", {"prompt_id": last}).status == 200  # does not run, so nothing happens
    assert ids(comfy.get("/queue").json["queue_running"]) == [running]
    assert comfy.post("/interrupt").status == 200
    [stopped] = said(socket.until_done(running), "execution_interrupted")
    socket.close()
    assert stopped["node_id"] == "3" and stopped["node_type"] == "KSampler" and "3" not in stopped["executed"]
    assert comfy.get("/queue").json == {"queue_running": [], "queue_pending": []}
    assert comfy.get(f"/history/{running}").json[running]["status"]["status_str"] == "error"
    assert comfy.get(f"/history/{last}").json == {}  # it never ran


def test_history_pages_and_forgets(comfy: Comfy):
    comfy.post("/history", {"clear": True})
    assert comfy.get("/history").json == {}
    made = [comfy.result(picture(color))["prompt"][1] for color in ("#a00000", "#b00000", "#c00000")]
    assert list(comfy.get("/history").json) == made
    assert list(comfy.get("/history", max_items=2).json) == made[1:]
    assert list(comfy.get("/history", max_items=2, offset=0).json) == made[:2]
    assert comfy.get("/history", max_items="few").status == 400
    comfy.post("/history", {"delete": [made[1]]})
    assert list(comfy.get("/history").json) == [made[0], made[2]]
    assert comfy.get("/history/unheard-of").json == {}
