import enum
import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.ledger import Ledger
from nodegraph.cache.store import Entry

LIMIT = 10_000_000


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path / "cache", LIMIT)


def key(name):
    return hashlib.sha256(str(name).encode()).digest()


def entry(name=0, numbers=100):
    """Tensors that say which key they belong to."""
    return Entry((torch.full((numbers,), float(name)), "text"), 1.0, "Test")


def is_right(found, name=0, numbers=100):
    return torch.equal(found.outputs[0], entry(name, numbers).outputs[0]) and found.outputs[1] == "text"


def files(store, kind):
    return sorted(path for path in (store.folder / kind).glob("*") if path.is_file())


def all_files(store):
    return files(store, "entries") + files(store, "blobs")


def size(store):
    return sum(path.stat().st_size for path in all_files(store))


def test_results_outlive_the_store(store):
    store.put(key(1), entry(1))
    again = DiskStore(store.folder, LIMIT)
    assert again.contains(key(1))
    assert is_right(again.get(key(1)), 1)


def test_nothing_is_created_before_the_first_result(store):
    assert not store.contains(key(1))
    assert store.get(key(1)) is None
    assert store.info() == (0, 0, LIMIT)
    assert store.verify() == []
    store.clear()
    store.delete(key(1))
    assert not store.folder.exists()


def test_entries_are_json_and_blobs_safetensors_named_by_content(store):
    store.put(key(1), entry(1))
    [document], [blob] = files(store, "entries"), files(store, "blobs")
    body = json.loads(document.read_bytes())
    assert document.stem == body["key"] == key(1).hex()
    assert (body["node_type"], body["seconds"], body["format"]) == ("Test", 1.0, 1)
    assert abs(body["created"] - time.time()) < 60
    assert body["blob"] == {
        "sha256": hashlib.sha256(blob.read_bytes()).hexdigest(),
        "bytes": blob.stat().st_size,
    }
    assert blob.stem == body["blob"]["sha256"]


def test_equal_tensors_are_stored_once(store):
    for name in ("a", "b"):
        store.put(key(name), entry(7))
    assert len(files(store, "blobs")) == 1
    store.delete(key("a"))
    assert is_right(store.get(key("b")), 7)


def test_restored_tensors_are_not_tied_to_the_file(store):
    store.put(key(1), entry(1))
    got = store.get(key(1))
    got.outputs[0].fill_(9)
    assert is_right(store.get(key(1)), 1)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_never_served(store, in_blob, place, flip):
    store.put(key(1), entry(1))
    [path] = files(store, "blobs" if in_blob else "entries")
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= flip
    path.write_bytes(data)
    assert store.get(key(1)) is None
    assert not store.contains(key(1))
    assert store.put(key(1), entry(1))
    assert is_right(store.get(key(1)), 1)


@pytest.mark.parametrize("kind", ["entries", "blobs"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:90]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.write_bytes(b'{"checksum":"' + b"0" * 200),
    ],
    ids=["one byte short", "cut", "empty", "longer", "other"],
)
def test_damage_is_removed_logged_and_found_by_verify(store, caplog, kind, damage):
    store.put(key(1), entry(1))
    store.put(key(2), entry(2))
    for path in files(store, kind):
        damage(path)
    assert store.get(key(1)) is None
    assert "removed" in caplog.text
    assert store.verify() == [key(2)]
    assert not files(store, "entries")
    assert store.put(key(1), entry(1))
    assert store.verify() == []


def test_a_lost_blob_is_a_miss(store):
    store.put(key(1), entry(1))
    files(store, "blobs")[0].unlink()
    assert store.contains(key(1))
    assert store.get(key(1)) is None
    assert not store.contains(key(1))


def test_an_entry_under_another_key_is_not_served(store):
    store.put(key(1), entry(1))
    [document] = files(store, "entries")
    document.rename(document.with_name(f"{key(2).hex()}.json"))
    assert store.get(key(2)) is None


def rewrite(store, **changes):
    """Change an entry and sign it anew."""
    [document] = files(store, "entries")
    body = json.loads(document.read_bytes())
    del body["checksum"]
    rest = json.dumps({**body, **changes})[1:].encode()
    document.write_bytes(b'{"checksum":"' + hashlib.sha256(rest).hexdigest().encode() + b'",' + rest)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": None},
        {"blob": 3},
        {"blob": None},
        {"outputs": {"nonsense": 1}},
        {"outputs": [1]},
        {"outputs": {"tuple": [{"data": "no.such.module:Class", "fields": {}}]}},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_removed(store, changes):
    store.put(key(1), entry(1))
    rewrite(store)
    assert is_right(store.get(key(1)), 1)
    rewrite(store, **changes)
    assert store.get(key(1)) is None
    assert not store.contains(key(1))


def test_verify_does_not_need_the_classes(store):
    store.put(key(1), entry(1))
    rewrite(store, outputs={"tuple": [{"data": "no.such.module:Class", "fields": {}}]})
    assert store.verify() == []


def test_verify_removes_blobs_that_nothing_names(store):
    store.put(key(1), entry(1))
    store.put(key(2), entry(2))
    store.delete(key(1))
    store.verify()
    assert len(files(store, "blobs")) == 2  # young: another process may be about to name it
    for path in files(store, "blobs"):
        os.utime(path, (1, 1))
    store.verify()
    assert len(files(store, "blobs")) == 1
    assert is_right(store.get(key(2)), 2)


def test_what_cannot_be_encoded_is_not_kept(store, caplog):
    caplog.set_level(logging.DEBUG, "nodegraph")
    assert not store.put(key(1), Entry((torch.nn.Linear(1, 1),), 1.0, "Loader"))
    assert "Loader" in caplog.text
    assert not store.folder.exists()


class Local(enum.Enum):
    A = 1


def test_classes_come_back(store):
    store.put(key(1), Entry((Local.A, {"k": (1,)}), 1.0, "T"))
    assert store.get(key(1)).outputs == (Local.A, {"k": (1,)})


def test_eviction_goes_to_nine_tenths_oldest_first_and_leaves_no_dangling_files(tmp_path):
    store = DiskStore(tmp_path, 100_000)
    for name in range(40):
        assert store.put(key(name), entry(name, 1000))
        assert size(store) <= 100_000
    kept = [name for name in range(40) if store.contains(key(name))]
    assert kept == list(range(40 - len(kept), 40))
    assert len(kept) > 18
    assert all(is_right(store.get(key(name)), name, 1000) for name in kept)
    blobs, entries = len(files(store, "blobs")), len(files(store, "entries"))
    assert 0 <= blobs - entries <= 1
    assert DiskStore(tmp_path, 100_000).info().bytes == size(store)


def test_a_shared_blob_stays_while_an_entry_that_names_it_is_used(tmp_path):
    store = DiskStore(tmp_path, 50_000)
    store.put(key("old"), entry(1, 1000))
    store.put(key("used"), entry(1, 1000))
    for name in range(2, 30):
        store.put(key(name), entry(name, 1000))
        assert is_right(store.get(key("used")), 1, 1000)
    assert not store.contains(key("old"))


def test_orphaned_blobs_go_in_their_turn(tmp_path):
    store = DiskStore(tmp_path, 50_000)
    store.put(key(0), entry(0, 5000))
    [orphan] = files(store, "blobs")
    store.delete(key(0))
    for name in range(1, 10):
        store.put(key(name), entry(name, 1000))
    assert not orphan.exists()


def test_the_total_is_kept_without_scanning(store, monkeypatch):
    store.put(key(0), entry(0))
    monkeypatch.setattr(DiskStore, "_files", lambda self: pytest.fail("scanned"))
    for name in range(1, 5):
        assert store.put(key(name), entry(name))
    monkeypatch.undo()
    assert Ledger(store.folder / "usage.sqlite", lambda: 0).add(0) == size(store)


@pytest.mark.parametrize(
    "spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 200)]
)
def test_a_lost_or_spoilt_count_is_taken_anew(tmp_path, spoil):
    store = DiskStore(tmp_path, 50_000)
    for name in range(5):
        store.put(key(name), entry(name, 1000))
    spoil(tmp_path / "usage.sqlite")
    for name in range(5, 30):
        assert store.put(key(name), entry(name, 1000))
        assert size(store) <= 50_000


def test_files_that_are_not_its_own_are_left_alone(tmp_path):
    store = DiskStore(tmp_path, 20_000)
    store.put(key(1), entry(1))
    others = [tmp_path / "entries" / "notes.json", tmp_path / "blobs" / "notes.txt", tmp_path / "notes.json"]
    for path in others:
        path.write_text("x" * 1000)
        os.utime(path, (1, 1))
    for name in range(20):
        store.put(key(name), entry(name, 1000))
    assert store.verify() == []
    store.clear()
    assert all(path.exists() for path in others)


def test_abandoned_temporary_files_are_swept_by_age(store):
    store.put(key(1), entry(1))
    old, young = (store.folder / "temporary" / name for name in ("1-a.tmp", "2-b.tmp"))
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (1, 1))
    DiskStore(store.folder, LIMIT).put(key(2), entry(2))
    assert (old.exists(), young.exists()) == (False, True)


def test_a_folder_that_cannot_be_made_costs_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    store = DiskStore(tmp_path / "file" / "cache", LIMIT)
    assert not store.put(key(1), entry(1))
    assert not store.put(key(2), entry(2))
    assert not store.contains(key(1))
    assert store.get(key(1)) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_failing_count_fails_no_run(store, monkeypatch, caplog):
    def fail(self, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Ledger, "add", fail)
    assert not store.put(key(1), entry(1))
    assert "No space left" in caplog.text
    assert not files(store, "temporary")
    monkeypatch.undo()
    assert store.put(key(1), entry(1))


def run_script(text, *arguments):
    """Run Python in a process of its own; returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(COMMON) + textwrap.dedent(text), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


COMMON = """
    import hashlib, logging, os, signal, sys, time
    from pathlib import Path
    from nodegraph.cache.disk import DiskStore
    from nodegraph.cache.store import Entry
    def key(name): return hashlib.sha256(str(name).encode()).digest()
    def entry(name, numbers=100):
        import torch
        return Entry((torch.full((numbers,), float(name)), "text"), 1.0, "Test")
    def check(found, name, numbers):
        assert found is None or found.outputs[0].tolist() == [float(name)] * numbers, (name, found)
        return found is not None
    folder = Path(sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_fails_no_run(tmp_path):
    out = run_script(
        """
        import resource
        logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(levelname)s")
        store = DiskStore(folder, 10**9)
        assert store.put(key("small"), entry(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        print([store.put(key(name), entry(name, 50_000)) for name in (1, 2, 3)])
        print([store.put(key(name), entry(name, 10)) for name in (4, 5)])
        print(list(folder.glob("temporary/*")), store.verify(), check(store.get(key("small")), 1, 100))
        """,
        tmp_path,
    )
    assert out.splitlines() == ["WARNING", "[False, False, False]", "[True, True]", "[] [] True"]


def test_a_result_without_tensors_needs_no_torch(tmp_path):
    run_script(
        """
        store = DiskStore(folder, 10**9)
        store.put(key(1), Entry((1, "x"), 1.0, "T"))
        assert store.get(key(1)).outputs == (1, "x")
        assert "torch" not in sys.modules
        """,
        tmp_path,
    )


HAMMER = """
    import random
    seed, limit, seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    chance = random.Random(seed)
    store = DiskStore(folder, limit)
    hits = misses = evicted = 0
    import torch
    torch.set_num_threads(1)
    (folder / f"ready-{seed}").touch()
    while len(list(folder.glob("ready-*"))) < 2:
        time.sleep(0.01)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = chance.randrange(30)
        if check(store.get(key(name)), name, 1000):
            hits += 1
        else:
            misses += 1
            assert store.put(key(name), entry(name, 1000))
        if chance.random() < 0.02:
            store.delete(key(chance.randrange(30)))
    print(hits, misses)
"""


def test_two_processes_share_a_folder(tmp_path, caplog):
    limit = 60_000
    script = textwrap.dedent(COMMON) + textwrap.dedent(HAMMER)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(seed), str(limit), "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        hits, misses = map(int, out.split())
        assert hits > 50
        assert misses > 20
        assert "cannot be written" not in errors
    store = DiskStore(tmp_path, limit)
    assert store.verify() == []
    assert store.info().bytes <= limit
    found = [store.get(key(name)) for name in range(30)]
    assert all(entry is None or is_right(entry, name, 1000) for name, entry in enumerate(found))
    assert any(found)
    assert not files(store, "temporary")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_process_killed_while_it_writes_leaves_a_sound_store(tmp_path):
    """A parent that has torch loaded forks writers and kills each at a random moment."""
    out = run_script(
        """
        import random
        import torch
        torch.set_num_threads(1)
        chance = random.Random(5)
        limit, numbers = 400_000, 2000
        leftovers = 0
        for killed in range(40):
            first = killed * 1000
            pid = os.fork()
            if pid == 0:
                store = DiskStore(folder, limit)
                for name in range(first, first + 1000):
                    store.put(key(name), entry(name, numbers))
                os._exit(1)
            time.sleep(chance.uniform(0.002, 0.03))
            os.kill(pid, signal.SIGKILL)
            assert os.waitpid(pid, 0)[1] == signal.SIGKILL
            leftovers += len(list(folder.glob("temporary/*")))
            store = DiskStore(folder, limit)
            assert store.verify() == [], killed
            for name in range(first, first + 1000):
                if not check(store.get(key(name)), name, numbers):
                    break
        assert store.put(key(-1), entry(-1, numbers)), "still writable"
        for path in folder.glob("temporary/*"):
            os.utime(path, (1, 1))
        store = DiskStore(folder, limit)
        for name in range(100):
            assert store.put(key(f"after {name}"), entry(name, numbers))
            stored = [*folder.glob("entries/*"), *folder.glob("blobs/*")]
            assert sum(path.stat().st_size for path in stored) <= limit
        print(leftovers > 0, len(list(folder.glob("temporary/*"))))
        """,
        tmp_path,
    )
    assert out.split() == ["True", "0"]


def test_contains_is_cheap(store):
    store.put(key(1), entry(1))
    start = time.perf_counter()
    for _ in range(1000):
        store.contains(key(1))
    assert time.perf_counter() - start < 0.05
