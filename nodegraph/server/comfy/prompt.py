"""``/prompt``: taking a prompt, and how many wait."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiohttp import web

from nodegraph.jobs.records import Job, JobError, JobSummary, NewJob
from nodegraph.registry import NodeRegistry
from nodegraph.server.comfy.records import number_of, public_extra
from nodegraph.server.comfy.rejection import no_outputs, node_errors, refusal, sound_outputs
from nodegraph.server.comfy.requests import BadRequestError, json_object, member, names, switch
from nodegraph.server.comfy.translate import RefusedPromptError, only_upstream, output_nodes, read_prompt
from nodegraph.server.keys import REGISTRY, SERVICE, user_of
from nodegraph.server.service import JobService
from nodegraph.server.summary import summary_of
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import describe
from nodegraph.workflow.writing import workflow_document

MAX_ID = 200


async def get_prompt(request: web.Request) -> web.Response:
    """How many prompts wait or run."""
    return web.json_response(await queue_status(request.app, user_of(request).name))


async def queue_status(app: web.Application, owner: str) -> dict[str, Any]:
    """The state of a user's queue, as ``status`` messages tell it."""
    counts = await app[SERVICE].counts(owner)
    active = (counts.get(state, 0) for state in ("queued", "running", "interrupted"))
    return {"exec_info": {"queue_remaining": sum(active)}}


@dataclass(frozen=True)
class Wishes:
    """What a client wants of its prompt.

    Attributes:
        client: the client that is told of it.
        id: the id that it shall have, if any.
        number: its place among the user's prompts that wait, if it has one of its own.
        front: whether it shall run before all that wait.
        outputs: the outputs that are wanted, or ``None`` for all.
        extra: what is kept beside the prompt.
    """

    client: str
    id: str
    number: float | None
    front: bool
    outputs: list[str] | None
    extra: Mapping[str, Any]


async def post_prompt(request: web.Request) -> web.Response:
    """Queue a prompt: those of its outputs that can be made."""
    body = await json_object(request, unknown_numbers=True)
    wishes, owner, app = _wishes(body), user_of(request).name, request.app
    try:
        sound = await _sound(app, owner, body, wishes)
    except RefusedPromptError as refused:
        return web.json_response(refused.body, status=400)
    [job] = await app[SERVICE].submit([_new_job(owner, body, wishes, sound)], checked=True)
    number = number_of(job)
    if wishes.number is not None and not wishes.front:
        await _sort_in(app[SERVICE], job, number)
    told = -job.number if wishes.front else number
    return web.json_response({"prompt_id": job.id, "number": told, "node_errors": sound.errors})


def _wishes(body: Mapping[str, Any]) -> Wishes:
    number = body.get("number")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
        raise BadRequestError("invalid_request", f"number must be a number, not {describe(number)}")
    targets = "partial_execution_targets"
    return Wishes(
        client=_text(body, "client_id"),
        id=_text(body, "prompt_id"),
        number=number,
        front=switch(body, "front"),
        outputs=names(body, targets) if body.get(targets) is not None else None,
        extra=member(body, "extra_data", dict, "an object") or {},
    )


@dataclass(frozen=True)
class Sound:
    """The part of a prompt that can run.

    Attributes:
        workflow: the nodes that lead to its outputs.
        outputs: ids of those outputs.
        errors: what is wrong with the rest, by node id.
        summary: what it is about.
    """

    workflow: Workflow
    outputs: tuple[str, ...]
    errors: Mapping[str, Any]
    summary: JobSummary


async def _sound(app: web.Application, owner: str, body: Mapping[str, Any], wishes: Wishes) -> Sound:
    return await app[SERVICE].heavy(_sound_part, app[SERVICE], owner, body, wishes.outputs, app[REGISTRY])


def _sound_part(
    service: JobService,
    owner: str,
    body: Mapping[str, Any],
    only: list[str] | None,
    registry: NodeRegistry,
) -> Sound:
    workflow = read_prompt(body.get("prompt"), registry)
    wanted = output_nodes(workflow, registry, only)
    if not wanted:
        raise no_outputs()
    checked = service.check(workflow_document(workflow), owner=owner, targets=wanted)
    issues = checked.issues
    outputs = sound_outputs(workflow, wanted, issues)
    files = service.folders(owner).names
    errors = node_errors(body["prompt"], workflow, wanted, issues, registry, files)
    if not outputs:
        raise refusal(errors, issues)
    return Sound(only_upstream(workflow, outputs), tuple(outputs), errors, summary_of(checked, outputs))


def _new_job(owner: str, body: Mapping[str, Any], wishes: Wishes, sound: Sound) -> NewJob:
    kept = public_extra(wishes.extra)
    kept.setdefault("create_time", int(time.time() * 1000))
    if wishes.client:
        kept["client_id"] = wishes.client
    extra: dict[str, Any] = {"prompt": body["prompt"], "extra_data": kept}
    if wishes.number is not None and not wishes.front:
        extra["number"] = wishes.number
    return NewJob(
        owner=owner,
        workflow=workflow_document(sound.workflow),
        id=wishes.id or str(uuid4()),
        targets=sound.outputs,
        front=wishes.front,
        client=wishes.client,
        extra=extra,
        summary=sound.summary,
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not value.isprintable():
        raise BadRequestError("invalid_request", f"{name} must be text of 1 to {MAX_ID} characters")
    return value


async def _sort_in(service: JobService, job: Job, number: float) -> None:
    """Let a job with a number of its own run before those of the same user with a higher one."""
    for other in await service.waiting(job.owner):
        if other.id != job.id and other.state == "queued" and number_of(other) > number:
            with suppress(JobError):  # one of the two has begun to run meanwhile
                await service.move(job.id, before=other.id)
            return
