"""What of a prompt can be told before it is encoded."""

from __future__ import annotations

from collections.abc import Sequence

from nodegraph.errors import FileProblem
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec
from nodes.conditioning.embedding_files import embedding_widths
from nodes.conditioning.embeddings import (
    EMBEDDING_MARK,
    EMBEDDINGS,
    Embedding,
    find_embedding,
    split_embeddings,
)
from nodes.conditioning.syntax import parse_prompt

MAX_WEIGHT = 1000.0
SHOWN = 50
ONE_ENCODER = "sd"
"""The family whose models have one text encoder, as wide as what they attend to."""


def check_prompt(text: Spec, input: str, clip: Spec, files: Folders) -> None:
    """Check the weights and the embeddings of a prompt, where it is known.

    Args:
        text: the prompt.
        input: the input that it is given to.
        clip: the text encoders that are to read it.
        files: where embeddings lie.

    Raises:
        Mismatch: a weight is too large, or an embedding is missing, damaged or for another model.
    """
    if not isinstance(text.value, str):
        return
    if complaint := overweight(text.value):
        expected = f"at most {MAX_WEIGHT:g}"
        raise Mismatch(complaint, input, given=text.value[:SHOWN], expected=expected, code="out_of_range")
    names = dict.fromkeys(embeddings_in(text.value))
    if wrong := [found for name in names if (found := _embedding_problem(name, input, clip, files))]:
        raise wrong[0] if len(wrong) == 1 else _all_of(wrong)


def overweight(text: str) -> str:
    """What is wrong with the weights of a prompt: no number can carry them through a network, or nothing."""
    for span in (span for section in parse_prompt(text) for span in section):
        if abs(span.weight) > MAX_WEIGHT:
            shown = span.text.strip()[:SHOWN]
            return f"{shown!r} weighs {span.weight:.4g}; weights go up to {MAX_WEIGHT:g}"
    return ""


def embeddings_in(text: str) -> list[str]:
    """Names of the embeddings that a prompt uses."""
    if EMBEDDING_MARK not in text:
        return []  # no syntax joins words, so none can come of it
    spans = (span for section in parse_prompt(text) for span in section)
    parts = (part for span in spans for part in split_embeddings(span.text))
    return [part.name for part in parts if isinstance(part, Embedding)]


def _embedding_problem(name: str, input: str, clip: Spec, files: Folders) -> Mismatch | None:
    """Why an embedding cannot be used."""
    try:
        file = find_embedding(files.resolve, name)
    except FileProblem as problem:
        return _refusal(problem, input, name, "missing_file")
    try:
        widths = embedding_widths(files.path(file), pickles=files.pickles)
    except FileProblem as problem:
        return _refusal(problem, input, name, "unusable_file")
    wanted = clip.get("text_width") if clip.get("family") == ONE_ENCODER else None
    if not wanted or not widths or wanted in widths.values():
        return None
    given = ", ".join(f"width {width}" for width in widths.values())
    text = f"embedding {name!r} has vectors of {given}, but the text encoder takes {wanted}"
    return Mismatch(text, input, "clip", given=given, expected=f"width {wanted}")


def _all_of(wrong: Sequence[Mismatch]) -> Mismatch:
    """Several complaints about one prompt as one."""
    return Mismatch(
        "; ".join(map(str, wrong)),
        *wrong[0].inputs,
        given=", ".join(problem.given for problem in wrong),
        expected=wrong[0].expected,
        code=wrong[0].code,
        suggestions=[name for problem in wrong for name in problem.suggestions],
    )


def _refusal(problem: FileProblem, input: str, name: str, code: str) -> Mismatch:
    expected = f"a file in {EMBEDDINGS!r}"
    return Mismatch(
        str(problem), input, given=name, expected=expected, code=code, suggestions=problem.suggestions
    )
