"""Section `headline`: what a study claims, said before it is run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import Section

Place = Annotated[str, Field(pattern=r"^[a-z_]+/[^/]+$")]
"""A family and the name of one of its models, as their files of predictions lie: `cnn/custom_cnn`."""


class Question(Section):
    """A figure, and the model that it is set against."""

    model: Place
    metric: str
    """Metric of a fold: of classification `roc_auc` and so on, of segmentation `dice` and so on."""
    against: Place | None
    """The model that it is compared with, by the corrected t test of the folds' scores; null for none."""


class Headline(Section):
    """The one figure of a task that a study is about, and the one test that it is claimed by.

    It is null for a task that the study is not about.
    """

    classification: Question | None
    segmentation: Question | None
    described: list[Question]
    """Further pairs of models that are shown in the same way, and of which nothing is claimed."""
