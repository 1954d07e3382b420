"""Files that lie beside a model and tell of it: its picture, and notes that download tools leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

WEIGHTS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
NOTES = (".json", ".metadata.json", ".civitai.info", ".txt", ".md", ".html", ".yaml", ".sha256")
PREVIEW = ".preview"


def picture_names(model: str) -> Iterator[str]:
    """The names under which programs keep a picture of a model, in the order they are looked for."""
    stem = _stem(model)
    yield from (f"{stem}{PREVIEW}{ending}" for ending in PICTURES)
    yield from (f"{stem}{ending}" for ending in PICTURES)


def without_companions(names: Iterable[str], models: Iterable[str]) -> set[str]:
    """Those of the names that are models themselves.

    Args:
        names: all files of a folder, and the model folders in it.
        models: the model folders among them; files of weights are told by their endings.
    """
    found = set(names)
    stems = {_stem(name) for name in found if name.endswith(WEIGHTS)} | set(models)
    return {name for name in found if not _is_about(name, stems)}


def _is_about(name: str, stems: set[str]) -> bool:
    endings = [ending for ending in (*PICTURES, *NOTES) if name.lower().endswith(ending)]
    return any(name[: -len(ending)].removesuffix(PREVIEW) in stems for ending in endings)


def _stem(model: str) -> str:
    ending = next((ending for ending in WEIGHTS if model.endswith(ending)), "")
    return model.removesuffix(ending)
