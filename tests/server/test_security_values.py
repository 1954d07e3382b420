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
