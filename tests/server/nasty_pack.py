"""Nodes that do what no node should."""

import asyncio
import ctypes
import gc
import os
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path

import torch

from nodegraph import NodeContext, node


@node(terminal=True)
def Fine(x: int = 0) -> int:
    """x + 1; prints as well, which must not harm anyone."""
    print("this goes to the log")
    os.write(1, b"and so does this\n")
    return x + 1


@node(terminal=True)
def Slow(x: int = 0, log: str = "", seconds: float = 0.2) -> int:
    """Notes that it ran, and takes its time."""
    with Path(log).open("a") as stream:
        stream.write(f"{x}\n")
    time.sleep(seconds)
    return x * 2


@node(terminal=True)
def Abort(x: int = 0) -> int:
    """A native crash."""
    os.abort()


@node(terminal=True)
def Segfault(x: int = 0) -> int:
    """Another."""
    return len(ctypes.string_at(0))


@node(terminal=True)
def Leave(x: int = 0) -> int:
    """Ends the process."""
    os._exit(3)


@node(terminal=True)
def Exit(x: int = 0) -> int:
    """Asks Python to end."""
    sys.exit(3)


@node(terminal=True)
def Interrupt(x: int = 0) -> int:
    """Pretends that someone pressed Ctrl-C."""
    raise KeyboardInterrupt


@node(terminal=True)
def Hang(x: int = 0) -> int:
    """Never returns."""
    while True:
        time.sleep(1)


@node(terminal=True)
async def Stubborn(x: int = 0) -> int:
    """Takes no notice of being cancelled."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)


@node(terminal=True)
async def Block(x: int = 0) -> int:
    """Holds up the event loop that it runs in."""
    while True:
        time.sleep(1)


@node(terminal=True)
async def StopLoop(x: int = 0) -> int:
    """Stops the event loop that it runs in."""
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.1)
    return x


@node(terminal=True)
def Half(ctx: NodeContext, x: int = 0) -> str:
    """Half a character, which UTF-8 cannot say, and numbers that JSON cannot."""
    ctx.progress(torch.tensor(1), torch.tensor(2.0), "half \ud83d")
    return "half \ud83d"


@node(terminal=True)
def Endless(ctx: NodeContext, x: int = 0) -> int:
    """Progress that is no number."""
    ctx.progress(float("nan"), float("inf"))
    return x


@node(terminal=True)
def Large(x: int = 0) -> str:
    """A result too long for the history."""
    return "x" * 1_000_000


def _no_fingerprint(x: int = 0) -> str:
    raise RuntimeError("it has no finger")


@node(terminal=True, fingerprint=_no_fingerprint)
def Unfingerprinted(x: int = 0) -> int:
    """Fails while it is planned."""
    return x


class Payload:
    """Something that can be counted."""


PAYLOADS = weakref.WeakSet[Payload]()


@node(cache=False)
def Load(x: int = 0) -> Payload:
    """One more."""
    PAYLOADS.add(payload := Payload())
    return payload


@node(terminal=True)
def Drop(payload: Payload) -> int:
    """Fails with what it was given, out of reach of the cyclic collector."""
    gc.disable()
    raise RuntimeError("dropped")


@node(terminal=True, cache=False)
def Count(x: int = 0) -> int:
    """How many there still are."""
    return len(PAYLOADS)


@node(terminal=True)
def Lost(x: int = 0) -> int:
    """Fails over a file, and says where it was looked for."""
    return len(Path(__file__).with_name("not there").read_text()) + x
