"""What the catalogue tells an editor beside the nodes."""

from __future__ import annotations

import json

from nodegraph import NodeRegistry, node
from nodegraph.server.catalogue import Catalogue


class Picture:
    """A base."""


class Photo(Picture):
    """What may be given where a picture is wanted."""


@node(category="test")
def develop(films: list[Picture] | None = None) -> Photo:
    """Make a photo."""
    return Photo()


def test_the_classes_of_sockets_are_told_with_what_they_derive_from() -> None:
    registry = NodeRegistry()
    registry.add(develop)
    types = json.loads(Catalogue(registry).text)["types"]
    assert types == {"Picture": [], "Photo": ["Picture"]}
