"""The parameters of evaluation: its own, and which models there are."""

from __future__ import annotations

from busline.base.settings.evaluation import Evaluate
from busline.base.settings.headline import Headline
from busline.base.settings.images import Cnn
from busline.base.settings.merged import Merged
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.segmentation import Segmentation as SegmentationSection
from busline.base.settings.tabular import Tabular
from busline.base.settings.training import Augmentation


class EvaluationSettings(Section):
    """The parameters of evaluation: its own, and which models there are."""

    seed: Seeds
    split: Split
    cv: CrossValidation
    tabular: Tabular
    augmentation: Augmentation
    cnn: Cnn
    merged: Merged
    seg: SegmentationSection
    headline: Headline
    evaluate: Evaluate
