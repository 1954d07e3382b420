"""The autoencoder with a KL penalty, as latent-diffusion stores it (Rombach et al. 2022, Sec. 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class


class LdmAutoencoder:
    """diffusers' ``AutoencoderKL`` under the names of latent-diffusion."""

    description = "KL autoencoder"

    def detect(self, header: Header) -> bool:
        """Whether it has an encoder and a decoder of this kind."""
        return header.has("encoder.down.0.block.0.conv1.weight", "decoder.up.0.block.0.conv1.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``AutoencoderKL``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        levels = header.number("encoder.down.{}.block.0.conv1.weight")
        blocks = header.number("encoder.down.0.block.{}.conv1.weight")
        if not levels or not blocks:
            raise UnknownFileError("its encoder has no blocks")
        widths = [header.shape(f"encoder.down.{level}.block.0.conv1.weight", 4)[0] for level in range(levels)]
        quantised = header.has("quant_conv.weight")
        return {
            "in_channels": header.shape("encoder.conv_in.weight", 4)[1],
            "out_channels": header.shape("decoder.conv_out.weight", 4)[0],
            "latent_channels": header.shape("decoder.conv_in.weight", 4)[1],
            "block_out_channels": widths,
            "layers_per_block": blocks,
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "use_quant_conv": quantised,
            "use_post_quant_conv": quantised,
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "AutoencoderKL").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        convert = library_class("diffusers.loaders.single_file_utils", "convert_ldm_vae_checkpoint")
        converted: dict[str, Tensor] = convert(tensors, dict(settings))
        return converted
