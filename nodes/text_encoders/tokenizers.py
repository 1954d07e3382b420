"""Tokenizers, found without a network."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nodes.weights.libraries import library_class

VOCABULARY = Path(__file__).parent / "vocabulary" / "bpe_simple_vocab_16e6.txt.gz"
"""CLIP's byte-pair merges, in the order of their rank."""
MERGES = 48894
"""How many of them CLIP was trained with; the file has more."""
END_OF_WORD = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
CLIP_TOKENS = 77
T5_FILE = "tokenizer.json"
T5_REPOSITORIES = {
    "black-forest-labs/FLUX.1-schnell": "tokenizer_2",
    "black-forest-labs/FLUX.1-dev": "tokenizer_2",
    "stabilityai/stable-diffusion-3-medium-diffusers": "tokenizer_3",
    "stabilityai/stable-diffusion-3.5-medium": "tokenizer_3",
    "stabilityai/stable-diffusion-3.5-large": "tokenizer_3",
}
"""Where the hub has it, by repository."""


def clip_tokenizer() -> Any:
    """CLIP's tokenizer, from the vocabulary that is shipped (Radford et al. 2021, Sec. 2.4)."""
    merges = _merges()
    tokens = [*_bytes(), *(byte + END_OF_WORD for byte in _bytes())]
    tokens += ["".join(pair) for pair in merges]
    vocabulary = {token: id for id, token in enumerate((*tokens, START, END))}
    cls = library_class("transformers", "CLIPTokenizer")
    return cls(vocab=vocabulary, merges=list(merges), model_max_length=CLIP_TOKENS)


@cache
def _merges() -> tuple[tuple[str, str], ...]:
    with gzip.open(VOCABULARY, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")[1 : MERGES + 1]
    return tuple((first, second) for first, second in (line.split() for line in lines))


def _bytes() -> Iterator[str]:
    """A printable character for every byte, in the order of GPT-2's vocabulary (Radford et al. 2019)."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    yield from map(chr, printable)
    yield from (chr(256 + index) for index in range(256 - len(printable)))


def t5_tokenizer(folder: Path | None) -> Any:
    """T5's tokenizer, from a folder, or else from the cache of the Hugging Face hub.

    Raises:
        FileNotFoundError: it is in neither place.
        ValueError: it cannot be read.
    """
    path = _cached_t5_file() if folder is None else folder / T5_FILE
    if path is None or not path.is_file():
        where = "the cache of the Hugging Face hub" if folder is None else folder.name
        raise FileNotFoundError(f"no {T5_FILE} in {where}")
    cls = library_class("transformers", "T5TokenizerFast")
    try:
        return cls(tokenizer_object=library_class("tokenizers", "Tokenizer").from_file(str(path)))
    except Exception as error:  # tokenizers raises plain exceptions
        raise ValueError(f"{T5_FILE} in {path.parent.name} is not a tokenizer: {error}") from error


def _cached_t5_file() -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repo, f"{part}/{T5_FILE}") for repo, part in T5_REPOSITORIES.items())
    return next((Path(path) for path in found if isinstance(path, str)), None)
