"""What of a workflow cannot be seen: cards on each other, wires behind cards."""

from __future__ import annotations

from typing import Any, NamedTuple

LOOK = """
() => {
    const box = (card) => ({ id: card.dataset.id, ...card.getBoundingClientRect().toJSON() });
    const cards = [...document.querySelectorAll(".react-flow__node")].map(box);
    const apart = (one, other) => one.right <= other.left || other.right <= one.left
        || one.bottom <= other.top || other.bottom <= one.top;
    const pairs = cards.flatMap((one, index) => cards.slice(index + 1).map((other) => [one, other]));
    const over = pairs.filter(([one, other]) => !apart(one, other)).map((pair) => pair.map(({ id }) => id));
    const POINTS = 50;
    const behind = [...document.querySelectorAll(".react-flow__edge")].map((edge) => {
        const path = edge.querySelector("path");
        const [length, matrix] = [path.getTotalLength(), path.getScreenCTM()];
        const covered = Array.from({ length: POINTS - 1 }, (_, index) => (index + 1) / POINTS)
            .map((share) => path.getPointAtLength(share * length).matrixTransform(matrix))
            .filter(({ x, y }) => cards.some((card) =>
                x > card.left && x < card.right && y > card.top && y < card.bottom));
        return [edge.dataset.id, covered.length / POINTS];
    });
    return { over, behind };
}
"""


class Sight(NamedTuple):
    """What cannot be seen.

    Attributes:
        over: the ids of cards that lie on each other.
        behind: by wire, how much of it is behind cards, as a share of its length.
    """

    over: list[list[str]]
    behind: dict[str, float]


def look_at(page: Any) -> Sight:
    """Look at the workflow that is shown."""
    found = page.evaluate(LOOK)
    return Sight(found["over"], dict(found["behind"]))
