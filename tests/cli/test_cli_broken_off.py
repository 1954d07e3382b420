"""Runs that are broken off: what is said then, and what is kept."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@pytest.fixture
def long_sweep(save, home):
    """A workflow whose second run of three takes for ever, once it has begun."""
    plugin = home / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + SOMETIMES)
    return save(
        some=("Sometimes", {"value": 9, "mark": str(home / "mark")}, {}),
        paint=("Paint", {}, {"value": ["some", "int"]}),
    )


SOMETIMES = '''

@node(category="toy")
def Sometimes(ctx: NodeContext, value: int, mark: str) -> int:
    """Counts for ever where the value is 2."""
    if value == 2:
        Path(mark).touch()
        for step in range(20000):
            ctx.progress(step, 20000)
            time.sleep(0.01)
    return value
'''


def broken_off(file: Path, mark: Path, number: signal.Signals, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nodegraph", "run", str(file), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as run:
        wait_for(mark.exists)
        run.send_signal(number)
        stdout, stderr = run.communicate(timeout=60)
    return subprocess.CompletedProcess(command, run.returncode, stdout, stderr)


def test_a_sweep_that_is_broken_off_says_what_it_keeps(long_sweep, home):
    done = broken_off(long_sweep, home / "mark", signal.SIGINT, "--grid", "--set", "some.value=1,2,3")
    assert done.returncode == 1
    paths = [line for line in done.stdout.splitlines() if line.endswith(".png")]
    assert [Path(path).is_file() for path in paths] == [True]
    assert "stopping" in done.stderr
    assert "1 of 3 runs came to their end; kept is the 1 file named above" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_a_single_run_with_a_line(long_sweep, home):
    done = broken_off(long_sweep, home / "mark", signal.SIGTERM, "--set", "some.value=2")
    assert (done.returncode, "cancelled; " in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert "came to their end" not in done.stderr


def test_a_sweep_that_is_broken_off_keeps_its_runs_in_json(long_sweep, home):
    options = ("--grid", "--json", "--set", "some.value=1,2,3")
    told = json.loads(broken_off(long_sweep, home / "mark", signal.SIGTERM, *options).stdout)
    assert told["status"] == "cancelled"
    assert [run["status"] for run in told["runs"]] == ["done", "cancelled"]
    assert [Path(path).is_file() for path in told["outputs"]] == [True]


def test_a_second_one_ends_a_node_that_does_not_stop(save, home):
    plugin = home / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + STUBBORN)
    file = save(stubborn=("Stubborn", {"mark": str(home / "mark")}, {}))
    command = [sys.executable, "-m", "nodegraph", "run", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as run:
        wait_for((home / "mark").exists)
        run.send_signal(signal.SIGINT)
        assert run.stderr is not None
        assert "stopping; press Ctrl-C again" in run.stderr.readline() + run.stderr.readline()
        wait_for((home / "mark.unmoved").exists)  # it is asleep again, where no KeyboardInterrupt ends it
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=30)
    assert (run.returncode, stderr) == (1, "cancelled; a node did not stop, and was ended\n")


STUBBORN = '''

import asyncio
from contextlib import suppress

@node(category="toy", terminal=True)
async def Stubborn(mark: str) -> None:
    """Takes no notice of being cancelled."""
    Path(mark).touch()
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        asyncio.get_running_loop().call_later(0.1, Path(mark).with_suffix(".unmoved").touch)


@node(category="toy", terminal=True)
async def StopLoop(value: int = 0) -> None:
    """Stops the event loop."""
    asyncio.get_running_loop().stop()
'''


def test_a_node_that_stops_the_event_loop_ends_in_a_line(cli, save, home):
    plugin = home / "home" / "plugins" / "toy.py"
    plugin.write_text(plugin.read_text() + STUBBORN)
    result = cli("run", save(stop=("StopLoop", {}, {})))
    assert (result.exit_code, result.stderr) == (
        1,
        "error: a node stopped the event loop that the run was in\n",
    )


def test_sigterm_before_a_run_begins_is_told_too(home):
    os.mkfifo(home / "pipe")  # a workflow that never comes
    command = [sys.executable, "-m", "nodegraph", "run", "pipe"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ, cwd=home) as run:
        writer = os.open(home / "pipe", os.O_WRONLY)  # returns once it is being read
        run.send_signal(signal.SIGTERM)
        _, stderr = run.communicate(timeout=60)
        os.close(writer)
    assert (run.returncode, stderr) == (1, "cancelled\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("command", [["run", "w.json"], ["run", "w.json", "--json"], ["--help"]])
def test_a_full_standard_output_is_told_in_a_line(painting, home, command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nodegraph", *command],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=os.environ, cwd=home,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: standard output cannot be written: No space left on device"
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
