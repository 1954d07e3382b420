"""A client of a server's own API: queue workflows, follow them, fetch what they made.

>>> with Client("http://127.0.0.1:8188") as client:
...     job = client.submit("workflows/text_to_image.json")
...     for event in client.events(job.id):
...         print(event["type"])
...     paths = client.download(client.job(job.id), "pictures")
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self, TypeVar
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from nodegraph.errors import Issue, NodeGraphError
from nodegraph.jobs.records import ENDED
from nodegraph.server.views import (
    BatchView,
    CancelView,
    CatalogueView,
    FileView,
    HealthView,
    JobPage,
    JobView,
    ModelsView,
    PausedView,
    PlanView,
    QueueView,
    SystemView,
    TensorView,
    UploadsView,
    ValidView,
)
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.writing import workflow_document

T = TypeVar("T")
V = TypeVar("V", bound=BaseModel)

PREFIX = "/api/v1"
CHUNK = 1 << 20
MAX_ANSWER = 256 << 20
STREAM_SECONDS = 60.0
"""A stream that says nothing for so long is broken: the server sends a sign of life more often."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
BUSY = (429, 502, 503, 504)

Document = Workflow | Mapping[str, Any] | str | os.PathLike[str]
"""A workflow; its JSON data in this project's format or ComfyUI's; or the path of such a file."""


class ServerError(NodeGraphError):
    """A server refused a request.

    Attributes:
        status: the HTTP status.
        code: the stable machine-readable kind, such as ``"invalid_workflow"``.
        issues: what is wrong with the workflow, where it is the workflow.
    """

    def __init__(self, message: str, *, status: int, code: str = "", issues: Sequence[Issue] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.issues = status, code, tuple(issues)


class UnreachableError(NodeGraphError):
    """No server answers at an address."""


class Client:
    """Talks to one server. Not for several threads at once.

    Requests that change nothing, and those that queue jobs, are sent again while the server does not answer
    (a restart, a proxy that is busy); what is queued carries a key, so that it is queued once.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        patience: float = 30.0,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: where the server is, such as ``http://127.0.0.1:8188``.
            token: a secret of ``nodegraph token create``, where the server wants one.
            timeout: seconds that one answer may take.
            patience: seconds to keep trying while the server does not answer.
            ca_file: certificates to trust instead of the system's.

        Raises:
            ValueError: the URL is none of a server, or the token holds what none does.
        """
        parts = _server_address(url)
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ValueError("the token holds characters that no token has")
        self.url = url.rstrip("/")
        self._token, self._timeout, self._patience = token, timeout, patience
        context = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opener.close()

    # --- jobs -------------------------------------------------------------------------------------------

    def submit(
        self,
        workflow: Document,
        *,
        targets: Sequence[str] | None = None,
        priority: int = 0,
        front: bool = False,
        label: str = "",
        webhook: str | None = None,
        time_limit: float | None = None,
        key: str | None = None,
    ) -> JobView:
        """Queue a job.

        Args:
            targets: ids of the nodes whose results are wanted; by default the output nodes.
            priority: higher runs first.
            front: whether it goes before all waiting jobs of its priority.
            label: what people call it.
            webhook: a URL told of its end.
            time_limit: seconds after which it is stopped.
            key: a text of your own; a second call with the same one answers with the job of the first.

        Raises:
            ServerError: refused; ``issues`` holds all that is wrong with the workflow.
        """
        body = _options(targets, priority, front, label, webhook, time_limit)
        body["workflow"] = document_of(workflow)
        return self._ask(JobView, "POST", "/jobs", body, key=key or uuid.uuid4().hex)

    def submit_batch(
        self,
        workflow: Document,
        variants: Sequence[Mapping[str, Any]],
        *,
        targets: Sequence[str] | None = None,
        priority: int = 0,
        front: bool = False,
        label: str = "",
        webhook: str | None = None,
        time_limit: float | None = None,
        key: str | None = None,
    ) -> list[JobView]:
        """Queue one workflow several times, each with other inputs (``{"sampler.seed": 7}``); all or none."""
        body = _options(targets, priority, front, label, webhook, time_limit)
        body |= {"workflow": document_of(workflow), "variants": [dict(variant) for variant in variants]}
        return self._ask(BatchView, "POST", "/jobs/batch", body, key=key or uuid.uuid4().hex).jobs

    def job(self, id: str) -> JobView:
        """A job as it is now."""
        return self._ask(JobView, "GET", f"/jobs/{quote(id, safe='')}")

    def jobs(self, *, states: Sequence[str] = ()) -> Iterator[JobView]:
        """Every job, the newest first; asked for page by page."""
        before: int | None = None
        while True:
            query = [("state", state) for state in states] + ([("before", str(before))] if before else [])
            page = self._ask(JobPage, "GET", "/jobs?" + urlencode(query))
            yield from page.jobs
            if page.next is None:
                return
            before = page.next

    def wait(self, id: str, timeout: float | None = None) -> JobView:
        """The job once it has ended, or as it is after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = self._timeout / 2 if deadline is None else deadline - time.monotonic()
            seconds = max(0.0, min(left, self._timeout / 2))
            job = self._ask(JobView, "GET", f"/jobs/{quote(id, safe='')}?wait={seconds:.3f}")
            if job.state in ENDED or (deadline is not None and time.monotonic() >= deadline):
                return job

    def cancel(self, id: str) -> str:
        """Cancel a job, queued or running; its state, ``running`` if it will stop soon."""
        return self._ask(CancelView, "POST", f"/jobs/{quote(id, safe='')}/cancel", {}, again=True).state

    def delete(self, id: str) -> None:
        """Forget an ended job."""
        with self._open("DELETE", f"/jobs/{quote(id, safe='')}"):
            pass

    def events(self, id: str | None = None, *, after: int | None = None) -> Iterator[dict[str, Any]]:
        """What happens, as it happens; of one job up to ``job_finished``, or of all without an end.

        A broken connection is made again and goes on behind the last event that came. Where the server
        remembers no longer what came between, an event ``gap`` says so. Previews come with ``data``, base64.

        Raises:
            UnreachableError: the server did not come back.
        """
        path = "/events" if id is None else f"/jobs/{quote(id, safe='')}/events"
        while True:
            try:
                with self._stream(path, after) as reply:
                    for event in self._server_sent(reply):
                        after = event.get("id", after)
                        yield event
                        if id is not None and event["type"] == "job_finished":
                            return
            except (OSError, http.client.HTTPException):
                time.sleep(FIRST_PAUSE)
            if id is not None and (job := self.job(id)).state in ENDED:
                yield _end_of(job)  # its own event went by while nobody listened
                return

    def _stream(self, path: str, after: int | None) -> http.client.HTTPResponse:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        return self._patiently(lambda: self._open("GET", path, headers=headers, timeout=STREAM_SECONDS))

    def tensor(self, job: str, node: str, output: str) -> TensorView:
        """What a picture, a mask or latents that a node of a job gave to others look like: shape, numbers in
        short, and small PNGs as ``data:`` addresses.

        Args:
            job: id of the job.
            node: id of the node, subgraphs unfolded: ``outer/inner``.
            output: name of the output.

        Raises:
            ServerError: the result is kept no more, or is nothing of the kind (404); the job has no such
                node (422).
        """
        query = urlencode({"node": node, "output": output})
        return self._ask(TensorView, "GET", f"/jobs/{quote(job, safe='')}/tensor?{query}")

    # --- files ------------------------------------------------------------------------------------------

    def download(self, job: JobView, folder: str | os.PathLike[str]) -> list[Path]:
        """Fetch every file that a job made, checked by digest.

        Args:
            folder: where they go; a name that is taken by another file gets a number.
        """
        return [self.fetch(job.id, file, folder) for file in files_of(job)]

    def fetch(self, job: str, file: FileView, folder: str | os.PathLike[str]) -> Path:
        """Fetch one file of a job; one that is there already is left as it is.

        Raises:
            ServerError: its content is not what its digest says, or its name leads out of the folder.
        """
        wanted = _below(Path(folder), file)
        place = _free(wanted, file.digest)
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            path = f"/jobs/{quote(job, safe='')}/outputs/{file.digest}"
            with self._patiently(lambda: self._open("GET", path)) as reply, part.open("wb") as target:
                digest = _copy(reply, target)
            if digest != file.digest:
                raise ServerError(f"{file.name} came damaged; fetch it again", status=200, code="damaged")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        return place

    def upload(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        subfolder: str = "",
        overwrite: bool = False,
    ) -> str:
        """Upload a file; returns what to call it in a workflow."""
        query = {"name": name or Path(path).name, "subfolder": subfolder, "overwrite": json.dumps(overwrite)}
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(Path(path).stat().st_size),
        }
        with (
            Path(path).open("rb") as file,
            self._open("POST", f"/uploads?{urlencode(query)}", file, headers) as reply,
        ):
            uploads = self._read(UploadsView, reply.read(MAX_ANSWER)).uploads
        if len(uploads) != 1:
            raise self._not_understood()
        return "/".join(part for part in (uploads[0].subfolder, uploads[0].name) if part)

    # --- what the server knows --------------------------------------------------------------------------

    def validate(self, workflow: Document, targets: Sequence[str] | None = None) -> ValidView:
        """Every issue of a workflow."""
        body = {"workflow": document_of(workflow), "targets": _listed(targets)}
        return self._ask(ValidView, "POST", "/validate", body, again=True)

    def plan(self, workflow: Document, targets: Sequence[str] | None = None) -> PlanView:
        """What a job would do now: which nodes would run, what is cached, what is known of each output."""
        body = {"workflow": document_of(workflow), "targets": _listed(targets)}
        return self._ask(PlanView, "POST", "/plan", body, again=True)

    def nodes(self) -> CatalogueView:
        """Every node type of the server."""
        return self._ask(CatalogueView, "GET", "/nodes")

    def models(self) -> ModelsView:
        """The model files of the server."""
        return self._ask(ModelsView, "GET", "/models")

    def system(self) -> SystemView:
        """What the server is and has."""
        return self._ask(SystemView, "GET", "/system")

    def health(self) -> HealthView:
        """That the server answers; asked once, whatever the patience.

        Raises:
            UnreachableError: it does not.
        """
        with self._open("GET", "/health") as reply:
            return self._read(HealthView, reply.read(MAX_ANSWER))

    def queue(self) -> QueueView:
        """What runs and what waits."""
        return self._ask(QueueView, "GET", "/queue")

    def pause(self) -> None:
        """Start no more jobs."""
        self._ask(PausedView, "POST", "/queue/pause", {}, again=True)

    def resume(self) -> None:
        """Start jobs again."""
        self._ask(PausedView, "POST", "/queue/resume", {}, again=True)

    # --- requests ---------------------------------------------------------------------------------------

    def _ask(
        self, view: type[V], method: str, path: str, body: Any = None, *, key: str = "", again: bool = False
    ) -> V:
        """A request with JSON both ways; sent again where that is safe: it reads, has a key, or says so."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if key:
            headers["Idempotency-Key"] = key

        def once() -> bytes:
            with self._open(method, path, data, headers) as reply:
                return bytes(reply.read(MAX_ANSWER))

        answer = self._patiently(once) if again or key or method == "GET" else once()
        return self._read(view, answer)

    def _read(self, view: type[V], answer: bytes) -> V:
        try:
            return view.model_validate_json(answer)
        except ValidationError:
            raise self._not_understood() from None

    def _not_understood(self) -> ServerError:
        text = f"what answers at {self.url} is no server of nodegraph, or one of another version"
        return ServerError(text, status=200, code="not_understood")

    def _server_sent(self, reply: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
        """The events of a ``text/event-stream`` (WHATWG HTML, 9.2), of which each holds one line of JSON."""
        for line in reply:
            if line.startswith(b"data:"):
                yield self._event(line[5:])

    def _event(self, text: bytes) -> dict[str, Any]:
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise self._not_understood()
        return event

    def _patiently(self, attempt: Callable[[], T]) -> T:
        deadline, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                return attempt()
            except (UnreachableError, ServerError) as error:
                gone = isinstance(error, UnreachableError) or error.status in BUSY
                if not gone or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _open(
        self,
        method: str,
        path: str,
        data: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request; the answer is still to be read.

        Raises:
            ServerError: refused.
            UnreachableError: nothing came back.
        """
        given = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        request = urllib.request.Request(
            self.url + PREFIX + path, data, {**given, **(headers or {})}, method=method
        )
        try:
            reply: http.client.HTTPResponse = self._opener.open(request, timeout=timeout or self._timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(self._unreachable(error)) from None
        return reply

    def _unreachable(self, error: Exception) -> str:
        reason = getattr(error, "reason", None) or error
        return (
            f"no server answers at {self.url} ({reason}); "
            "start one with `nodegraph serve`, or check the address"
        )


def _server_address(url: str) -> SplitResult:
    parts = urlsplit(url)
    whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if not whole or not url.isprintable() or " " in url:
        raise ValueError(f"a server is named like http://127.0.0.1:8188, not {url!r}")
    if "@" in parts.netloc:
        raise ValueError("a server's address holds no name and password; who is let in has a token")
    return parts


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token must not follow a redirect to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def document_of(workflow: Document) -> dict[str, Any]:
    """A workflow as JSON data.

    Raises:
        ServerError: the file holds no JSON object.
    """
    if isinstance(workflow, Workflow):
        return workflow_document(workflow)
    if isinstance(workflow, Mapping):
        return dict(workflow)
    try:
        read = json.loads(Path(workflow).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ServerError(f"{workflow} holds no JSON: {error}", status=0, code="no_json") from None
    if not isinstance(read, dict):
        raise ServerError(f"{workflow} holds no JSON object", status=0, code="no_json")
    return read


def files_of(job: JobView) -> list[FileView]:
    """The files that a job made, each once."""
    if job.result is None:
        return []
    entries = [entry for named in job.result.outputs.values() for told in named.values() for entry in told]
    files = [entry.file for entry in entries if entry.file is not None]
    return list({(file.subfolder, file.name, file.kind): file for file in files}.values())


def _listed(targets: Sequence[str] | None) -> list[str] | None:
    return None if targets is None else list(targets)


def _options(
    targets: Sequence[str] | None,
    priority: int,
    front: bool,
    label: str,
    webhook: str | None,
    time_limit: float | None,
) -> dict[str, Any]:
    options: dict[str, Any] = {"targets": _listed(targets), "webhook": webhook, "time_limit": time_limit}
    given = {name: value for name, value in options.items() if value is not None}
    return {"priority": priority, "front": front, "label": label, **given}


def _refusal(error: urllib.error.HTTPError) -> ServerError:
    """What a server said against a request: problem details (RFC 9457), or whatever came instead."""
    try:
        told = json.loads(error.read(MAX_ANSWER))
        detail, code = str(told["detail"]), str(told["code"])
        issues = [_issue(issue) for issue in told.get("issues", ())]
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return ServerError(f"the server answered {error.code} {error.reason}", status=error.code)
    return ServerError(detail, status=error.code, code=code, issues=issues)


def _issue(told: Mapping[str, Any]) -> Issue:
    known = {name: told[name] for name in Issue.__slots__ if name in told}
    tuples: dict[str, Any] = {
        name: tuple(known[name]) for name in ("suggestions", "related") if name in known
    }
    remedy = tuple(dict(known.get("remedy", {})).items())
    return Issue(**{**known, **tuples, "remedy": remedy})


def _end_of(job: JobView) -> dict[str, Any]:
    seconds = job.result.seconds if job.result else 0.0
    return {"type": "job_finished", "job": job.id, "state": job.state, "seconds": seconds}


def _below(folder: Path, file: FileView) -> Path:
    """Where a file goes; a server must not choose a place outside the folder."""
    name = PurePosixPath(file.subfolder) / file.name
    odd = name.is_absolute() or ".." in name.parts or any("\\" in part or ":" in part for part in name.parts)
    if odd or not file.name or "/" in file.name:
        raise ServerError(f"the server calls a file {str(name)!r}, which leads out of {folder}", status=200)
    return folder / name


def _free(path: Path, digest: str) -> Path:
    """The path, or the first numbered one, that is free or holds that content already."""
    number, place = 1, path
    while place.exists() and not (place.is_file() and _digest(place) == digest):
        number += 1
        place = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return place


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: http.client.HTTPResponse, target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
