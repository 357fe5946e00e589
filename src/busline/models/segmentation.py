"""Segmentation networks: those of segmentation-models-pytorch, and two papers' U-Nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.weights import TIMM_ENCODER, Start
from busline.models.gray import WantedInputs, unsigned
from busline.models.layout import PictureNetwork, lay_out
from busline.models.timm_names import advise, bare, first_accepted, require_timm, size_options
from busline.models.transposed_unet import DECODERS, build_transposed_unet
from busline.weights.load import load_into


class GrayInput(PictureNetwork):
    """A network of three-channel images that takes gray ones.

    Args:
        network: takes float (n, 3, s, s).
        start: the weights that its encoder starts from, for the inputs they want; None for inputs in [-1, 1].
    """

    def __init__(self, network: nn.Module, start: Start | None = None) -> None:
        super().__init__()
        self.network, self.wanted = network, WantedInputs(start) if start else None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, 1, s, s); ``images`` (n, 1, s, s) in [-1, 1]."""
        colour = images.expand(-1, 3, -1, -1)
        if self.wanted is not None:
            colour = self.wanted(unsigned(colour))
        logits: torch.Tensor = self.network(self.arrange(colour))
        return logits


def build_segmenter(architecture: str, encoder: str, side: int, start: Start | None = None) -> GrayInput:
    """Build the segmentation network with random weights from torch's current seed; nothing is downloaded.

    A pair that cannot be built raises what the library raises; :func:`busline.training.trial.try_unit` words it.

    Args:
        architecture: key of :data:`DECODERS`, or a name of segmentation-models-pytorch.
        encoder: name of segmentation-models-pytorch; ``tu-<network>`` is a network of timm.
        side: of the images in pixels, for the encoders that are built for one size.
        start: the weights that will be put into the encoder, for the inputs they want; None for random ones.

    Raises:
        ParameterError: if the architecture or the encoder does not exist.
    """
    import segmentation_models_pytorch as smp

    require_pair(architecture, encoder)
    own = encoder.removeprefix(TIMM_ENCODER)
    options: list[dict[str, Any]] = size_options(own, side, keep_shapes=True) if own != encoder else [{}]

    def create(**more: Any) -> nn.Module:
        if architecture in DECODERS:
            return build_transposed_unet(architecture, encoder, 1, **more)
        made: nn.Module = smp.create_model(
            architecture, encoder, encoder_weights=None, in_channels=3, classes=1, **more
        )
        return made

    network = GrayInput(first_accepted(create, options), start)
    lay_out(network)
    return network


def require_pair(architecture: str, encoder: str) -> None:
    """Refuse an architecture or an encoder that does not exist.

    Raises:
        ParameterError: with near matches.
    """
    import segmentation_models_pytorch as smp

    architectures = [*DECODERS, *smp.MODEL_ARCHITECTURES_MAPPING]
    if architecture not in architectures:
        mend = near_matches(architecture, architectures)
        raise ParameterError("seg.architecture", f"there is no architecture {architecture!r}", mend=mend)
    encoders, where = smp.encoders.get_encoder_names(), "seg.encoder"
    if encoder.startswith(TIMM_ENCODER):
        require_timm(where, encoder.removeprefix(TIMM_ENCODER))
    elif encoder not in encoders:
        problem = f"segmentation-models-pytorch has no {encoder!r}"
        raise ParameterError(where, problem, mend=near_matches(encoder, encoders))


def advise_pair(encoder: str, side: int) -> str:
    """Return what to do about an encoder that cannot be trained on pictures of ``side`` pixels."""
    if encoder.startswith(TIMM_ENCODER):
        return advise(encoder.removeprefix(TIMM_ENCODER), side, "seg.image_size")
    return "choose another encoder, or another architecture"


def load_encoder(model: GrayInput, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Put pre-trained weights into the encoder, which wraps a network of timm in a further module, `model`.

    See :func:`load_into`.
    """
    encoder: Any = model.network.encoder
    wrapped = getattr(encoder, "model", None)
    load_into(bare(wrapped) if isinstance(wrapped, nn.Module) else encoder, tensors, where)
