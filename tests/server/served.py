"""A real server in a process of its own, started and killed as a user would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE = 90.0
LAUNCH = """
import json, sys
from nodegraph.console.serving import serve_command
sys.exit(serve_command(json.loads(sys.argv[1])))
"""


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """``nodegraph serve`` on folders below one; may be stopped, killed and started again."""

    def __init__(
        self, folder: Path, *options: str, settings: dict[str, Any] | None = None, first: bool = False
    ) -> None:
        """``settings`` are those of ``ServerSettings``, also those that have no option.

        ``first`` lets it go before other processes where this user may ask for that, so that what is
        measured is not what else the machine does.
        """
        self.folder, self.options, self.settings = folder, options, settings
        self.before = ["nice", "-n", "-15"] if first and os.name == "posix" and os.geteuid() == 0 else []
        self.url = ""
        self.headers: dict[str, str] = {}
        self.process: subprocess.Popen[str] | None = None

    @property
    def plugins(self) -> Path:
        return self.folder / "home" / "plugins"

    @property
    def environment(self) -> dict[str, str]:
        """That of its processes, and of commands that are to find its folders."""
        return {
            **os.environ,
            "NODEGRAPH_HOME": str(self.folder / "home"),
            "NODEGRAPH_CACHE": str(self.folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }

    def start(self) -> Served:
        log = (self.folder / "log").open("a")
        self.process = subprocess.Popen(
            [*self.before, *self._command()],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, f"{line!r}, and the log says: {(self.folder / 'log').read_text()}"
        self.url = found[0]
        return self

    def _command(self) -> list[str]:
        output = str(self.folder / "output")
        if self.settings is not None:
            given = {"port": 0, "device": "cpu", "output": output, **self.settings}
            return [sys.executable, "-c", LAUNCH, json.dumps(given)]
        command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0", "--device", "cpu"]
        return [*command, "--out", output, *self.options]

    def first_token(self) -> str:
        """The token that a server prints which others can reach; it does so once."""
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.readline().split()[-1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Ask with bytes as they are, or with anything else as JSON."""
        raw = isinstance(body, bytes)
        data = body if raw or body is None else json.dumps(body).encode()
        type = "application/octet-stream" if raw else "application/json"
        given = {"Content-Type": type} if data is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.url + path, data, {**given, **self.headers, **named}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return Answer(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def submit(self, nodes: dict[str, Any], wait: float = 0, **more: Any) -> Any:
        workflow = {"format": "nodegraph", "version": 1, "nodes": nodes}
        reply = self.ask("POST", f"/api/v1/jobs?wait={wait:g}", {"workflow": workflow, **more})
        assert reply.status in (200, 201, 202), reply.body
        return reply.json

    def ended(self, id: str) -> Any:
        """A job once it has ended."""
        while True:
            job = self.ask("GET", f"/api/v1/jobs/{id}?wait=30").json
            if job["state"] in ("done", "failed", "cancelled"):
                return job
