"""Loading checkpoints of every layout as recipes."""

from __future__ import annotations

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.files import FileSource, t5_tokenizer
from nodes.checkpoints.folder import INDEX, load_folder
from nodes.checkpoints.single_file import load_single_file, read_contents


def load_checkpoint(file: File, files: FileSource) -> Checkpoint:
    """The recipes of a checkpoint's parts, from its configs or its header.

    Raises:
        FileProblem: it is not a checkpoint of a known family; the message says what it is instead.
    """
    path = files.path(file)
    try:
        if not path.is_dir():
            return load_single_file(read_contents(file, path), t5_tokenizer(files))
        if not (path / INDEX).is_file():
            raise FileProblem(f"it is a folder without {INDEX}")
        return load_folder(file, path)
    except FileProblem as problem:
        raise FileProblem(f"checkpoint {file.name!r} cannot be used: {problem}") from problem
