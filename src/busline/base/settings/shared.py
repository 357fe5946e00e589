"""What all networks share: the sections that their stages read beside the settings of their model."""

from __future__ import annotations

from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.training import Train


class TrainSettings(Section):
    """What a stage reads before it imports torch."""

    train: Train


class TableShared(Section):
    """What all models of the table share."""

    seed: Seeds
    split: Split
    train: Train


class ImageShared(TableShared):
    """What all networks of images share."""

    cv: CrossValidation
