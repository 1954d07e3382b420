"""Pictures side by side, with labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from nodegraph.captions import ELLIPSIS, tell_apart
from nodes.images.colour import luma, rgb_of

MAX_LINES = 3

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Layout:
    """Where the cells of a grid lie, in pixels.

    Attributes:
        columns: cells in a row.
        rows: cells in a column.
        width: width of a cell.
        height: height of the picture part of a cell.
        strip: height of the label part of a cell.
        gap: space between cells, and around them all.
    """

    columns: int
    rows: int
    width: int
    height: int
    strip: int
    gap: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole grid."""
        width = self.columns * (self.width + self.gap) + self.gap
        return width, self.rows * (self.height + self.strip + self.gap) + self.gap

    def corner(self, index: int) -> tuple[int, int]:
        """Column and row of the upper left pixel of a cell."""
        row, column = divmod(index, self.columns)
        x = self.gap + column * (self.width + self.gap)
        return x, self.gap + row * (self.height + self.strip + self.gap)


def draw_grid(
    pictures: Sequence[torch.Tensor], labels: Sequence[str], columns: int, gap: int, background: str
) -> torch.Tensor:
    """Pictures in rows, each centred in a cell of the largest size, its label below.

    Args:
        pictures: float32 ``[height, width, 3]`` in 0..1, at least one; sizes may differ.
        labels: one for each picture, or none at all.
        columns: pictures in a row; 0 makes the grid about square.
        gap: space around pictures in pixels.
        background: colour behind, ``#rrggbb``; labels are dark on a light one and light on a dark one.

    Returns:
        The grid, float32 ``[height, width, 3]``.
    """
    columns = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    width, height = (max(picture.shape[axis] for picture in pictures) for axis in (1, 0))
    font = label_font(width)
    whole = [" ".join(label.split()) for label in labels]
    apart = tell_apart(whole, lambda text: len(wrap(text, font, width, MAX_LINES + 1)) <= MAX_LINES)
    texts = [wrap(label, font, width) for label in apart]
    lines = max((len(text) for text in texts), default=0)
    strip = lines * line_height(font) + (line_height(font) // 2 if lines else 0)
    layout = Layout(columns, math.ceil(len(pictures) / columns), width, height, strip, gap)
    canvas = torch.tensor(rgb_of(background)).repeat(layout.size[1], layout.size[0], 1)
    for index, picture in enumerate(pictures):
        _place(canvas, picture, layout, index)
    return _draw_labels(canvas, texts, font, layout)


def _place(canvas: torch.Tensor, picture: torch.Tensor, layout: Layout, index: int) -> None:
    x, y = layout.corner(index)
    height, width = picture.shape[:2]
    x, y = x + (layout.width - width) // 2, y + (layout.height - height) // 2
    canvas[y : y + height, x : x + width] = picture


def _draw_labels(
    canvas: torch.Tensor, texts: Sequence[Sequence[str]], font: Font, layout: Layout
) -> torch.Tensor:
    layer = Pillow.new("L", layout.size)
    draw = ImageDraw.Draw(layer)
    for index, lines in enumerate(texts):
        x, y = layout.corner(index)
        for number, line in enumerate(lines):
            left = x + (layout.width - font.getlength(line)) / 2
            top = y + layout.height + line_height(font) * (number + 0.25)
            draw.text((left, top), line, fill=255, font=font)
    ink = 0.1 if luma(canvas[:1, :1]).item() > 0.5 else 0.9
    coverage = torch.from_numpy(np.array(layer, dtype=np.float32) / 255)[..., None]
    return torch.lerp(canvas, torch.full_like(canvas, ink), coverage)


def label_font(width: int) -> Font:
    """Pillow's own font, in a size that suits pictures of this width."""
    return ImageFont.load_default(min(32, max(12, width // 16)))


def line_height(font: Font) -> int:
    """Distance of two lines of text in pixels."""
    return math.ceil(font.getbbox("Ágjp")[3] * 1.15)


def wrap(text: str, font: Font, width: int, most: int = MAX_LINES) -> list[str]:
    """Text in lines no wider than ``width`` pixels, broken between words if it can be.

    What does not fit into ``most`` lines ends in an ellipsis.
    """
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest and len(lines) < most:
        count = _fitting(rest, font, width)
        space = rest.rfind(" ", 0, count + 1) if count < len(rest) else -1
        count = space if space > 0 else count
        lines.append(rest[:count].rstrip())
        rest = rest[count:].lstrip()
    if rest:
        lines[-1] = lines[-1][: _fitting(lines[-1], font, width - font.getlength(ELLIPSIS))] + ELLIPSIS
    return lines


def _fitting(text: str, font: Font, width: float) -> int:
    """How many characters fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    return low
