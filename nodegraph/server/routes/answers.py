"""Making answers: jobs as clients see them, and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from nodegraph.jobs.records import Job, JobSummary
from nodegraph.server.json_text import json_bytes, object_bytes
from nodegraph.server.routes.operation import PREFIX


def answer_text(text: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer of JSON text."""
    return web.Response(status=status, body=text, content_type="application/json", headers=headers)


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return answer_text(json_bytes(document), status, headers)


NO_SUMMARY: JobSummary = {"name": "", "makes": [], "seed": None, "prompt": ""}


def job_view(job: Job) -> dict[str, Any]:
    """A job as ``views.JobView`` describes it."""
    return {
        "id": job.id,
        "number": job.number,
        "state": job.state,
        "owner": job.owner,
        "label": job.label,
        "summary": {**NO_SUMMARY, **job.summary},
        "priority": job.priority,
        "targets": None if job.targets is None else list(job.targets),
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "attempts": job.attempts,
        "cancel_requested": job.cancel_requested,
        "time_limit": job.time_limit,
        "webhook": job.webhook,
        "result": None if job.result is None else result_view(job.result),
    }


def dump_job(job: Job) -> bytes:
    """The text of ``job_view``; the result of thousands of nodes is long, so call it in a thread."""
    view = job_view(job)
    result = view.pop("result")
    told = b"null" if result is None else object_bytes((name, _dump(value)) for name, value in result.items())
    return object_bytes([*((name, json_bytes(value)) for name, value in view.items()), ("result", told)])


def _dump(value: Any) -> bytes:
    if not isinstance(value, dict):
        return json_bytes(value)
    return object_bytes((name, json_bytes(item)) for name, item in value.items())


def job_url(id: str) -> str:
    """Where a job is asked for."""
    return f"{PREFIX}/jobs/{quote(id, safe='')}"


def result_view(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result document with an address for each file in it."""
    outputs = {node: with_urls(named) for node, named in result.get("outputs", {}).items()}
    return {"waited": 0.0, **result, "outputs": outputs}


def with_urls(named: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The outputs of a node by name; each file gets its address."""
    return {name: [with_url(entry) for entry in entries] for name, entries in named.items()}


def with_url(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One value of an output; a file gets its address."""
    file = entry.get("file")
    return {"file": {**file, "url": file_url(file)}} if file else dict(entry)


def file_url(file: Mapping[str, Any]) -> str:
    """Where a file is downloaded."""
    parts = [file["kind"], *filter(None, file["subfolder"].split("/")), file["name"]]
    return f"{PREFIX}/outputs/{'/'.join(quote(part, safe='') for part in parts)}"
