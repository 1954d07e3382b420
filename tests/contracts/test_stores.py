"""What every store of results has to do, whatever it keeps them in."""

import hashlib
import threading

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.store import Entry

LIMIT = 100_000
STORES = ("memory", "disk")


@pytest.fixture(params=STORES)
def make_store(request, tmp_path):
    count = 0

    def make(limit=LIMIT):
        nonlocal count
        count += 1
        return MemoryStore(limit) if request.param == "memory" else DiskStore(tmp_path / str(count), limit)

    return make


@pytest.fixture
def store(make_store):
    return make_store()


def key(name):
    return hashlib.sha256(str(name).encode()).digest()


def entry(size=10, name=0):
    return Entry((f"{name}:".ljust(size, "x"),), 0.5, "Test")


def test_gives_back_what_was_put_in(store):
    tensor = torch.rand(3, 4)
    put = Entry((1, "a", tensor, [tensor, None]), 1.25, "Sampler")
    assert store.put(key("k"), put)
    got = store.get(key("k"))
    assert (got.seconds, got.node_type, got.outputs[:2]) == (1.25, "Sampler", (1, "a"))
    assert torch.equal(got.outputs[2], tensor)
    assert torch.equal(got.outputs[3][0], tensor)


@pytest.mark.parametrize(
    "outputs", [(), (None,), (float("inf"), -0.0), ({"a": (1, True)},), (torch.zeros(0),)]
)
def test_any_outputs(store, outputs):
    assert store.put(key("k"), Entry(outputs, 0.0, "T"))
    assert repr(store.get(key("k")).outputs) == repr(outputs)


def test_knows_nothing_of_other_keys(store):
    store.put(key("k"), entry())
    assert store.contains(key("k"))
    assert not store.contains(key("other"))
    assert store.get(key("other")) is None


def test_the_last_result_of_a_key_counts(store):
    store.put(key("k"), entry(50))
    store.put(key("k"), entry(20))
    assert store.get(key("k")) == entry(20)
    assert store.info().entries == 1


def test_delete_and_clear(store):
    for name in range(3):
        store.put(key(name), entry(name=name))
    store.delete(key(0))
    store.delete(key("absent"))
    assert [store.contains(key(name)) for name in range(3)] == [False, True, True]
    store.clear()
    assert store.info() == (0, 0, LIMIT)
    assert store.get(key(1)) is None
    assert store.put(key(1), entry())


def test_info_counts(store):
    assert store.info() == (0, 0, LIMIT)
    store.put(key(1), entry(1000))
    store.put(key(2), entry(2000))
    info = store.info()
    assert info.entries == 2
    assert 3000 < info.bytes < 5000
    assert info.limit == LIMIT


def test_nothing_is_damaged(store):
    store.put(key(1), entry())
    assert store.verify() == []
    assert store.contains(key(1))


@pytest.mark.parametrize(
    "outputs", [("x" * (LIMIT + 1),), (torch.zeros(LIMIT // 4),)], ids=["text", "tensor"]
)
def test_what_is_larger_than_the_limit_is_not_kept(store, outputs):
    store.put(key(1), entry())
    assert not store.put(key(2), Entry(outputs, 1.0, "T"))
    assert not store.contains(key(2))
    assert store.get(key(1)) == entry()


def test_the_least_recently_used_go_first(store):
    for name in range(8):
        store.put(key(name), entry(10_000, name))
    store.get(key(0))
    store.get(key(2))
    store.put(key(8), entry(30_000))
    kept = [name for name in range(9) if store.contains(key(name))]
    assert {0, 2, 8} <= set(kept)
    assert kept == [0, 2, *range(min(set(kept) - {0, 2}), 9)]
    assert 1 not in kept


def test_contains_does_not_count_as_use(make_store):
    store = make_store(30_000)
    store.put(key(1), entry(10_000))
    store.put(key(2), entry(10_000))
    store.contains(key(1))
    store.put(key(3), entry(10_000))
    assert not store.contains(key(1))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12_000)), max_size=30))
def test_the_limit_always_holds(make_store, puts):
    store = make_store(20_000)
    for name, size in puts:
        kept = store.put(key(name), entry(size, name))
        assert kept == store.contains(key(name))
        assert store.info().bytes <= 20_000
    for name in range(10):
        found = store.get(key(name))
        assert found is None or found.outputs[0].startswith(f"{name}:")


def test_threads_may_use_it_at_once(make_store):
    store = make_store(60_000)
    failures = []

    def work(seed):
        for step in range(60):
            name = (seed * 7 + step * 3) % 20
            if store.get(key(name)) not in (None, entry(5000, name)):
                failures.append(name)
            store.put(key(name), entry(5000, name))
            if step % 20 == 19:
                store.delete(key(name))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.info().bytes <= 60_000
    assert store.verify() == []
