"""The parameters of the audit: its own, and those of the models that it runs again."""

from __future__ import annotations

from busline.base.settings.data import Ingest
from busline.base.settings.evaluation import Audit
from busline.base.settings.images import Cnn
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.tabular import Tabular
from busline.base.settings.training import Augmentation, Train


class AuditSettings(Section):
    """The sections that the audit reads."""

    seed: Seeds
    ingest: Ingest
    split: Split
    cv: CrossValidation
    train: Train
    tabular: Tabular
    augmentation: Augmentation
    cnn: Cnn
    audit: Audit
