"""The queue and the history of jobs."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from nodegraph.jobs.database import Database
from nodegraph.jobs.records import (
    ENDED,
    STATES,
    WAITING,
    EndState,
    Job,
    JobError,
    JobState,
    NewJob,
    QueueFullError,
)

COLUMNS = "jobs.*, workflows.document AS document"
FROM = "FROM jobs JOIN workflows ON workflows.digest = jobs.workflow"
IS_WAITING = "state IN ('queued', 'interrupted')"  # literally: only so does SQLite use the partial index
IN_ORDER = "ORDER BY priority DESC, position"


class JobQueue:
    """Jobs in the order they will run, and those that ran. Every method is one transaction.

    Each may raise ``StorageError``; then nothing has changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, jobs: Sequence[NewJob], *, max_waiting: int | None = None) -> list[Job]:
        """Queue jobs, all or none.

        Args:
            max_waiting: how many jobs of one owner may wait, the new ones included.

        Returns:
            The jobs; for an idempotency key seen before, the one that its owner queued then.

        Raises:
            JobError: an id was seen before.
            QueueFullError: more jobs would wait than may.
        """
        with self._database.transaction() as db:
            queued = [self._submit(db, job) for job in jobs]
            if max_waiting is not None:
                new = {job.id for job in jobs}
                _check_room(db, [job.owner for job in queued if job.id in new], max_waiting)
            return queued

    def _submit(self, db: sqlite3.Connection, job: NewJob) -> Job:
        if job.idempotency_key is not None:
            row = db.execute(
                f"SELECT {COLUMNS} {FROM} WHERE owner = ? AND idempotency_key = ?",
                (job.owner, job.idempotency_key),
            ).fetchone()
            if row:
                return _job(row)
        text = _text(job.workflow)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        db.execute("INSERT OR IGNORE INTO workflows VALUES (?, ?)", (digest, text))
        first, last = _ends(db, job.priority)
        values = {
            "id": job.id,
            "owner": job.owner,
            "state": "queued",
            "priority": job.priority,
            "position": first - 1 if job.front else last + 1,
            "created": time.time(),
            "workflow": digest,
            "targets": None if job.targets is None else _text(job.targets),
            "label": job.label,
            "client": job.client,
            "extra": _text(job.extra),
            "summary": _text(job.summary),
            "idempotency_key": job.idempotency_key,
            "webhook": job.webhook,
            "time_limit": job.time_limit,
        }
        try:
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            db.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", values)
        except sqlite3.IntegrityError:
            raise JobError(f"there was a job with the id {job.id!r} before; choose another") from None
        return _existing(db, job.id)

    def get(self, id: str) -> Job | None:
        """The job of that id, or ``None``."""
        with self._database.reading() as db:
            return _get(db, id)

    def jobs(
        self,
        *,
        owner: str | None = None,
        states: Collection[JobState] | None = None,
        limit: int = 100,
        before: int | None = None,
        ascending: bool = False,
    ) -> list[Job]:
        """Jobs by number, the newest first unless ``ascending``; those with a number below ``before``."""
        where, values = _filters(owner, states)
        if before is not None:
            where.append("number < ?")
            values.append(before)
        order = "ASC" if ascending else "DESC"
        statement = f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join(where)} ORDER BY number {order} LIMIT ?"
        with self._database.reading() as db:
            return [_job(row) for row in db.execute(statement, (*values, limit))]

    def waiting(self, owner: str | None = None, limit: int | None = None) -> list[Job]:
        """The jobs that wait, in the order they will run; at most ``limit`` of them."""
        where, values = _filters(owner, None)
        statement = f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join([IS_WAITING, *where])} {IN_ORDER} LIMIT ?"
        with self._database.reading() as db:
            return [_job(row) for row in db.execute(statement, (*values, -1 if limit is None else limit))]

    def counts(self, owner: str | None = None) -> dict[JobState, int]:
        """How many jobs are in each state."""
        where, values = _filters(owner, None)
        statement = f"SELECT state, COUNT(*) FROM jobs WHERE {' AND '.join(where)} GROUP BY state"
        with self._database.reading() as db:
            found = {row[0]: int(row[1]) for row in db.execute(statement, values)}
        return {state: found.get(state, 0) for state in STATES}

    def claim(self) -> Job | None:
        """Take the next job to run it; ``None`` if none waits or the queue is paused."""
        with self._database.transaction() as db:
            if _setting(db, "paused"):
                return None
            row = db.execute(f"SELECT id FROM jobs WHERE {IS_WAITING} {IN_ORDER} LIMIT 1").fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ?",
                (time.time(), row["id"]),
            )
            return _existing(db, row["id"])

    def finish(self, id: str, state: EndState, result: dict[str, Any]) -> Job | None:
        """Note what came of a running job; ``None`` if it does not run: a job ends once.

        If it has a webhook, the delivery is queued in the same transaction.
        """
        with self._database.transaction() as db:
            now = time.time()
            changed = db.execute(
                "UPDATE jobs SET state = ?, result = ?, finished = ? WHERE id = ? AND state = 'running'",
                (state, _text(result), now, id),
            ).rowcount
            if not changed:
                return None
            job = _existing(db, id)
            _queue_webhook(db, job, now)
            return job

    def interrupt(self, id: str) -> None:
        """A running job was broken off and shall run again."""
        with self._database.transaction() as db:
            _interrupt(db, _existing(db, id))

    def recover(self) -> list[Job]:
        """After a restart: what ran waits again, or is cancelled if it was to stop; those jobs."""
        with self._database.transaction() as db:
            running = [_job(row) for row in db.execute(f"SELECT {COLUMNS} {FROM} WHERE state = 'running'")]
            for job in running:
                _interrupt(db, job)
            return [_existing(db, job.id) for job in running]

    def cancel(self, id: str) -> JobState | None:
        """Cancel a job that waits; ask one that runs to stop.

        Returns:
            Its state now (``running`` until it has stopped), or ``None`` if there is no such job.
        """
        with self._database.transaction() as db:
            job = _get(db, id)
            if job is None:
                return None
            if job.state == "running":
                db.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", (id,))
            elif job.state in WAITING:
                _cancel(db, job)
                return "cancelled"
            return job.state

    def cancel_waiting(self, owner: str | None = None) -> list[str]:
        """Cancel every job that waits, of one user or of all; their ids."""
        where, values = _filters(owner, None)
        statement = f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join([IS_WAITING, *where])}"
        with self._database.transaction() as db:
            jobs = [_job(row) for row in db.execute(statement, values)]
            for job in jobs:
                _cancel(db, job)
            return [job.id for job in jobs]

    def move(
        self,
        id: str,
        *,
        front: bool = False,
        back: bool = False,
        before: str | None = None,
        priority: int | None = None,
    ) -> Job | None:
        """Move a waiting job; ``None`` if there is no such job.

        Args:
            front: before all of its priority.
            back: behind all of its priority.
            before: just before this one, whose priority it takes.
            priority: its new priority; it goes behind the others unless ``front``.

        Raises:
            JobError: it does not wait, or ``before`` does not.
        """
        with self._database.transaction() as db:
            job = _get(db, id)
            if job is None:
                return None
            _require_waiting(job)
            if before is not None and before != id:
                _move_before(db, job, before)
            elif front or back or priority is not None:
                level = job.priority if priority is None else priority
                first, last = _ends(db, level)
                _place(db, id, level, first - 1 if front else last + 1)
            return _existing(db, id)

    @property
    def paused(self) -> bool:
        """Whether no jobs are started, also after a restart."""
        with self._database.reading() as db:
            return _setting(db, "paused") is not None

    def pause(self) -> None:
        """Start no more jobs."""
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES ('paused', '1')")

    def resume(self) -> None:
        """Start jobs again."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM settings WHERE name = 'paused'")

    def delete(self, id: str) -> bool:
        """Forget an ended job; ``False`` if there is none of that id, or it has not ended."""
        with self._database.transaction() as db:
            marks = ", ".join("?" * len(ENDED))
            gone = db.execute(f"DELETE FROM jobs WHERE id = ? AND state IN ({marks})", (id, *ENDED)).rowcount
            _drop_unused_workflows(db)
            return bool(gone)

    def prune(self, *, keep: int | None, max_age: float | None) -> int:
        """Forget ended jobs: all but the newest ``keep``, and those that ended over ``max_age`` seconds ago.

        Returns:
            How many went.
        """
        ended = f"state IN ({', '.join(repr(state) for state in ENDED)})"
        gone = 0
        with self._database.transaction() as db:
            if keep is not None:
                gone += db.execute(
                    f"DELETE FROM jobs WHERE {ended} AND number NOT IN "
                    f"(SELECT number FROM jobs WHERE {ended} ORDER BY number DESC LIMIT ?)",
                    (keep,),
                ).rowcount
            if max_age is not None:
                oldest = time.time() - max_age
                gone += db.execute(f"DELETE FROM jobs WHERE {ended} AND finished < ?", (oldest,)).rowcount
            if gone:
                _drop_unused_workflows(db)
        return gone


def _filters(owner: str | None, states: Collection[JobState] | None) -> tuple[list[str], list[Any]]:
    where, values = ["1"], list[Any]()
    if owner is not None:
        where.append("owner = ?")
        values.append(owner)
    if states is not None:
        where.append(f"state IN ({', '.join('?' * len(states))})")
        values.extend(states)
    return where, values


def _check_room(db: sqlite3.Connection, owners: Sequence[str], limit: int) -> None:
    """Whether no more wait than may, of the owners of jobs that were just queued."""
    for owner, added in Counter(owners).items():
        statement = f"SELECT COUNT(*) FROM jobs WHERE {IS_WAITING} AND owner = ?"
        waiting = db.execute(statement, (owner,)).fetchone()[0]
        if waiting > limit:
            raise QueueFullError(
                f"{waiting - added} of your jobs wait, and up to {limit} may; try again when some have ended"
            )


def _get(db: sqlite3.Connection, id: str) -> Job | None:
    try:
        row = db.execute(f"SELECT {COLUMNS} {FROM} WHERE id = ?", (id,)).fetchone()
    except UnicodeEncodeError:  # half a character: no job was ever called so
        return None
    return _job(row) if row else None


def _existing(db: sqlite3.Connection, id: str) -> Job:
    job = _get(db, id)
    if job is None:
        raise JobError(f"there is no job {id!r}")
    return job


def _require_waiting(job: Job) -> None:
    if job.state not in WAITING:
        raise JobError(f"job {job.id!r} does not wait: it is {job.state}")


def _ends(db: sqlite3.Connection, priority: int) -> tuple[float, float]:
    """The first and the last position among those that wait with a priority."""
    those = f"FROM jobs WHERE {IS_WAITING} AND priority = :priority"
    row = db.execute(  # two questions: each is then answered from one end of the index
        f"SELECT (SELECT MIN(position) {those}), (SELECT MAX(position) {those})", {"priority": priority}
    ).fetchone()
    return (0.0, 0.0) if row[0] is None else (float(row[0]), float(row[1]))


def _place(db: sqlite3.Connection, id: str, priority: int, position: float) -> None:
    db.execute("UPDATE jobs SET priority = ?, position = ? WHERE id = ?", (priority, position, id))


def _move_before(db: sqlite3.Connection, job: Job, before: str) -> None:
    target = _get(db, before)
    if target is None:
        raise JobError(f"there is no job {before!r} to go before")
    _require_waiting(target)
    others = [
        row["id"]
        for row in db.execute(
            f"SELECT id FROM jobs WHERE {IS_WAITING} AND priority = ? AND id != ? ORDER BY position",
            (target.priority, job.id),
        )
    ]
    others.insert(others.index(before), job.id)
    for position, id in enumerate(others):  # numbered anew: halves of halves would run out
        _place(db, id, target.priority, float(position))


def _cancel(db: sqlite3.Connection, job: Job) -> None:
    now = time.time()
    db.execute("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ?", (now, job.id))
    _queue_webhook(db, job, now)


def _interrupt(db: sqlite3.Connection, job: Job) -> None:
    if job.state != "running":
        return
    if job.cancel_requested:
        _cancel(db, job)
        return
    first, _ = _ends(db, job.priority)  # it had its turn already
    db.execute("UPDATE jobs SET state = 'interrupted', position = ? WHERE id = ?", (first - 1, job.id))


def _queue_webhook(db: sqlite3.Connection, job: Job, now: float) -> None:
    if job.webhook:
        db.execute(
            "INSERT OR IGNORE INTO webhooks (job, url, due) VALUES (?, ?, ?)", (job.id, job.webhook, now)
        )


def _setting(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else None


def _drop_unused_workflows(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM workflows WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE workflow = digest)")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))  # ASCII: half characters survive


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        owner=row["owner"],
        workflow_text=row["document"],
        targets=None if row["targets"] is None else tuple(json.loads(row["targets"])),
        priority=row["priority"],
        label=row["label"],
        client=row["client"],
        extra_text=row["extra"],
        summary=json.loads(row["summary"]),
        idempotency_key=row["idempotency_key"],
        webhook=row["webhook"],
        time_limit=row["time_limit"],
        number=row["number"],
        state=row["state"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        attempts=row["attempts"],
        cancel_requested=bool(row["cancel_requested"]),
        result_text=row["result"],
    )
