"""Pictures found by minimising a loss over their pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch

Method = Literal["lbfgs", "adam"]
Objective = Callable[[torch.Tensor], torch.Tensor]
OnStep = Callable[[int, torch.Tensor, float], None]

RATES = {"lbfgs": 1.0, "adam": 0.05}
"""Learning rates that suit pixels in 0..1."""

LBFGS_MEMORY = 20


class DivergedError(Exception):
    """The loss is no finite number any more.

    Attributes:
        step: how many steps had been taken.
    """

    def __init__(self, loss: float, step: int) -> None:
        super().__init__(f"the loss is {loss} after {step} steps")
        self.step = step


class Minimum(NamedTuple):
    """The best picture found, ``[batch, channels, height, width]``, and the loss at each step."""

    picture: torch.Tensor
    history: list[float]


def minimise(
    objective: Objective,
    start: torch.Tensor,
    steps: int,
    method: Method,
    learning_rate: float = 0.0,
    on_step: OnStep = lambda step, picture, loss: None,
) -> Minimum:
    """Minimise a loss over the pixels of a picture in 0..1; one gradient is computed at each step.

    The free values may leave 0..1, the picture is their nearest point inside, and the gradient passes
    through that projection unchanged, so that a pixel at the edge of the range can come back.

    Args:
        objective: the loss of a picture, differentiable.
        start: ``[batch, channels, height, width]`` in 0..1.
        steps: how many.
        method: L-BFGS (as Gatys et al. 2016) or Adam.
        learning_rate: 0 stands for the method's own.
        on_step: called after each step with its number, the picture before it and its loss.

    Returns:
        The best picture seen, and the loss at the start and after each step.

    Raises:
        DivergedError: the loss is not finite.
    """
    values = start.detach().contiguous().clone().requires_grad_()
    scale = _gradient_scale(objective, values)
    solver = _solver(method, values, learning_rate or RATES[method])
    best, history = start, list[float]()
    with torch.enable_grad():
        for step in range(steps + 1):
            picture = values.detach().clamp(0, 1)
            loss = _evaluate(objective, values, scale, step)
            if not history or loss < min(history):
                best = picture
            history.append(loss)
            if step < steps:
                _advance(solver, values, loss * scale)
                on_step(step + 1, picture, loss)
    return Minimum(best, history)


def _evaluate(objective: Objective, values: torch.Tensor, scale: float, step: int) -> float:
    """The loss at ``values``, and its gradient, times ``scale``, in ``values.grad``."""
    values.grad = None
    projected = values + (values.clamp(0, 1) - values).detach()
    loss = objective(projected)
    if not math.isfinite(loss.item()):
        raise DivergedError(loss.item(), step)
    torch.autograd.backward(loss * scale)
    return loss.item()


def _advance(solver: torch.optim.Optimizer, values: torch.Tensor, loss: float) -> None:
    solver.step(lambda: loss)
    if isinstance(solver, torch.optim.Adam):
        values.data.clamp_(0, 1)  # its steps have a fixed length, so what strays far comes back late


def _gradient_scale(objective: Objective, values: torch.Tensor) -> float:
    """A factor that makes the largest slope at the start 1.

    Multiplying a loss moves no minimum, but optimisers compare slopes with fixed small numbers.
    """
    with torch.enable_grad():
        _evaluate(objective, values, 1.0, 0)
    largest = 0.0 if values.grad is None else values.grad.abs().max().item()
    return 1 / largest if largest > 0 else 1.0


def _solver(method: Method, values: torch.Tensor, learning_rate: float) -> torch.optim.Optimizer:
    if method == "adam":
        return torch.optim.Adam([values], lr=learning_rate)
    return torch.optim.LBFGS(
        [values],
        lr=learning_rate,
        max_iter=1,
        tolerance_grad=0,
        tolerance_change=0,
        history_size=LBFGS_MEMORY,
    )
