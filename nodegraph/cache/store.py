"""What every store of results offers."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from nodegraph.cache.keys import Key


class Entry(NamedTuple):
    """The result of one node.

    Attributes:
        outputs: its output values, in the order of its outputs.
        seconds: how long it took to compute.
        node_type: id of the node type that computed it.
    """

    outputs: tuple[Any, ...]
    seconds: float
    node_type: str


class StoreInfo(NamedTuple):
    """How full a store is.

    Attributes:
        entries: how many results it holds.
        bytes: what they take up.
        limit: what they may take up.
    """

    entries: int
    bytes: int
    limit: int


class Store(Protocol):
    """Keeps results by key, within a limit in bytes; any number of threads may use it at once.

    A store may forget anything at any time, but never gives back anything else than was put in.
    """

    def get(self, key: Key) -> Entry | None:
        """The result, or ``None``; getting it makes it the last to be forgotten."""

    def contains(self, key: Key) -> bool:
        """Whether there seems to be a result, found out without reading it."""

    def put(self, key: Key, entry: Entry) -> bool:
        """Keep a result; ``False`` if it is too large, or of a kind that this store cannot keep."""

    def delete(self, key: Key) -> None:
        """Forget one result, if it is there."""

    def clear(self) -> None:
        """Forget all results."""

    def info(self) -> StoreInfo:
        """How full it is."""

    def verify(self) -> list[Key]:
        """Check every result; the keys of those that were damaged, which are now forgotten."""
