"""Workflows, settings and the log that the server keeps for an editor."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from security_support import WholeServer, serving_all, settings_in

from nodegraph.server.log import LogBuffer, without_secrets


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("library"))) as server:
        yield server


@pytest.fixture(scope="module")
def ann(server: WholeServer) -> dict[str, str]:
    return server.user("ann")


@pytest.fixture(scope="module")
def ben(server: WholeServer) -> dict[str, str]:
    return server.user("ben")


def body(value: int, **more: Any) -> dict[str, Any]:
    nodes = {"i": {"type": "Integer", "inputs": {"value": value}}, "x": {"type": "their.Node", "odd": 1}}
    return {"workflow": {"format": "nodegraph", "version": 1, "name": "Mine", "nodes": nodes, **more}}


def test_what_is_saved_comes_back_as_it_was(server, ann, ben) -> None:
    path = "/api/v1/workflows/faces/My%20fl%C3%B6w"
    saved = server.ask("PUT", path, ann, body(1, ui={"zoom": 2}))
    assert (saved.status, saved.json["path"], saved.json["name"]) == (200, "faces/My flöw", "Mine")
    read = server.ask("GET", path, ann)
    assert read.json == body(1, ui={"zoom": 2})["workflow"]
    assert read.headers["ETag"] == saved.headers["ETag"] == f'"{saved.json["etag"]}"'
    assert server.ask("GET", path, {**ann, "If-None-Match": read.headers["ETag"]}).status == 304
    again = server.ask("PUT", path, ann, {"workflow": read.json})
    assert again.json["etag"] == saved.json["etag"]
    [listed] = server.ask("GET", "/api/v1/workflows", ann).json["workflows"]
    assert listed == again.json and listed["size"] == len(read.body)
    assert server.ask("GET", path, ben).status == 404
    assert server.ask("GET", "/api/v1/workflows", ben).json["workflows"] == []
    assert server.ask("DELETE", path, ann).status == 204
    assert server.ask("GET", path, ann).status == server.ask("DELETE", path, ann).status == 404


def test_two_who_change_the_same_do_not_overwrite_each_other(server, ann) -> None:
    path = "/api/v1/workflows/shared"
    new = {**ann, "If-None-Match": "*"}
    first = server.ask("PUT", path, new, body(1)).headers["ETag"]
    assert server.ask("PUT", path, new, body(9)).status == 412
    mine = server.ask("PUT", path, {**ann, "If-Match": first}, body(2)).headers["ETag"]
    late = server.ask("PUT", path, {**ann, "If-Match": first}, body(3))
    assert (late.status, late.json["code"]) == (412, "changed_meanwhile")
    assert f'"{late.json["etag"]}"' == mine
    assert server.ask("GET", path, ann).json == body(2)["workflow"]
    assert server.ask("DELETE", path, {**ann, "If-Match": first}).status == 412
    assert server.ask("DELETE", path, {**ann, "If-Match": mine}).status == 204
    gone = server.ask("PUT", path, {**ann, "If-Match": mine}, body(4))
    assert gone.status == 412 and "deleted" in gone.json["detail"]


@pytest.mark.parametrize(
    "path", ["..%2f..%2fx", "a/../../x", ".hidden", "con", "a//b", "a%00b", "x" * 300, "a/b/c/d/e/f/g/h/i/j"]
)
def test_names_that_lead_elsewhere_are_refused(server, ann, path) -> None:
    assert server.ask("PUT", f"/api/v1/workflows/{path}", ann, body(1)).status in (400, 404)
    assert server.ask("GET", "/api/v1/workflows", ann).json["workflows"] == []


def test_a_name_that_is_a_folder_is_refused_without_telling_where_it_lies(server, ann) -> None:
    assert server.ask("PUT", "/api/v1/workflows/old.json/inner", ann, body(1)).status == 200
    refused = server.ask("PUT", "/api/v1/workflows/old", ann, body(1))
    assert (refused.status, refused.json["code"]) == (409, "conflict")
    assert refused.json["detail"] == "old.json cannot be a workflow: a folder is called so"


def test_what_is_no_workflow_is_not_kept(server, ann) -> None:
    for document in (
        {},
        {"format": "nodegraph", "version": 99},
        {"format": "nodegraph", "version": 1, "nodes": 3},
    ):
        assert server.ask("PUT", "/api/v1/workflows/x", ann, {"workflow": document}).status == 422
    assert server.ask("GET", "/api/v1/workflows/x", ann).status == 404


def test_there_is_room_for_so_many(tmp_path: Path) -> None:
    with serving_all(settings_in(tmp_path, max_files=2)) as server:
        statuses = [server.ask("PUT", f"/api/v1/workflows/{n}", {}, body(n)).status for n in range(3)]
    assert statuses == [200, 200, 507]


def remembered(server: WholeServer, headers: dict[str, str], wanted: str, **fields: Any) -> dict[str, Any]:
    """The first event of a type, with some fields, among those that the server remembers."""
    url = f"{server.own}/api/v1/events?after=0"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as stream:
        late = time.monotonic() + 30
        for line in stream:  # a heartbeat comes now and then, whatever else does not
            if time.monotonic() > late:
                break
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                if event["type"] == wanted and fields.items() <= event.items():
                    return event
    raise AssertionError(f"no event {wanted}")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"{", b"[]", b"[" * 1000, b'{"name": 3}'])
def test_a_damaged_file_hides_no_other_and_can_be_deleted(server, data: bytes) -> None:
    eve = server.user(f"eve{len(data)}{data[0]}")
    assert server.ask("PUT", "/api/v1/workflows/whole", eve, body(1)).status == 200
    folder = server.settings.data / "workflows" / f"eve{len(data)}{data[0]}"
    (folder / "broken.json").write_bytes(data)
    listed = server.ask("GET", "/api/v1/workflows", eve).json["workflows"]
    assert [(each["path"], each["name"]) for each in listed] == [("broken", ""), ("whole", "Mine")]
    assert server.ask("GET", "/api/v1/workflows/broken", eve).status in (200, 422)
    etag = listed[0]["etag"]
    assert server.ask("DELETE", "/api/v1/workflows/broken", {**eve, "If-Match": '"other"'}).status == 412
    assert server.ask("DELETE", "/api/v1/workflows/broken", {**eve, "If-Match": f'"{etag}"'}).status == 204
    assert not (folder / "broken.json").exists()


def test_a_list_follows_what_changes(server) -> None:
    fay = server.user("fay")
    for value in (1, 2):
        saved = server.ask("PUT", "/api/v1/workflows/a", fay, body(value)).json
        [listed] = server.ask("GET", "/api/v1/workflows", fay).json["workflows"]
        assert listed == saved


def test_a_link_that_leads_out_is_not_written_through(server, tmp_path) -> None:
    gus = server.user("gus")
    assert server.ask("PUT", "/api/v1/workflows/a", gus, body(1)).status == 200
    outside = tmp_path / "outside.json"
    outside.write_text("theirs")
    for name, target in (("file", outside), ("new", tmp_path / "new.json")):
        (server.settings.data / "workflows" / "gus" / f"{name}.json").symlink_to(target)
        assert server.ask("PUT", f"/api/v1/workflows/{name}", gus, body(2)).status == 400
        assert server.ask("GET", f"/api/v1/workflows/{name}", gus).status == 404
        assert server.ask("DELETE", f"/api/v1/workflows/{name}", gus).status == 404
    assert outside.read_text() == "theirs" and not (tmp_path / "new.json").exists()
    assert len(server.ask("GET", "/api/v1/workflows", gus).json["workflows"]) == 1


def test_other_tabs_are_told_of_what_is_saved(server, ann) -> None:
    saved = server.ask("PUT", "/api/v1/workflows/told", ann, body(1)).json
    server.ask("DELETE", "/api/v1/workflows/told", ann)
    told = remembered(server, ann, "workflow_saved", path="told", etag=saved["etag"])
    assert told["id"] < remembered(server, ann, "workflow_deleted", path="told")["id"]


def test_settings_belong_to_a_user(server, ann, ben) -> None:
    values = {"theme": "dark", "shortcuts": {"run": "ctrl+enter"}}
    assert server.ask("GET", "/api/v1/settings", ann).json == {"settings": {}}
    assert server.ask("PUT", "/api/v1/settings", ann, {"settings": values}).status == 200
    assert server.ask("GET", "/api/v1/settings", ann).json == {"settings": values}
    assert server.ask("GET", "/api/v1/settings", ben).json == {"settings": {}}
    large = {"settings": {"x": "y" * 300_000}}
    assert server.ask("PUT", "/api/v1/settings", ann, large).status == 413
    assert server.ask("PUT", "/api/v1/settings", ann, {"settings": []}).status == 422


def test_admins_read_the_log_without_secrets(server, ann) -> None:
    admin = server.user("root", "admin")
    logging.getLogger("nodegraph.test").warning("a token ngt_%s came", "s3cret-value")
    assert server.ask("GET", "/api/v1/log", ann).status == 403
    lines = server.ask("GET", "/api/v1/log", admin).json["lines"]
    [found] = [line for line in lines if line["logger"] == "nodegraph.test"]
    assert (found["level"], found["message"]) == ("WARNING", "a token ngt_… came")
    later = server.ask("GET", f"/api/v1/log?after={found['number']}", admin).json["lines"]
    assert all(line["number"] > found["number"] for line in later)
    assert remembered(server, admin, "log", line=found)


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer SECRET", "ngt_SECRET", "GET /x?token=SECRET&y=1", "nodegraph.token.SECRET, x"],
)
def test_what_looks_like_a_token_is_blotted_out(text: str) -> None:
    assert "SECRET" not in without_secrets(text)
    assert "…" in without_secrets(text)


def test_the_log_is_bounded() -> None:
    log = LogBuffer(keep=3)
    with log.attached():
        for number in range(10):
            logging.getLogger("nodegraph.test").error("line %d %s", number, "x" * 5000)
    logging.getLogger("nodegraph.test").error("after")
    lines = log.lines(10)
    assert [line.message.split()[1] for line in lines] == ["7", "8", "9"]
    assert max(len(line.message) for line in lines) <= 2000
    assert len(log.lines(1)) == 1
