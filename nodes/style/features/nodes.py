"""Networks whose layers describe pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from nodegraph import InFolder, NodeContext, node
from nodegraph.errors import FileProblem, InputError
from nodegraph.files import Folders
from nodegraph.specs import UNKNOWN, Mismatch, Spec
from nodes.style.features.vgg import Convolution, detect_vgg
from nodes.style.types import FeatureExtractor, RandomExtractor, VGGExtractor
from nodes.types import Seed
from nodes.weights.header import UnknownFileError, read_header

FOLDER = "feature_extractors"

DEFAULT_SIZES = (3, 5, 7, 11, 15, 23, 37, 55)
"""Those of the paper."""

FilterSize = Annotated[int, Field(ge=1, le=101)]


def _stack(path: Path, name: str) -> tuple[Convolution, ...]:
    try:
        return detect_vgg(read_header(path))
    except UnknownFileError as problem:
        raise FileProblem(f"{name!r} is not a VGG network that can be loaded: {problem}") from problem


def _vgg_facts(extractor_name: Spec, files: Folders) -> dict[str, Any]:
    if extractor_name.value is UNKNOWN:
        return {}
    try:
        path = files.path(files.resolve(FOLDER, extractor_name.value))
    except FileProblem:
        return {}  # a missing file is reported for itself
    return {"layers": tuple(layer.name for layer in _stack(path, extractor_name.value))}


@node(category="style", infer=_vgg_facts)
def FeatureExtractorLoader(
    ctx: NodeContext,
    extractor_name: Annotated[str, InFolder(FOLDER)],
    pooling: Literal["average", "max"] = "average",
) -> FeatureExtractor:
    """A VGG network (16, 19 or another, with or without batch normalisation) in torchvision's layout.

    Args:
        extractor_name: its safetensors file.
        pooling: average gives smoother pictures than max, which the network was trained with.
    """
    file = ctx.resolve(FOLDER, extractor_name)
    stack = _stack(ctx.path(file), extractor_name)
    layers = tuple(layer.name for layer in stack)
    style = tuple(layer for layer in layers if layer.endswith("_1"))
    content = "conv4_2" if "conv4_2" in layers else layers[-1]
    smallest = 2 ** sum(layer.pooled for layer in stack)
    return VGGExtractor(layers, style, (content,), smallest, file, pooling)


def _sizes_problem(sizes: tuple[int, ...]) -> str | None:
    even = next((size for size in sizes if size % 2 == 0), None)
    if even is not None:
        return f"{even} is even, so such a filter has no middle; {even - 1} or {even + 1} would do"
    double = next((size for size in sizes if sizes.count(size) > 1), None)
    return None if double is None else f"{double} is named twice; once would do"


def _random_facts(filter_sizes: Spec) -> dict[str, Any]:
    if filter_sizes.value is UNKNOWN:
        return {}
    problem = _sizes_problem(filter_sizes.value)
    if problem:
        raise Mismatch(
            problem, "filter_sizes", given=str(filter_sizes.value), expected="different odd numbers"
        )
    return {"layers": RandomExtractor.of(0, 1, filter_sizes.value).layers}


@node(category="style", infer=_random_facts)
def RandomFeatures(
    seed: Seed = 0,
    filters: Annotated[int, Field(ge=1, le=1024)] = 32,
    filter_sizes: Annotated[tuple[FilterSize, ...], Field(min_length=1, max_length=32)] = DEFAULT_SIZES,
) -> FeatureExtractor:
    """Random filters of several sizes, which describe textures well and need no file.

    After Ustyuzhaninov, Brendel, Gatys, Bethge 2017, "What does it take to generate natural textures?".

    Args:
        seed: the seed of the filters.
        filters: how many of each size; the paper has 128. Time and quality grow with them.
        filter_sizes: sides of the filters in pixels, odd. Structures larger than the largest are not seen.
    """
    problem = _sizes_problem(filter_sizes)
    if problem:
        raise InputError("filter_sizes", problem)
    return RandomExtractor.of(seed, filters, filter_sizes)
