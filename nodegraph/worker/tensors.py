"""What a value of pixels, a mask or latents looks like: its numbers in short, and small pictures of it."""

from __future__ import annotations

import base64
import io
import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

logger = logging.getLogger(__name__)

Kind = Literal["image", "mask", "latent"]
KINDS: tuple[tuple[str, Kind, int], ...] = (
    ("pixels", "image", 4),
    ("values", "mask", 3),
    ("samples", "latent", 4),
)
"""By the attribute that holds the tensor: what it is, and of how many dimensions."""

LONGEST = 1024
"""Pixels along the longer side of a picture."""
MOST_CHARACTERS = 1 << 20
"""Of all pictures together; the first is always there."""
SPREAD = 3.0
"""Standard deviations from the mean of latents that black and white stand for."""


class Looked(NamedTuple):
    """A tensor and what it holds."""

    kind: Kind
    tensor: Tensor


def find_tensor(value: Any) -> Looked | None:
    """The tensor of a value, if it is one of pixels ``[batch, height, width, channels]``, a mask ``[batch,
    height, width]`` or latents ``[batch, channels, height, width]``."""
    import torch

    for attribute, kind, dimensions in KINDS:
        tensor = getattr(value, attribute, None)
        if isinstance(tensor, torch.Tensor) and tensor.ndim == dimensions and _holds_real_numbers(tensor):
            return Looked(kind, tensor.detach().cpu())
    return None


def _holds_real_numbers(tensor: Tensor) -> bool:
    import torch

    dense = tensor.layout == torch.strided and not tensor.is_meta
    return dense and not tensor.is_complex() and tensor.numel() > 0


class Colours(NamedTuple):
    """What a value looks like."""

    pictures: Tensor
    """``[batch, height, width, 3]`` in 0..1."""
    are_false: bool
    """Whether they tell shapes alone."""


def find_colours(value: Any, facts: Mapping[str, Any]) -> Colours | None:
    """What a value says it looks like, of one with a method ``colours`` that takes what is known of it; its
    ``has_false_colours`` says whether they are false. What its author did wrong is told in the log."""
    method, false = (getattr(value, name, None) for name in ("colours", "has_false_colours"))
    try:
        if not callable(method) or (pictures := method(facts)) is None:
            return None
        return Colours(pictures, callable(false) and bool(false(facts)))
    except Exception:
        logger.exception("a %s cannot say what it looks like", type(value).__name__)
        return None


def tensor_message(looked: Looked, colours: Colours | None = None) -> dict[str, Any]:
    """A tensor as JSON data: see ``TensorView`` of the server.

    Numbers that are not finite do not count in the statistics, and are told by number.

    Args:
        colours: what it looks like in colours; see ``find_colours``.
    """
    import torch

    kind, tensor = looked
    numbers = tensor if tensor.dtype == torch.float64 else tensor.float()
    are_finite = numbers.isfinite()
    finite = numbers if bool(are_finite.all()) else numbers[are_finite]  # what is not copied takes no time
    return {
        "kind": kind,
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "not_finite": numbers.numel() - finite.numel(),
        **_statistics(finite),
        "pictures": _pictures(_as_levels(kind, numbers, finite)),
        "colours": [] if colours is None else _pictures(_thinned(colours.pictures)),
        "false_colours": colours is not None and colours.are_false,
    }


def _statistics(finite: Tensor) -> dict[str, float | None]:
    if finite.numel() == 0:
        return dict.fromkeys(("min", "mean", "max", "std"))
    low, high = finite.aminmax()
    mean, spread = _moments(finite)
    found = {"min": float(low), "mean": mean, "max": float(high), "std": spread}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def _moments(finite: Tensor) -> tuple[float, float]:
    """Mean and standard deviation, also where their sums are more than the tensor's type can hold."""
    mean, spread = float(finite.mean()), float(finite.std(correction=0))
    if math.isfinite(mean) and math.isfinite(spread):
        return mean, spread
    wide = finite.double()
    return float(wide.mean()), float(wide.std(correction=0))


def _pictures(levels: Tensor) -> list[str]:
    """Addresses that hold a PNG of each item, from the first, as many as there is room for."""
    pictures: list[str] = []
    room = MOST_CHARACTERS
    for item in levels:
        picture = _png_address(item.mul(255).round().byte().numpy())
        room -= len(picture)
        if room < 0 and pictures:
            break
        pictures.append(picture)
    return pictures


def _as_levels(kind: Kind, numbers: Tensor, finite: Tensor) -> Tensor:
    return _thinned(channel_grid(_centred(numbers, finite)) if kind == "latent" else numbers)


def _thinned(numbers: Tensor) -> Tensor:
    """``[batch, height, width]``, or with channels behind, in 0..1; very large ones are thinned out."""
    step = max(numbers.shape[1:3]) // (2 * LONGEST) + 1
    return numbers[:, ::step, ::step].nan_to_num(0.5, 1.0, 0.0).clamp(0, 1)


def _centred(numbers: Tensor, finite: Tensor) -> Tensor:
    """The mean as a middle grey, so that all channels of all items may be compared."""
    mean, spread = _moments(finite) if finite.numel() else (0.0, 0.0)
    if spread == 0:
        return numbers.new_full(numbers.shape, 0.5)
    return (numbers / spread - mean / spread) / (2 * SPREAD) + 0.5


def channel_grid(latents: Tensor) -> Tensor:
    """The channels of latents beside and below each other, a black line between them.

    Args:
        latents: ``[batch, channels, height, width]``.

    Returns:
        ``[batch, rows · (height + 1) - 1, columns · (width + 1) - 1]``, about as many rows as columns.
    """
    import torch

    batch, channels, height, width = latents.shape
    columns = math.ceil(math.sqrt(channels))
    rows = math.ceil(channels / columns)
    cells = torch.nn.functional.pad(latents, (0, 1, 0, 1, 0, rows * columns - channels))
    grid = cells.reshape(batch, rows, columns, height + 1, width + 1).movedim(2, 3)
    return grid.reshape(batch, rows * (height + 1), columns * (width + 1))[:, :-1, :-1]


def _png_address(levels: np.ndarray[Any, Any]) -> str:
    from PIL import Image

    picture = Image.fromarray(levels[..., 0] if levels.ndim == 3 and levels.shape[-1] == 1 else levels)
    picture.thumbnail((LONGEST, LONGEST))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
