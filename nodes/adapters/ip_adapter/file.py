"""IP-Adapters in files, told by their headers."""

from __future__ import annotations

from pathlib import Path

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import ARCHITECTURES
from nodes.architectures.ip_adapter import needs_faces
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.single_file import read_contents
from nodes.types import IPAdapter
from nodes.weights.header import UnknownFileError

ARCHITECTURE = "ip_adapter"
FACES = (
    "it is a FaceID adapter, which reads what the face recogniser InsightFace says of a face; there is none "
    "here. Plain, plus and full-face adapters would do"
)
FAMILIES = {16: "sd", 70: "sdxl"}
"""Families by the number of cross-attentions in their U-Nets."""


def load_ip_adapter(file: File, path: Path) -> IPAdapter:
    """The recipe of an IP-Adapter, from its header alone.

    Raises:
        FileProblem: it is none, or one of a kind that cannot be used.
    """
    try:
        contents = read_contents(file, path)
        found = contents.first((ARCHITECTURE,))
        if found is None and needs_faces(contents.header):
            raise FileProblem(FACES)
        if found is None:
            raise FileProblem(
                f"{contents.description}; an {ARCHITECTURES[ARCHITECTURE].description} is wanted"
            )
        settings = contents.settings(found)
    except (FileProblem, UnknownFileError) as problem:
        raise FileProblem(f"IP-Adapter {file.name!r} cannot be used: {problem}") from problem
    return IPAdapter(
        NetworkRecipe(file, ARCHITECTURE),
        family=FAMILIES.get(len(settings["widths"])),
        text_width=settings["text_width"],
        feature_width=settings["features"],
        reads_hidden=settings["kind"] != "plain",
        widths=settings["widths"],
    )
