"""A running server against its own OpenAPI description: what it answers is what it says it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import schemathesis
from hypothesis import settings
from security_support import WholeServer, serving_all, settings_in

from nodegraph.server.openapi import describe_api
from nodegraph.server.routes import operations

NO_WORKFLOW = {"expected-statuses": ["2xx", "3xx", 404, 409, 422]}
NO_FILE = {"expected-statuses": ["2xx", "3xx", 400, 404, 409, 413, 415, 422]}
OFF = {"enabled": False}
CONFIG = {
    "checks": {
        "positive_data_acceptance": NO_WORKFLOW,  # a workflow must be more than what its form describes
        "ignored_auth": OFF,  # who guesses is slowed down, which it does not expect; see the last test
    },
    "operations": [
        # names of files, forms and tags must be more than text
        {"include-path-regex": "/uploads|/workflows/", "checks": {"positive_data_acceptance": NO_FILE}},
        {"include-operation-id": "begin_session", "checks": {"positive_data_acceptance": OFF}},
        # a job may be called `batch`, a workflow `import`: they can be asked for and deleted there
        {
            "include-operation-id": ["submit_batch", "import_workflow", "export_workflow"],
            "checks": {"unsupported_method": OFF, "allow_header_conformance": OFF},
        },
    ],
}
DOCUMENT = describe_api(operations(), "0")
API = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))
ANSWERED = API.exclude(operation_id="follow_events")  # a stream without an end


class Described(NamedTuple):
    server: WholeServer
    admin: dict[str, str]

    def check(self, case: schemathesis.Case) -> None:
        """Send a request, and compare the answer with the description."""
        case.call_and_validate(base_url=self.server.own, headers=self.admin, timeout=30)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    settings = settings_in(tmp_path_factory.mktemp("described"), max_wait=0.1, max_files=100)
    with serving_all(settings) as server:
        yield Described(server, server.user("ann", "run", "admin"))


def test_the_description_is_the_one_that_is_served(described: Described) -> None:
    served = described.server.ask("GET", "/api/v1/openapi.json").json
    assert served["paths"] == DOCUMENT["paths"] and served["components"] == DOCUMENT["components"]


@ANSWERED.parametrize()
@settings(max_examples=5, deadline=None, derandomize=True, database=None)
def test_answers_are_as_described(case: schemathesis.Case, described: Described) -> None:
    described.check(case)


@pytest.mark.slow
@ANSWERED.parametrize()
@settings(max_examples=50, deadline=None)
def test_many_answers_are_as_described(case: schemathesis.Case, described: Described) -> None:
    described.check(case)


@pytest.mark.parametrize(
    "operation", [item for item in operations() if not item.open], ids=lambda item: item.name
)
def test_without_a_token_every_operation_is_refused(described: Described, operation) -> None:
    path = re.sub(r"\{(\w+)(:[^}]*)?\}", lambda part: "output" if part[1] == "kind" else "x", operation.path)
    reply = described.server.ask(operation.method, f"/api/v1{path}")
    assert (reply.status, reply.json["code"]) == (401, "unauthorized")
