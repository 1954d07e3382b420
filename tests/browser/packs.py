"""Nodes for the tests of the editor: slow ones, one that fails, and one with every widget."""

from __future__ import annotations

from pathlib import Path

PACK = '''
"""Nodes for tests of the editor."""

import time
from typing import Annotated, Literal

import torch
from pydantic import Field

from nodegraph import NodeContext, Widget, node
from nodes.types import Latent


@node(category="testing", terminal=True)
def Slow(ctx: NodeContext, steps: int = 20, pause: float = 0.1, salt: str = "") -> int:
    """Counts slowly.

    Args:
        steps: how many.
        pause: seconds for each.
        salt: makes runs differ.
    """
    for step in range(steps):
        time.sleep(pause)
        ctx.progress(step + 1, steps)
    return steps


@node(category="testing", terminal=True)
def Shows(ctx: NodeContext, seconds: float = 20.0, salt: str = "") -> int:
    """Shows one picture at once, and then only works.

    Args:
        seconds: how long.
        salt: makes runs differ.
    """
    ctx.preview(torch.full((32, 48, 3), 0.5))
    for _ in range(int(seconds * 20)):
        time.sleep(0.05)
        ctx.check_cancelled()
    return 1


@node(category="testing", terminal=True)
def Fails(text: str = "") -> str:
    """Never works.

    Args:
        text: what it says.
    """
    raise ValueError(f"This cannot be done with {text!r}; write something else.")


@node(category="testing")
def SomeLatents() -> Latent:
    """Latents of nobody knows which model."""
    return Latent(torch.linspace(-1, 1, 4 * 16 * 16).sin().reshape(1, 4, 16, 16))


@node(category="testing", terminal=True)
def Widgets(
    count: Annotated[int, Field(ge=0, le=10)] = 4,
    share: Annotated[float, Field(ge=0, le=1)] = 0.5,
    kind: Literal["soft", "hard", "odd"] = "soft",
    line: str = "",
    prompt: Annotated[str, Widget("text", multiline=True)] = "",
    tiled: bool = False,
    tint: Annotated[str, Widget("colour")] = "#336699",
    seed: Annotated[int, Field(ge=0, le=2**64 - 1), Widget("seed")] = 7,
    shape: Annotated[list[list[float]], Widget("curve")] = [[0.0, 0.0], [1.0, 1.0]],  # noqa: B006
) -> str:
    """One input for each widget.

    Args:
        count: a number with limits.
        share: a number from 0 to 1.
        kind: a choice.
        line: a line of text.
        prompt: a text of several lines.
        tiled: yes or no.
        tint: a colour.
        seed: a seed.
        shape: a curve.
    """
    return f"{count} {share} {kind} {line} {prompt} {tiled} {tint} {seed} {shape}"
'''


def write_packs(plugins: Path) -> None:
    plugins.mkdir(parents=True, exist_ok=True)
    (plugins / "testing.py").write_text(PACK)
