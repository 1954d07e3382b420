"""The last run of each workflow, in small files."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from nodegraph.explain.comparison import Comparison
from nodegraph.explain.traces import Traces
from nodegraph.planning import Plan

logger = logging.getLogger(__name__)


class RunLog:
    """Remembers for each workflow what the keys of its last run were made of.

    Args:
        folder: where one small JSON file per workflow is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, scope: str, plan: Plan) -> Comparison:
        """Compare a plan with the last run, before it changes what there is to compare.

        Args:
            scope: what the workflow is called from run to run.
        """
        return Comparison(plan, self._read(scope))

    def record(self, scope: str, traces: Traces) -> None:
        """Remember a run; a log that cannot be written costs an explanation, never the run."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "wb") as stream:
                stream.write(_adapter().dump_json(traces))
            Path(temporary).replace(self._path(scope))
        except OSError as error:
            logger.warning("the run could not be remembered for --explain: %s", error)

    def _read(self, scope: str) -> Traces:
        try:
            return _adapter().validate_json(self._path(scope).read_bytes())
        except (OSError, ValueError):  # none yet, damaged, or written by another version
            return {}

    def _path(self, scope: str) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(scope)).hexdigest()[:32]}.json"


@cache
def _adapter() -> TypeAdapter[Traces]:
    return TypeAdapter(Traces)
