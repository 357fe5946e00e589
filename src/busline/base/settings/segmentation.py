"""Section `seg`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Epochs, Name, Rate, Section, Side
from busline.base.settings.training import AugmentationLevel
from busline.base.settings.weights import Start

MapSide = Annotated[Side, Field(multiple_of=32)]


class Segmenter(Section):
    """What one segmentation network has of its own; what is null or not there is `seg`'s."""

    architecture: str | None = None
    encoder: str | None = None
    weights: str | None = None
    freeze_encoder: bool | None = None
    image_size: MapSide | None = None
    augmentation: Name | None = None
    batch_size: BatchSize | None = None
    epochs: Epochs | None = None
    learning_rate: Rate | None = None


class Segmentation(Section):
    """Lesion segmentation: the networks, and what they share."""

    active: list[Name]
    models: dict[Name, Segmenter]
    architecture: str
    """Name of a segmentation-models-pytorch architecture, such as unet, or of a U-Net of transposed convolutions.

    ``transposed_unet`` is that of Chowdhary & Dennis 2026, Table 3, with the encoder mobilenet_v2; ``aligned_unet`` has
    the decoder of Dajam & Qahmash 2025, whose encoder, MobileNet, is tu-mobilenetv1_100.
    """
    encoder: str
    """Name of a segmentation-models-pytorch encoder, such as mobilenet_v2."""
    weights: str
    """Of the encoder: `none` for random initial weights, `imagenet` for the file of weights.files that fits it, or a
    name."""
    freeze_encoder: bool
    """Keep a pretrained encoder's weights; without pretrained weights the encoder is always trained."""
    image_size: MapSide
    augmentation: Name
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate

    def of_model(self, name: str) -> Segmentation:
        """Return the section as if ``name``, a key of :attr:`models`, were all there is."""
        return self.model_copy(update=self.models[name].model_dump(exclude_none=True))


class SegmenterSettings(Section):
    """All that decides one segmentation network and is not shared by all networks; see :class:`Segmentation`."""

    architecture: str
    encoder: str
    start: Start | None
    """What the encoder starts from; null for random initial weights."""
    freeze_encoder: bool
    image_size: MapSide
    augmentation: AugmentationLevel
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate
