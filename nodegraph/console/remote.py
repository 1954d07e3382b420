"""Running on a server: an engine to the command line, a client to the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import pydantic
from pydantic import TypeAdapter

from nodegraph import events
from nodegraph.client import Client, ServerError, UnreachableError
from nodegraph.console.engines import EngineOptions
from nodegraph.console.errors import UsageError
from nodegraph.console.report import duration
from nodegraph.console.uploading import InputUploads
from nodegraph.engine import RunResult
from nodegraph.errors import Issue, NodeError, NodeGraphError, ValidationError
from nodegraph.execution.base import CancelToken, NodeRecord
from nodegraph.files import OutputFile
from nodegraph.registry import NodeRegistry
from nodegraph.server.views import FileView, JobView, NodeErrorView
from nodegraph.worker.telling import NAMES
from nodegraph.workflow.schema import Workflow

T = TypeVar("T")
WORTH_TELLING = 0.5
"""Seconds of waiting that are told."""
EVENTS = {name: kind for kind, name in NAMES.items()}


@dataclass(frozen=True)
class ServerOptions:
    """The server to run on.

    Attributes:
        url: where it is.
        token: what lets one in, where it wants one.
    """

    url: str
    token: str | None = None


def server_options(
    url: str | None, token: str | None, options: EngineOptions, *, explain: bool
) -> ServerOptions | None:
    """The server of a command line, or ``None``.

    Raises:
        UsageError: options that only mean something where the nodes run.
    """
    if url is None:
        return None
    local = {
        "--device": options.device != "auto",
        "--cache-dir": options.cache is not None,
        "--models": bool(options.models),
        "--input-dir": bool(options.inputs),
        "--no-metadata": not options.metadata,
        "--allow-pickles": options.pickles,
        "--explain": explain,
    }
    given = [name for name, wanted in local.items() if wanted]
    if given:
        raise UsageError(f"{', '.join(given)} cannot go with --server: the server decides that for its jobs")
    return ServerOptions(url, token)


class RemoteEngine:
    """Runs workflows on a server: uploads the input files they name, and fetches what they write.

    Attributes:
        output: where the files go.
    """

    def __init__(
        self, options: ServerOptions, output: Path, registry: NodeRegistry, tell: Callable[[str], None]
    ) -> None:
        """``tell`` is told in a line of each input file that is uploaded, and of waiting; ``registry`` says
        which inputs are files.

        Raises:
            UsageError: the URL is none of a server, or the server wants another token.
            UnreachableError: no server answers.
        """
        self.output, self._tell = output, tell
        self._client = _client(options)
        self._canceller = _client(options)  # used by the thread that Ctrl-C wakes
        self._client.health()
        _check_admitted(self._client, options)
        self._uploads = InputUploads(self._client, registry, tell)

    def validate(self, workflow: Workflow) -> list[Issue]:
        """Every issue that the server finds."""
        found = self._client.validate(self._uploads.sent(workflow), _targets(workflow))
        return [_issue(told.model_dump()) for told in found.issues]

    def run_sync(
        self,
        workflow: Workflow,
        *,
        token: CancelToken,
        on_event: Callable[[events.Event], None] | None = None,
        scope: str | None = None,
    ) -> RunResult:
        """Queue a job, follow it to its end, and fetch what it made.

        Raises:
            ValidationError: the server refuses the workflow.
            ServerError: it refuses the request, or the job failed as a whole.
            UnreachableError: it went away and did not come back.
        """
        label = Path(scope.split()[0]).name if scope else ""
        try:
            sent = self._uploads.sent(workflow)
            job = self._client.submit(sent, targets=_targets(workflow), label=label)
        except ServerError as error:
            if error.issues:
                raise ValidationError(error.issues) from None
            raise
        token.on_cancel(lambda: self._cancel(job.id))
        for event in self._client.events(job.id):
            if on_event is not None and (told := engine_event(event)) is not None:
                on_event(told)
        ended = self._client.job(job.id)
        self._tell_waiting(ended)
        return self._result(ended)

    def _tell_waiting(self, job: JobView) -> None:
        """Say where the time went in which nothing ran."""
        queued = (job.started or job.created) - job.created
        waits = {"in the queue": queued, "for the worker to start": job.result.waited if job.result else 0.0}
        parts = [f"{duration(seconds)} {what}" for what, seconds in waits.items() if seconds >= WORTH_TELLING]
        if parts:
            self._tell(f"waited {' and '.join(parts)}")

    def _cancel(self, id: str) -> None:
        try:
            self._canceller.cancel(id)
        except (ServerError, UnreachableError) as error:
            raise SystemExit(f"the job could not be cancelled: {error}") from None

    def _result(self, job: JobView) -> RunResult:
        result = job.result
        if result is None or job.state not in ("done", "failed", "cancelled"):
            raise NodeGraphError(f"the job {job.id} is {job.state} and has no result")
        if job.state == "failed" and not result.errors:
            if errors := [issue for issue in result.issues if issue.severity == "error"]:
                raise ValidationError([_issue(told.model_dump()) for told in errors])
            told = result.error.message if result.error else "the server does not say why"
            raise NodeGraphError(f"the job {job.id} failed on the server: {told}")
        return RunResult(
            run=job.id,
            status=job.state,
            outputs=self._outputs(job),
            nodes={id: _record(told) for id, told in result.nodes.items()},
            errors=[_node_error(told) for told in result.errors],
            seconds=result.seconds,
            warnings=[_issue(told.model_dump()) for told in result.issues],
        )

    def _outputs(self, job: JobView) -> dict[str, dict[str, Any]]:
        """The outputs as the engine gives them, their files being those fetched."""
        fetched: dict[tuple[str, str, str], OutputFile] = {}

        def file(told: FileView) -> OutputFile:
            place = told.kind, told.subfolder, told.name
            if place not in fetched:
                path = self._client.fetch(job.id, told, self.output)
                fetched[place] = OutputFile(str(path.absolute()), told.digest, told.media_type)
            return fetched[place]

        outputs = job.result.outputs if job.result else {}
        return {
            node: {
                name: [entry.value if entry.file is None else file(entry.file) for entry in entries]
                for name, entries in named.items()
            }
            for node, named in outputs.items()
        }


def engine_event(told: dict[str, Any]) -> events.Event | None:
    """An event of the server as the engine would have published it; ``None`` for those of the queue."""
    kind: Any = EVENTS.get(told["type"])
    if kind is None:
        return None
    known = {name: told[name] for name in kind._fields if name in told}
    event: events.Event = _understood(kind, {**known, "run": told.get("job")})
    return event


_readers = {kind: TypeAdapter[Any](kind) for kind in (NodeRecord, *NAMES)}


def _understood(kind: type[T], told: dict[str, Any]) -> T:
    """A record that the server told the fields of.

    Raises:
        NodeGraphError: they are none of it.
    """
    try:
        record: T = _readers[kind].validate_python(told)
    except pydantic.ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise NodeGraphError(f"what the server tells of {kind.__name__}.{place} is not understood") from None
    return record


def _client(options: ServerOptions) -> Client:
    try:
        return Client(options.url, options.token)
    except ValueError as error:
        raise UsageError(f"--server: {error}") from None


def _check_admitted(client: Client, options: ServerOptions) -> None:
    try:
        client.queue()
    except ServerError as error:
        if error.status != HTTPStatus.UNAUTHORIZED:
            raise
        given = "does not know this token" if options.token else "wants a token"
        text = f"the server {given}; give one of `nodegraph token create` with --token or in NODEGRAPH_TOKEN"
        raise UsageError(text) from None


def _targets(workflow: Workflow) -> list[str] | None:
    return list(workflow.targets) or None


def _issue(told: dict[str, Any]) -> Issue:
    lists = {name: tuple(told[name]) for name in ("suggestions", "related")}
    return Issue(**{**told, **lists, "remedy": tuple(told["remedy"].items())})


def _record(told: dict[str, Any]) -> NodeRecord:
    return _understood(NodeRecord, {name: told[name] for name in NodeRecord._fields if name in told})


def _node_error(told: NodeErrorView) -> NodeError:
    return NodeError(
        told.message,
        node_id=told.node,
        node_type=told.type,
        inputs=told.inputs,
        traceback="\n".join((*told.frames, told.exception)),
        place=told.place,
        exception=told.exception,
        frames=told.frames,
    )
