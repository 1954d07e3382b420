"""Short texts for an error report: values, and where it happened."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from traceback import walk_tb
from typing import Any

from nodegraph.constants import summary

MAX_FRAMES = 100


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


def place_in_own_code(function: Callable[..., Any], error: BaseException) -> str:
    """The last line in the package of a function that an exception came through, as ``file:line, in name``.

    Empty where it came through none.
    """
    package = _package(function.__module__)
    own = [
        (f, line)
        for f, line in walk_tb(error.__traceback__)
        if _package(f.f_globals.get("__name__")) == package
    ]
    if not own:
        return ""
    frame, line = own[-1]
    return f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"


def exception_name(error: BaseException) -> str:
    """The class of an exception, with its module where it is none of Python's own."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def frames_of(error: BaseException) -> list[str]:
    """The way an exception came, outermost first, as ``module:line, in name``; of a long one both ends."""
    frames = [
        f"{f.f_globals.get('__name__', '?')}:{line}, in {f.f_code.co_name}"
        for f, line in walk_tb(error.__traceback__)
    ]
    return frames if len(frames) <= MAX_FRAMES else [*frames[: MAX_FRAMES // 2], *frames[-MAX_FRAMES // 2 :]]


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]
