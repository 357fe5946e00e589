"""What all networks share: the sections that their stages read beside the settings of their model."""

from __future__ import annotations

from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section, Seed
from busline.base.settings.training import Train


class TrainSettings(Section):
    """What a stage reads before it imports torch."""

    train: Train


class TableShared(Section):
    """What all models of the table share."""

    seed: Seed
    split: Split
    train: Train


class ImageShared(TableShared):
    """What all networks of images share."""

    cv: CrossValidation
