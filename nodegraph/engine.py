"""The engine: one object that holds the parts together, and the whole path of a run in one screen."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegraph import locations
from nodegraph.cache.code import remember_sources
from nodegraph.cache.disk import DiskStore
from nodegraph.cache.keys import canonical
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import KeepPolicy, ResultCache
from nodegraph.collector import collector_paused
from nodegraph.devices import DeviceManager, pick_device
from nodegraph.errors import (
    Cancelled,
    Issue,
    NodeError,
    NodeGraphError,
    ValidationError,
    WorkflowError,
    errors_among,
)
from nodegraph.events import EventBus, RunFinished, RunStarted, RunStatus, Subscriber
from nodegraph.execution.base import CancelToken, Execution, Executor, NodeRecord, RunEnvironment
from nodegraph.execution.device_turn import DeviceTurn
from nodegraph.execution.local import LocalExecutor
from nodegraph.explain import RunLog
from nodegraph.files import Folders, OutputFile
from nodegraph.graph import Graph, build_graph
from nodegraph.hints import bounded_hints
from nodegraph.planning import Plan, make_plan, output_files
from nodegraph.registry import NodeRegistry
from nodegraph.targets import concerning, unknown_targets
from nodegraph.validation import Analysis, analyse
from nodegraph.workflow.png import workflow_metadata
from nodegraph.workflow.schema import Workflow

LOOP_STOPPED = "Event loop stopped before Future completed"
"""What asyncio says where ``loop.stop()`` was called from inside."""


@dataclass(repr=False)
class RunResult:
    """What a run gave.

    Attributes:
        run: its id.
        status: ``done``, ``failed`` or ``cancelled``.
        outputs: for each target its values, by output name.
        nodes: for each node of the workflow how its result came about.
        errors: the nodes that failed.
        seconds: wall time from planning to the end.
        explanations: for each node why it was or was not served from a cache, where a scope was given.
        warnings: what validation found that keeps nothing from running.
    """

    run: str
    status: RunStatus
    outputs: dict[str, dict[str, Any]]
    nodes: dict[str, NodeRecord]
    errors: list[NodeError]
    seconds: float
    explanations: dict[str, str] = field(default_factory=dict)
    warnings: list[Issue] = field(default_factory=list)

    def __repr__(self) -> str:
        # short on purpose: asyncio formats the result of every coroutine that asyncio.run() runs
        return f"<run {self.run} {self.status}, {len(self.nodes)} nodes, {self.seconds:.3f} s>"

    def or_raise(self) -> RunResult:
        """This result if the run is done; else raise what it ended of: ``NodeError`` or ``Cancelled``."""
        if self.errors:
            raise self.errors[0]
        if self.status != "done":
            raise Cancelled(f"the run was {self.status}")
        return self

    @property
    def executed(self) -> int:
        """How many nodes ran."""
        return sum(record.origin == "run" for record in self.nodes.values())

    @property
    def files(self) -> list[OutputFile]:
        """Every file that the targets wrote, in this run or the one whose result was served."""
        values = [value for outputs in self.outputs.values() for value in outputs.values()]
        return [file for value in values for file in output_files(value)]


class Engine:
    """Runs workflows. Engines share nothing: two in one process do not see each other.

    Attributes:
        registry: the node types it knows.
        cache: its results.
        folders: where it reads and writes.
        devices: its device and the models on it.
        bus: every event of every run.
        executor: what runs plans.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        cache: ResultCache,
        folders: Folders,
        devices: DeviceManager,
        *,
        executor: Executor | None = None,
        run_log: RunLog | None = None,
        metadata: bool = True,
    ) -> None:
        self.registry = registry
        self.cache = cache
        self.folders = folders
        self.devices = devices
        self.bus = EventBus()
        self.executor = executor or LocalExecutor()
        self._run_log = run_log
        self._metadata = metadata
        self._tokens: set[CancelToken] = set()
        self._device_turn = DeviceTurn(own_thread=devices.device.type == "cuda")
        for pack in registry.packs.values():
            remember_sources(pack.module)  # an edit made from now on is not the code that is loaded

    @classmethod
    def create(
        cls,
        *,
        registry: NodeRegistry | None = None,
        folders: Folders | None = None,
        cache_folder: Path | None = None,
        memory_bytes: int = locations.MEMORY_CACHE_BYTES,
        disk_bytes: int = locations.DISK_CACHE_BYTES,
        policy: KeepPolicy | None = None,
        device: str = "auto",
        model_bytes: int | None = None,
        metadata: bool = True,
        executor: Executor | None = None,
    ) -> Engine:
        """An engine with the default parts.

        Args:
            registry: the nodes it knows; by default every installed pack and the user's plugins.
            folders: where it reads and writes; see ``locations.default_folders``. By default, input
                pictures may be named by their paths.
            cache_folder: where results outlive the process; by default the user's cache folder.
            memory_bytes: bound of the cache in memory.
            disk_bytes: bound of the cache on disk.
            policy: what is worth storing on disk.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
            model_bytes: bound of the loaded models; by default most of what the device has.
            metadata: whether saved pictures carry their workflow.
        """
        cache_folder = cache_folder or locations.cache_folder()
        registry = registry or NodeRegistry.with_plugins(locations.data_folder() / "plugins")
        folders = folders or locations.default_folders(registry, cache_folder, any_path=True)
        memory, disk = MemoryStore(memory_bytes), DiskStore(cache_folder / "results", disk_bytes)
        return cls(
            registry,
            ResultCache(memory, disk, policy),
            folders,
            DeviceManager(pick_device(device), folders, model_bytes),
            executor=executor,
            run_log=RunLog(cache_folder / "runs"),
            metadata=metadata,
        )

    def for_folders(self, folders: Folders) -> Engine:
        """An engine that reads and writes elsewhere, with the nodes, the cache and the device of this one."""
        engine = Engine(
            self.registry,
            self.cache,
            folders,
            self.devices,
            executor=self.executor,
            metadata=self._metadata,
        )
        engine._device_turn = self._device_turn
        return engine

    def validate(self, workflow: Workflow) -> list[Issue]:
        """Every issue of a workflow; it may run if none of them is an error."""
        with bounded_hints():
            return self._analyse(build_graph(workflow, self.registry), bool(workflow.targets)).issues

    @collector_paused()
    def plan(self, workflow: Workflow, targets: Iterable[str] | None = None) -> Plan:
        """What a run would do now.

        Args:
            targets: ids of the nodes whose results are wanted; by default the handles the workflow was
                built from, or its output nodes.

        Raises:
            ValidationError: the workflow must not run.
            NodeError: the ``fingerprint=`` of a node failed.
        """
        if isinstance(targets, str):
            raise TypeError(f"targets is a list of ids, not {targets!r}; write [{targets!r}]")
        wanted = list(targets) if targets is not None else list(workflow.targets) or None
        with bounded_hints():
            graph = build_graph(workflow, self.registry)
            analysis = self._analyse(graph, wanted is not None)
            if wanted is not None:
                found = [*analysis.issues, *unknown_targets(wanted, graph)]
                analysis.issues = concerning(found, graph, wanted)
        if errors_among(analysis.issues):
            raise ValidationError(analysis.issues)
        settings = canonical((str(self.folders.output.absolute()), self._metadata))
        return make_plan(
            graph, wanted, self.cache, folders=self.folders, analysis=analysis, settings=settings
        )

    def _analyse(self, graph: Graph, has_targets: bool) -> Analysis:
        return analyse(graph, self.folders, need_terminal=not has_targets)

    async def run(
        self,
        workflow: Workflow,
        *,
        targets: Iterable[str] | None = None,
        on_event: Subscriber | None = None,
        token: CancelToken | None = None,
        scope: str | None = None,
        run_id: str | None = None,
    ) -> RunResult:
        """Run a workflow: graph, issues, plan, execution.

        Args:
            targets: ids of the nodes whose results are wanted; see ``plan``.
            on_event: is given every event of this run, on the thread where it happens.
            token: cancels the run when set.
            scope: what the workflow is called from run to run, such as the path of its file; with it the
                result says for each node why it was or was not cached.

        Raises:
            ValidationError: the workflow must not run.
            NodeError: the ``fingerprint=`` of a node failed.
        """
        token = token or CancelToken()
        run = run_id or uuid.uuid4().hex
        environment = RunEnvironment(
            run=run,
            bus=self._bus(on_event),
            devices=self.devices,
            folders=self.folders,
            token=token,
            make_metadata=lambda: workflow_metadata(workflow, self.registry) if self._metadata else {},
            device_turn=self._device_turn,
        )
        plan = await asyncio.to_thread(self.plan, workflow, targets)
        comparison = self._run_log.begin(scope, plan) if self._run_log and scope else None
        self._tokens.add(token)
        try:
            execution = await self._execute(plan, environment)
        finally:
            self._tokens.discard(token)
        explanations: dict[str, str] = {}
        if self._run_log and scope and comparison:
            explanations = comparison.explanations(execution.records)
            self._run_log.record(scope, comparison.traces(execution.records))
        return RunResult(
            run,
            execution.status,
            execution.outputs,
            execution.records,
            execution.errors,
            execution.seconds,
            explanations,
            list(plan.analysis.issues),
        )

    async def _execute(self, plan: Plan, environment: RunEnvironment) -> Execution:
        planned = sum(origin == "run" for origin in plan.steps.values())
        environment.bus.publish(RunStarted(environment.run, len(plan.graph.nodes), planned))
        execution = await self.executor.run(plan, environment)
        environment.bus.publish(RunFinished(environment.run, execution.status, execution.seconds))
        return execution

    def _bus(self, on_event: Subscriber | None) -> EventBus:
        if on_event is None:
            return self.bus
        bus = EventBus()
        bus.subscribe(on_event)
        bus.subscribe(self.bus.publish)
        return bus

    def run_sync(self, workflow: Workflow, **options: Any) -> RunResult:
        """``run`` for code that is not asynchronous.

        Raises:
            WorkflowError: it was called from asynchronous code, which must ``await engine.run(...)``.
            NodeGraphError: a node stopped the event loop.
            Cancelled: a node cancelled the task that the run is.
        """
        if _in_event_loop():
            raise WorkflowError("an event loop runs here already; use `await engine.run(...)` instead")
        try:
            return asyncio.run(self.run(workflow, **options))
        except asyncio.CancelledError:
            raise Cancelled("a node cancelled the whole run from inside") from None
        except RuntimeError as error:
            if LOOP_STOPPED not in str(error):
                raise
            raise NodeGraphError("a node stopped the event loop that the run was in") from None

    def cancel(self) -> None:
        """Cancel every run of this engine."""
        for token in list(self._tokens):
            token.cancel()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(workflow: Workflow, **options: Any) -> RunResult:
    """Run a workflow on an engine with the default parts, made for this one call.

    Args:
        options: those of ``Engine.run``.

    Raises:
        ValidationError: the workflow must not run.
        NodeError: a node failed; the first, if several did.
        Cancelled: the run was cancelled.
    """
    return Engine.create().run_sync(workflow, **options).or_raise()
