"""Odd values: nothing is converted, nothing too deep or large is taken, and the next job runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from security_support import WholeServer, serving_all, settings_in

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("values"))) as server:
        yield server
        job = server.submit(image(width=24)).json
        assert job["state"] == "done"  # whatever came before


def image(links: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    given = {"width": 16, "height": 16, **inputs}
    return {
        "image": {"type": "EmptyImage", "inputs": given, "links": links or {}},
        "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    }


def workflow(nodes: dict[str, Any]) -> dict[str, Any]:
    return {"format": "nodegraph", "version": 1, "nodes": nodes}


OPTIONS = [
    {"front": "false"},
    {"front": 0},
    {"front": None},
    {"priority": 3.9},
    {"priority": "3"},
    {"priority": True},
    {"priority": 10**400},
    {"priority": 2**63},
    {"time_limit": "60"},
    {"time_limit": True},
    {"time_limit": 10**400},
    {"label": 3},
    {"targets": "save"},
    {"targets": [1]},
    {"webhook": ["http://example.org/"]},
    {"prioritty": 1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda value: str(value)[:40])
def test_an_option_of_another_type_is_refused_and_named(server: WholeServer, options: dict[str, Any]) -> None:
    reply = server.submit(image(), **options)
    assert (reply.status, reply.json["code"]) == (422, "invalid_request")
    [name] = options
    assert reply.json["errors"][0]["place"].startswith(name)


INPUTS = [
    {"width": 3.9},
    {"width": 16.0},
    {"width": "16"},
    {"width": True},
    {"width": None},
    {"width": [16]},
    {"width": 10**400},
    {"width": -(2**63)},
    {"width": 2**64},
    {"color": 3.5},
    {"undeclared": ["nobody", 0]},
]


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda value: str(value)[:40])
def test_an_input_of_another_type_is_refused_and_named(server: WholeServer, inputs: dict[str, Any]) -> None:
    [name] = inputs
    for path in ("/api/v1/jobs", "/api/v1/validate", "/api/v1/plan"):
        reply = server.ask("POST", path, (), {"workflow": workflow(image(**inputs))})
        assert reply.status == (422 if path.endswith("jobs") else 200)
        assert ("image", name) in {(issue["node"], issue["input"]) for issue in reply.json["issues"]}


@pytest.mark.parametrize("link", [["nobody", "image"], ["image", "nothing"], ["save", 0]])
def test_a_link_of_an_input_that_is_not_declared_is_refused(server: WholeServer, link: list[Any]) -> None:
    assert server.submit(image({"undeclared": link})).status == 422


QUERIES = ["wait=true", "wait=-1", "wait=NaN", "wait=inf", "wait=1_0", "wait=0x10", "wait=", "wait=1&wait=2"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_taken_literally(server: WholeServer, query: str) -> None:
    reply = server.ask("POST", f"/api/v1/jobs?{query}", (), {"workflow": workflow(image())})
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")


NOT_TAKEN = [b'{"paused": false}', b'{"clear": true}', b"[]", b"true", b"x", b'{"a": NaN}']


@pytest.mark.parametrize("body", NOT_TAKEN)
@pytest.mark.parametrize("path", ["/queue/pause", "/queue/resume", "/jobs/x/cancel"])
def test_a_body_that_would_not_be_heeded_is_refused(server: WholeServer, path: str, body: bytes) -> None:
    before = server.ask("GET", "/api/v1/queue").json["paused"]
    reply = server.ask("POST", f"/api/v1{path}", JSON, body)
    assert reply.status in (400, 422) and reply.json["code"] in ("invalid_json", "invalid_request")
    assert server.ask("GET", "/api/v1/queue").json["paused"] is before


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_no_body_is_none_or_an_empty_object(server: WholeServer, body: bytes | None) -> None:
    assert server.ask("POST", "/api/v1/queue/resume", JSON, body).status == 200


COMFY = [
    ("/queue", {"clear": "x"}),
    ("/queue", {"clear": 1}),
    ("/queue", {"delete": ""}),
    ("/queue", {"delete": "id"}),
    ("/queue", {"delete": [1]}),
    ("/history", {"clear": "false"}),
    ("/history", {"clear": []}),
    ("/history", {"clear": True, "delete": 0}),
    ("/interrupt", {"prompt_id": 5}),
    ("/interrupt", {"prompt_id": ["x"]}),
    ("/free", {"unload_models": "no"}),
    ("/free", {"free_memory": 0}),
    ("/api/jobs/cancel", {"job_ids": "all"}),
    ("/prompt", {"front": "false"}),
    ("/prompt", {"front": 0}),
    ("/prompt", {"number": "1"}),
    ("/prompt", {"number": True}),
    ("/prompt", {"extra_data": []}),
    ("/prompt", {"client_id": 7}),
    ("/prompt", {"partial_execution_targets": "2"}),
    ("/prompt", {"partial_execution_targets": [2]}),
]


@pytest.mark.parametrize(("path", "wrong"), COMFY, ids=str)
def test_a_comfyui_client_is_told_what_it_sent_wrong(
    server: WholeServer, path: str, wrong: dict[str, Any]
) -> None:
    """And nothing is done: what was finished before is remembered."""
    id = server.submit(image()).json["id"]
    prompt = {"1": {"class_type": "EmptyImage", "inputs": {}},
              "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}  # fmt: skip
    reply = server.ask("POST", path, (), {"prompt": prompt, **wrong} if path == "/prompt" else wrong)
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request")
    assert reply.json["error"]["message"].startswith(list(wrong)[-1])
    assert server.ask("GET", f"/api/v1/jobs/{id}").status == 200


HALF = rb'"\ud83d"'


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/settings", b'{"half": %s}'),
        ("/settings/half", b"%s"),
        ("/queue", b'{"delete": [%s]}'),
        ("/history", b'{"delete": [%s]}'),
        ("/interrupt", b'{"prompt_id": %s}'),
        ("/api/jobs/cancel", b'{"job_ids": [%s]}'),
        ("/prompt", b'{"prompt": {"1": {"class_type": %s}}}'),
        ("/prompt", b'{"prompt": {}, "extra_data": {"a": %s}}'),
        ("/api/v1/plan", b'{"workflow": {"a": %s}}'),
    ],
)
def test_half_a_character_is_refused(server: WholeServer, path: str, body: bytes) -> None:
    assert server.ask("POST", path, JSON, body % HALF).status == 400
    assert server.ask("GET", "/settings").json == {}


def test_what_a_prompt_does_not_know_may_be_nan(server: WholeServer) -> None:
    """Some clients write ``NaN`` there."""
    body = (
        b'{"extra_data": {"seen": NaN}, "prompt": {"1": {"class_type": "EmptyImage", "inputs": {}}, '
        b'"2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}}'
    )
    assert server.ask("POST", "/prompt", JSON, body).status == 200


DEEP = {
    "lists": "[" * 10_000 + "]" * 10_000,
    "objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "both": '[{"a":' * 5_000 + "1" + "}]" * 5_000,
    "unclosed": "[" * 10_000,
}


@pytest.mark.parametrize("deep", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/plan", "/api/v1/jobs/batch", "/prompt"])
def test_nesting_of_ten_thousand_is_refused(server: WholeServer, path: str, deep: str) -> None:
    name = "prompt" if path == "/prompt" else "workflow"
    reply = server.ask("POST", path, JSON, f'{{"{name}": {deep}}}'.encode())
    assert reply.status == 400


@pytest.mark.parametrize("digits", [400, 5_000, 1_000_000])
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/plan", "/prompt"])
def test_a_number_of_many_digits_is_refused(server: WholeServer, path: str, digits: int) -> None:
    text = json.dumps({"workflow": workflow(image(width=0)), "prompt": {"1": {"inputs": {"width": 0}}}})
    document = json.loads(text)
    del document["workflow" if path == "/prompt" else "prompt"]
    body = json.dumps(document).replace('"width": 0', f'"width": {"9" * digits}').encode()
    reply = server.ask("POST", path, JSON, body)
    assert reply.status in (400, 422) or not reply.json["valid"]


def test_a_chain_of_ten_thousand_subgraphs_is_refused(server: WholeServer) -> None:
    inner = {f"s{n}": {"nodes": {"a": {"type": f"subgraph/s{n + 1}"}}, "outputs": {}} for n in range(10_000)}
    document = {**workflow({"a": {"type": "subgraph/s0"}}), "subgraphs": inner}
    assert server.ask("POST", "/api/v1/jobs", (), {"workflow": document}).status == 422
