"""Running graphs in processes of their own, of which nothing is left but what is on disk."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"}


def run_once(**request):
    """Run a workflow in a new interpreter; see ``run_once.py`` for what goes in and what comes out."""
    done = subprocess.run(
        [sys.executable, HERE / "run_once.py"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class GraphServer:
    """A process that has imported the engine and forks one for every run, so that each starts at once."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "graph_server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def start(self, **request):
        """Begin a run; returns its process id."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()["pid"]

    def messages(self):
        """What the run tells, up to its last message, ``{"exit": status}``."""
        while True:
            message = self._read()
            yield message
            if "exit" in message:
                return

    def kill(self, pid):
        """``kill -9``."""
        os.kill(pid, signal.SIGKILL)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=60)

    def _read(self):
        line = self._process.stdout.readline()
        assert line, "the graph server has ended"
        return json.loads(line)
