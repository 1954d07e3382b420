"""``/validate`` and ``/plan``: whether a workflow may run, and what would."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from nodegraph.errors import listed
from nodegraph.jobs.records import NewJob
from nodegraph.server import keys
from nodegraph.server.checking import Checked
from nodegraph.server.json_text import json_bytes
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer_text
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import PlanView, ValidView
from nodegraph.server.wire import NoQuery, WorkflowRequest
from nodegraph.worker.telling import no_plan_message

RETRY_SECONDS = "2"


@operation("POST", "/validate", NoQuery, WorkflowRequest, {200: ValidView})
async def validate_workflow(call: Call[NoQuery, WorkflowRequest]) -> web.Response:
    """Find every mistake of a workflow without running it."""
    return answer_text(await call.service.heavy(_validated, call))


@operation("POST", "/plan", NoQuery, WorkflowRequest, {200: PlanView}, problems=(503,))
async def plan_workflow(call: Call[NoQuery, WorkflowRequest]) -> web.Response:
    """Tell what a job would do now: which nodes would run, and what is cached.

    Types and facts of the outputs are told as far as they are known before the run. A workflow that must
    not run is told with its issues, and without origins. 503 says that the worker, which knows the cache,
    did not answer in ten seconds.
    """
    checked, text = await call.service.heavy(_checked, call)
    return answer_text(text or await _plan(call, checked))


def _validated(call: Call[NoQuery, WorkflowRequest]) -> bytes:
    checked = _check(call)
    told = [issue.to_json() for issue in listed(checked.issues)]
    return json_bytes({"valid": checked.valid, "issues": told})


def _checked(call: Call[NoQuery, WorkflowRequest]) -> tuple[Checked, bytes]:
    """What validation found, and already the answer if the workflow must not run."""
    checked = _check(call)
    if checked.valid:
        return checked, b""
    return checked, json_bytes(
        no_plan_message(checked.graph, checked.analysis, checked.issues, checked.runnable)
    )


def _check(call: Call[NoQuery, WorkflowRequest]) -> Checked:
    return call.service.check(call.body.workflow, owner=call.user.name, targets=call.body.targets)


async def _plan(call: Call[NoQuery, WorkflowRequest], checked: Checked) -> bytes:
    """The plan as JSON text, as the worker wrote it."""
    targets = call.body.targets
    job = await call.service.heavy(_job, call.user.name, checked, targets)
    return answered_text(await call.app[keys.RUNNER].plan(job))


def answered_text(answered: tuple[dict[str, Any], bytes] | None) -> bytes:
    """The JSON text that the worker answered.

    Raises:
        Problem: it did not, or refused.
    """
    if answered is None:
        text = "the worker, which knows what is cached, did not answer in time; try again later"
        raise Problem(503, "unavailable", text, headers={"Retry-After": RETRY_SECONDS})
    data, told = answered
    if "refused" in data:
        raise _refusal(data["refused"])
    return told


def _job(owner: str, checked: Checked, targets: list[str] | None) -> NewJob:
    return NewJob(owner, checked.document, targets=None if targets is None else tuple(targets))


def _refusal(refused: dict[str, Any]) -> Problem:
    """Why the worker made no plan of a workflow that the server found valid: a file has gone since, say."""
    text = refused["error"]["message"]
    if refused["error"]["code"] == "internal_error":
        return Problem(500, "internal", f"the plan failed: {text}")
    for error in refused["errors"]:
        text = f"node {error['node']} ({error['type']}): {error['message']}"
    return Problem(422, "invalid_workflow", text, issues=refused["issues"])
