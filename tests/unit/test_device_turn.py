"""One thing at a time on the device; on CUDA in one thread, run after run."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from nodegraph import Workflow, node, with_id
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.execution.device_turn import DeviceTurn


@node(device=True)
def WhereOnDevice(seed: int = 0) -> int:
    """The thread that it runs in."""
    return threading.get_ident()


def leave_gradients_on():
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return threading.get_ident()


def test_all_is_done_in_one_thread_in_which_nothing_is_left_behind():
    device = DeviceTurn(own_thread=True)
    assert device.call(leave_gradients_on) == device.call(leave_gradients_on) != threading.get_ident()


def test_or_in_the_thread_that_asks_for_it():
    assert DeviceTurn().call(threading.get_ident) == threading.get_ident()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_runs_on_cuda_share_a_thread(make_engine):
    plain = make_engine(WhereOnDevice)
    devices = DeviceManager(torch.device("cuda:0"), plain.folders)
    engine = Engine(plain.registry, plain.cache, plain.folders, devices)
    places = set()
    for seed in range(2):
        workflow = Workflow.from_outputs(with_id(WhereOnDevice.node(seed), "where"))
        places.update(engine.run_sync(workflow).outputs["where"].values())
    assert len(places) == 1


@pytest.mark.parametrize("own_thread", [True, False])
def test_one_thing_at_a_time(own_thread):
    device, busy, most = DeviceTurn(own_thread=own_thread), [], []

    def work():
        busy.append(1)
        most.append(len(busy))
        threading.Event().wait(0.01)
        busy.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: device.call(work), range(8)))
    assert most == [1] * 8


@pytest.mark.parametrize("own_thread", [True, False])
def test_it_raises_what_was_raised_and_goes_on(own_thread):
    device = DeviceTurn(own_thread=own_thread)
    with pytest.raises(SystemExit):
        device.call(lambda: exec("raise SystemExit"))
    assert device.call(lambda: 5) == 5


def test_it_keeps_nothing_of_what_it_did():
    device, kept = DeviceTurn(own_thread=True), []

    class Result:
        pass

    def work():
        result = Result()
        kept.append(weakref.ref(result))
        return result

    device.call(work)
    gc.collect()
    assert kept[0]() is None


def test_the_thread_ends_with_its_owner():
    device = DeviceTurn(own_thread=True)
    mine = device.call(threading.current_thread)
    assert mine.is_alive()
    del device
    gc.collect()
    mine.join(10)
    assert not mine.is_alive()
