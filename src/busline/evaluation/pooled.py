"""What evaluation finds in all out-of-fold predictions of a repeat at once.

Every figure is taken in each repeat and then averaged over the repeats. Scores that are averaged first are those of an
ensemble of as many fits, whose ROC AUC is 0.03 to 0.07 higher where fits differ (docs/statistics.md). The intervals
resample the patients who are scored and keep the models: other patients, the same models.
"""

from __future__ import annotations

from busline.base.results import Number, Result
from busline.base.settings.evaluation import PatientRule


class Calibration(Result):
    """How well out-of-fold probabilities are calibrated; None where a figure is undefined in one of the repeats."""

    brier: Number
    ece: Number
    """Expected calibration error in bins of equal numbers."""
    ece_perfect: Number
    """Its mean for a perfectly calibrated model with these probabilities."""
    ece_chance: Number
    """Its 95th percentile for such a model in one repeat."""
    slope: Number
    intercept: Number
    cases: int


class PatientScore(Result):
    """ROC AUC of one score a patient; a patient is positive if any of its cases is."""

    rule: PatientRule
    """Which score of its cases a patient has."""
    patients: int
    roc_auc: Number
    roc_auc_low: Number
    roc_auc_high: Number


class Pooled(Calibration):
    """Scores of all cases at once."""

    roc_auc: Number
    roc_auc_low: Number
    roc_auc_high: Number
    average_precision: Number
    curve_sensitivity: Number
    """Sensitivity at 90 % specificity, read off each repeat's curve."""
    by_patient: PatientScore | None
    """None where every patient has one case."""


class Recalibration(Result):
    """Calibration before and after one that is fitted inside the fold."""

    before: Calibration
    after: Calibration
