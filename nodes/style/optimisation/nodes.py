"""Pictures that minimise a loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import Field

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.style.losses.nodes import AddLosses
from nodes.style.optimisation.minimising import DivergedError, Objective, OnStep, minimise
from nodes.style.pictures import check_size, image_of, planes_of
from nodes.style.types import FeatureLoss, Loss, parts_of
from nodes.types import Image, Seed

PREVIEW_EVERY = 10


class OptimizedImage(NamedTuple):
    """What an optimisation found."""

    image: Image
    history: list[float]


def _optimized_facts(image: Spec, losses: Spec) -> dict[str, Any]:
    for side in ("width", "height"):
        require_same(side, losses=losses, image=image)
    return {"image": image.known("width", "height", "batch") | {"channels": 3}}


@node(category="style", device=True, infer=_optimized_facts)
def OptimizeImage(
    ctx: NodeContext,
    image: Image,
    losses: Loss | list[Loss],
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100,
    optimizer: Literal["lbfgs", "adam"] = "lbfgs",
    learning_rate: Annotated[float, Field(ge=0.0, le=100.0)] = 0.0,
    noise: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0,
    seed: Seed = 0,
) -> OptimizedImage:
    """Change the pixels of a picture until a loss is small: style transfer, texture synthesis.

    Outputs the picture with the least loss on the way, and the loss at the start and after every step
    (the mean of the pictures of a batch, each of which is optimised alone).

    Args:
        image: where to start, and the size of the result.
        losses: what shall be small; several are added up.
        steps: how many gradients are computed for each picture.
        optimizer: lbfgs usually gets further in as many steps; adam forgives more.
        learning_rate: length of the steps; 0 means the optimizer's own, 1 for lbfgs and 0.05 for adam.
        noise: how much of the start is replaced by noise; 1 starts from noise alone.
        seed: the seed of the noise; picture i takes seed + i.
    """
    goal = losses if isinstance(losses, Loss) else AddLosses(losses)
    _check_sizes(goal, image)
    found = []
    with _objective(ctx, goal) as objective:
        for item, start in enumerate(planes_of(image)):
            noisy = torch.lerp(start, torch.rand(start.shape, generator=ctx.generator(seed + item)), noise)
            report = _reporter(ctx, item * steps, len(image.pixels) * steps)
            try:
                found.append(
                    minimise(objective, noisy[None].to(ctx.device), steps, optimizer, learning_rate, report)
                )
            except DivergedError as problem:
                raise _diverged(problem) from problem
    history = [sum(values) / len(found) for values in zip(*(each.history for each in found), strict=True)]
    return OptimizedImage(image_of(torch.cat([each.picture for each in found])), history)


def _diverged(problem: DivergedError) -> InputError:
    if problem.step == 0:
        return InputError("losses", f"{problem}; smaller weights would do")
    return InputError("learning_rate", f"{problem}; a smaller one would do, or the optimizer adam")


@contextmanager
def _objective(ctx: NodeContext, goal: Loss) -> Iterator[Objective]:
    """The loss as a function of the picture, while the networks it needs are on the device."""
    wanted, placed = goal.wanted(), goal.to(ctx.device)
    with ExitStack() as leases:
        networks = {extractor: leases.enter_context(ctx.lease(extractor)) for extractor in wanted}

        def objective(picture: torch.Tensor) -> torch.Tensor:
            ctx.check_cancelled()
            features = {each: network(picture, wanted[each]) for each, network in networks.items()}
            return placed.value(picture, features)

        yield objective


def _reporter(ctx: NodeContext, done: int, total: int) -> OnStep:
    def report(step: int, picture: torch.Tensor, loss: float) -> None:
        if step % PREVIEW_EVERY == 0:
            ctx.preview(image_of(picture))
        ctx.progress(done + step, total, f"loss {loss:.3g}")

    return report


def _check_sizes(goal: Loss, image: Image) -> None:
    height, width = image.pixels.shape[1:3]
    for part in parts_of(goal):
        if isinstance(part, FeatureLoss) and (part.width, part.height) != (width, height):
            text = f"the content is {part.width} x {part.height} pixels, the image {width} x {height}"
            raise InputError("losses", f"{text}; ImageScale makes them equal")
    for extractor in goal.wanted():
        check_size(image, extractor)
