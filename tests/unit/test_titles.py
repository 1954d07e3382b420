"""Titles of nodes: one rule for all, unless a node declares its own."""

from __future__ import annotations

import pytest

from nodegraph.registry import NodeRegistry
from nodegraph.titles import title_of


@pytest.mark.parametrize(
    ("id", "title"),
    [
        ("ImageScale", "Image Scale"),
        ("ImageToMask", "Image to Mask"),
        ("ImageScaleBy", "Image Scale By"),
        ("VAEDecode", "VAE Decode"),
        ("CLIPTextEncodeSD3", "CLIP Text Encode SD3"),
        ("effects.FreeHand_V2", "Free Hand V2"),
        ("lower", "lower"),
        ("", ""),
    ],
)
def test_an_id_is_told_in_words(id: str, title: str) -> None:
    assert title_of(id) == title


def test_titles_of_the_built_in_nodes_are_words_and_differ() -> None:
    registry = NodeRegistry()
    registry.discover("nodes", "")
    titles = {node.id: node.title for node in registry.nodes()}
    assert len(set(titles.values())) == len(titles)
    assert titles["KSampler"] == "KSampler"
    assert titles["CheckpointLoaderSimple"] == "Load Checkpoint"
    unspaced = {id for id, title in titles.items() if title == id and title_of(id) != id}
    assert unspaced == {"KSampler", "DeepCache", "FreeU"}, "these are names, all others are words"
