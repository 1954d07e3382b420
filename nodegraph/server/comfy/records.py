"""Jobs as ComfyUI's queue and history show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegraph.jobs.records import Job
from nodegraph.server.comfy.outputs import node_output

SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")
"""What clients put into ``extra_data`` for services of others; never kept."""

Message = tuple[str, dict[str, Any]]


def public_extra(extra_data: Mapping[str, Any]) -> dict[str, Any]:
    """``extra_data`` without what must not be kept."""
    return {name: value for name, value in extra_data.items() if name not in SECRETS}


def prompt_of(job: Job) -> dict[str, Any]:
    """The prompt as the client sent it; empty for a job that came in our own format."""
    prompt = job.extra.get("prompt", {})
    return prompt if isinstance(prompt, dict) else {}


def number_of(job: Job) -> float:
    """The client's number for the job, or its number in the queue."""
    number = job.extra.get("number")
    return number if isinstance(number, int | float) else job.number


def queue_item(job: Job) -> list[Any]:
    """``[number, id, prompt, extra_data, outputs_to_execute]``."""
    return [number_of(job), job.id, prompt_of(job), job.extra.get("extra_data", {}), list(job.targets or ())]


def history_entry(job: Job) -> dict[str, Any]:
    """What ``/history`` tells of a job that has ended."""
    outputs = job_outputs(job)
    return {
        "prompt": queue_item(job),
        "outputs": outputs,
        "status": {
            "status_str": "success" if job.state == "done" else "error",
            "completed": job.state == "done",
            "messages": [list(message) for message in status_messages(job)],
        },
        "meta": {id: node_meta(id, prompt_of(job)) for id in outputs},
    }


def job_outputs(job: Job) -> dict[str, Any]:
    """By node id what its output nodes made."""
    found = (job.result or {}).get("outputs") or {}
    return {id: node_output(outputs) for id, outputs in found.items()}


def node_meta(id: str, prompt: Mapping[str, Any]) -> dict[str, Any]:
    """How a node that ran is shown: a node of a loop belongs to the loop's node in the prompt."""
    shown = display_id(id, prompt)
    parent = None if shown == id else shown
    return {"node_id": id, "display_node": shown, "parent_node": parent, "real_node_id": id}


def display_id(id: str, prompt: Mapping[str, Any]) -> str:
    """The node of the prompt that a node stands for; inner nodes are called ``outer/inner``."""
    shown = id
    while shown not in prompt and "/" in shown:
        shown = shown.rpartition("/")[0]
    return shown if shown in prompt else id


def status_messages(job: Job) -> list[Message]:
    """The messages that a client would have got at the start and the end of a job."""
    if job.started is None:
        return []
    start, end = milliseconds(job.started), milliseconds(job.finished)
    about = {"prompt_id": job.id}
    return [
        ("execution_start", {**about, "timestamp": start}),
        ("execution_cached", {"nodes": cached_nodes(job), **about, "timestamp": start}),
        end_message(job, end),
    ]


def cached_nodes(job: Job) -> list[str]:
    """Ids of the nodes that did not have to run."""
    nodes: Mapping[str, Any] = (job.result or {}).get("nodes") or {}
    return [id for id, record in nodes.items() if record.get("origin") in ("memory", "disk")]


def executed_nodes(job: Job) -> list[str]:
    """Ids of the nodes that ran."""
    nodes: Mapping[str, Any] = (job.result or {}).get("nodes") or {}
    return [id for id, record in nodes.items() if record.get("origin") == "run"]


def end_message(job: Job, timestamp: int, last_node: str | None = None) -> Message:
    """How a job ended: ``execution_success``, ``execution_interrupted`` or ``execution_error``."""
    about = {"prompt_id": job.id, "timestamp": timestamp}
    if job.state == "done":
        return "execution_success", about
    if job.state == "cancelled":
        type = prompt_of(job).get(last_node or "", {}).get("class_type")
        interrupted = {"node_id": last_node, "node_type": type, "executed": executed_nodes(job)}
        return "execution_interrupted", about | interrupted
    return "execution_error", about | execution_error(job) | {"executed": executed_nodes(job)}


def execution_error(job: Job) -> dict[str, Any]:
    """The error a job failed of, as clients show it."""
    result = job.result or {}
    error = next(iter(result.get("errors") or ()), None)
    if error is None:
        text = (result.get("error") or {}).get("message", "the job failed")
        error = {"node": None, "type": None, "message": text}
    return {
        "node_id": error["node"],
        "node_type": error["type"],
        "exception_message": error["message"],
        "exception_type": error.get("exception") or "RuntimeError",
        "traceback": [f"  {frame}\n" for frame in error.get("frames") or ()],
        "current_inputs": {name: [text] for name, text in (error.get("inputs") or {}).items()},
        "current_outputs": [],
    }


def milliseconds(seconds: float | None) -> int:
    """Unix time as ComfyUI counts it; 0 where there is none."""
    return int((seconds or 0.0) * 1000)
