"""A contact sheet of a sweep: every picture with its settings under it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from nodegraph.console.errors import UsageError

GAP = 8
LABEL_SIZE = 13
LINE_HEIGHT = 17
BACKGROUND, INK = "white", "black"

Cell = tuple[str, Path]


def save_contact_sheet(cells: Sequence[Cell], columns: int, folder: Path) -> Path:
    """Draw pictures in rows, each in its own size, and save ``grid_00001.png``, numbered on.

    Args:
        cells: label and picture, row by row.
        columns: how many stand side by side.
        folder: where the sheet goes.

    Raises:
        UsageError: there is no picture, or one cannot be read.
    """
    if not cells:
        raise UsageError("--grid has no picture to show; the workflow saves none")
    pictures = [(label, _read(path)) for label, path in cells]
    sheet = _draw(pictures, columns)
    path = next(path for n in count(1) if not (path := folder / f"grid_{n:05}.png").exists())
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def sheet_columns(lengths: Sequence[int]) -> int:
    """How many pictures to put side by side, given how many values each setting has."""
    swept = [length for length in lengths if length > 1]
    if len(swept) > 1:
        return swept[-1]
    return min(swept[0], math.ceil(math.sqrt(swept[0]) * 1.5)) if swept else 1


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be put into the grid: {error}") from None


def _draw(pictures: Sequence[tuple[str, Image.Image]], columns: int) -> Image.Image:
    width = max(picture.width for _, picture in pictures)
    lines = max(len(label.splitlines()) for label, _ in pictures)
    picture_height = max(picture.height for _, picture in pictures)
    height = picture_height + lines * LINE_HEIGHT + GAP // 2
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), BACKGROUND)
    font = ImageFont.load_default(LABEL_SIZE)
    for number, (label, picture) in enumerate(pictures):
        row, column = divmod(number, columns)
        left, top = GAP + column * (width + GAP), GAP + row * (height + GAP)
        sheet.paste(picture, (left + (width - picture.width) // 2, top))
        for line, text in enumerate(label.splitlines()):
            place = left + width / 2, top + picture_height + line * LINE_HEIGHT + GAP // 2
            ImageDraw.Draw(sheet).text(place, _fitted(text, font, width), INK, font, anchor="ma")
    return sheet


def _fitted(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """One line of a label; where it is wider than its picture the middle is left out, not the value."""
    if font.getlength(label) <= width:
        return label
    shorter = (f"{label[: n // 2]}…{label[n // 2 - n :]}" for n in range(len(label) - 1, 1, -1))
    return next((text for text in shorter if font.getlength(text) <= width), "…")
