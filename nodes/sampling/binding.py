"""From the values on the wires to what a denoiser takes: leased networks and tensors on the device."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from nodegraph import NodeContext
from nodegraph.errors import InputError
from nodes.controlnet.hints import prepare_hint
from nodes.controlnet.networks import controlnet, t2i_adapter
from nodes.sampling.condition import Box, Condition, Control
from nodes.sampling.denoiser import ConditionalDenoiser, Network
from nodes.sampling.networks import NETWORKS
from nodes.sampling.noise_schedule import sigma_at_percent
from nodes.sampling.patches import Run
from nodes.sampling.patching.perturbed_attention import perturbed
from nodes.sampling.picture_size import told_size
from nodes.sampling.regions import PIXELS, region
from nodes.types import Conditioning, ControlHint, Latent, Model, Prompt, T2IAdapter


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
        self._controls: list[tuple[ControlHint, tuple[int, int], Control]] = []

    @cached_property
    def _module(self) -> Any:
        """The model's network, patched for as long as the leases last."""
        module = self._leases.enter_context(self._ctx.lease(self._model.weights))
        for patch in self._model.patches:
            self._leases.enter_context(patch.on_network(module))
        return module

    @cached_property
    def _network(self) -> Network:
        """The same behind the signature of all families, with what patches put before it."""
        network, model = NETWORKS[self._model.family](self._module), self._model
        run = Run(self._module, model.schedule, self._ctx.lease)
        for patch in model.patches:
            network = self._leases.enter_context(patch.predicting(network, run))
        return network

    def denoiser(self, *, nearest_timestep: bool) -> ConditionalDenoiser:
        """The model's network as a denoiser."""
        return self._denoiser(self._network, nearest_timestep)

    def perturbed_denoiser(self, *, nearest_timestep: bool) -> ConditionalDenoiser:
        """The same with its attention perturbed."""
        return self._denoiser(perturbed(self._module, self._network), nearest_timestep)

    def _denoiser(self, network: Network, nearest_timestep: bool) -> ConditionalDenoiser:
        return ConditionalDenoiser(
            network, self._model.schedule, self._model.prediction, nearest_timestep=nearest_timestep
        )

    def conditions(self, name: str, side: Conditioning, *, negative: bool = False) -> list[Condition]:
        """The conditions of one side of the guidance.

        Args:
            name: the input it came in at, for complaints.
            side: what it tells.
            negative: whether guidance goes away from it.

        Raises:
            InputError: it goes with neither model nor latents.
        """
        if (side.family, side.text_width) != (self._model.family, self._model.text_width):
            given = f"made for family {side.family} with text width {side.text_width}"
            raise InputError(
                name, f"{given}; the model is {self._model.family} with {self._model.text_width}"
            )
        return [self._condition(name, prompt, negative) for prompt in side.prompts]

    def _condition(self, name: str, prompt: Prompt, negative: bool) -> Condition:
        batch, _, height, width = self._shape
        box, weight = region(prompt, height, width)
        shown = (height, width) if box is None else (box.height, box.width)
        if weight is not None and len(weight) not in (1, batch):
            raise InputError(name, f"a prompt has {len(weight)} masks for {batch} latents; give 1 or {batch}")
        return Condition(
            prompt.embeddings.to(self._ctx.device),
            tuple(self._control(name, hint, *shown) for hint in prompt.controls),
            pooled=self._on_device(prompt.pooled),
            size=self._size(prompt, negative),
            guidance=prompt.guidance,
            concat=self._concat(name, prompt, box),
            box=box,
            weight=self._on_device(weight),
            sigma_start=sigma_at_percent(self._model.schedule, prompt.start_percent),
            sigma_end=sigma_at_percent(self._model.schedule, prompt.end_percent),
            negative=negative,
        )

    def _size(self, prompt: Prompt, negative: bool) -> tuple[float, ...] | None:
        height, width = (PIXELS * side for side in self._shape[-2:])
        return told_size(prompt.size, self._model.family, height, width, negative=negative)

    def _concat(self, name: str, prompt: Prompt, box: Box | None) -> Tensor | None:
        """What the network takes beside the latents; a network that takes nothing is given nothing."""
        wanted, concat, batch = self._model.concat_channels, prompt.concat, self._shape[0]
        if not wanted:
            return None
        if concat is None and wanted == self._shape[1]:  # instruction models learnt no picture as zeros
            concat = torch.zeros(1, wanted, *self._shape[2:])
        if concat is None:
            raise InputError(
                name,
                f"the model takes {wanted} channels beside the latents, which the prompt has not: put "
                "InpaintModelConditioning before the sampler",
            )
        if concat.shape[1] != wanted or len(concat) not in (1, batch) or concat.shape[2:] != self._shape[2:]:
            raise InputError(
                name,
                f"beside the latents, {list(self._shape)}, the model takes {wanted} channels of their "
                f"size; the prompt has {list(concat.shape)}",
            )
        return (concat if box is None else box.crop(concat)).to(self._ctx.device)

    def _on_device(self, tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.to(self._ctx.device)

    def _control(self, name: str, hint: ControlHint, height: int, width: int) -> Control:
        """One ``Control`` for equal hints of a size, so that both sides of the guidance share a forward."""
        size = (height, width)
        same = (c for other, shown, c in self._controls if shown == size and _same_hint(hint, other))
        known = next(same, None)
        if known is not None:
            return known
        control = self._new_control(name, hint, height, width)
        self._controls.append((hint, size, control))
        return control

    def _new_control(self, name: str, hint: ControlHint, height: int, width: int) -> Control:
        control_net, (batch, channels) = hint.control_net, self._shape[:2]
        pictures = len(hint.image.pixels)
        if pictures not in (1, batch):
            raise InputError(
                name, f"a ControlNet has {pictures} pictures for {batch} latents; give 1 or {batch}"
            )
        if control_net.latent_channels != channels:
            raise InputError(
                name, f"its ControlNet is for {control_net.latent_channels} latent channels, not {channels}"
            )
        network = self._leases.enter_context(self._ctx.lease(control_net.weights))
        if isinstance(control_net, T2IAdapter):
            self._check_widths(name, control_net)
            tall, wide = (
                _raised(side * control_net.scale, control_net.picture_multiple) for side in (height, width)
            )
            picture = prepare_hint(hint.image.pixels, tall, wide, control_net.picture_channels)
            at_work = t2i_adapter(network, picture.to(self._ctx.device), hint.strength)
        else:
            picture = prepare_hint(hint.image.pixels, height * control_net.scale, width * control_net.scale)
            at_work = controlnet(network, picture.to(self._ctx.device), hint.strength)
        return Control(
            at_work,
            sigma_start=sigma_at_percent(self._model.schedule, hint.start_percent),
            sigma_end=sigma_at_percent(self._model.schedule, hint.end_percent),
        )

    def _check_widths(self, name: str, adapter: T2IAdapter) -> None:
        wanted = tuple(self._module.config.block_out_channels)
        if adapter.widths[: len(wanted)] != wanted:
            raise InputError(
                name,
                f"its T2I-Adapter gives features of {list(adapter.widths)} channels; "
                f"the model's levels have {list(wanted)}",
            )


def _raised(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _same_hint(one: ControlHint, other: ControlHint) -> bool:
    """Whether two hints say the same; by content, because values from a cache are no longer one object."""
    settings = ("control_net", "strength", "start_percent", "end_percent")
    same = all(getattr(one, name) == getattr(other, name) for name in settings)
    return same and torch.equal(one.image.pixels, other.image.pixels)
