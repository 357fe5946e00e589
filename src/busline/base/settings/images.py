"""Section `cnn`: networks of images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Dropout, Epochs, Name, Rate, Section, Side
from busline.base.settings.training import AugmentationLevel
from busline.base.settings.weights import Start

CUSTOM = "custom_cnn"
"""The image model under which levels of augmentation are compared."""


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
    weights: str
    """`none` for random initial weights, `imagenet` for the file of weights.files that fits the network, or a name."""
    dropout: Dropout
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate
    batch_norm_momentum: Annotated[float, Field(gt=0.0, le=1.0)] | None
    """Weight of a new batch in the running mean and variance of every batch norm; null leaves the network's own, mostly
    0.1. Keras counts the other way round: its default of 0.99 is 0.01 here."""
    fine_tune: FineTune | None
    """If set, the first phase trains the head alone and this is the second."""


class Cnn(Section):
    """Image classifiers."""

    image_size: Side
    augmentation: Name
    """Name of a level in augmentation.levels."""
    fit_all: bool
    """Fit each model a second time, on all training cases: the figure of a model that does not vote. Voting and merged
    networks need one that did not learn from the cases to choose on. It takes twice the time."""
    active: list[Name]
    models: dict[Name, ImageModel]


class ImageSettings(Section):
    """All that decides one image classifier and is not shared by all networks."""

    model: ImageModel
    start: Start | None
    """What model.weights stands for; null for random initial weights."""
    image_size: Side
    augmentation: AugmentationLevel
    fit_all: bool
    """See :class:`Cnn`; a level of augmentation, which never votes, is then fitted on all training cases alone."""
