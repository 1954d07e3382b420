"""Servers for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from comfy_support import Comfy
from served import Served


@pytest.fixture(scope="module")
def comfy_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that the tests of a module share."""
    served = Served(tmp_path_factory.mktemp("comfy")).start()
    yield served.url
    served.end()


@pytest.fixture
def comfy(comfy_url: str) -> Iterator[Comfy]:
    """A ComfyUI client of that server."""
    client = Comfy(comfy_url)
    yield client
    client.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server of the test's own, not started yet."""
    served = Served(tmp_path)
    served.plugins.mkdir(parents=True)
    yield served
    if served.process is not None:
        served.end()
