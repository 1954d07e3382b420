"""``run --server`` where something else answers than a server of nodegraph: a line, and no traceback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

JOB = {
    "id": "j", "number": 1, "state": "queued", "owner": "me", "label": "", "priority": 0, "targets": None,
    "created": 1, "started": None, "finished": None, "attempts": 0, "cancel_requested": False,
    "time_limit": None, "webhook": None, "result": None,
    "summary": {"name": "", "makes": [], "seed": None, "prompt": ""},
}  # fmt: skip
RESULT = {
    "status": "failed", "executed": 0, "seconds": 1, "nodes": {}, "outputs": {}, "issues": [], "error": None,
    "errors": [{"message": "no luck \x1b[31m", "node": "a", "type": "t"}],
}  # fmt: skip
SOUND = {
    "/health": {"status": "ok"},
    "/queue": {"paused": False, "running": [], "waiting": [], "counts": {}},
    "/jobs": JOB,
}


class OddServer(ThreadingHTTPServer):
    """Answers as its test says; ``answers`` are texts by the end of the address."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: OddServer

    def do_GET(self) -> None:
        found = (text for end, text in self.server.answers.items() if self.path.endswith(end))
        body = next(found, "<html>hello</html>").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def odd() -> Iterator[OddServer]:
    with OddServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def stream(*events: object) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


END = {"type": "job_finished", "job": "j"}


@pytest.mark.parametrize(
    ("events", "result", "line"),
    [
        ("data: {garbage\n\n", None, "is no server of nodegraph"),
        (stream([1]), None, "is no server of nodegraph"),
        (stream({"type": 3}), None, "is no server of nodegraph"),
        (stream({"type": "node_started", "job": "j"}), None, "tells of NodeStarted.node is not understood"),
        (stream({"type": "node_progress", "job": "j", "node": "a", "value": "x"}), None, "not understood"),
        (stream(END), {**RESULT, "nodes": {"a": {"seconds": "x"}}}, "not understood"),
        (stream(END), {**RESULT, "errors": [{"message": 5}]}, "is no server of nodegraph"),
        (stream(END), RESULT, r"node a (t) failed: no luck \u001b[31m"),
    ],
)
def test_what_a_server_says_that_is_not_ours_is_told_in_a_line(cli, painting, odd, events, result, line):
    ended = {**JOB, "state": "failed", "result": result}
    odd.answers = {name: json.dumps(told) for name, told in {**SOUND, "/j": ended}.items()}
    odd.answers["/events"] = events
    done = cli("run", painting, "--server", odd.url)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    assert line in done.stderr


def test_a_web_site_is_told_from_a_server(cli, painting, odd):
    done = cli("run", painting, "--server", odd.url)
    assert done.exit_code == 1
    assert f"what answers at {odd.url} is no server of nodegraph" in done.stderr
