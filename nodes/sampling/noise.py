"""The noise a run starts from."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def item_noise(shape: torch.Size, generators: Iterable[torch.Generator]) -> Tensor:
    """Standard normal noise of ``shape``, each item from a CPU generator of its own.

    Item by item, so that a picture does not depend on the batch it is made in; the noise of a single item
    is that of ``torch.manual_seed(seed); torch.randn(shape)``.
    """
    return torch.cat([torch.randn(1, *shape[1:], generator=generator) for generator in generators])
