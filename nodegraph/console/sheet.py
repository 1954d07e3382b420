"""A contact sheet of a sweep: the pictures of every run with its settings under them."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from nodegraph.captions import tell_apart
from nodegraph.console.errors import UsageError
from nodegraph.execution.numbered_files import write_numbered

GAP = 8
TILE_GAP = 2
MOST_ACROSS = 2
LABEL_SIZE = 13
LINE_HEIGHT = 17
BACKGROUND, INK = "white", "black"

Cell = tuple[str, Sequence[Path]]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def save_contact_sheet(cells: Sequence[Cell], columns: int, folder: Path, texts: Mapping[str, str]) -> Path:
    """Draw pictures in rows, each in its own size, and save ``grid_00001.png``, numbered on.

    Args:
        cells: for each run its label and its pictures, which share one place; row by row.
        columns: how many places stand side by side.
        folder: where the sheet goes.
        texts: what the file shall carry, by keyword.

    Raises:
        UsageError: there is no picture, or one cannot be read.
        FileProblem: the sheet cannot be written.
    """
    if not any(paths for _, paths in cells):
        raise UsageError("--grid has no picture to show; the workflow saves none")
    sheet = _draw([(label, _tiled([_read(path) for path in paths])) for label, paths in cells], columns)
    chunks, data = PngInfo(), io.BytesIO()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    sheet.save(data, "png", pnginfo=chunks)
    return write_numbered(folder, "grid", ".png", data.getvalue())


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


def _tiled(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pictures of one run as one picture, about as many side by side as below one another.

    More than two side by side are made smaller, so that a large batch does not make a huge sheet.
    """
    if not pictures:
        return Image.new("RGB", (1, 1), BACKGROUND)
    columns = math.ceil(math.sqrt(len(pictures)))
    pictures = [_scaled(picture, min(1.0, MOST_ACROSS / columns)) for picture in pictures]
    width = max(picture.width for picture in pictures) + TILE_GAP
    height = max(picture.height for picture in pictures) + TILE_GAP
    rows = math.ceil(len(pictures) / columns)
    tiled = Image.new("RGB", (columns * width - TILE_GAP, rows * height - TILE_GAP), BACKGROUND)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        tiled.paste(picture, (column * width, row * height))
    return tiled


def _scaled(picture: Image.Image, factor: float) -> Image.Image:
    if factor == 1.0:
        return picture
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _draw(pictures: Sequence[tuple[str, Image.Image]], columns: int) -> Image.Image:
    width = max(picture.width for _, picture in pictures)
    font = ImageFont.load_default(LABEL_SIZE)
    labels = _fitted([label.splitlines() for label, _ in pictures], font, width)
    lines = max(map(len, labels))
    picture_height = max(picture.height for _, picture in pictures)
    height = picture_height + lines * LINE_HEIGHT + GAP // 2
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), BACKGROUND)
    for number, (label, (_, picture)) in enumerate(zip(labels, pictures, strict=True)):
        row, column = divmod(number, columns)
        left, top = GAP + column * (width + GAP), GAP + row * (height + GAP)
        sheet.paste(picture, (left + (width - picture.width) // 2, top))
        for line, text in enumerate(label):
            place = left + width / 2, top + picture_height + line * LINE_HEIGHT + GAP // 2
            ImageDraw.Draw(sheet).text(place, text, INK, font, anchor="ma")
    return sheet


def _fitted(labels: Sequence[Sequence[str]], font: Font, width: int) -> list[tuple[str, ...]]:
    """Labels no wider than ``width`` pixels; of each ``name=value`` the name and what is special stay."""
    columns = [_fitted_line(line, font, width) for line in zip(*labels, strict=True)]
    return list(zip(*columns, strict=True)) if columns else [()] * len(labels)


def _fitted_line(texts: Sequence[str], font: Font, width: int) -> list[str]:
    name = texts[0].partition("=")[0] + "="
    values = [text.removeprefix(name) for text in texts]
    room = width - font.getlength(name)
    return [name + value for value in tell_apart(values, lambda text: font.getlength(text) <= room)]
