"""Pictures from files and to files."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, NamedTuple

from pydantic import Field

from nodegraph import InFolder, NodeContext, OutputFile, node
from nodegraph.errors import FileProblem, InputError
from nodegraph.files import INPUTS, Folders
from nodegraph.specs import UNKNOWN, Spec
from nodes.images.checking import check_finite
from nodes.images.facts import Facts
from nodes.images.files.reading import UnreadablePictureError, picture_size, read_picture
from nodes.images.files.writing import png_bytes
from nodes.types import Image, Mask


class LoadedImage(NamedTuple):
    """What a picture file holds."""

    image: Image
    mask: Mask


def _loaded_facts(image: Spec, files: Folders) -> dict[str, Facts]:
    if image.value is UNKNOWN:
        return {}
    try:
        path = files.path(files.resolve(INPUTS, image.value))
    except FileProblem:
        return {}  # a missing file is reported for itself
    try:
        width, height = picture_size(path)
    except UnreadablePictureError as problem:
        raise InputError("image", f"{image.value}: {problem}") from None
    size = {"width": width, "height": height, "batch": 1}
    return {"image": {**size, "channels": 3}, "mask": size}


@node(category="image/files", display_name="Load Image", infer=_loaded_facts)
def LoadImage(ctx: NodeContext, image: Annotated[str, InFolder(INPUTS)]) -> LoadedImage:
    """Read a picture, upright, as RGB; the mask is 1 where the picture is transparent.

    Of an animation it is the first frame; the others are not read, so that they may be damaged or missing. A
    picture without transparency has a mask of zeros.

    Args:
        image: the file.
    """
    try:
        colour, opacity = read_picture(ctx.path(ctx.resolve(INPUTS, image)))
    except UnreadablePictureError as problem:
        raise InputError("image", f"{image}: {problem}") from problem
    return LoadedImage(Image(colour[None]), Mask(1 - opacity[None]))


@node(category="image/files", display_name="Load Image from URL", cache=False)
async def LoadImageFromUrl(
    ctx: NodeContext, url: Annotated[str, Field(min_length=1, max_length=2000)]
) -> LoadedImage:
    """Fetch a picture from the web, anew in each run, and read it as LoadImage does.

    Only machines on the public internet are asked, by http or https, also where an address redirects. At
    most 64 MiB are read, for at most a minute.

    Args:
        url: the address of the file; it stays in the workflow, so it should hold no password.
    """
    from nodes.images.files.fetching import FetchError, fetch

    try:
        data = await fetch(url, on_chunk=ctx.check_cancelled)
        colour, opacity = await asyncio.to_thread(read_picture, io.BytesIO(data))
    except (FetchError, UnreadablePictureError) as problem:
        raise InputError("url", f"{url}: {problem}") from problem
    return LoadedImage(Image(colour[None]), Mask(1 - opacity[None]))


@node(category="image/files", display_name="Save Image", outputs=["files"], terminal=True)
def SaveImage(ctx: NodeContext, images: Image, filename_prefix: str = "nodegraph") -> list[OutputFile]:
    """Write pictures as PNG files, with the workflow that made them inside.

    Args:
        images: the pictures; each becomes a file.
        filename_prefix: what the file names start with; it may name a subfolder of the output folder.
    """
    return _save(ctx, images, filename_prefix, temporary=False)


@node(category="image/files", display_name="Preview Image", outputs=["files"], terminal=True)
def PreviewImage(ctx: NodeContext, images: Image) -> list[OutputFile]:
    """Show pictures; their files are temporary.

    Args:
        images: the pictures.
    """
    return _save(ctx, images, "preview", temporary=True)


def _save(ctx: NodeContext, images: Image, prefix: str, *, temporary: bool) -> list[OutputFile]:
    check_finite(images.pixels, "images")
    files = []
    for number, pixels in enumerate(images.pixels, 1):
        data = png_bytes(pixels, ctx.metadata)
        files.append(
            ctx.save(data, prefix=prefix, suffix=".png", media_type="image/png", temporary=temporary)
        )
        ctx.progress(number, len(images.pixels))
    return files
