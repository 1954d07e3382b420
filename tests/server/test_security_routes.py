"""Every route there is, asked by another user: none gives, changes or takes away what is not theirs.

The routes come from the application itself, so a new one fails here until it is said what its names are of.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from security_support import Reply, WholeServer, file_of, picture, saving, serving_all, settings_in, workflow

import nodegraph
from nodegraph.server import keys

User = dict[str, str]
JOB = {"id", "prompt_id", "job_id"}
SHARED = {
    "/api/v1/nodes/{id}": ["SaveImage"],
    "/api/v1/models/{folder}": ["checkpoints"],
    "/api/v1/models/{folder}/pictures": ["checkpoints"],
    "/api/v1/models/{folder}/pictures/{name}": ["checkpoints", "emoji-sd"],
    "/api/v1/templates/{name}": ["text_to_image"],
    "/api/v1/templates/{name}/picture": ["text_to_image"],
    "/assets/{path}": ["no.js"],
    "/object_info/{node_class}": ["LoadImage"],
    "/models/{folder}": ["checkpoints"],
}
"""Routes whose names are of things that all users share."""
OF_ONES_OWN = {
    ("POST", "/settings/{id}"),
    ("POST", "/userdata/{file}"),
    ("PUT", "/api/v1/workflows/{path}"),
}
"""What makes or changes a thing of that name in one's own folder."""
AS_IF_NOTHING_WERE_THERE = {
    ("GET", "/history/{prompt_id}"): b"{}",
    ("GET", "/settings/{id}"): b"null",
    ("POST", "/jobs/{job_id}/cancel"): b'{"cancelled": false}',
}
"""What ComfyUI answers 200 where there is nothing."""
WITHOUT_A_TOKEN = {
    ("GET", "/"),
    ("GET", "/assets/{path}"),
    ("GET", "/icon.svg"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/docs"),
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
}
STREAMS = {"/ws", "/api/ws", "/api/v1/events"}
"""They do not end; ``test_security_users`` listens to them."""


QUERIES = {"/api/v1/jobs/{id}/tensor": "?node=image&output=image"}
"""What some routes must be told besides."""


class Route(NamedTuple):
    method: str
    path: str

    @property
    def known(self) -> str:
        """Its path as the tables above have it: ComfyUI's without ``/api``."""
        own = self.path.startswith("/api/v1") or not self.path.startswith("/api/")
        return self.path if own else self.path.removeprefix("/api")


class Hers(NamedTuple):
    """What belongs to ann."""

    done: str
    waiting: str
    digest: str
    file: str


class Everyone(NamedTuple):
    server: WholeServer
    ann: User
    bob: User
    hers: Hers


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everyone]:
    with serving_all(settings_in(tmp_path_factory.mktemp("routes"))) as server:
        ann, bob = server.user("ann"), server.user("bob")
        job = server.submit(saving("#102030"), ann, label="her label").json
        file = file_of(job)
        for method, path, body in (
            ("PUT", "/api/v1/workflows/of_ann.json", {"workflow": workflow(saving("#506070"))}),
            ("PUT", "/api/v1/settings", {"settings": {"theme": "her preference"}}),
            ("POST", "/userdata/of_ann.json", b'"her file"'),
            ("POST", "/settings/of_ann", "her setting"),
        ):
            assert server.ask(method, path, ann, body).status in (200, 201), path
        assert server.upload("of_ann.png", picture(colour="green"), ann).status == 201
        server.app[keys.QUEUE].pause()
        body = {"workflow": workflow(saving("#405060"))}
        waiting = server.ask("POST", "/api/v1/jobs", ann, body).json["id"]
        yield Everyone(server, ann, bob, Hers(job["id"], waiting, file["digest"], file["name"]))


def routes(server: WholeServer) -> list[Route]:
    found = [
        Route(route.method, route.resource.canonical)
        for route in server.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    ]
    assert len(found) > 120  # those of our own, ComfyUI's and the mirrors of these
    return sorted(found, key=lambda route: (route.method, route.known) in OF_ONES_OWN)  # so bob has none yet


def names_in(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def places(route: Route, hers: Hers) -> list[str]:
    """The route's address for each thing of ann's that it may name."""
    if route.known in SHARED:
        return [route.path.format(**dict(zip(names_in(route.path), SHARED[route.known], strict=True)))]
    values = {
        **{name: [hers.done, hers.waiting] for name in JOB},
        "digest": [hers.digest],
        "kind": ["output", "temp"],
        "path": ["of_ann.json"],
        "name": ["of_ann.png"],
        "file": ["of_ann.json", "..%2fann%2ffiles%2fof_ann.json"],
        "dest": ["mine.json"],
    }
    if "{kind}" in route.path:
        values["path"] = [hers.file, f"users/ann/{hers.file}", f"../ann/{hers.file}"]
    if route.known.startswith("/settings/"):
        values["id"] = ["of_ann"]
    names = names_in(route.path)
    chosen = product(*(values[name] for name in names))  # a KeyError: say above what a new name is of
    query = QUERIES.get(route.known, "")
    return [route.path.format(**dict(zip(names, combination, strict=True))) + query for combination in chosen]


def body_for(route: Route, hers: Hers) -> dict[str, Any] | None:
    """A body that tells a route which things are meant."""
    if route.method in ("GET", "DELETE"):
        return None
    if route.known.startswith("/api/v1"):
        return {"before": hers.waiting} if route.known.endswith("/move") else {}
    both = [hers.done, hers.waiting]
    return {"delete": both, "job_ids": both, "prompt_id": hers.waiting}


def secrets(everyone: Everyone) -> list[bytes]:
    """What no answer to bob may hold: content, and places of the server's machine."""
    contents = ["#102030", "#405060", "#506070", "her label", "her file", "her setting", "her preference"]
    folder = everyone.server.settings.data.parent
    lies = [folder, Path(nodegraph.__file__).parent, Path(sys.prefix), Path.home()]
    return [text.encode() for text in (*contents, *map(str, lies))]


def snapshot(everyone: Everyone) -> list[Reply]:
    """Everything of ann's as she sees it."""
    hers, ask = everyone.hers, everyone.server.ask
    paths = ["/api/v1/jobs", "/api/v1/queue", f"/api/v1/jobs/{hers.done}", f"/api/v1/jobs/{hers.waiting}",
             f"/api/v1/outputs/{hers.digest}", "/api/v1/uploads", "/api/v1/uploads/of_ann.png", "/history",
             "/api/v1/workflows", "/api/v1/workflows/of_ann.json", "/api/v1/settings", "/settings",
             "/userdata/of_ann.json", "/v2/userdata"]  # fmt: skip
    found = [ask("GET", path, everyone.ann) for path in paths]
    assert [reply.status for reply in found] == [200] * len(paths)
    return found


def bodies(replies: list[Reply]) -> list[bytes]:
    return [reply.body for reply in replies]


def test_no_list_names_what_is_anothers(everyone: Everyone) -> None:
    named = [text.encode() for text in (*everyone.hers, "of_ann", "users/ann")]
    for route in routes(everyone.server):
        if route.method == "GET" and not names_in(route.path) and route.path not in STREAMS:
            reply = everyone.server.ask("GET", route.path, everyone.bob)
            assert [word for word in named if word in reply.body] == [], route.path


def test_no_route_lets_another_user_at_ones_things(everyone: Everyone) -> None:
    server, hers = everyone.server, everyone.hers
    before, wrong = bodies(snapshot(everyone)), []
    for route in routes(server):
        if route.path in STREAMS:
            continue
        for place in places(route, hers):
            reply = server.ask(route.method, place, everyone.bob, body_for(route, hers))
            leaks = [secret for secret in secrets(everyone) if secret in reply.body]
            if leaks or not as_it_should_be(route, place, reply):
                wrong.append((route.method, place, reply.status, leaks, reply.body[:80]))
    assert wrong == []
    assert bodies(snapshot(everyone)) == before


def as_it_should_be(route: Route, place: str, reply: Reply) -> bool:
    key = (route.method, route.known)
    if not names_in(route.path) or route.known in SHARED or key in OF_ONES_OWN:
        return reply.status < 500
    if key in AS_IF_NOTHING_WERE_THERE:
        return reply.status == 200 and reply.body == AS_IF_NOTHING_WERE_THERE[key]
    return reply.status in ((400, 403, 404) if ".." in place else (403, 404))


def test_every_route_wants_a_token_but_these(everyone: Everyone) -> None:
    opened = {
        (route.method, route.known)
        for route in routes(everyone.server)
        for place in places(route, everyone.hers)
        if everyone.server.ask(route.method, place, (), body_for(route, everyone.hers)).status != 401
    }
    assert opened == WITHOUT_A_TOKEN
