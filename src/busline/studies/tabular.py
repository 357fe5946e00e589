"""Classical tabular models over all resamples (Chowdhary & Dennis 2026, Table 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.tabular import Classical
from busline.families import ALL, WITHOUT_TUNE
from busline.models.encoding import TableEncoder
from busline.models.tabular import fit_classifier
from busline.predictors.tabular import FittedTable
from busline.splits import Resample
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs, prediction_rows
from busline.training.pool import Place, run_units

LEARN: Mapping[str, Sequence[str]] = {ALL: ("train", "val", "tune"), WITHOUT_TUNE: ("train", "val")}
"""Roles an estimator is fitted on; without early stopping the validation cases are training cases like any other."""
SCORE: Mapping[str, Sequence[str]] = {ALL: ("test",), WITHOUT_TUNE: ("tune", "test")}


@dataclass(frozen=True)
class TabularContext:
    """What all folds of one model share."""

    name: str
    settings: Classical
    seed: int
    inputs: StudyInputs


@dataclass(frozen=True)
class FoldOutput:
    """What one resample gives: probabilities by ``trained_on`` and role, and the models by ``trained_on``."""

    scored: list[tuple[str, str, np.ndarray]]
    fits: dict[str, FittedTable]


def run_tabular(
    inputs: StudyInputs, settings: Classical, name: str, *, seed: int, runtime: Runtime
) -> tuple[pd.DataFrame, dict[tuple[Resample, str], FittedTable]]:
    """Fit one model on all training cases, and again without the tuning cases, in every resample.

    Args:
        inputs: the study's cases, columns and resamples.
        settings: the model's.
        name: a key of :data:`busline.models.tabular.CLASSIFIERS`.
        seed: root of every random draw.
        runtime: how this machine runs it.

    Returns:
        Predictions with a column ``trained_on``, and the models by resample and ``trained_on``.
    """
    jobs = fold_jobs(inputs)
    context = TabularContext(name, settings, seed, inputs)
    results: list[FoldOutput] = run_units(fit_unit, context, [[job] for job in jobs], runtime=runtime, title=name)
    rows = [
        prediction_rows(inputs, job, role, found, trained_on=trained_on)
        for job, result in zip(jobs, results, strict=True)
        for trained_on, role, found in result.scored
    ]
    pairs = zip(jobs, results, strict=True)
    fits = {(job.resample, kind): fitted for job, result in pairs for kind, fitted in result.fits.items()}
    return pd.concat(rows, ignore_index=True), fits


def fit_unit(context: TabularContext, jobs: Sequence[FoldJob], place: Place) -> list[FoldOutput]:
    """Fit and score some resamples."""
    return [_fit_fold(context, job) for job in jobs]


def _fit_fold(context: TabularContext, job: FoldJob) -> FoldOutput:
    scored, fits = [], {}
    for trained_on, roles in LEARN.items():
        learn = np.sort(np.concatenate([job.roles[role] for role in roles]))
        fits[trained_on] = fit_table(context, job, learn)
        for role in SCORE[trained_on]:
            rows = context.inputs.table.iloc[job.roles[role]]
            scored.append((trained_on, role, fits[trained_on].score(rows)))
    return FoldOutput(scored, fits)


def fit_table(context: TabularContext, job: FoldJob, learn: np.ndarray) -> FittedTable:
    """Fit encoder and estimator of one resample on the cases at ``learn``."""
    table = context.inputs.table.iloc[learn]
    encoder = TableEncoder.fit(table, context.inputs.numeric, context.inputs.categorical)
    seed = derive_seed(context.seed, "tabular", context.name, job.repeat, job.fold)
    labels = context.inputs.labels[learn]
    return FittedTable(encoder, fit_classifier(context.name, context.settings, encoder.transform(table), labels, seed))
