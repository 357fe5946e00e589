"""Segmentation networks of segmentation-models-pytorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from busline.base.errors import ParameterError, near_matches
from busline.weights.load import load_into


class GrayInput(nn.Module):
    """A network of three-channel images that takes gray ones."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, 1, s, s); ``images`` (n, 1, s, s) in [-1, 1]."""
        colour = images.expand(-1, 3, -1, -1)
        logits: torch.Tensor = self.network(colour)
        return logits


def build_segmenter(architecture: str, encoder: str) -> GrayInput:
    """Build the segmentation network with random weights from torch's current seed.

    Raises:
        ParameterError: if the architecture or encoder does not exist, or the two do not go together.
    """
    import segmentation_models_pytorch as smp

    architectures: dict[str, Any] = smp.MODEL_ARCHITECTURES_MAPPING
    if architecture not in architectures:
        raise ParameterError(
            "seg.architecture",
            f"segmentation-models-pytorch has no {architecture!r}",
            mend=near_matches(architecture, architectures),
        )
    encoders = smp.encoders.get_encoder_names()
    if encoder not in encoders and not encoder.startswith("tu-"):
        raise ParameterError(
            "seg.encoder",
            f"segmentation-models-pytorch has no {encoder!r}",
            mend=near_matches(encoder, encoders),
        )
    try:
        network = smp.create_model(architecture, encoder, encoder_weights=None, in_channels=3, classes=1)
    except (ValueError, RuntimeError, KeyError) as error:
        raise ParameterError(
            "seg", f"{architecture} with {encoder} cannot be built ({error})", mend="choose another encoder"
        ) from error
    return GrayInput(network).to(memory_format=torch.channels_last)


def load_encoder(model: GrayInput, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Put pretrained weights into the encoder. See :func:`load_into`."""
    encoder: Any = model.network.encoder
    load_into(encoder, tensors, where)
