"""What is known of pictures before the run."""

from __future__ import annotations

from typing import Any

from nodegraph.specs import UNKNOWN, Mismatch, Spec

Facts = dict[str, Any]


def picture_facts(image: Spec) -> Facts:
    """What is known of one picture."""
    return image.known("width", "height", "batch", "channels")


def size_facts(image: Spec) -> tuple[int, int] | None:
    """Width and height, if both are known."""
    known = image.known("width", "height")
    return (known["width"], known["height"]) if len(known) == 2 else None


def constants(*specs: Spec) -> tuple[Any, ...] | None:
    """The values of inputs, if all are constants of the workflow."""
    values = tuple(spec.value for spec in specs)
    return None if any(value is UNKNOWN for value in values) else values


def paired_batch(**specs: Spec) -> Facts:
    """The batch that two inputs have together; a single picture goes with any number.

    Raises:
        Mismatch: both are batches, of different sizes.
    """
    (first, one), (second, other) = specs.items()
    sizes = {one.get("batch"), other.get("batch")} - {1}
    if None in sizes:
        return {}
    if len(sizes) > 1:
        raise Mismatch(
            f"{second} has {other.get('batch')} pictures, but {first} has {one.get('batch')}",
            second,
            first,
            given=f"batch {other.get('batch')}",
            expected=f"batch {one.get('batch')} or 1",
        )
    return {"batch": sizes.pop() if sizes else 1}
