"""ComfyUI clients of several users on one server, and clients of a worker that is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from comfy_support import Comfy, node, picture, said, sampled
from served import Served

HERE = Path(__file__).resolve().parent


class Two(NamedTuple):
    ann: Comfy
    bob: Comfy


def token(home: Path, user: str) -> str:
    command = [sys.executable, "-m", "nodegraph", "token", "create", f"of {user}", "--user", user]
    environment = {**os.environ, "NODEGRAPH_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return next(word for word in done.stdout.split() if word.startswith("ngt_"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    secrets = [token(folder / "home", user) for user in ("ann", "bob")]
    served = Served(folder).start()
    clients = Two(*(Comfy(served.url, secret) for secret in secrets))
    yield clients
    for client in clients:
        client.close()
    served.end()


def test_who_has_no_token_is_told_nothing(two: Two):
    with closing(Comfy(two.ann.url)) as nobody:
        for path in ("/queue", "/history", "/object_info", "/settings", "/view", "/api/jobs", "/users"):
            assert nobody.get(path).status == 401
        assert nobody.post("/prompt", {"prompt": picture()}).status == 401


def test_users_do_not_see_each_others_prompts_and_pictures(two: Two):
    entry = two.ann.result(picture("#123456"))
    id, [image] = entry["prompt"][1], entry["outputs"]["2"]["images"]
    assert two.ann.get("/view", **image).status == 200
    assert two.bob.get("/view", **image).status == 404
    assert two.bob.get("/view", **{**image, "subfolder": f"users/ann/{image['subfolder']}"}).status == 404
    assert two.bob.get("/history").json == {} and two.bob.get(f"/history/{id}").json == {}
    assert two.bob.get(f"/api/jobs/{id}").status == 404 and two.bob.get("/api/jobs").json["jobs"] == []
    two.bob.post("/history", {"clear": True, "delete": [id]})
    assert id in two.ann.get("/history").json
    assert two.ann.get("/users").json["users"] == {"ann": "ann"}


def test_users_do_not_stop_or_overhear_each_other(two: Two):
    hers, his = two.ann.socket("same-id"), two.bob.socket("same-id")
    id = two.ann.submit(sampled(31, 900), client_id="same-id")
    hers.until("progress", prompt_id=id)
    assert two.bob.get("/prompt").json == {"exec_info": {"queue_remaining": 0}}
    two.bob.post("/interrupt")
    two.bob.post("/interrupt", {"prompt_id": id})
    assert two.bob.post(f"/api/jobs/{id}/cancel").json == {"cancelled": False}
    assert two.bob.post("/api/jobs/cancel", {"job_ids": [id]}).status == 404
    assert [item[1] for item in two.ann.get("/queue").json["queue_running"]] == [id]
    two.ann.post("/interrupt")
    assert said(hers.until_done(id), "execution_interrupted")
    his.say({"type": "feature_flags", "data": {}})
    assert {name for name, _ in his.until("feature_flags")} == {"status", "feature_flags"}
    hers.close()
    his.close()


def test_files_settings_and_uploads_are_apart(two: Two):
    two.ann.post("/settings/Comfy.Colour", "red")
    assert two.bob.get("/settings/Comfy.Colour").json is None
    two.ann.post("/userdata/mine.json", data=b"{}")
    assert two.bob.get("/userdata/mine.json").status == 404
    apple = (HERE.parent.parent / "nodes/inputs/red_apple.png").read_bytes()
    assert two.ann.upload("/upload/image", apple, "hers.png").status == 200
    assert two.bob.get("/view", filename="hers.png", type="input").status == 404
    menu = two.bob.get("/object_info/LoadImage").json["LoadImage"]["input"]["required"]["image"][0]
    assert "hers.png" not in menu and "red_apple.png" in menu
    loaded = {"1": node("LoadImage", image="hers.png"), "2": node("PreviewImage", images=["1", 0])}
    assert two.bob.post("/prompt", {"prompt": loaded}).status == 400
    assert two.ann.post("/prompt", {"prompt": loaded}).status == 200


def test_only_an_admin_frees_the_memory_of_all(two: Two):
    assert two.ann.post("/free", {"unload_models": True}).status == 403


def test_a_worker_that_is_lost_is_told_as_an_error(served: Served):
    shutil.copy(HERE / "nasty_pack.py", served.plugins / "nasty.py")
    with closing(Comfy(served.start().url)) as comfy, closing(comfy.socket("crash")) as socket:
        id = comfy.submit({"9": node("nasty.Abort"), **picture("#765432")}, client_id="crash")
        [error] = said(socket.until_done(id), "execution_error")
        assert error["prompt_id"] == id and "process" in error["exception_message"]
        assert comfy.get(f"/history/{id}").json[id]["status"]["status_str"] == "error"
        after = comfy.submit(picture("#765433"), client_id="crash")
        assert said(socket.until_done(after), "execution_success")


def test_the_history_outlives_the_server(served: Served):
    with closing(Comfy(served.start().url)) as comfy:
        before = comfy.result(picture("#0f0f0f"))
    served.end()
    id = before["prompt"][1]
    with closing(Comfy(served.start().url)) as comfy:
        assert comfy.get(f"/history/{id}").json == {id: before}
