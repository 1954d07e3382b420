"""From the values on the wires to what a denoiser takes: leased networks and tensors on the device."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Any

import torch

from nodegraph import NodeContext
from nodegraph.errors import InputError
from nodes.controlnet.hints import prepare_hint
from nodes.sampling.condition import Condition, Control
from nodes.sampling.denoiser import ConditionalDenoiser, Network
from nodes.sampling.networks import NETWORKS
from nodes.sampling.noise_schedule import sigma_at_percent
from nodes.sampling.patching.perturbed_attention import perturbed
from nodes.types import Conditioning, ControlHint, Latent, Model


class Binder:
    """Brings one run's inputs to the device; leases last as long as ``leases``.

    Args:
        ctx: the running node's context.
        leases: holds the leases.
        model: the model that samples.
        latent: the latents it works on.
    """

    def __init__(self, ctx: NodeContext, leases: ExitStack, model: Model, latent: Latent) -> None:
        self._ctx = ctx
        self._leases = leases
        self._model = model
        self._shape = latent.samples.shape
        self._controls: list[tuple[ControlHint, Control]] = []

    @cached_property
    def _module(self) -> Any:
        """The model's network, patched for as long as the leases last."""
        module = self._leases.enter_context(self._ctx.lease(self._model.weights))
        for patch in self._model.patches:
            self._leases.enter_context(patch.on_network(module))
        return module

    def denoiser(self, *, nearest_timestep: bool) -> ConditionalDenoiser:
        """The model's network as a denoiser."""
        return self._denoiser(NETWORKS[self._model.family](self._module), nearest_timestep)

    def perturbed_denoiser(self, *, nearest_timestep: bool) -> ConditionalDenoiser:
        """The same with its attention perturbed."""
        network = NETWORKS[self._model.family](self._module)
        return self._denoiser(perturbed(self._module, network), nearest_timestep)

    def _denoiser(self, network: Network, nearest_timestep: bool) -> ConditionalDenoiser:
        return ConditionalDenoiser(
            network, self._model.schedule, self._model.prediction, nearest_timestep=nearest_timestep
        )

    def conditions(self, name: str, side: Conditioning) -> list[Condition]:
        """The conditions of one side of the guidance.

        Args:
            name: the input it came in at, for complaints.

        Raises:
            InputError: it goes with neither model nor latents.
        """
        if (side.family, side.text_width) != (self._model.family, self._model.text_width):
            given = f"made for family {side.family} with text width {side.text_width}"
            raise InputError(
                name, f"{given}; the model is {self._model.family} with {self._model.text_width}"
            )
        return [
            Condition(
                prompt.embeddings.to(self._ctx.device),
                tuple(self._control(name, hint) for hint in prompt.controls),
            )
            for prompt in side.prompts
        ]

    def _control(self, name: str, hint: ControlHint) -> Control:
        """One ``Control`` per different hint, so that both sides of the guidance can share a forward."""
        known = next((control for other, control in self._controls if _same_hint(hint, other)), None)
        if known is not None:
            return known
        control = self._new_control(name, hint)
        self._controls.append((hint, control))
        return control

    def _new_control(self, name: str, hint: ControlHint) -> Control:
        control_net, (batch, channels, height, width) = hint.control_net, self._shape
        pictures = len(hint.image.pixels)
        if pictures not in (1, batch):
            raise InputError(
                name, f"a ControlNet has {pictures} pictures for {batch} latents; give 1 or {batch}"
            )
        if control_net.latent_channels != channels:
            raise InputError(
                name, f"its ControlNet is for {control_net.latent_channels} latent channels, not {channels}"
            )
        pixels = prepare_hint(hint.image.pixels, height * control_net.scale, width * control_net.scale)
        return Control(
            network=self._leases.enter_context(self._ctx.lease(control_net.weights)),
            hint=pixels.to(self._ctx.device),
            strength=hint.strength,
            sigma_start=sigma_at_percent(self._model.schedule, hint.start_percent),
            sigma_end=sigma_at_percent(self._model.schedule, hint.end_percent),
        )


def _same_hint(one: ControlHint, other: ControlHint) -> bool:
    """Whether two hints say the same; by content, because values from a cache are no longer one object."""
    settings = ("control_net", "strength", "start_percent", "end_percent")
    same = all(getattr(one, name) == getattr(other, name) for name in settings)
    return same and torch.equal(one.image.pixels, other.image.pixels)
