"""What the tests of the engine share: engines of their own, on folders of their own."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # each core has a process of its own; more threads would only be in the way
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import KeepPolicy, ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.execution.base import Executor
from nodegraph.explain import RunLog
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow, workflow_from_document

hypothesis.settings.register_profile("nodegraph", deadline=None)  # no test is timed; machines are busy
hypothesis.settings.load_profile("nodegraph")

KEEP_ALL = KeepPolicy(min_seconds=0.0, bytes_per_second=float("inf"))

MakeEngine = Callable[..., Engine]


@pytest.fixture
def make_engine(tmp_path: Path) -> MakeEngine:
    """Makes engines on the CPU that know the given nodes and read and write below ``tmp_path``.

    Engines of one test share folders and, where they have one, the store on disk: making a second one
    is a restart.
    """

    def make(
        *functions: Any,
        memory: bool = True,
        disk: bool = False,
        policy: KeepPolicy = KEEP_ALL,
        output: str = "output",
        executor: Executor | None = None,
    ) -> Engine:
        registry = NodeRegistry()
        for function in functions:
            registry.add(function)
        folders = Folders(
            output=tmp_path / output,
            models=(tmp_path / "models",),
            inputs=(tmp_path / "inputs",),
            temporary=tmp_path / "temporary",
        )
        cache = ResultCache(
            MemoryStore(1 << 28) if memory else None,
            DiskStore(tmp_path / "results", 1 << 28) if disk else None,
            policy,
        )
        devices = DeviceManager(torch.device("cpu"), folders)
        run_log = RunLog(tmp_path / "runs")
        return Engine(registry, cache, folders, devices, executor=executor, run_log=run_log)

    return make


@pytest.fixture
def workflow_of() -> Callable[..., Workflow]:
    """Reads a workflow from its ``nodes`` and ``subgraphs``, as they stand in a file."""

    def read(nodes: dict[str, Any], subgraphs: dict[str, Any] | None = None, **rest: Any) -> Workflow:
        document = {"format": "nodegraph", "version": 1, "nodes": nodes, **rest}
        return workflow_from_document({**document, "subgraphs": subgraphs} if subgraphs else document)

    return read
