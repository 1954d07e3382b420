"""Nodes on the device run in one thread, run after run."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
import torch

from nodegraph import Workflow, node, with_id
from nodegraph.execution.device_thread import DeviceThread


@node(device=True)
def WhereOnDevice(seed: int = 0) -> int:
    """The thread that it runs in."""
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)  # what a node leaves behind is not for the next one
    return threading.get_ident()


def threads(name="nodegraph-on-device"):
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_every_run_has_its_nodes_on_the_device_in_the_same_thread(make_engine):
    engine = make_engine(WhereOnDevice)

    def run(seed):
        workflow = Workflow.from_outputs(with_id(WhereOnDevice.node(seed), "where"))
        (ident,) = engine.run_sync(workflow).outputs["where"].values()
        return ident

    assert run(0) == run(1) != threading.get_ident()


def test_it_raises_what_was_raised_and_goes_on():
    device = DeviceThread()
    with pytest.raises(SystemExit):
        device.call(lambda: exec("raise SystemExit"))
    assert device.call(lambda: 5) == 5


def test_it_keeps_nothing_of_what_it_did():
    device, kept = DeviceThread(), []

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
    before = len(threads())
    device = DeviceThread()
    device.call(int)
    (mine,) = threads()[before:]
    del device
    gc.collect()
    mine.join(10)
    assert not mine.is_alive()
