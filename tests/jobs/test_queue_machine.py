"""The states of jobs against a plain model, with restarts and crashes between and within any two steps."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import ENDED, WAITING, JobError, NewJob, QueueFullError
from nodegraph.jobs.webhooks import WebhookStore

OWNERS = st.sampled_from(["ada", "bob"])
LEVELS = st.integers(-1, 1)
KEYS = st.none() | st.sampled_from(["k1", "k2", "k3"])
MAX_WAITING = 6
FAR = 1e18


class Killed(BaseException):
    """The process was ended here."""


class Mortal(Database):
    """A database that can be left as a killed process leaves it: with all written, and nothing committed."""

    grave: Path | None = None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with super().transaction() as db:
            yield db
            if self.grave is not None:
                self.copy(self.grave)
                raise Killed

    def copy(self, folder: Path) -> None:
        """The files as they lie on the disk now."""
        for part in self.path.parent.glob(f"{self.path.name}*"):
            if not part.name.endswith("-shm"):  # it lives in memory, and is made anew
                shutil.copy(part, folder)


@dataclass
class Known:
    """What the model knows of a job."""

    owner: str
    priority: int
    key: str | None = None
    webhook: bool = False
    state: str = "queued"
    attempts: int = 0
    stopping: bool = False


@dataclass
class Model:
    """The jobs by id in the order they came; the order in which they will run; whose ends are to be told."""

    jobs: dict[str, Known] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    to_tell: set[str] = field(default_factory=set)
    paused: bool = False

    def insert(self, id: str, front: bool) -> None:
        level = self.jobs[id].priority
        above = sum(self.jobs[other].priority > level for other in self.order)
        same = sum(self.jobs[other].priority == level for other in self.order)
        self.order.insert(above if front else above + same, id)

    def end(self, id: str, state: str) -> None:
        self.jobs[id].state = state
        if id in self.order:
            self.order.remove(id)
        if self.jobs[id].webhook:
            self.to_tell.add(id)

    def interrupt(self, id: str) -> None:
        """What ran was broken off: it had its turn, so it goes to the front."""
        job = self.jobs[id]
        if job.stopping:
            self.end(id, "cancelled")
        else:
            job.state = "interrupted"
            self.insert(id, front=True)

    def running(self) -> list[str]:
        return [id for id, job in self.jobs.items() if job.state == "running"]

    def state(self, id: str) -> str | None:
        return self.jobs[id].state if id in self.jobs else None

    def of_key(self, owner: str, key: str | None) -> str | None:
        found = [id for id, job in self.jobs.items() if key and (job.owner, job.key) == (owner, key)]
        return found[0] if found else None


class Jobs(RuleBasedStateMachine):
    """Every step is taken by the queue and by the model; then both are compared."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.lives = self.count = 0
        self.model = Model()
        self.open(self.new_folder())

    def new_folder(self) -> Path:
        self.lives += 1
        folder = self.folder / str(self.lives)
        folder.mkdir()
        return folder

    def open(self, folder: Path) -> None:
        self.database = Mortal(folder / "jobs.sqlite")
        self.queue, self.webhooks = JobQueue(self.database), WebhookStore(self.database)

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    def new(self, owner: str, priority: int, **more: Any) -> NewJob:
        self.count += 1
        return NewJob(owner, {"n": self.count % 3}, f"j{self.count}", priority=priority, **more)

    # --- queueing ---------------------------------------------------------------------------------------

    @rule(target=ids, owner=OWNERS, priority=LEVELS, front=st.booleans(), key=KEYS, told=st.booleans())
    def submit(self, owner, priority, front, key, told):
        webhook = "http://example.org/" if told else None
        job = self.new(owner, priority, front=front, idempotency_key=key, webhook=webhook)
        return self.submit_all([job])

    @rule(target=ids, owner=OWNERS, priority=LEVELS, keys=st.lists(KEYS, min_size=1, max_size=3, unique=True))
    def submit_batch(self, owner, priority, keys):
        return self.submit_all([self.new(owner, priority, idempotency_key=key) for key in keys])

    def submit_all(self, jobs):
        model = self.model
        known = [model.of_key(job.owner, job.idempotency_key) for job in jobs]
        new = [job for job, before in zip(jobs, known, strict=True) if before is None]
        waiting = sum(model.jobs[id].owner == jobs[0].owner for id in model.order)
        if new and waiting + len(new) > MAX_WAITING:
            with pytest.raises(QueueFullError):
                self.queue.submit(jobs, max_waiting=MAX_WAITING)
            return multiple()
        queued = self.queue.submit(jobs, max_waiting=MAX_WAITING)
        wanted = [before or job.id for job, before in zip(jobs, known, strict=True)]
        assert [job.id for job in queued] == wanted
        for job in new:
            model.jobs[job.id] = Known(job.owner, job.priority, job.idempotency_key, job.webhook is not None)
            model.insert(job.id, job.front)
        return multiple(*(job.id for job in new))

    @rule(id=ids, owner=OWNERS)
    def take_an_id_twice(self, id, owner):
        if id in self.model.jobs:
            with pytest.raises(JobError):
                self.queue.submit([self.new(owner, 0), NewJob(owner, {}, id)])

    # --- running ----------------------------------------------------------------------------------------

    @rule(times=st.integers(1, 3))
    def claim_some(self, times):
        for _ in range(times):
            self.claim()

    def claim(self):
        job = self.queue.claim()
        if self.model.paused or not self.model.order:
            assert job is None
            return
        id = self.model.order.pop(0)
        assert job is not None and job.id == id
        self.model.jobs[id].state = "running"
        self.model.jobs[id].attempts += 1

    @rule(id=ids, state=st.sampled_from(["done", "failed", "cancelled"]))
    def finish(self, id, state):
        ended = self.queue.finish(id, state, {"status": state})
        assert (ended is not None) == (self.model.state(id) == "running")
        if ended:
            self.model.end(id, state)
            assert ended.result == {"status": state}

    @rule(id=ids)
    def put_back(self, id):
        if self.model.state(id) == "running":
            self.queue.interrupt(id)
            self.model.interrupt(id)

    @rule(id=ids)
    def cancel(self, id):
        if self.model.state(id) in WAITING:
            self.model.end(id, "cancelled")
        elif self.model.state(id) == "running":
            self.model.jobs[id].stopping = True
        assert self.queue.cancel(id) == self.model.state(id)

    @precondition(lambda self: self.model.running())
    @rule()
    def cancel_what_runs(self):
        for id in self.model.running():
            self.cancel(id)

    @rule(owner=st.none() | OWNERS)
    def cancel_waiting(self, owner):
        gone = [id for id in self.model.order if owner in (None, self.model.jobs[id].owner)]
        assert sorted(self.queue.cancel_waiting(owner)) == sorted(gone)
        for id in gone:
            self.model.end(id, "cancelled")

    # --- order ------------------------------------------------------------------------------------------

    @rule(id=ids, priority=st.none() | LEVELS, where=st.sampled_from(["front", "back", ""]))
    def move(self, id, priority, where):
        options = {where: True} if where else {}
        if self.model.state(id) is None:
            assert self.queue.move(id, priority=priority, **options) is None
        elif self.model.state(id) not in WAITING:
            with pytest.raises(JobError):
                self.queue.move(id, priority=priority, **options)
        else:
            self.queue.move(id, priority=priority, **options)
            if where or priority is not None:
                self.model.order.remove(id)
                self.model.jobs[id].priority = self.model.jobs[id].priority if priority is None else priority
                self.model.insert(id, where == "front")

    @rule(id=ids, before=ids)
    def move_before(self, id, before):
        if self.model.state(id) in WAITING and self.model.state(before) in WAITING:
            self.queue.move(id, before=before)
            if id != before:
                self.model.order.remove(id)
                self.model.jobs[id].priority = self.model.jobs[before].priority
                self.model.order.insert(self.model.order.index(before), id)
        elif id in self.model.jobs:
            with pytest.raises(JobError):
                self.queue.move(id, before=before)

    @rule(paused=st.sampled_from([False, False, True]))
    def pause(self, paused):
        self.queue.pause() if paused else self.queue.resume()
        self.model.paused = paused

    # --- forgetting -------------------------------------------------------------------------------------

    @rule(keep=st.integers(0, 3))
    def prune(self, keep):
        ended = [id for id, job in self.model.jobs.items() if job.state in ENDED]
        gone = ended[: max(0, len(ended) - keep)]
        assert self.queue.prune(keep=keep, max_age=None) == len(gone)
        for id in gone:
            del self.model.jobs[id]

    @rule(id=ids)
    def delete(self, id):
        assert self.queue.delete(id) == (self.model.state(id) in ENDED)
        if self.model.state(id) in ENDED:
            del self.model.jobs[id]

    @rule(id=consumes(ids))
    def deliver(self, id):
        self.webhooks.succeeded(id)
        self.model.to_tell.discard(id)

    # --- ends of the process ----------------------------------------------------------------------------

    @precondition(lambda self: self.model.running())
    @rule(killed=st.booleans())
    def restart(self, killed):
        folder = self.database.path.parent
        if killed:
            folder = self.new_folder()
            self.database.copy(folder)
        self.database.close()
        self.recover(folder)

    @rule(step=st.sampled_from(["submit", "claim", "finish", "cancel", "prune"]), owner=OWNERS)
    def die_within_a_step(self, step, owner):
        """Nothing of the step is there afterwards: it was not acknowledged."""
        self.database.grave = folder = self.new_folder()
        running = self.model.running()
        steps = {
            "submit": lambda: self.queue.submit([self.new(owner, 0), self.new(owner, 1)]),
            "claim": self.queue.claim,
            "finish": lambda: self.queue.finish(running[0] if running else "", "done", {}),
            "cancel": self.queue.cancel_waiting,
            "prune": lambda: self.queue.prune(keep=0, max_age=None),
        }
        with pytest.raises(Killed):
            steps[step]()
        self.database.close()
        self.recover(folder)

    def recover(self, folder):
        self.open(folder)
        running = self.model.running()
        assert {job.id for job in self.queue.recover()} == set(running)
        for id in running:
            self.model.interrupt(id)
        assert self.queue.recover() == []

    # --- both alike -------------------------------------------------------------------------------------

    @invariant()
    def states_agree(self):
        jobs = self.queue.jobs(limit=1000, ascending=True)
        told = {job.id: (job.state, job.priority, job.attempts, job.owner) for job in jobs}
        known = self.model.jobs.items()
        assert told == {id: (job.state, job.priority, job.attempts, job.owner) for id, job in known}
        assert list(told) == list(self.model.jobs)
        states = [job.state for job in self.model.jobs.values()]
        assert self.queue.counts() == {state: states.count(state) for state in self.queue.counts()}

    @invariant()
    def order_agrees(self):
        assert [job.id for job in self.queue.waiting()] == self.model.order
        assert self.queue.paused == self.model.paused

    @invariant()
    def every_end_is_told_once(self):
        assert {delivery.job for delivery in self.webhooks.due(FAR, limit=1000)} == self.model.to_tell


TestJobs = Jobs.TestCase
TestJobs.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestManyJobs = pytest.mark.slow(type("TestManyJobs", (Jobs.TestCase,), {}))
TestManyJobs.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
