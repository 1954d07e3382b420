"""Where model files are found."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.text_encoders import T5_FOLDER, Tokenizer


class FileSource(Protocol):
    """Finds model files by name: a running node's context, or the folders before the run."""

    def resolve(self, folder: str, name: str) -> File:
        """The file of that name."""

    def path(self, file: File) -> Path:
        """Where it lies on this machine."""


def t5_tokenizer(files: FileSource) -> Tokenizer | None:
    """T5's tokenizer among the models, where it is there."""
    try:
        return Tokenizer(files.resolve(*T5_FOLDER))
    except FileProblem:
        return None
