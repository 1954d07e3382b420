"""T2I-Adapters under the names of their original code (Mou et al. 2023), and under diffusers'."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

SHRUNK = 8
"""By how much the first layer makes a picture smaller, by moving pixels into channels."""
SHRUNK_XL = 16
GREY, RGB = 1, 3
BLOCKS = 2
"""Residual blocks of a level, which the original code numbers through all levels."""
PREFIX = "adapter."

_NUMBERED = re.compile(r"^body\.(\d+)\.(?=block|in_conv)")
_LIGHT = re.compile(r"^(body\.\d+)\.body\.")


class T2IAdapterNetwork:
    """diffusers' ``T2IAdapter``: full, light, or for Stable Diffusion XL."""

    description = "T2I-Adapter of Stable Diffusion"

    def detect(self, header: Header) -> bool:
        """Whether it has the blocks of one; of both kinds, full and light."""
        return header.has("body.0.in_conv.weight", "body.0.out_conv.weight") or (
            header.has("conv_in.weight")
            and (header.has("body.0.block1.weight") or header.has("body.0.resnets.0.block1.weight"))
        )

    def settings(self, header: Header) -> Settings:
        """The settings of ``T2IAdapter``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        named = _named(header)
        return _light(named) if named.has("body.0.out_conv.weight") else _full(named)

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "T2IAdapter").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        original = _is_original(tensors)
        return {PREFIX + _name(name, original=original): tensor for name, tensor in tensors.items()}


def feature_widths(settings: Settings) -> tuple[int, ...]:
    """Channels of the features that an adapter gives, level by level."""
    widths = tuple(settings["channels"])
    return (*widths, widths[-1]) if settings["adapter_type"] == "light_adapter" else widths


def _full(named: Header) -> dict[str, Any]:
    inputs = named.shape("conv_in.weight", 4)[1]
    levels = named.number("body.{}.resnets.0.block1.weight")
    if named.shape("body.0.resnets.0.block2.weight", 4)[2:] != (1, 1):
        raise UnknownFileError("its blocks do not end with a convolution of one pixel")
    channels, shrunk = _picture(inputs)
    widths = [named.shape(f"body.{level}.resnets.0.block1.weight", 4)[0] for level in range(levels)]
    blocks = named.number("body.0.resnets.{}.block1.weight")
    before = [named.shape("conv_in.weight", 4)[0], *widths]
    changing = [f"body.{level}.in_conv" for level in range(levels) if before[level] != widths[level]]
    _require(named, ["conv_in", *changing, *_resnets(levels, blocks)])
    return {
        "in_channels": channels,
        "channels": widths,
        "num_res_blocks": blocks,
        "downscale_factor": shrunk,
        "adapter_type": "full_adapter_xl" if shrunk == SHRUNK_XL else "full_adapter",
    }


def _light(named: Header) -> dict[str, Any]:
    channels, shrunk = _picture(named.shape("body.0.in_conv.weight", 4)[1])
    levels = named.number("body.{}.out_conv.weight")
    widths = [named.shape(f"body.{level}.out_conv.weight", 4)[0] for level in range(levels)]
    if shrunk != SHRUNK or widths[-1:] != widths[-2:-1]:
        raise UnknownFileError(f"its levels have {widths} channels, of which the last two should be equal")
    blocks = named.number("body.0.resnets.{}.block1.weight")
    ends = [f"body.{level}.{end}" for level in range(levels) for end in ("in_conv", "out_conv")]
    _require(named, [*ends, *_resnets(levels, blocks)])
    return {
        "in_channels": channels,
        "channels": widths[:-1],
        "num_res_blocks": blocks,
        "downscale_factor": shrunk,
        "adapter_type": "light_adapter",
    }


def _resnets(levels: int, blocks: int) -> list[str]:
    """Names of the convolutions of all residual blocks."""
    places = [f"body.{level}.resnets.{block}" for level in range(levels) for block in range(blocks)]
    return [f"{place}.{layer}" for place in places for layer in ("block1", "block2")]


def _require(named: Header, layers: Iterable[str]) -> None:
    """Complain unless just these convolutions are there, each with its weight and its bias."""
    surplus = set(named.shapes)
    for layer in layers:
        named.shape(f"{layer}.weight", 4)
        named.shape(f"{layer}.bias", 1)
        surplus -= {f"{layer}.weight", f"{layer}.bias"}
    if surplus:
        raise UnknownFileError(f"tensor {min(surplus)!r} has no place in it")


def _picture(inputs: int) -> tuple[int, int]:
    """Channels of the picture, and by how much it is made smaller, from channels of the first layer."""
    for shrunk in (SHRUNK, SHRUNK_XL):
        for channels in (GREY, RGB):
            if inputs == channels * shrunk**2:
                return channels, shrunk
    raise UnknownFileError(f"its first layer takes {inputs} channels, which no picture of 1 or 3 makes")


def _named(header: Header) -> Header:
    """The header under diffusers' names."""
    original = _is_original(header.shapes)
    names = {name: _name(name, original=original) for name in header.shapes}
    return Header(
        {new: header.shapes[old] for old, new in names.items()},
        {new: header.dtypes[old] for old, new in names.items()},
        header.metadata,
    )


def _is_original(names: Any) -> bool:
    return "body.0.block1.weight" in names


def _name(name: str, *, original: bool) -> str:
    """diffusers' name of a tensor; its own names stay."""
    match = _NUMBERED.match(name) if original else None
    if match is None:
        return _LIGHT.sub(r"\1.resnets.", name)
    block, rest = int(match[1]), name[match.end() :]
    level = block // BLOCKS
    inside = rest if rest.startswith("in_conv") else f"resnets.{block % BLOCKS}.{rest}"
    return f"body.{level}.{inside}"
