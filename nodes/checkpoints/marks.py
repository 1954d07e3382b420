"""What a single file says of the training of its model, besides the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nodes.sampling.denoiser import Prediction
from nodes.weights.header import Header

PREDICTIONS: Mapping[str, Prediction] = {
    "epsilon": "epsilon",
    "v": "v_prediction",
    "v_prediction": "v_prediction",
}
METADATA = ("modelspec.prediction_type", "modelspec.predict_key")
V_MARK = "v_pred"
ZERO_SNR_MARK = "ztsnr"
"""Empty tensors by which fine-tuned models say that they predict v, and that they were trained up to pure
noise (Lin et al. 2024)."""
V_TENSOR = "output_blocks.11.1.transformer_blocks.0.norm1.bias"
V_SPREAD = 0.09


@dataclass(frozen=True)
class Marks:
    """A file, asked how its model was trained.

    Attributes:
        path: where it lies.
        header: of the whole file.
        prefix: what stands before the tensors of its denoising network.
    """

    path: Path
    header: Header
    prefix: str

    @property
    def prediction(self) -> Prediction | None:
        """What the network predicts, where names of tensors or metadata say so."""
        if V_MARK in self.header.shapes:
            return "v_prediction"
        given = (self.header.metadata.get(name, "") for name in METADATA)
        return next((PREDICTIONS[value] for value in given if value in PREDICTIONS), None)

    @property
    def zero_snr(self) -> bool:
        """Whether it was trained up to pure noise."""
        return ZERO_SNR_MARK in self.header.shapes

    def spread_says_v(self) -> bool:
        """Whether a network of Stable Diffusion 2 predicts v, told by one short vector of its weights.

        Nothing in the header tells both kinds apart; but training with v moved this vector further from
        zero than training with ε.
        """
        from safetensors import safe_open

        name = self.prefix + V_TENSOR
        if not self.header.has(name):
            return False
        with safe_open(self.path, framework="pt") as file:
            return float(file.get_tensor(name).float().std(correction=0)) > V_SPREAD
