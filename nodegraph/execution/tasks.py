"""The state of one run: which nodes wait for what, and whose results are still needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from nodegraph.graph import GraphNode
from nodegraph.handles import Link
from nodegraph.planning import Plan, sources

State = Literal["waiting", "ready", "done", "failed", "cancelled"]
Outputs = tuple[Any, ...]


class Task:
    """A node on its way to a result.

    Attributes:
        node: the node.
        heavy: whether it is worth a thread of its own.
        state: where it stands.
        missing: how many sources have no result yet.
        consumers: tasks that wait for it.
        uses: how many finished-or-not consumers still hold its result; at 0 the result is let go.
        outputs: its result, until it is let go.
        chosen: for a node with lazy inputs, those it asked for, once it did.
        expansion: what each output is in the subgraph it returned, once it did.
        saves: whether nodes of that subgraph run although no output needs them.
        arrived: what an async function returned or raised, until it is looked at.
        exact: whether its result is what its key stands for; not so where memory ran out and it, or what
            it was made from, was made in a cheaper way.
        seconds: time spent so far.
    """

    __slots__ = (
        "arrived",
        "chosen",
        "consumers",
        "exact",
        "expansion",
        "heavy",
        "missing",
        "node",
        "outputs",
        "saves",
        "seconds",
        "state",
        "uses",
    )

    def __init__(self, node: GraphNode) -> None:
        self.node = node
        self.heavy = True
        self.state: State = "waiting"
        self.missing = 0
        self.consumers: list[Task] = []
        self.uses = 0
        self.outputs: Outputs | None = None
        self.chosen: frozenset[str] | None = None
        self.expansion: dict[str, Any] | None = None
        self.saves = False
        self.arrived: tuple[Any, BaseException | None] | None = None
        self.exact = True
        self.seconds = 0.0


class TaskGraph:
    """The tasks of a run. Not thread-safe: the caller holds the run's lock.

    Attributes:
        plan: the plan the tasks follow.
        tasks: by node id.
        unfinished: how many tasks are not done, failed or cancelled.
        cancelled: tasks that ended without running since the caller last looked.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tasks: dict[str, Task] = {}
        self.unfinished = 0
        self.cancelled: list[Task] = []
        self._reserved: Counter[str] = Counter()

    def require(self, ids: Iterable[str]) -> list[Task]:
        """Make tasks for nodes and what they need; returns those that are ready at once."""
        new: list[str] = []
        wanted = list(ids)
        while wanted:
            for id in wanted:
                self._revive(id)
            added = self.plan.require(wanted)
            new += added
            wanted = [id for one in added for id in self._let_go_before(one)]
        return self.adopt(new)

    def _let_go_before(self, id: str) -> Iterator[str]:
        """The sources of a node that is to run whose results were let go, so that they are needed again."""
        if self.plan.steps[id] == "run":
            for link in sources(self.plan.eager_links(self.plan.nodes[id])):
                task = self.tasks.get(link.node)
                if task is not None and task.state == "done" and task.outputs is None:
                    yield link.node

    def adopt(self, ids: list[str]) -> list[Task]:
        """Make tasks for nodes that the plan requires; returns those that are ready at once."""
        tasks = [self._new_task(id) for id in ids]
        tasks.reverse()  # sources were found last
        for task in tasks:
            if self.plan.steps[task.node.id] == "run":
                self._reserve(task)
                self._wait_for(task, self.plan.eager_links(task.node).values())
        return [task for task in tasks if self._is_ready(task)]

    def _is_ready(self, task: Task) -> bool:
        if task.state != "waiting" or task.missing:
            return False
        task.state = "ready"
        return True

    def _new_task(self, id: str) -> Task:
        task = self.tasks[id] = Task(self.plan.nodes[id])
        self.unfinished += 1
        return task

    def _wait_for(self, task: Task, links: Iterable[Any]) -> None:
        for link in links:
            for one in (link,) if type(link) is Link else link:
                source = self.tasks[one.node]
                source.uses += 1
                if source.state in ("failed", "cancelled"):
                    self.end(task, "cancelled")
                elif source.state != "done":
                    source.consumers.append(task)
                    task.missing += 1

    def wait_for_more(self, task: Task, links: list[Any]) -> list[Task]:
        """Let a running task wait for further sources; returns tasks that are ready now.

        The task itself is among them if nothing is missing.
        """
        ready = self.require(one.node for link in links for one in ((link,) if type(link) is Link else link))
        task.state = "waiting"
        self._wait_for(task, links)
        return [*ready, task] if self._is_ready(task) else ready

    def _revive(self, id: str) -> None:
        """Get a result again that was let go before someone turned out to need it."""
        task = self.tasks.get(id)
        if task is not None and task.state == "done" and task.outputs is None:
            del self.tasks[id]
            del self.plan.steps[id]

    def replan(self, task: Task) -> list[Task]:
        """The cached result of a task is gone: it has to run; returns tasks that are ready now."""
        self.plan.forget(task.node.id)
        self._reserve(task)
        links = list(self.plan.eager_links(task.node).values())
        return self.wait_for_more(task, links)

    def finish(self, task: Task, outputs: Outputs, held: Iterable[Any]) -> list[Task]:
        """Give a task its result; returns the tasks that became ready.

        Args:
            held: the links whose results the task held while it worked.
        """
        task.state = "done"
        task.outputs = outputs
        self.unfinished -= 1
        for link in held:
            for one in (link,) if type(link) is Link else link:
                self._use_up(self.tasks[one.node])
        if task.node.known.lazy_inputs and self.plan.steps[task.node.id] == "run":
            self._release(task)
        return self._tell_consumers(task)

    def _reserve(self, task: Task) -> None:
        """Hold what a task may ask for later: its lazy inputs, if something else has them computed."""
        if task.node.known.lazy_inputs:
            self._reserved.update(self._lazy_sources(task))

    def _release(self, task: Task) -> None:
        for id in self._lazy_sources(task):
            self._reserved[id] -= 1
            if id in self.tasks:
                self._let_go(self.tasks[id])

    def _lazy_sources(self, task: Task) -> list[str]:
        links = self.plan.late_links(task.node, task.node.known.lazy_inputs)
        return [link.node for link in sources(links)]

    def _tell_consumers(self, task: Task) -> list[Task]:
        consumers, task.consumers = task.consumers, []
        for consumer in consumers:
            consumer.missing -= 1
        return [consumer for consumer in consumers if self._is_ready(consumer)]

    def _use_up(self, source: Task) -> None:
        source.uses -= 1
        if source.uses == 0:
            self._let_go(source)

    def _let_go(self, source: Task) -> None:
        """Drop a result that nobody needs, nor may yet ask for."""
        id = source.node.id
        wanted = source.uses or self._reserved[id] or id in self.plan.target_set
        if not wanted and source.node.known.cacheable:
            source.outputs = None

    def let_go_of_everything(self) -> None:
        """Drop every result; the run is over and has handed on what was asked for."""
        for task in self.tasks.values():
            task.outputs = task.arrived = None

    def end(self, task: Task, state: Literal["failed", "cancelled"]) -> None:
        """End a task without a result, and with it everything that waits for it."""
        stack: list[tuple[Task, Literal["failed", "cancelled"]]] = [(task, state)]
        while stack:
            one, how = stack.pop()
            if one.state in ("done", "failed", "cancelled"):
                continue
            one.state = how
            self.unfinished -= 1
            if how == "cancelled":
                self.cancelled.append(one)
            stack.extend((consumer, "cancelled") for consumer in one.consumers)

    def take_cancelled(self) -> list[Task]:
        """The tasks that ended without running since this was last called."""
        taken, self.cancelled = self.cancelled, []
        return taken

    def held_links(self, task: Task) -> Iterable[Any]:
        """The links whose results a task that ran has been holding."""
        plan, node = self.plan, task.node
        if plan.steps[node.id] != "run":
            return ()
        held: list[Any] = list(plan.eager_links(node).values())
        if task.chosen:
            held += plan.late_links(node, task.chosen).values()
        if task.expansion:
            held += links_in(list(task.expansion.values()))
        return held

    def value(self, link: Link) -> Any:
        """The value of an output that is there."""
        task = self.tasks[link.node]
        assert task.outputs is not None
        return task.outputs[task.node.known.output_index[link.output]]

    def gather(self, link: Link | tuple[Link, ...]) -> Any:
        """The value an input is wired to: one output, or a list of several."""
        return self.value(link) if type(link) is Link else [self.value(one) for one in link]  # type: ignore[arg-type]

    def resolve(self, output: Any) -> Any:
        """An output of a subgraph with values in place of the links in it."""
        if type(output) is Link:
            return self.value(output)
        return [self.resolve(item) for item in output] if type(output) is list else output


def links_in(output: Any) -> Iterator[Link]:
    """The links in an output of a subgraph: itself, or those in a list."""
    if type(output) is Link:
        yield output
    elif type(output) is list:
        for item in output:
            yield from links_in(item)
