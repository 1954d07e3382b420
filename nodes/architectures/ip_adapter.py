"""IP-Adapters as their original code stores them (Ye et al. 2023): what makes tokens of a picture, and a key
and a value layer for each cross-attention of the U-Net."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

TOKENS = 4
"""Tokens that a picture becomes in a plain adapter (Ye et al. 2023, Sec. 3.2.1)."""
HEAD_WIDTH = 64
PROJECTION, LAYERS = "image_proj.", "ip_adapter."
EMBEDDINGS = "diffusers.models.embeddings"
FACE_MARK = re.compile(r"image_proj\.perceiver_resampler\.|ip_adapter\.\d+\.to_\w+_lora\.")
"""What names in FaceID adapters begin with; the others of them end their projection with a norm."""
REQUIRED = {
    "plain": ("proj.weight", "proj.bias", "norm.weight", "norm.bias"),
    "full": tuple(f"proj.{layer}.{part}" for layer in (0, 2, 3) for part in ("weight", "bias")),
    "plus": tuple(
        f"{layer}.{part}" for layer in ("proj_in", "proj_out", "norm_out") for part in ("weight", "bias")
    ),
}
"""Names of what makes tokens of a picture, by kind; a plus adapter has layers besides."""
_LAYER_RANKS = {
    **{f"0.{norm}.{part}": 1 for norm in ("norm1", "norm2") for part in ("weight", "bias")},
    **{f"0.{layer}.weight": 2 for layer in ("to_q", "to_kv", "to_out")},
    "1.0.weight": 1,
    "1.0.bias": 1,
    "1.1.weight": 2,
    "1.3.weight": 2,
}
"""Dimensions of the tensors of a plus adapter's layer."""
_PLAIN = ((r"^proj\.", "image_embeds."),)
_FULL = ((r"^proj\.0\.", "ff.net.0.proj."), (r"^proj\.2\.", "ff.net.2."), (r"^proj\.3\.", "norm."))
_PLUS = (
    (r"^(layers\.\d+)\.0\.norm1\.", r"\1.ln0."),
    (r"^(layers\.\d+)\.0\.norm2\.", r"\1.ln1."),
    (r"^(layers\.\d+)\.0\.to_out\.", r"\1.attn.to_out.0."),
    (r"^(layers\.\d+)\.0\.", r"\1.attn."),
    (r"^(layers\.\d+)\.1\.0\.", r"\1.ff.0."),
    (r"^(layers\.\d+)\.1\.1\.", r"\1.ff.1.net.0.proj."),
    (r"^(layers\.\d+)\.1\.3\.", r"\1.ff.1.net.2."),
)
RENAMED = {"plain": _PLAIN, "full": _FULL, "plus": _PLUS}
"""Patterns and what takes their place, by kind: diffusers' names from those of the original code."""


class ImagePromptNetwork(nn.Module):
    """An IP-Adapter.

    Args:
        image_proj: makes tokens ``[batch, tokens, text width]`` of what CLIP says of pictures.
        text_width: of the tokens.
        widths: of the U-Net's cross-attentions, in the order of its ``attn_processors``.
    """

    def __init__(self, image_proj: nn.Module, text_width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.image_proj = image_proj
        self.to_k_ip = nn.ModuleList(nn.Linear(text_width, width, bias=False) for width in widths)
        self.to_v_ip = nn.ModuleList(nn.Linear(text_width, width, bias=False) for width in widths)

    def tokens(self, features: Tensor) -> Tensor:
        """Tokens of all pictures together, ``[1, pictures · tokens, text width]``."""
        found: Tensor = self.image_proj(features)
        return found.flatten(0, 1)[None]

    def keys_and_values(self, tokens: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Keys and values of every cross-attention."""
        for key, value in zip(self.to_k_ip, self.to_v_ip, strict=True):
            yield key(tokens), value(tokens)


class IPAdapterFile:
    """Plain, plus and full-face adapters for U-Nets; those that need a face recogniser are unknown."""

    description = "IP-Adapter of Stable Diffusion"

    def detect(self, header: Header) -> bool:
        """Whether it has both halves of one."""
        return _kind(header) is not None and header.has(f"{LAYERS}1.to_k_ip.weight")

    def settings(self, header: Header) -> Settings:
        """Kind, widths and sizes.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        projection = header.below(PROJECTION)
        shapes = _keys(header)
        text_width = shapes[0][1]
        kind = _kind(header) or "plain"
        settings = {"kind": kind, "text_width": text_width, "widths": tuple(shape[0] for shape in shapes)}
        if kind == "plus":
            return {**settings, **_resampler(projection)}
        _require(projection, REQUIRED[kind])
        inner, features = projection.shape("proj.0.weight" if kind == "full" else "proj.weight", 2)
        return {**settings, "features": features, "tokens": inner // text_width if kind == "plain" else 0}

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        return ImagePromptNetwork(_projection(settings), settings["text_width"], settings["widths"])

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under the names of ``ImagePromptNetwork``."""
        converted: dict[str, Tensor] = {}
        for name in [name for name in tensors if name.startswith(PROJECTION)]:
            converted.update(_converted(name.removeprefix(PROJECTION), tensors[name], settings["kind"]))
        for part in ("to_k_ip", "to_v_ip"):
            for index, name in enumerate(_layers(tensors, part)):
                converted[f"{part}.{index}.weight"] = tensors[name]
        return converted


def needs_faces(header: Header) -> bool:
    """Whether it is a FaceID adapter, which is told what a face recogniser says of a face."""
    plain = header.has(f"{PROJECTION}proj.2.weight", f"{PROJECTION}norm.weight")
    return _kind(header) is None and (plain or any(FACE_MARK.match(name) for name in header.shapes))


def _kind(header: Header) -> str | None:
    marks = {"plus": "latents", "full": "proj.3.weight", "plain": "proj.weight"}
    return next((kind for kind, mark in marks.items() if header.has(PROJECTION + mark)), None)


def _keys(header: Header) -> list[tuple[int, ...]]:
    """Shapes of the key layers; the value layers are alike.

    Raises:
        UnknownFileError: one has no partner, or another shape than its partner.
    """
    keys, values = (dict(_numbered(header.shapes, part)) for part in ("to_k_ip", "to_v_ip"))
    for number in sorted(keys.keys() ^ values.keys()):
        missing = "to_v_ip" if number in keys else "to_k_ip"
        raise UnknownFileError(f"tensor '{LAYERS}{number}.{missing}.weight' is missing")
    for number, name in keys.items():
        if header.shape(name, 2) != header.shape(values[number], 2):
            raise UnknownFileError(f"tensor {name!r} and {values[number]!r} differ in shape")
    return [header.shapes[name] for name in keys.values()]


def _require(projection: Header, names: Iterable[str]) -> None:
    """Complain unless just these tensors are there."""
    wanted = set(names)
    if missing := wanted - projection.shapes.keys():
        raise UnknownFileError(f"tensor '{PROJECTION}{min(missing)}' is missing")
    if surplus := projection.shapes.keys() - wanted:
        raise UnknownFileError(f"tensor '{PROJECTION}{min(surplus)}' has no place in it")


def _resampler(projection: Header) -> dict[str, int]:
    """Settings of the resampler of a plus adapter."""
    _, queries, width = projection.shape("latents", 3)
    depth = projection.number("layers.{}.0.to_q.weight")
    ranks = {f"layers.{layer}.{name}": rank for layer in range(depth) for name, rank in _LAYER_RANKS.items()}
    _require(projection, ("latents", *REQUIRED["plus"], *ranks))
    for name, rank in ranks.items():
        projection.shape(name, rank)
    inner = projection.shape("layers.0.0.to_q.weight", 2)[0]
    if inner % HEAD_WIDTH:
        raise UnknownFileError(f"its resampler attends with {inner} channels, no multiple of {HEAD_WIDTH}")
    return {
        "features": projection.shape("proj_in.weight", 2)[1],
        "tokens": queries,
        "hidden": width,
        "depth": depth,
        "heads": inner // HEAD_WIDTH,
    }


def _projection(settings: Settings) -> nn.Module:
    kind, features, text_width = settings["kind"], settings["features"], settings["text_width"]
    if kind == "plain":
        made = library_class(EMBEDDINGS, "ImageProjection")(features, text_width, settings["tokens"])
    elif kind == "full":
        made = library_class(EMBEDDINGS, "IPAdapterFullImageProjection")(features, text_width)
    else:
        made = library_class(EMBEDDINGS, "IPAdapterPlusImageProjection")(
            embed_dims=features,
            output_dims=text_width,
            hidden_dims=settings["hidden"],
            depth=settings["depth"],
            heads=settings["heads"],
            num_queries=settings["tokens"],
        )
    module: nn.Module = made
    return module


def _layers(names: Iterable[str], part: str) -> list[str]:
    """Names of a part of all layers, by their numbers."""
    return [name for _, name in _numbered(names, part)]


def _numbered(names: Iterable[str], part: str) -> list[tuple[int, str]]:
    """The layers that have a part, in order; their numbers count self-attentions as well."""
    pattern = re.compile(rf"{re.escape(LAYERS)}(\d{{1,4}})\.{part}\.weight")
    return sorted((int(match[1]), name) for name in names if (match := pattern.fullmatch(name)))


def _converted(name: str, tensor: Tensor, kind: str) -> dict[str, Tensor]:
    for pattern, replacement in RENAMED[kind]:
        name = re.sub(pattern, replacement, name)
    name = f"image_proj.{name}"
    if "to_kv" not in name:
        return {name: tensor}
    key, value = torch.chunk(tensor, 2)
    return {name.replace("to_kv", "to_k"): key, name.replace("to_kv", "to_v"): value}
