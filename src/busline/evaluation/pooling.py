"""All out-of-fold predictions of a repeat at once, of cases and of patients: see :mod:`busline.evaluation.pooled`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from busline.base.settings.evaluation import PatientRule
from busline.evaluation.calibrations import calibration_scores
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.pooled import PatientScore, Pooled
from busline.evaluation.summaries import Summariser, score_pooled, split_repeats
from busline.metrics.classification import roc_auc

OF_CASES: dict[PatientRule, str] = {"highest": "max", "mean": "mean"}
"""How a patient's score is made from those of its cases."""


def pool(cases: pd.DataFrame, patients: PatientBootstrap, summariser: Summariser, *names: str) -> Pooled:
    """Score all cases of a repeat at once, and average over the repeats.

    Args:
        cases: as :func:`busline.evaluation.summaries.scored` returns them, without the master split.
        patients: for the intervals.
        summariser: its seed and settings.
        names: family and model.
    """
    low, high = _area_interval(split_repeats(cases), patients)
    calibration = dict(calibration_scores(cases, summariser, *names))
    by_patient = score_patients(cases, patients, summariser.settings.patient_score) if patients.several else None
    found = {**score_pooled(cases), "roc_auc_low": low, "roc_auc_high": high, "by_patient": by_patient}
    return Pooled.model_validate({**found, **calibration})


def score_patients(cases: pd.DataFrame, patients: PatientBootstrap, rule: PatientRule) -> PatientScore:
    """Return the ROC AUC of one score a patient, the mean over the repeats, and its interval."""
    repeats = [one_a_patient(rows, patients.patients, rule) for rows in split_repeats(cases)]
    area = np.mean([roc_auc(rows["truth"].to_numpy(), rows["score"].to_numpy()) for rows in repeats])
    low, high = _area_interval(repeats, patients)
    count = int(patients.patients.loc[cases["case_id"]].nunique())
    return PatientScore(rule=rule, patients=count, roc_auc=float(area), roc_auc_low=low, roc_auc_high=high)


def one_a_patient(rows: pd.DataFrame, patients: pd.Series, rule: PatientRule) -> pd.DataFrame:
    """Return one row a patient: case_id (of its first case), truth (whether any case is positive) and score.

    Args:
        rows: case_id, truth and score of one repeat, sorted by case_id.
        patients: patient by case.
        rule: which score of its cases a patient has.
    """
    whose = patients.loc[rows["case_id"]].to_numpy()
    return rows.groupby(whose, sort=True).agg(
        case_id=("case_id", "first"), truth=("truth", "any"), score=("score", OF_CASES[rule])
    )


def _area_interval(repeats: Sequence[pd.DataFrame], patients: PatientBootstrap) -> tuple[float, float]:
    """Return the interval of the ROC AUC: each sample's mean over the repeats."""
    return patients.interval(np.mean([patients.aucs(rows) for rows in repeats], axis=0))
