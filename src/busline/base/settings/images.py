"""Sections `cnn` and `merged`: networks of images, alone and joined with the table's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Dropout, Epochs, Name, Rate, Section, Side, Units


class FineTune(Section):
    """A second phase of training, after the head was trained alone."""

    epochs: Epochs
    learning_rate: Rate
    layers: Annotated[list[str], Field(min_length=1)]
    """Modules of the network that are unfrozen, by their dotted names."""


class ImageModel(Section):
    """One image classifier."""

    network: str
    """`custom_cnn` or the name of any timm model."""
    weights: str | None
    """Name of a file in weights.files, or null for random initial weights."""
    dropout: Dropout
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate
    fine_tune: FineTune | None
    """If set, the first phase trains the head alone and this is the second."""


class Cnn(Section):
    """Image classifiers."""

    image_size: Side
    augmentation: Name
    """Name of a level in augmentation.levels."""
    active: list[Name]
    models: dict[Name, ImageModel]


class Merged(Section):
    """Networks that join the tabular DNN and an image network of the same repeat and fold."""

    active: list[Name]
    """Image models to merge; each must be in cnn.active, and dnn in tabular.active."""
    hidden: Units
    """Units of the dense layer behind the concatenation."""
    dropout: Dropout
    batch_size: BatchSize
    epochs: Epochs
    """Epochs of the new head alone."""
    learning_rate: Rate
    fine_tune_epochs: Epochs
    """Epochs of the whole network, at the small learning rate."""
    fine_tune_learning_rate: Rate
