"""Section `merged`: networks that join one of images and the table's."""

from __future__ import annotations

from busline.base.settings.images import ImageSettings
from busline.base.settings.section import BatchSize, Dropout, Epochs, Name, Rate, Section, Units
from busline.base.settings.tabular import Dnn


class MergedHead(Section):
    """What joins the two networks, and how the whole is trained."""

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


class Merged(MergedHead):
    """Networks that join the tabular DNN and an image network of the same repeat and fold."""

    active: list[Name]
    """Image models to merge; each must be in cnn.active, and dnn in tabular.active."""


class MergedSettings(Section):
    """All that decides one merged network and is not shared by all networks."""

    merged: MergedHead
    dnn: Dnn
    image: ImageSettings
