"""The queue: order, ends, restarts, and what happens when the disk does not take part."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from nodegraph.jobs.database import MIGRATIONS, Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import JobError, NewJob, StorageError
from nodegraph.jobs.tokens import TokenStore
from nodegraph.jobs.webhooks import WebhookStore

RESULT = {"status": "done", "error": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "jobs.sqlite"


@pytest.fixture
def queue(path: Path) -> JobQueue:
    return JobQueue(Database(path))


def new(id: str, **options) -> NewJob:
    return NewJob(options.pop("owner", "ada"), options.pop("workflow", {"nodes": {}}), id, **options)


def order(queue: JobQueue) -> list[str]:
    return [job.id for job in queue.waiting()]


def test_jobs_run_by_priority_then_in_the_order_they_came(queue):
    queue.submit([new("a"), new("b"), new("urgent", priority=5), new("first", front=True)])
    assert order(queue) == ["urgent", "first", "a", "b"]
    assert [queue.claim().id for _ in range(4)] == ["urgent", "first", "a", "b"]
    assert queue.claim() is None


def test_what_was_given_comes_back(queue):
    summary = {"name": "n", "makes": ["T"], "seed": "7", "prompt": "p\ud800"}
    extra = {"k": [1, None, "\ud800"]}
    given = new("a", targets=("x",), label="l", client="c", extra=extra, time_limit=2.5, summary=summary)
    [job] = queue.submit([given])
    assert (job.targets, job.label, job.client, job.extra, job.time_limit) == (
        ("x",), "l", "c", {"k": [1, None, "\ud800"]}, 2.5,
    )  # fmt: skip
    assert job.summary == summary
    assert (job.state, job.attempts, job.result, job.number) == ("queued", 0, None, 1)


FAILED = {
    "status": "failed",
    "outputs": {"a": {"text": [{"value": "/srv/data/note.txt"}]}},
    "errors": [{"node": "a", "message": "no file /srv/data/x.png", "place": "/opt/pack/blur.py:3, in blur"}],
    "issues": [{"message": "put it into /srv/models/vae", "related": ["b"]}],
    "error": {"code": "node_failed", "message": "a (Blur): no file /srv/data/x.png"},
}


def fail(queue: JobQueue, result: dict) -> None:
    queue.submit([new("a")])
    queue.claim()
    queue.finish("a", "failed", result)


def test_tracebacks_of_the_first_schema_are_forgotten(queue, path):
    [error] = FAILED["errors"]
    fail(queue, FAILED | {"errors": [error | {"traceback": 'File "/opt/pack/effects.py", line 3'}]})
    queue._database.close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN summary")
        db.execute("PRAGMA user_version = 1")
    db.close()
    database = Database(path)
    job = JobQueue(database).get("a")
    assert (job.result, job.summary) == (FAILED, {})
    database.close()


def test_the_first_token_hides_paths_in_the_history(queue):
    fail(queue, FAILED)
    tokens = TokenStore(queue._database)
    assert queue.get("a").result == FAILED
    tokens.create("mine", "ada", ["run"])
    result = queue.get("a").result
    assert result["errors"] == [
        {"node": "a", "message": "no file …/x.png", "place": "…/blur.py:3, in blur"},
    ]
    assert result["issues"] == [{"message": "put it into …/vae", "related": ["b"]}]
    assert result["error"] == {"code": "node_failed", "message": "a (Blur): no file …/x.png"}
    assert result["outputs"] == FAILED["outputs"]  # a value is the user's own


def test_an_idempotency_key_queues_once_for_each_owner(queue):
    [one] = queue.submit([new("a", idempotency_key="k")])
    [same] = queue.submit([new("b", idempotency_key="k")])
    [other] = queue.submit([new("c", idempotency_key="k", owner="bob")])
    assert (same, other.id) == (one, "c")


def test_all_of_a_batch_or_none(queue):
    queue.submit([new("a")])
    with pytest.raises(JobError, match="'a'"):
        queue.submit([new("b"), new("a")])
    assert queue.get("b") is None


def test_a_job_ends_once(queue):
    queue.submit([new("a")])
    assert queue.finish("a", "done", RESULT) is None  # it does not run yet
    queue.claim()
    assert queue.finish("a", "done", RESULT).result == RESULT
    assert queue.finish("a", "failed", {}) is None
    assert queue.get("a").state == "done"


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(queue):
    queue.submit([new("a"), new("b")])
    queue.claim()
    assert (queue.cancel("b"), queue.cancel("a"), queue.cancel("nobody")) == ("cancelled", "running", None)
    assert queue.get("a").cancel_requested


def test_after_a_crash_what_ran_waits_before_all_others_of_its_priority(path, queue):
    queue.submit([new("a"), new("b"), new("c")])
    queue.claim()
    queue.claim()
    queue.cancel("b")
    again = JobQueue(Database(path))
    assert {job.id: job.state for job in again.recover()} == {"a": "interrupted", "b": "cancelled"}
    assert order(again) == ["a", "c"]
    assert again.claim().attempts == 2


def test_moving(queue):
    queue.submit([new(id) for id in "abc"])
    queue.move("c", front=True)
    assert order(queue) == ["c", "a", "b"]
    queue.move("b", before="a")
    assert order(queue) == ["c", "b", "a"]
    queue.move("c", back=True)
    assert order(queue) == ["b", "a", "c"]
    queue.move("a", priority=1)
    assert order(queue) == ["a", "b", "c"]
    assert queue.move("nobody", front=True) is None
    queue.claim()
    with pytest.raises(JobError, match="it is running"):
        queue.move("a", front=True)
    with pytest.raises(JobError, match="'nobody'"):
        queue.move("b", before="nobody")


def test_a_pause_outlives_the_process(path, queue):
    queue.submit([new("a")])
    queue.pause()
    again = JobQueue(Database(path))
    assert again.paused
    assert again.claim() is None
    again.resume()
    assert again.claim().id == "a"


def test_pages_of_the_history(queue):
    queue.submit([new(id, owner=owner) for id, owner in zip("abcd", ["ada", "bob"] * 2, strict=True)])
    assert [job.id for job in queue.jobs(limit=2)] == ["d", "c"]
    assert [job.id for job in queue.jobs(before=3)] == ["b", "a"]
    assert [job.id for job in queue.jobs(owner="ada", ascending=True)] == ["a", "c"]
    assert queue.jobs(states=["done"]) == []
    assert queue.counts("bob")["queued"] == 2


def test_pruning_keeps_the_newest_and_whatever_has_not_ended(queue):
    queue.submit([new(str(n), workflow={"n": n}) for n in range(5)])
    for _ in range(4):
        queue.finish(queue.claim().id, "done", RESULT)
    assert queue.prune(keep=1, max_age=None) == 3
    assert [job.id for job in queue.jobs()] == ["4", "3"]
    assert queue.prune(keep=None, max_age=0.0) == 1
    assert queue.delete("4") is False
    assert order(queue) == ["4"]


def test_the_end_of_a_job_and_its_webhook_are_one_transaction(path):
    database = Database(path)
    queue, webhooks = JobQueue(database), WebhookStore(database)
    queue.submit([new("a", webhook="https://example.org/"), new("b")])
    for id in "ab":
        queue.claim()
        queue.finish(id, "done", RESULT)
    [delivery] = webhooks.due(1e12)
    assert (delivery.job, delivery.url, delivery.attempts) == ("a", "https://example.org/", 0)
    webhooks.failed("a", "refused", 5e12)
    assert webhooks.due(1e12) == []
    assert webhooks.next_due() == 5e12
    webhooks.succeeded("a")
    assert webhooks.next_due() is None


def test_the_secret_of_a_token_is_kept_nowhere(path):
    tokens = TokenStore(Database(path))
    assert not tokens.any()
    secret = tokens.create("laptop", "ada", {"run"})
    assert (tokens.verify(secret).user, tokens.verify(secret + "x")) == ("ada", None)
    with pytest.raises(JobError, match="laptop"):
        tokens.create("laptop", "bob", {"run"})
    parts = [part.read_bytes() for part in path.parent.iterdir()]
    assert not any(secret.encode() in part for part in parts)
    assert (tokens.revoke("laptop"), tokens.revoke("laptop"), tokens.verify(secret)) == (True, False, None)
    assert tokens.any()  # and so the server does not open up


def test_a_full_disk_changes_nothing_and_later_all_goes_on(path):
    database = Database(path)
    queue = JobQueue(database)
    queue.submit([new("a")])
    with database.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StorageError, match="full"):
        queue.submit([new("b", workflow={"text": "x" * 1_000_000})])
    assert order(queue) == ["a"]
    with database.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    queue.submit([new("b", workflow={"text": "x" * 1_000_000})])
    assert order(queue) == ["a", "b"]


def test_a_damaged_file_is_set_aside_not_lost(path, queue, caplog):
    queue.submit([new("a")])
    del queue
    for part in path.parent.iterdir():
        part.unlink() if part != path else None
    path.write_bytes(b"garbage" * 1000)
    assert order(JobQueue(Database(path))) == []
    [aside] = path.parent.glob("*.damaged-*")
    assert aside.read_bytes().startswith(b"garbage")
    assert "is damaged" in caplog.text


def test_a_file_of_a_newer_version_is_refused(path, queue):
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StorageError, match="newer version"):
        Database(path)


def test_a_folder_that_cannot_be_made_is_a_plain_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        Database(tmp_path / "file" / "jobs.sqlite")


def _claim_all(path: Path, taken) -> None:
    queue = JobQueue(Database(path))
    while (job := queue.claim()) is not None:
        taken.put(job.id)


def test_two_processes_never_claim_the_same_job(path, queue):
    ids = [str(n) for n in range(60)]
    queue.submit([new(id) for id in ids])
    context = multiprocessing.get_context("spawn")
    taken = context.Queue()
    processes = [context.Process(target=_claim_all, args=(path, taken)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [taken.get(timeout=60) for _ in ids]
    for process in processes:
        process.join()
    assert sorted(found) == sorted(ids)
    assert taken.empty()


def _submit_for_ever(path: Path, accepted) -> None:
    queue = JobQueue(Database(path))
    for n in range(100_000):
        queue.submit([new(str(n))])
        accepted.send(str(n))


def test_what_was_accepted_before_a_kill_is_there_once(path, queue):
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_submit_for_ever, args=(path, sender))
    process.start()
    accepted = [receiver.recv() for _ in range(50)]  # then killed in the middle of whatever it does
    process.kill()
    process.join()
    while receiver.poll():
        accepted.append(receiver.recv())
    kept = order(JobQueue(Database(path)))
    assert len(set(kept)) == len(kept)
    assert set(accepted) <= set(kept)
    assert len(kept) <= len(accepted) + 1
