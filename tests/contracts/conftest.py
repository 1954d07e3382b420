"""Every executor runs every contract: to put another one under contract, add it to ``EXECUTORS``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contract_support import PATIENCE, STAGE

from nodegraph.engine import Engine, RunResult
from nodegraph.execution.base import Executor
from nodegraph.execution.local import LocalExecutor
from nodegraph.workflow import Workflow

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "local-1": lambda: LocalExecutor(workers=1),
    "local-2": lambda: LocalExecutor(workers=2),
    "local-4": lambda: LocalExecutor(workers=4),
}
SERIAL = {"local-1"}
"""Executors that run one CPU node at a time."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "parallel: for executors that run several CPU nodes at once")


@pytest.fixture(autouse=True)
def empty_stage() -> Iterator[None]:
    STAGE.reset()
    yield
    STAGE.reset()


@pytest.fixture(params=EXECUTORS)
def make_executor(request: pytest.FixtureRequest) -> Callable[[], Executor]:
    if request.node.get_closest_marker("parallel") and request.param in SERIAL:
        pytest.skip("runs one CPU node at a time")
    return EXECUTORS[request.param]


@pytest.fixture
def engine_of(make_engine: Any, make_executor: Callable[[], Executor]) -> Callable[..., Engine]:
    """Makes engines with the executor under contract."""
    return lambda *functions, **options: make_engine(*functions, executor=make_executor(), **options)


@pytest.fixture
def run() -> Callable[..., RunResult]:
    """Runs a workflow to its end, and fails where it has none."""
    return run_to_the_end


def run_to_the_end(engine: Engine, workflow: Workflow, **options: Any) -> RunResult:
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = engine.run_sync(workflow, **options)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(3 * PATIENCE)
    assert not thread.is_alive(), "the run never ends"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]
