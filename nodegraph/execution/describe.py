"""Short texts for the values in an error report."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from nodegraph.constants import summary


def describe(value: Any) -> str:
    """A value in a few words: type, shape and dtype for tensors, the start of a long text."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (
            f"{field.name}={describe(getattr(value, field.name))}" for field in dataclasses.fields(value)
        )
        return f"{type(value).__name__}({', '.join(list(fields)[:4])})"
    if isinstance(value, list | tuple) and value:
        return f"{type(value).__name__} of {len(value)}, first {describe(value[0])}"
    return summary(value)


def describe_inputs(inputs: Mapping[str, Any]) -> dict[str, str]:
    """``describe`` for each input of a node."""
    return {name: describe(value) for name, value in inputs.items()}
