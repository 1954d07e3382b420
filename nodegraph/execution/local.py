"""The local executor: event-driven, parallel within one process."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from nodegraph.cache.store import Entry
from nodegraph.collector import collector_paused
from nodegraph.errors import Cancelled, NodeError
from nodegraph.events import (
    NodeCancelled,
    NodeExpanded,
    NodeFailed,
    NodeFinished,
    NodeStarted,
    Origin,
    RunStatus,
)
from nodegraph.execution.base import Execution, NodeRecord, RunEnvironment
from nodegraph.execution.calling import as_outputs, check_linked, check_outputs, join_elements, split_elements
from nodegraph.execution.expansion import expand, iterations_of
from nodegraph.execution.invoke import Invocation, node_error
from nodegraph.execution.lanes import Lane
from nodegraph.execution.tasks import Outputs, Task, TaskGraph, links_in
from nodegraph.handles import Link, Subgraph
from nodegraph.node_type import Node
from nodegraph.planning import Plan, chosen_inputs, output_files, sources, without_unchosen

HEAVY_SECONDS = 200e-6


class LocalExecutor:
    """Runs plans in this process: CPU nodes in parallel threads, one node at a time on the device.

    Args:
        workers: how many CPU nodes run at once; by default the number of cores.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._costs: dict[Node, float] = {}

    async def run(self, plan: Plan, environment: RunEnvironment) -> Execution:
        """Run what the plan says; cancelling the awaiting task cancels the run."""
        started = time.perf_counter()
        run = _Run(plan, environment, self._workers, self._costs)
        run.start()
        try:
            await asyncio.shield(run.finished)
        except asyncio.CancelledError:
            environment.token.cancel()
            await run.finished
            raise
        finally:
            environment.token.forget(run.cancel)
        return run.result(time.perf_counter() - started)


class _Run:
    def __init__(
        self, plan: Plan, environment: RunEnvironment, workers: int, costs: dict[Node, float]
    ) -> None:
        self.plan = plan
        self.environment = environment
        self.publish = environment.bus.publish
        self.graph = TaskGraph(plan)
        self.loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = self.loop.create_future()
        self.records: dict[str, NodeRecord] = {}
        self.errors: list[NodeError] = []
        self._costs = costs
        self._lock = threading.Lock()
        self._cpu: Lane[Task] = Lane("cpu", workers, self._work, self._is_heavy, self._lock, torch_threads=1)
        self._device: Lane[Task] = Lane("device", 1, self._work_on_device, self._is_heavy, self._lock)
        self._closed = False
        self._distrusted = False
        self._untold = 0  # tasks that ended without running, of which no event has told yet
        self._parents: dict[str, Task] = {}
        self._pending: set[asyncio.Task[None]] = set()

    # --- the life of the run -------------------------------------------------------------------

    @collector_paused()
    def start(self) -> None:
        """Queue what is ready."""
        ready = self._load_from_memory(self.graph.adopt(list(self.plan.steps)))
        with self._lock:
            self._push(ready)
            self._close_if_finished()
        self.environment.token.on_cancel(self.cancel)

    def _load_from_memory(self, ready: list[Task]) -> list[Task]:
        """Finish what is in memory at once, without a thread between; returns the tasks left to queue."""
        left: list[Task] = []
        while ready:
            task = ready.pop()
            if self.plan.steps[task.node.id] == "memory":
                ready += self._load(task)
            else:
                left.append(task)
        left.reverse()
        return left

    def cancel(self) -> None:
        """End what waits, and ask coroutines to stop."""
        with self._lock:
            waiting = [*self._cpu.drain(), *self._device.drain()]
            for task in [*waiting, *(t for t in self.graph.tasks.values() if t.state == "waiting")]:
                self.graph.end(task, "cancelled")
            ended = self._take_cancelled()
            if not self._closed:
                self.loop.call_soon_threadsafe(self._cancel_coroutines)
        self._tell_cancelled(ended)

    def _cancel_coroutines(self) -> None:
        for pending in self._pending:
            pending.cancel()

    def _close_if_finished(self) -> None:
        if self.graph.unfinished == 0 and self._untold == 0 and not self._closed:
            self._closed = True
            self._cpu.close()
            self._device.close()
            self.loop.call_soon_threadsafe(self.finished.set_result, None)

    @collector_paused()
    def result(self, seconds: float) -> Execution:
        """What the run leaves behind."""
        status: RunStatus = "done"
        if self.errors:
            status = "failed"
        elif not self._all_targets():
            status = "cancelled"
        outputs = {id: self._target(id) for id in self.plan.targets if self._has_result(id)}
        self.graph.let_go_of_everything()  # a thread that has yet to end holds its last task
        return Execution(status, outputs, self._all_records(), self.errors, seconds)

    def _has_result(self, id: str) -> bool:
        task = self.graph.tasks.get(id)
        return task is not None and task.outputs is not None

    def _all_targets(self) -> bool:
        return all(self._has_result(id) for id in self.plan.targets)

    def _target(self, id: str) -> dict[str, Any]:
        task = self.graph.tasks[id]
        return dict(zip(task.node.known.output_index, task.outputs or (), strict=True))

    def _all_records(self) -> dict[str, NodeRecord]:
        """A record for every node of the graph, and of the subgraphs that ran, but those that failed."""
        records, tasks, covered = self.records, self.graph.tasks, self.plan.covered()
        for nodes in (self.plan.graph.nodes, self.plan.nodes):
            for id, node in nodes.items():
                if id not in records and id not in tasks:
                    origin: Origin = covered.get(id, "pruned")
                    records[id] = NodeRecord(node.type, origin, 0.0, 0, id in covered)
        return records

    # --- one task ------------------------------------------------------------------------------

    def _is_heavy(self, task: Task) -> bool:
        return self._costs.get(task.node.known, 1.0) > HEAVY_SECONDS

    def _lane(self, task: Task) -> Lane[Task]:
        return self._device if task.node.known.device and self._runs(task) else self._cpu

    def _runs(self, task: Task) -> bool:
        return self.plan.steps[task.node.id] == "run" and task.expansion is None

    def _push(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._lane(task).push(task)

    def _carry_on(self, lane: Lane[Task], ready: list[Task]) -> Task | None:
        """Queue what became ready, but for one task of the same lane, which this thread goes on with."""
        following = None
        for task in ready:
            if following is None and self._lane(task) is lane:
                following = task
            else:
                self._lane(task).push(task)
        return following

    def _work_on_device(self, task: Task) -> Task | None:
        return self.environment.device_turn.call(partial(self._step, task, self._device))

    def _work(self, task: Task) -> Task | None:
        return self._step(task, self._cpu)

    def _step(self, task: Task, lane: Lane[Task]) -> Task | None:
        """Take a ready task as far as it goes; returns the next task for this thread."""
        try:
            ready = self._advance(task)
        except Cancelled:
            ready = self._end(task, None)
        except NodeError as error:
            ready = self._end(task, error)
        except BaseException as error:  # noqa: BLE001 - whatever a node raises ends that node, not the worker
            ready = self._end(task, node_error(task.node, error, {}))
        with self._lock:
            if self.environment.token.cancelled:
                for stopped in ready:
                    self.graph.end(stopped, "cancelled")
                ready = []
            ended = self._take_cancelled()
            following = self._carry_on(lane, ready)
            self._close_if_finished()
        if ended:
            self._tell_cancelled(ended)
        return following

    def _advance(self, task: Task) -> list[Task]:
        self.environment.token.check()
        if task.expansion is not None:
            return self._collect(task)
        if task.arrived is not None:
            return self._look_at_arrived(task)
        if self.plan.steps[task.node.id] != "run":
            return self._load(task)
        known = task.node.known
        if known.needs and task.chosen is None and task.node.id not in self.plan.skipped:
            return self._choose(task, known)
        return self._invoke(task, known)

    def _load(self, task: Task) -> list[Task]:
        found = self.plan.cache.get(self.plan.keys[task.node.id])
        if found is None:  # evicted or damaged since the plan was made
            with self._lock:
                return self.graph.replan(task)
        origin = self.plan.steps[task.node.id]  # planning may have brought a result from disk to memory
        return self._finish(task, found[0].outputs, NodeRecord(task.node.type, origin))

    def _choose(self, task: Task, known: Node) -> list[Task]:
        rows = self._rows(task, self._inputs(task, self.plan.eager_links(task.node)))
        chosen = frozenset[str]().union(*(chosen_inputs(task.node, known, row) for row in rows))
        with self._lock:
            task.chosen = chosen
            return self.graph.wait_for_more(task, list(self.plan.late_links(task.node, chosen).values()))

    def _inputs(self, task: Task, links: Mapping[str, Any]) -> dict[str, Any]:
        inputs = dict(task.node.constants)
        mapped = self.plan.mapped(task.node.id)
        known = task.node.known
        for name, link in links.items():
            value = self.graph.gather(link)
            if name in mapped:
                inputs[name] = [check_linked(known, name, item) for item in value]
            else:
                inputs[name] = check_linked(known, name, value)
        return inputs

    def _call_inputs(self, task: Task, known: Node) -> dict[str, Any]:
        links: Mapping[str, Any] = self.plan.eager_links(task.node)
        if task.chosen:
            links = {**links, **self.plan.late_links(task.node, task.chosen)}
        return self._inputs(task, links)

    def _rows(self, task: Task, inputs: dict[str, Any]) -> list[dict[str, Any]]:
        """The inputs of each call: one, or one per element of the lists that the node takes apart."""
        mapped = self.plan.mapped(task.node.id)
        return split_elements(task.node.known, inputs, mapped) if mapped else [inputs]

    def _invoke(self, task: Task, known: Node) -> list[Task]:
        try:
            inputs = self._call_inputs(task, known)
        except Exception as error:
            raise node_error(task.node, error, {}) from error
        self.publish(NodeStarted(self.environment.run, task.node.id))
        rows = self._rows(task, inputs)
        if known.lazy_inputs:
            rows = [without_unchosen(task.node, known, row) for row in rows]
        invocation = Invocation(self.environment, task.node, rows, self.plan.mapped(task.node.id))
        if known.is_async:
            asyncio.run_coroutine_threadsafe(self._await(task, invocation), self.loop)
            return []
        try:
            results = invocation.run()
        finally:
            self._distrust_if_spoiled(task, invocation)
        task.seconds += invocation.seconds
        return self._accept(task, invocation, results)

    async def _await(self, task: Task, invocation: Invocation) -> None:
        pending = asyncio.current_task()
        assert pending is not None
        self._pending.add(pending)
        try:
            self.environment.token.check()  # the run may have been cancelled before this could be
            task.arrived = (await invocation.run_async(), None)
        except BaseException as error:  # noqa: BLE001 - handed on to the worker that looks at it
            if isinstance(error, asyncio.CancelledError):
                error = self._stopped(task)
            task.arrived = (None, error)
        self._distrust_if_spoiled(task, invocation)
        self._pending.discard(pending)
        task.seconds += invocation.seconds
        task.arrived = ((invocation, task.arrived[0]), task.arrived[1])
        with self._lock:
            self._cpu.push(task)

    def _stopped(self, task: Task) -> BaseException:
        """Why a coroutine was cancelled: with the run, or by something in a node."""
        if self.environment.token.cancelled:
            return Cancelled("the run was cancelled")
        return node_error(task.node, RuntimeError("a node cancelled the task this one ran in"), {})

    def _look_at_arrived(self, task: Task) -> list[Task]:
        assert task.arrived is not None
        (value, error), task.arrived = task.arrived, None
        if error is not None:
            raise error
        invocation, results = value
        return self._accept(task, invocation, results)

    def _accept(self, task: Task, invocation: Invocation, results: list[Any]) -> list[Task]:
        known = task.node.known
        try:
            mapped = self.plan.mapped(task.node.id)
            result = join_elements(known, results) if mapped else results[0]
            if isinstance(result, Subgraph):
                return self._expand(task, result)
            outputs = result if mapped else as_outputs(known, result)
        except Exception as error:
            raise node_error(task.node, error, invocation.summary()) from error
        self._costs[known] = 0.5 * (self._costs.get(known, task.seconds) + task.seconds)
        record = NodeRecord(task.node.type, "run", task.seconds, invocation.peak_memory, note=invocation.note)
        task.exact = invocation.exact and self._all_exact(sources(task.node.links))
        self._keep(task, outputs)
        return self._finish(task, outputs, record)

    def _all_exact(self, links: Iterable[Link]) -> bool:
        tasks = self.graph.tasks
        return all(tasks[link.node].exact for link in links if link.node in tasks)

    def _keep(self, task: Task, outputs: Outputs) -> None:
        known = task.node.known
        if known.cacheable and task.exact and not self._distrusted:
            entry = Entry(outputs, task.seconds, known.id)
            wrote = known.terminal and any(output_files(value) for value in outputs)
            self.plan.cache.put(self.plan.keys[task.node.id], entry, always=wrote)

    def _distrust_if_spoiled(self, task: Task, invocation: Invocation) -> None:
        """After a node changed what it was given, neither that nor what came of it may be served again."""
        if invocation.spoiled:
            self._distrusted = True
            for link in sources(task.node.links):
                self.plan.cache.forget_in_memory(self.plan.keys[link.node])

    def _expand(self, task: Task, subgraph: Subgraph) -> list[Task]:
        with self._lock:
            outputs, also, added = expand(self.plan, task.node, subgraph)
            self._parents.update(dict.fromkeys(added, task))
        event = NodeExpanded(self.environment.run, task.node.id, len(added), iterations_of(added))
        self.publish(event)  # before what it added
        with self._lock:
            task.expansion, task.saves = outputs, bool(also)
            ready = self.graph.require(also)
            return ready + self.graph.wait_for_more(task, list(links_in(list(outputs.values()))))

    def _collect(self, task: Task) -> list[Task]:
        assert task.expansion is not None
        outputs = tuple(self.graph.resolve(task.expansion[name]) for name in task.node.known.output_index)
        check_outputs(task.node.known, outputs, mapped=bool(self.plan.mapped(task.node.id)))
        task.exact = self._all_exact(links_in(list(task.expansion.values())))
        if not task.saves:  # else it is expanded in every run, so that what was saved is looked after
            self._keep(task, outputs)
        return self._finish(task, outputs, NodeRecord(task.node.type, "run", task.seconds))

    def _finish(self, task: Task, outputs: Outputs, record: NodeRecord) -> list[Task]:
        id = task.node.id
        if id not in self.records:  # else it was let go, needed again after all, and told before
            self.records[id] = record
            known = task.node.known
            shown = dict(zip(known.output_index, outputs, strict=True)) if known.terminal else None
            self.publish(NodeFinished(self.environment.run, id, record.origin, record.seconds, shown))
        parent = self._parents.get(id)
        if parent is not None:
            parent.seconds += record.seconds
        with self._lock:
            return self.graph.finish(task, outputs, self.graph.held_links(task))

    def _end(self, task: Task, error: NodeError | None) -> list[Task]:
        if error is not None:
            self.errors.append(error)
            self.publish(NodeFailed(self.environment.run, task.node.id, str(error)))
        with self._lock:
            self.graph.end(task, "failed" if error else "cancelled")
        return []

    def _take_cancelled(self) -> list[Task]:
        ended = self.graph.take_cancelled()
        self._untold += len(ended)
        return ended

    def _tell_cancelled(self, tasks: list[Task]) -> None:
        for task in tasks:
            self.publish(NodeCancelled(self.environment.run, task.node.id))
        with self._lock:
            self._untold -= len(tasks)
            self._close_if_finished()
