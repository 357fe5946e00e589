"""Section `seg`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Epochs, Name, Rate, Section, Side


class Segmentation(Section):
    """Lesion segmentation."""

    architecture: str
    """Name of a segmentation-models-pytorch architecture, such as unet."""
    encoder: str
    """Name of a segmentation-models-pytorch encoder, such as mobilenet_v2."""
    weights: str | None
    """Name of a file in weights.files for the encoder, or null for random initial weights."""
    freeze_encoder: bool
    """Keep a pretrained encoder's weights; without pretrained weights the encoder is always trained."""
    image_size: Annotated[Side, Field(multiple_of=32)]
    augmentation: Name
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate
