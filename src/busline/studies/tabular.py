"""Classical tabular models over all resamples (Chowdhary & Dennis 2026, Table 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.tabular import Classical
from busline.models.encoding import TableEncoder
from busline.models.tabular import fit_classifier, positive_probability
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs, prediction_rows
from busline.training.pool import Place, run_units

LEARN: Mapping[str, Sequence[str]] = {"all": ("train", "val", "tune"), "without_tune": ("train", "val")}
"""Roles an estimator is fitted on; without early stopping the validation cases are training cases like any other."""
SCORE: Mapping[str, Sequence[str]] = {"all": ("test",), "without_tune": ("tune", "test")}


@dataclass(frozen=True)
class TabularContext:
    """What all folds of one model share."""

    name: str
    settings: Classical
    seed: int
    inputs: StudyInputs


@dataclass(frozen=True)
class FittedTable:
    """A fitted estimator with the encoder its rows went through."""

    encoder: TableEncoder
    estimator: Any


FoldOutput = tuple[list[tuple[str, str, np.ndarray]], FittedTable | None]


def run_tabular(
    inputs: StudyInputs, settings: Classical, name: str, *, seed: int, runtime: Runtime
) -> tuple[pd.DataFrame, FittedTable]:
    """Fit one model on all training cases, and again without the tuning cases, in every resample.

    Args:
        inputs: the study's cases, columns and resamples.
        settings: the model's.
        name: a key of :data:`busline.models.tabular.CLASSIFIERS`.
        seed: root of every random draw.
        runtime: how this machine runs it.

    Returns:
        Predictions with a column ``trained_on``, and the model fitted on all training cases of the master split.
    """
    jobs = fold_jobs(inputs)
    context = TabularContext(name, settings, seed, inputs)
    results: list[FoldOutput] = run_units(
        fit_unit, context, [[job] for job in jobs], runtime=runtime, title=name, networks=False
    )
    rows = [
        prediction_rows(inputs, job, role, probability, trained_on=trained_on)
        for job, (scored, _) in zip(jobs, results, strict=True)
        for trained_on, role, probability in scored
    ]
    final = next(model for _, model in results if model is not None)
    return pd.concat(rows, ignore_index=True), final


def fit_unit(context: TabularContext, jobs: Sequence[FoldJob], place: Place) -> list[FoldOutput]:
    """Fit and score some resamples; the master split's model comes back with the probabilities."""
    return [_fit_fold(context, job) for job in jobs]


def _fit_fold(context: TabularContext, job: FoldJob) -> FoldOutput:
    scored = []
    final = None
    for trained_on, roles in LEARN.items():
        learn = np.sort(np.concatenate([job.roles[role] for role in roles]))
        fitted = fit_table(context, job, learn)
        for role in SCORE[trained_on]:
            rows = fitted.encoder.transform(context.inputs.table.iloc[job.roles[role]])
            scored.append((trained_on, role, positive_probability(fitted.estimator, rows)))
        if trained_on == "all" and job.is_master:
            final = fitted
    return scored, final


def fit_table(context: TabularContext, job: FoldJob, learn: np.ndarray) -> FittedTable:
    """Fit encoder and estimator of one resample on the cases at ``learn``."""
    table = context.inputs.table.iloc[learn]
    encoder = TableEncoder.fit(table, context.inputs.numeric, context.inputs.categorical)
    seed = derive_seed(context.seed, "tabular", context.name, job.repeat, job.fold)
    labels = context.inputs.labels[learn]
    return FittedTable(encoder, fit_classifier(context.name, context.settings, encoder.transform(table), labels, seed))
