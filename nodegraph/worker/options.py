"""What a worker is told at its start and for each job; all of it travels as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from nodegraph import locations


class JobFolders(BaseModel):
    """Where the files of one job are.

    Attributes:
        output: where pictures go.
        temporary: where previews go.
        inputs: folders of input files, the user's own first.
        closed: names of folders in ``output`` that are other users'.
        private: whether it is not told where on this machine they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: Path
    temporary: Path
    inputs: tuple[Path, ...] = ()
    closed: tuple[str, ...] = ()
    private: bool = False


class WorkerOptions(BaseModel):
    """What an engine in a worker is made of; see ``Engine.create``.

    Attributes:
        cache: the cache folder.
        plugins: the folder of plugins.
        models: further folders of models, searched first.
        pickles: whether tensors may be read from pickled files.
        device: name of the torch device, or ``auto``.
        memory_cache: bytes of results kept in memory.
        disk_cache: bytes of results kept on disk.
        start_seconds: how long a worker may take to start.
        cancel_grace: how many seconds a cancelled job has to stop before its process is killed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache: Path
    plugins: Path
    models: tuple[Path, ...] = ()
    pickles: bool = False
    device: str = "auto"
    memory_cache: int = locations.MEMORY_CACHE_BYTES
    disk_cache: int = locations.DISK_CACHE_BYTES
    start_seconds: float = 120.0
    cancel_grace: float = 10.0


class WorkerJob(BaseModel):
    """One job as a worker gets it.

    Attributes:
        id: its id.
        owner: the user whose it is.
        workflow: the workflow in nodegraph's own format.
        folders: where its files are.
        targets: ids of the nodes whose results are wanted, or ``None`` for the output nodes.
        time_limit: seconds it may run, or ``None``.
    """

    # values such as seeds hardly come again: kept for that, they would lie about in otherwise free memory
    model_config = ConfigDict(frozen=True, extra="forbid", cache_strings="keys")

    id: str
    owner: str
    workflow: dict[str, Any]
    folders: JobFolders
    targets: tuple[str, ...] | None = None
    time_limit: float | None = None
