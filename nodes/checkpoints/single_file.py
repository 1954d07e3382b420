"""Checkpoints, and parts of them, as single safetensors files in their original layouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.architectures.architecture import Settings
from nodes.architectures.catalogue import ARCHITECTURES, AUTOENCODERS, DENOISERS, Found, find_networks
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.families import FAMILIES
from nodes.checkpoints.families.family import T5, Family, LatentSpace, Slot, make_model
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.text_encoders import ClipRecipe, T5Recipe, TextEncodersRecipe, Tokenizer
from nodes.types import Clip, Model, Vae
from nodes.weights.header import Header, UnknownFileError, read_header

PICKLED = (".bin", ".ckpt", ".pt", ".pth")
NETWORK_CLASSES = {
    "ldm_unet": "UNet2DConditionModel",
    "mmdit": "SD3Transformer2DModel",
    "flux": "FluxTransformer2DModel",
}
"""diffusers' classes of the denoising networks."""


class Contents(NamedTuple):
    """What a file holds.

    Attributes:
        file: the file, as recipes name it.
        path: where it lies.
        header: of the whole file.
        networks: those that were recognised.
    """

    file: File
    path: Path
    header: Header
    networks: Sequence[Found]

    def settings(self, found: Found) -> Settings:
        """The settings of one of its networks."""
        return ARCHITECTURES[found.architecture].settings(self.header.below(found.prefix))

    def first(self, architectures: Sequence[str]) -> Found | None:
        """The first of its networks that has one of these architectures."""
        return next((found for found in self.networks if found.architecture in architectures), None)

    @property
    def description(self) -> str:
        """What was recognised, for people."""
        names = [found.description for found in self.networks]
        if names:
            return f"it holds {', '.join(names)}"
        if not self.header.shapes:
            return "it holds no tensors"
        some = ", ".join(map(repr, sorted(self.header.shapes)[:3]))
        return f"nothing in it was recognised (it has {len(self.header.shapes)} tensors, such as {some})"


def read_contents(file: File, path: Path) -> Contents:
    """What a file holds, by its header.

    Raises:
        FileProblem: it is a pickle, or no safetensors file, or a damaged one.
    """
    if path.suffix in PICKLED:
        raise FileProblem("it is a pickle, which is never loaded; convert it to safetensors")
    try:
        header = read_header(path)
    except UnknownFileError as problem:
        raise FileProblem(f"it is {problem}") from problem
    return Contents(file, path, header, find_networks(header))


def load_single_file(contents: Contents, t5_tokenizer: Tokenizer | None) -> Checkpoint:
    """The recipes of all parts of a checkpoint.

    Args:
        contents: what the file holds.
        t5_tokenizer: where T5's tokenizer lies, where it is at hand.

    Raises:
        FileProblem: a part is missing, or is of a kind that cannot be used.
    """
    try:
        found, family = denoiser(contents)
        autoencoder = contents.first(AUTOENCODERS)
        missing = [] if autoencoder else ["an autoencoder"]
        encoders = list(_encoders(contents, family))
        filled = [slot for slot, _ in encoders]
        missing += [f"text encoder {name}" for name in missing_encoders(family, filled)]
        if missing or autoencoder is None:
            lacking = f"for {family.title} it lacks {' and '.join(missing)}"
            advice = "load it with UNETLoader from diffusion_models, and the rest from files of their own"
            raise FileProblem(f"{contents.description}; {lacking}; {advice}")
        model = load_model(contents, found, family)
        recipes = tuple(
            (slot.name, encoder_recipe(contents, at, slot, t5_tokenizer)) for slot, at in encoders
        )
        widths = {slot.name: encoder_width(contents.settings(at)) for slot, at in encoders}
        clip = Clip(TextEncodersRecipe(recipes), family.name, family.joined_width(widths) or model.text_width)
        return Checkpoint(model, clip, load_vae(contents, autoencoder, family.latents))
    except UnknownFileError as problem:
        raise FileProblem(f"{contents.description}, but {problem}") from problem


def denoiser(contents: Contents) -> tuple[Found, Family]:
    """The denoising network of a file, and its family.

    Raises:
        FileProblem: there is none, or one of an unknown family.
        UnknownFileError: the shapes of its tensors contradict one another.
    """
    found = contents.first(DENOISERS)
    if found is None:
        wanted = "; ".join(ARCHITECTURES[name].description for name in DENOISERS)
        raise FileProblem(f"{contents.description}; it lacks a denoising network (known are: {wanted})")
    settings, cls = contents.settings(found), NETWORK_CLASSES[found.architecture]
    family = next((f for f in FAMILIES if f.network == cls and f.owns(settings)), None)
    if family is None:
        raise FileProblem(f"{contents.description}, of a family that is not known")
    return found, family


def load_model(contents: Contents, found: Found, family: Family) -> Model:
    """The model of a file.

    Raises:
        FileProblem: it takes more than latents and a prompt.
        UnknownFileError: the shapes of its tensors contradict one another.
    """
    settings = contents.settings(found)
    training = family.training(settings, Marks(contents.path, contents.header, found.prefix))
    recipe = NetworkRecipe(contents.file, found.architecture, found.prefix)
    return make_model(family, recipe, settings, training)


def load_vae(contents: Contents, found: Found, latents: LatentSpace) -> Vae:
    """The autoencoder of a file.

    Raises:
        UnknownFileError: the shapes of its tensors contradict one another.
    """
    settings, tiny = contents.settings(found), found.architecture == "tiny_autoencoder"
    levels = settings["decoder_block_out_channels"] if tiny else settings["block_out_channels"]
    own = LatentSpace(latents.family, 1.0)  # a tiny one works in the denoiser's scale
    scaling = own if tiny else latents
    return Vae(
        weights=NetworkRecipe(contents.file, found.architecture, found.prefix, force_upcast=not tiny),
        family=scaling.family,
        latent_channels=settings["latent_channels"],
        scale=2 ** (len(levels) - 1),
        scaling_factor=scaling.scaling_factor,
        shift_factor=scaling.shift_factor,
    )


def encoder_recipe(
    contents: Contents, found: Found, slot: Slot, t5_tokenizer: Tokenizer | None
) -> ClipRecipe | T5Recipe:
    """The recipe of a text encoder in a file."""
    network = NetworkRecipe(contents.file, found.architecture, found.prefix)
    return T5Recipe(network, t5_tokenizer) if slot.name == T5 else ClipRecipe(network, slot.use)


def _encoders(contents: Contents, family: Family) -> Iterator[tuple[Slot, Found]]:
    by_prefix = {found.prefix: found for found in contents.networks}
    for slot in family.slots:
        found = next((by_prefix[prefix] for prefix in slot.prefixes if prefix in by_prefix), None)
        if found is not None:
            yield slot, found


def missing_encoders(family: Family, filled: Sequence[Slot]) -> list[str]:
    """Names of the text encoders that a family needs and does not find; alternatives count as one."""
    components = {slot.component for slot in filled}
    empty = [slot for slot in family.slots if slot.component not in components and not slot.optional]
    names: dict[str, list[str]] = {}
    for slot in empty:
        names.setdefault(slot.component, []).append(slot.name)
    return [" or ".join(alternatives) for alternatives in names.values()]


def encoder_width(settings: Settings) -> int:
    """Width of the hidden states of a text encoder."""
    return int(settings.get("hidden_size") or settings["d_model"])
