"""Sections `evaluate` and `audit`: how predictions are judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from busline.base.settings.section import Epochs, Fraction, Name, Section, Side
from busline.base.settings.tabular import TabularName

PatientRule = Literal["highest", "mean"]
"""Which score of its cases a patient has."""


class Evaluate(Section):
    """How predictions become metrics."""

    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)]
    """Bootstrap samples of the patients, and of the fold scores for the interval beside a paper's own."""
    confidence: Fraction
    calibration_bins: Annotated[int, Field(ge=2, le=1000)]
    patient_score: PatientRule
    """The score of a patient with several cases; a patient is positive if any of its cases is."""


class Audit(Section):
    """The leakage audit."""

    max_auc_alone: Annotated[float, Field(ge=0.5, le=1.0)]
    """A kept column with a higher ROC AUC alone fails the audit."""
    planted_cases: Annotated[int, Field(ge=1, le=100_000)]
    """Images of the cohort of which changed copies are planted, to see how many are found."""
    master_splits: Annotated[int, Field(ge=1, le=100_000)]
    """Master splits on whose test cases the fold models are scored."""
    tabular_models: list[TabularName]
    """Tabular models that are run on permuted labels; those that are not in tabular.active are left out."""
    tabular_permutations: Annotated[int, Field(ge=0, le=1_000_000)]
    """Permutations of the labels for each of them; fewer than 199 find gross leaks only."""
    image_model: Name
    """Image model, a key of cnn.models, that is run on permuted labels, from random initial weights."""
    image_permutations: Annotated[int, Field(ge=0, le=1_000_000)]
    """Permutations of the labels for it; fewer than 19 find gross leaks only."""
    image_epochs: Epochs
    """Epochs it has on permuted labels."""
    image_size: Side
    """Side of its square input in pixels on permuted labels."""
