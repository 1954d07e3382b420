"""Users of one server: neither sees nor touches what is another's, and only an admin what is everyone's."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from security_support import (
    PATIENCE,
    WholeServer,
    file_of,
    form,
    picture,
    saving,
    serving_all,
    settings_in,
    workflow,
)

from nodegraph.server import keys
from nodegraph.server.routes import operations
from nodegraph.server.routes.operation import PREFIX

User = dict[str, str]
PACK = Path(__file__).with_name("nasty_pack.py")


class Everyone(NamedTuple):
    """A server, and three who use it; what belongs to ann is there."""

    server: WholeServer
    ann: User
    bob: User
    root: User
    job: dict[str, Any]
    waiting: str


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everyone]:
    folder = tmp_path_factory.mktemp("users")
    (folder / "plugins").mkdir()
    shutil.copy(PACK, folder / "plugins" / "nasty.py")
    with serving_all(settings_in(folder)) as server:
        ann, bob = server.user("ann"), server.user("bob")
        root = server.user("root", "run", "admin")
        job = server.submit(saving("#102030"), ann, label="ann's label", priority=9).json
        assert job["state"] == "done"
        assert server.upload("hers.png", picture(colour="green"), ann).status == 201
        server.ask("POST", "/userdata/hers.json", ann, b'"her file"')
        server.ask("POST", "/settings/hers", ann, {"a": "her setting"})
        server.app[keys.QUEUE].pause()
        waiting = server.ask("POST", "/api/v1/jobs", ann, {"workflow": workflow(saving("#405060"))}).json
        yield Everyone(server, ann, bob, root, job, waiting["id"])


# --- another's things ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/jobs/{job}", None),
        ("GET", "/api/v1/jobs/{job}?wait=1", None),
        ("GET", "/api/v1/jobs/{job}/workflow", None),
        ("GET", "/api/v1/jobs/{job}/events", None),
        ("GET", "/api/v1/jobs/{job}/outputs/{digest}", None),
        ("POST", "/api/v1/jobs/{job}/cancel", {}),
        ("POST", "/api/v1/jobs/{waiting}/cancel", {}),
        ("POST", "/api/v1/jobs/{waiting}/move", {"front": True}),
        ("DELETE", "/api/v1/jobs/{job}", None),
        ("GET", "/api/v1/outputs/{digest}", None),
        ("GET", "/api/v1/outputs/output/{name}", None),
        ("GET", "/api/v1/outputs/output/users/ann/{name}", None),
        ("GET", "/api/v1/uploads/hers.png", None),
        ("GET", "/api/v1/uploads/hers.png?subfolder=../ann", None),
        ("DELETE", "/api/v1/uploads/hers.png", None),
        ("GET", "/view?filename=hers.png&type=input", None),
        ("GET", "/view?filename={name}&subfolder=users/ann", None),
        ("GET", "/view?filename={name}&subfolder=../ann", None),
        ("GET", "/userdata/hers.json", None),
        ("GET", "/userdata/..%2f..%2fann%2ffiles%2fhers.json", None),
        ("DELETE", "/userdata/hers.json", None),
        ("GET", "/api/jobs/{job}", None),
        ("POST", "/api/jobs/cancel", {"job_ids": ["{waiting}"]}),
    ],
)
def test_what_is_anothers_is_not_found(everyone: Everyone, method: str, path: str, body: Any) -> None:
    file = file_of(everyone.job)
    names = {
        "job": everyone.job["id"],
        "waiting": everyone.waiting,
        "digest": file["digest"],
        "name": file["name"],
    }
    place = path.format(**names)
    given = None if body is None else json.loads(json.dumps(body).replace("{waiting}", everyone.waiting))
    assert everyone.server.ask(method, place, everyone.bob, given).status in (400, 403, 404)
    assert still_there(everyone)


def still_there(everyone: Everyone) -> bool:
    server, ann = everyone.server, everyone.ann
    statuses = [
        server.ask("GET", f"/api/v1/jobs/{everyone.job['id']}", ann).status,
        server.ask("GET", file_of(everyone.job)["url"], ann).status,
        server.ask("GET", "/api/v1/uploads/hers.png", ann).status,
        server.ask("GET", "/userdata/hers.json", ann).status,
    ]
    return (
        statuses == [200] * 4
        and server.ask("GET", f"/api/v1/jobs/{everyone.waiting}", ann).json["state"] == "queued"
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/queue", {"clear": True}),
        ("/queue", {"delete": ["{waiting}"]}),
        ("/interrupt", {}),
        ("/interrupt", {"prompt_id": "{waiting}"}),
        ("/history", {"clear": True}),
        ("/history", {"delete": ["{job}"]}),
        ("/api/jobs/{waiting}/cancel", {}),
    ],
)
def test_what_a_comfyui_client_takes_back_is_its_own(everyone: Everyone, path: str, body: Any) -> None:
    names = {"{waiting}": everyone.waiting, "{job}": everyone.job["id"]}
    given = json.dumps(body)
    for old, new in names.items():
        given, path = given.replace(old, new), path.replace(old, new)
    assert everyone.server.ask("POST", path, everyone.bob, json.loads(given)).status == 200
    assert still_there(everyone)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/jobs", "/api/v1/queue", "/api/v1/uploads", "/history", "/queue", "/api/jobs", "/settings",
     "/v2/userdata", "/api/v1/models", "/object_info/LoadImage", "/users", "/api/v1/jobs?state=queued",
     "/history/{job}", "/settings/hers"],
)  # fmt: skip
def test_lists_name_nothing_of_anothers(everyone: Everyone, path: str) -> None:
    reply = everyone.server.ask("GET", path.format(job=everyone.job["id"]), everyone.bob)
    assert reply.status == 200
    for word in (
        everyone.job["id"],
        everyone.waiting,
        "hers",
        "ann",
        file_of(everyone.job)["digest"],
        "#102030",
    ):
        assert not re.search(rb"(?<!\w)%s(?!\w)" % re.escape(word.encode()), reply.body)


def test_a_job_does_not_go_before_one_that_is_anothers(everyone: Everyone) -> None:
    mine = everyone.server.ask(
        "POST", "/api/v1/jobs", everyone.bob, {"workflow": workflow(saving("#111000"))}
    ).json
    place = f"/api/v1/jobs/{mine['id']}/move"
    assert everyone.server.ask("POST", place, everyone.bob, {"before": everyone.waiting}).status == 404
    assert everyone.server.ask("POST", f"/api/v1/jobs/{mine['id']}/cancel", everyone.bob, {}).status == 200


def test_an_idempotency_key_is_its_users(everyone: Everyone) -> None:
    body = {"workflow": workflow(saving("#777777"))}
    replies = [
        everyone.server.ask("POST", "/api/v1/jobs", {**user, "Idempotency-Key": "k"}, body)
        for user in (everyone.ann, everyone.bob)
    ]
    assert [reply.status for reply in replies] == [201, 201]
    assert {reply.json["owner"] for reply in replies} == {"ann", "bob"}
    for reply, user in zip(replies, (everyone.ann, everyone.bob), strict=True):
        everyone.server.ask("POST", f"/api/v1/jobs/{reply.json['id']}/cancel", user, {})


def test_an_id_that_is_anothers_cannot_be_taken_over(everyone: Everyone) -> None:
    image = {"class_type": "EmptyImage", "inputs": {}}
    prompt = {"1": image, "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}
    for id in (everyone.job["id"], everyone.waiting):
        taken = everyone.server.ask("POST", "/prompt", everyone.bob, {"prompt": prompt, "prompt_id": id})
        assert taken.status == 409
    assert still_there(everyone)


def test_the_user_of_a_job_is_that_of_the_token(everyone: Everyone) -> None:
    for more in ({"owner": "ann"}, {"user": "ann"}):
        body = {"workflow": workflow(saving("#222000")), **more}
        assert everyone.server.ask("POST", "/api/v1/jobs", everyone.bob, body).status == 422


def test_events_are_told_to_their_user_alone(everyone: Everyone) -> None:
    """Bob's streams are open while ann's job is queued and cancelled; then his own event is the first."""

    async def talk() -> list[str]:
        async with aiohttp.ClientSession(
            everyone.server.own, timeout=aiohttp.ClientTimeout(PATIENCE)
        ) as session:
            seen = []
            async with (
                session.ws_connect("/api/v1/events", headers=everyone.bob) as mine,
                session.get("/api/v1/events", headers=everyone.bob) as lines,
                session.ws_connect("/ws", params={"clientId": "hers"}, headers=everyone.bob) as comfy,
            ):
                await comfy.receive_str()
                for user in (everyone.ann, everyone.bob):
                    body = {"workflow": workflow(saving("#333000"))}
                    async with session.post("/api/v1/jobs", headers=user, json=body) as reply:
                        job = (await reply.json())["id"]
                    await session.post(f"/api/v1/jobs/{job}/cancel", headers=user, json={})
                seen += [(await mine.receive_json())["job"] for _ in range(2)]
                async for line in lines.content:
                    if line.startswith(b"data:"):
                        seen.append(json.loads(line[5:])["job"])
                        if len(seen) == 4:
                            break
                status = await comfy.receive_json()
                assert status["data"]["status"]["exec_info"]["queue_remaining"] <= 1
            assert set(seen) == {job}
            return seen

    assert len(asyncio.run(talk())) == 4


# --- files of a job --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "hers.png",
        "../ann/hers.png",
        "/etc/hostname",
        "../../jobs.sqlite",
        "..\\ann\\hers.png",
        "",
        ".",
        "a\0b",
    ],
)
def test_a_workflow_reads_no_picture_of_another(everyone: Everyone, name: str) -> None:
    nodes = {
        "load": {"type": "LoadImage", "inputs": {"image": name}},
        "save": {"type": "SaveImage", "links": {"images": ["load", "image"]}},
    }
    reply = everyone.server.ask("POST", "/api/v1/jobs", everyone.bob, {"workflow": workflow(nodes)})
    assert reply.status == 422
    assert {issue["node"] for issue in reply.json["issues"]} >= {"load"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WholeServer, User, User]]:
    """A server whose jobs run, the user ``local``, who is no admin here, and another."""
    with serving_all(settings_in(tmp_path_factory.mktemp("local"))) as server:
        yield server, server.user("local"), server.user("bob")


@pytest.mark.parametrize(
    "prefix",
    ["../x", "/tmp/x", "a/../../x", "..", "../../data/plugins/x", "a\0b", "users/bob/x", "Users/bob/x",
     "a/../users/bob/x", "./users/x", ""],
)  # fmt: skip
def test_a_workflow_writes_only_to_the_folder_of_its_user(local, prefix: str) -> None:
    server, me, bob = local
    assert server.submit(saving("#444000", "theirs"), bob).json["state"] == "done"
    before = {path for path in server.settings.output.parent.rglob("*") if path.suffix == ".png"}
    job = server.submit(saving("#112233", prefix), me).json
    assert job["state"] == "failed"
    assert job["result"]["errors"][0]["node"] == "save"
    assert {path for path in server.settings.output.parent.rglob("*") if path.suffix == ".png"} == before


def test_who_is_local_sees_no_files_of_the_others(local) -> None:
    server, me, bob = local
    file = file_of(server.submit(saving("#555000", "theirs"), bob).json)
    assert server.ask("GET", file["url"], bob).status == 200
    for name in ("users/bob", "Users/bob", "users", "USERS/bob"):
        path = f"/api/v1/outputs/output/{name}/{file['name']}"
        assert server.ask("GET", path, me).status == 404
    assert server.ask("GET", f"/api/v1/outputs/{file['digest']}", me).status == 404


# --- scopes ----------------------------------------------------------------------------------------------

FOR_ADMINS = sorted((op.method, PREFIX + op.path) for op in operations() if op.admin)


def test_the_operations_for_admins_are_these() -> None:
    assert FOR_ADMINS == [
        ("GET", "/api/v1/log"),
        ("GET", "/api/v1/metrics"),
        ("POST", "/api/v1/memory/free"),
        ("POST", "/api/v1/queue/pause"),
        ("POST", "/api/v1/queue/resume"),
    ]


@pytest.mark.parametrize(("method", "path"), FOR_ADMINS)
def test_what_is_for_admins_is_refused_to_others(everyone: Everyone, method: str, path: str) -> None:
    body = {} if method == "POST" else None
    assert everyone.server.ask(method, path, everyone.bob, body).status == 403
    assert everyone.server.ask(method, path, (), body).status == 401
    assert everyone.server.app[keys.QUEUE].paused


def test_memory_is_freed_by_admins_alone_over_comfyuis_interface_too(everyone: Everyone) -> None:
    assert everyone.server.ask("POST", "/free", everyone.bob, {"unload_models": True}).status == 403
    assert everyone.server.ask("POST", "/users", everyone.root, {"username": "eve"}).status == 403


def test_an_admin_sees_everyones_jobs(everyone: Everyone) -> None:
    listed = {job["id"] for job in everyone.server.ask("GET", "/api/v1/jobs", everyone.root).json["jobs"]}
    assert {everyone.job["id"], everyone.waiting} <= listed
    file = file_of(everyone.job)
    got = everyone.server.ask(
        "GET", f"/api/v1/jobs/{everyone.job['id']}/outputs/{file['digest']}", everyone.root
    )
    assert got.body.startswith(b"\x89PNG")
    assert everyone.server.ask("GET", "/api/v1/metrics", everyone.root).status == 200


@pytest.mark.parametrize("scopes", [("other",), ("runs",), ("RUN",), ("",)])
def test_a_token_without_a_scope_allows_nothing(everyone: Everyone, scopes: tuple[str, ...]) -> None:
    user = everyone.server.user(f"nobody {scopes}", *scopes)
    for path in ("/api/v1/jobs", "/queue", "/api/v1/nodes"):
        assert everyone.server.ask("GET", path, user).status == 403
    body = {"workflow": workflow(saving("#666000"))}
    assert everyone.server.ask("POST", "/api/v1/jobs", user, body).status == 403


NAMES = ["../ann", "Ann", "ann ", "ann/", "ANN", "a\u0301nn", "\uff41nn", ".", "..", "local/../ann"]


@pytest.mark.parametrize("name", NAMES)
def test_a_user_of_an_odd_name_shares_no_folder(everyone: Everyone, name: str) -> None:
    odd = everyone.server.user(name)
    assert everyone.server.ask("GET", "/api/v1/uploads", odd).json["uploads"] == []
    for path in (
        "/api/v1/uploads/hers.png",
        "/userdata/hers.json",
        f"/api/v1/outputs/{file_of(everyone.job)['digest']}",
    ):
        assert everyone.server.ask("GET", path, odd).status == 404
    headers, body = form(('name="file"; filename="odd.png"', picture(colour="blue")))
    assert everyone.server.ask("POST", "/api/v1/uploads", {**headers, **odd}, body).status == 201
    assert "odd.png" not in everyone.server.ask("GET", "/api/v1/uploads", everyone.ann).body.decode()
    root = everyone.server.settings.uploads.resolve()
    assert {path.resolve().parent.parent for path in root.rglob("odd.png")} == {root}
