"""Making answers: jobs as clients see them, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from nodegraph.jobs.records import Job
from nodegraph.server.routes.operation import PREFIX


def dump_in_parts(document: Mapping[str, Any]) -> bytes:
    """JSON text of an object some of whose values are iterators; those become lists.

    ``json`` holds the interpreter for as long as one call takes, and all other threads wait; so there is
    one call for each item.
    """
    members = (f"{_dump(name)}:{_dump_value(value)}" for name, value in document.items())
    return f"{{{','.join(members)}}}".encode()


def _dump_value(value: Any) -> str:
    return f"[{','.join(map(_dump, value))}]" if isinstance(value, Iterator) else _dump(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def answer_text(text: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer of JSON text."""
    return web.Response(status=status, body=text, content_type="application/json", headers=headers)


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return answer_text(_dump(document).encode(), status, headers)


def job_view(job: Job) -> dict[str, Any]:
    """A job as ``views.JobView`` describes it."""
    return {
        "id": job.id,
        "number": job.number,
        "state": job.state,
        "owner": job.owner,
        "label": job.label,
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
    if result is None:
        return _dump({**view, "result": None}).encode()
    text = ",".join(f"{_dump(name)}:{_dump_object(value)}" for name, value in result.items())
    return f'{_dump(view)[:-1]},"result":{{{text}}}}}'.encode()


def _dump_object(value: Any) -> str:
    if not isinstance(value, dict):
        return _dump(value)
    return f"{{{','.join(f'{_dump(name)}:{_dump(item)}' for name, item in value.items())}}}"


def job_url(id: str) -> str:
    """Where a job is asked for."""
    return f"{PREFIX}/jobs/{quote(id, safe='')}"


def result_view(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result document with an address for each file in it."""
    outputs = {
        node: {name: [with_url(entry) for entry in entries] for name, entries in named.items()}
        for node, named in result.get("outputs", {}).items()
    }
    return {**result, "outputs": outputs}


def with_url(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One value of an output; a file gets its address."""
    file = entry.get("file")
    return {"file": {**file, "url": file_url(file)}} if file else dict(entry)


def file_url(file: Mapping[str, Any]) -> str:
    """Where a file is downloaded."""
    parts = [file["kind"], *filter(None, file["subfolder"].split("/")), file["name"]]
    return f"{PREFIX}/outputs/{'/'.join(quote(part, safe='') for part in parts)}"
