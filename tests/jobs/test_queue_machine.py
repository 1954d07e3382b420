"""The states of jobs against a plain model, with restarts between any two steps."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import NewJob


class Jobs(RuleBasedStateMachine):
    """The model: the waiting ids in order, the state of each job, who shall stop."""

    ids = Bundle("ids")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.waiting: list[tuple[int, str]] = []
        self.states: dict[str, str] = {}
        self.stopping: set[str] = set()
        self.paused = False
        self.open()

    def open(self):
        self.database = Database(Path(self.folder.name) / "jobs.sqlite")
        self.queue = JobQueue(self.database)

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    def insert(self, id, priority, front):
        same = [n for n, (level, _) in enumerate(self.waiting) if level == priority]
        above = sum(level > priority for level, _ in self.waiting)
        at = above if front or not same else same[-1] + 1
        self.waiting.insert(at, (priority, id))

    @rule(target=ids, priority=st.integers(-1, 1), front=st.booleans())
    def submit(self, priority, front):
        id = f"j{len(self.states)}"
        self.queue.submit([NewJob("ada", {}, id, priority=priority, front=front)])
        self.states[id] = "queued"
        self.insert(id, priority, front)
        return id

    @rule()
    def claim(self):
        job = self.queue.claim()
        if self.paused or not self.waiting:
            assert job is None
        else:
            _, id = self.waiting.pop(0)
            assert job.id == id
            self.states[id] = "running"

    @rule(id=ids, state=st.sampled_from(["done", "failed", "cancelled"]))
    def finish(self, id, state):
        ended = self.queue.finish(id, state, {})
        assert (ended is not None) == (self.states[id] == "running")
        if ended:
            self.states[id] = state

    @rule(id=ids)
    def cancel(self, id):
        if self.states[id] in ("queued", "interrupted"):
            self.waiting = [item for item in self.waiting if item[1] != id]
            self.states[id] = "cancelled"
        elif self.states[id] == "running":
            self.stopping.add(id)
        assert self.queue.cancel(id) == self.states[id]

    @rule(id=ids, priority=st.integers(-1, 1), front=st.booleans())
    def move(self, id, priority, front):
        if self.states[id] in ("queued", "interrupted"):
            self.waiting = [item for item in self.waiting if item[1] != id]
            self.insert(id, priority, front)
            self.queue.move(id, priority=priority, front=front)

    @rule(paused=st.booleans())
    def pause(self, paused):
        self.queue.pause() if paused else self.queue.resume()
        self.paused = paused

    @rule()
    def restart(self):
        running = [job.id for job in self.queue.jobs(states=["running"], ascending=True)]
        levels = {job.id: job.priority for job in self.queue.jobs(states=["running"])}
        self.database.close()
        self.open()
        assert {job.id for job in self.queue.recover()} == set(running)
        for id in running:
            self.states[id] = "cancelled" if id in self.stopping else "interrupted"
            if id not in self.stopping:
                self.insert(id, levels[id], front=True)

    @invariant()
    def agree(self):
        assert {job.id: job.state for job in self.queue.jobs(limit=1000)} == self.states
        order = [job.id for job in self.queue.waiting()]
        assert sorted(order) == sorted(id for _, id in self.waiting)
        assert order == [id for _, id in self.waiting]


TestJobs = Jobs.TestCase
TestJobs.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
