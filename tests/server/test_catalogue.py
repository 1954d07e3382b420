"""What the catalogue tells an editor beside the nodes."""

from __future__ import annotations

import json
from pathlib import Path

from nodegraph import NodeRegistry, node
from nodegraph.server.catalogue import Catalogue
from nodegraph.server.templates import Templates


class Picture:
    """A base."""


class Photo(Picture):
    """What may be given where a picture is wanted."""


@node(category="test")
def develop(films: list[Picture] | None = None) -> Photo:
    """Make a photo."""
    return Photo()


def test_the_classes_of_sockets_are_told_with_what_they_derive_from(tmp_path: Path) -> None:
    registry = NodeRegistry()
    registry.add(develop)
    types = json.loads(Catalogue(registry, Templates(tmp_path)).text)["types"]
    assert types == {"Picture": [], "Photo": ["Picture"]}
