"""The tabular network over all resamples, and its search (primary study, Tables 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from busline.base.params import Params
from busline.base.sections import Dnn, Train
from busline.models.encoding import TableEncoder
from busline.models.mlp import Mlp
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs, prediction_rows
from busline.studies.networks import FoldResult, NetworkStudy, curve_rows, fold_seed, train_and_score
from busline.training.loop import seeded
from busline.training.plan import Phase, make_plan
from busline.training.pool import Tell, run_jobs
from busline.training.tasks import Arrays, ClassifyTask, class_weights

LEARN = {"all": ("fit", "weigh"), "without_weigh": ("fit",)}
"""Roles the network learns from; the stop cases always steer its early stopping."""
SCORE = {"all": ("test",), "without_weigh": ("weigh", "test")}


@dataclass(frozen=True)
class DnnContext:
    """What all folds of the tabular network share."""

    train: Train
    seed: int
    inputs: StudyInputs


@dataclass(frozen=True)
class DnnJob:
    """One network: a resample, the cases it learns from, and its settings."""

    fold: FoldJob
    trained_on: str
    settings: Dnn

    def __str__(self) -> str:
        return f"{self.fold}, {self.settings.hidden} units, dropout {self.settings.dropout}, {self.trained_on}"


def run_dnn(inputs: StudyInputs, params: Params, *, workers: int) -> NetworkStudy:
    """Train the DNN with all training cases and again without the weigh cases, in every resample.

    Returns:
        Predictions with a column ``trained_on``, curves and states of the networks trained without the weigh cases
        (the merged networks continue from these), and the master split's network trained with them as (-1, -1).
    """
    jobs = [DnnJob(fold, kind, params.tabular.models.dnn) for fold in fold_jobs(inputs) for kind in LEARN]
    results = _train(inputs, params, jobs, workers, "dnn")
    predictions = [_rows(inputs, job, result) for job, result in zip(jobs, results, strict=True)]
    pairs = [(job.fold, result) for job, result in zip(jobs, results, strict=True) if job.trained_on == "without_weigh"]
    states = {(fold.repeat, fold.fold): result.state for fold, result in pairs}
    curves = curve_rows([fold for fold, _ in pairs], [result for _, result in pairs], "dnn")
    return NetworkStudy(pd.concat(predictions, ignore_index=True), curves, states)


def run_dnn_search(inputs: StudyInputs, params: Params, *, workers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train the grid of hidden units and dropout rates on all training cases of every resample but the master's.

    Returns:
        Predictions with columns ``hidden, dropout, trained_on``, and learning curves.
    """
    grid = [
        params.tabular.models.dnn.model_copy(update={"hidden": hidden, "dropout": dropout})
        for hidden in params.dnn_search.hidden
        for dropout in params.dnn_search.dropout
    ]
    folds = [fold for fold in fold_jobs(inputs) if fold.repeat >= 0]
    jobs = [DnnJob(fold, "all", settings) for settings in grid for fold in folds]
    results = _train(inputs, params, jobs, workers, "dnn search")
    predictions, curves = [], []
    for job, result in zip(jobs, results, strict=True):
        extra = {"hidden": job.settings.hidden, "dropout": job.settings.dropout}
        predictions.append(_rows(inputs, job, result).assign(**extra))
        name = f"h{job.settings.hidden}_d{job.settings.dropout}"
        curves.append(curve_rows([job.fold], [result], name))
    return pd.concat(predictions, ignore_index=True), pd.concat(curves, ignore_index=True)


def encode(inputs: StudyInputs, learn: np.ndarray) -> tuple[TableEncoder, np.ndarray]:
    """Fit the encoder on the cases that are learnt from; return it and all cases encoded, float32 (n, features)."""
    encoder = TableEncoder.fit(inputs.table.iloc[learn], inputs.numeric, inputs.categorical)
    return encoder, encoder.transform(inputs.table)


def train_fold(context: DnnContext, job: DnnJob, tell: Tell) -> FoldResult:
    """Train and score one network."""
    roles = job.fold.roles
    learn = np.sort(np.concatenate([roles[role] for role in LEARN[job.trained_on]]))
    _, rows = encode(context.inputs, learn)
    seed = fold_seed(context.seed, "tabular", "dnn", job.fold)
    with seeded(seed):
        network = Mlp(rows.shape[1], job.settings.hidden, job.settings.dropout)
    task = ClassifyTask(
        Arrays(
            table=torch.from_numpy(rows),
            labels=torch.from_numpy(context.inputs.labels).float(),
            weights=torch.from_numpy(class_weights(context.inputs.labels, learn)),
        )
    )
    phase = Phase("train", job.settings.epochs, job.settings.learning_rate)
    plan = make_plan((phase,), job.settings.batch_size, context.train, precision="fp32")
    score = {role: roles[role] for role in SCORE[job.trained_on]}
    return train_and_score(network, task, plan, learn, roles["stop"], score, seed=seed, tell=tell)


def _train(inputs: StudyInputs, params: Params, jobs: Sequence[DnnJob], workers: int, title: str) -> list[FoldResult]:
    context = DnnContext(params.train, params.seed, inputs)
    return run_jobs(train_fold, context, jobs, workers=workers, title=title)


def _rows(inputs: StudyInputs, job: DnnJob, result: FoldResult) -> pd.DataFrame:
    parts = [
        prediction_rows(inputs, job.fold, role, probability, trained_on=job.trained_on)
        for role, probability in result.probabilities.items()
    ]
    return pd.concat(parts, ignore_index=True)
