"""The ends of jobs that are still to be told to someone."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.jobs.database import Database


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that waits to be sent.

    Attributes:
        job: id of the job that ended.
        url: where it goes.
        attempts: how often it was tried.
        due: when to try, in seconds since 1970.
    """

    job: str
    url: str
    attempts: int
    due: float


class WebhookStore:
    """Deliveries that wait; ``JobQueue`` adds them as jobs end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: float, limit: int = 100) -> list[Delivery]:
        """Those to be tried by now, the longest waiting first."""
        statement = "SELECT job, url, attempts, due FROM webhooks WHERE due <= ? ORDER BY due LIMIT ?"
        with self._database.reading() as db:
            return [Delivery(*row) for row in db.execute(statement, (now, limit))]

    def next_due(self) -> float | None:
        """When the next one is due, or ``None`` if none waits."""
        with self._database.reading() as db:
            row = db.execute("SELECT MIN(due) FROM webhooks").fetchone()
        return None if row[0] is None else float(row[0])

    def succeeded(self, job: str) -> None:
        """It was delivered."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM webhooks WHERE job = ?", (job,))

    def failed(self, job: str, error: str, retry_at: float | None) -> None:
        """It could not be delivered; try again then, or never."""
        with self._database.transaction() as db:
            if retry_at is None:
                db.execute("DELETE FROM webhooks WHERE job = ?", (job,))
            else:
                db.execute(
                    "UPDATE webhooks SET attempts = attempts + 1, due = ?, error = ? WHERE job = ?",
                    (retry_at, error, job),
                )
