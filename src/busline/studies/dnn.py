"""The tabular network over all resamples, and its search (Chowdhary & Dennis 2026, Tables 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from busline.base.runtime import Runtime
from busline.base.settings.shared import TableShared
from busline.base.settings.tabular import Dnn, DnnSearch, Tabular
from busline.base.settings.training import Train
from busline.families import ALL, WITHOUT_TUNE
from busline.models.classes import class_probabilities
from busline.models.encoding import TableEncoder
from busline.models.mlp import Mlp, cut_features, pad_features
from busline.predictors.files import TableNetwork
from busline.splits import Resample
from busline.studies.inputs import FoldJob, Roles, StudyInputs, fold_jobs, prediction_rows
from busline.studies.networks import curve_rows, fold_seed, load_state
from busline.training.batches import Member
from busline.training.inference import ask
from busline.training.loop import seeded
from busline.training.plan import Phase, make_plan
from busline.training.pool import Place, find_device, run_units
from busline.training.results import FoldResult, train_and_score
from busline.training.tasks import ClassifyArrays, ClassifyTask, Seen, class_weights

LEARN = {ALL: ("train", "tune"), WITHOUT_TUNE: ("train",)}
"""Roles the network learns from; the validation cases always steer its early stopping."""
SCORE = {ALL: ("test",), WITHOUT_TUNE: ("tune", "test")}


class DnnSearchSettings(TableShared):
    """The parameters of the search of the tabular network."""

    tabular: Tabular
    dnn_search: DnnSearch


@dataclass(frozen=True)
class DnnContext:
    """What all networks of the table share; ``labels`` int64 (n,), number of ``classes``."""

    train: Train
    seed: int
    labels: np.ndarray
    classes: int


@dataclass(frozen=True)
class DnnJob:
    """One network: a resample, the cases it learns from, its settings, and the table as those cases encode it.

    Networks of one stack agree in hidden units, batch size, epochs and learning rate; ``rows`` float32 (n, features).
    """

    fold: FoldJob
    trained_on: str
    settings: Dnn
    encoder: TableEncoder
    rows: np.ndarray

    def __str__(self) -> str:
        return f"{self.fold}, {self.settings.hidden} units, dropout {self.settings.dropout}, {self.trained_on}"

    @property
    def learn(self) -> np.ndarray:
        """Positions of the cases it learns from, ascending."""
        return learning_cases(self.fold, self.trained_on)


@dataclass(frozen=True)
class DnnStudy:
    """What the stage saves.

    Attributes:
        predictions: prediction table with a column ``trained_on``.
        curves: learning curves of the networks trained without the tuning cases.
        networks: by resample and ``trained_on``; merged networks continue from those without the tuning cases.
    """

    predictions: pd.DataFrame
    curves: pd.DataFrame
    networks: Mapping[tuple[Resample, str], TableNetwork]


def run_dnn(inputs: StudyInputs, settings: Dnn, *, seed: int, train: Train, runtime: Runtime) -> DnnStudy:
    """Train the DNN with all training cases and again without the tuning cases, in every resample.

    The networks of a repeat train as one stack, on a GPU all of them.

    Args:
        inputs: the study's cases, columns and resamples.
        settings: the network's.
        seed: root of every random draw.
        train: what all networks share.
        runtime: how this machine runs it.
    """
    folds = fold_jobs(inputs)
    jobs = _jobs(inputs, folds, list(LEARN), settings)
    repeats = sorted({fold.repeat for fold in folds})
    units = [[job for job in jobs if job.fold.repeat == repeat] for repeat in repeats]
    if find_device(runtime) == "cuda":
        units = [jobs]
    context = DnnContext(train, seed, inputs.labels, len(inputs.classes))
    results = run_units(train_unit, context, units, runtime=runtime, title="dnn", kernels=train.kernels)
    predictions = [_rows(inputs, job, result) for job, result in zip(jobs, results, strict=True)]
    pairs = [(job.fold, result) for job, result in zip(jobs, results, strict=True) if job.trained_on == WITHOUT_TUNE]
    networks = {
        (job.fold.resample, job.trained_on): TableNetwork(job.encoder, result.state)
        for job, result in zip(jobs, results, strict=True)
    }
    curves = curve_rows([fold for fold, _ in pairs], [result for _, result in pairs], "dnn")
    return DnnStudy(pd.concat(predictions, ignore_index=True), curves, networks)


def run_dnn_search(
    inputs: StudyInputs, settings: DnnSearchSettings, *, runtime: Runtime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train the grid of hidden units and dropout rates on all training cases of every resample but the master's.

    The networks with the same hidden units train as one stack, over all folds, repeats and dropout rates.

    Returns:
        Predictions with columns ``hidden, dropout, trained_on``, and learning curves.
    """
    folds = [fold for fold in fold_jobs(inputs) if not fold.is_master]
    jobs = _jobs(inputs, folds, [ALL], settings.tabular.models.dnn)
    grid = [
        replace(job, settings=job.settings.model_copy(update={"hidden": hidden, "dropout": dropout}))
        for hidden in settings.dnn_search.hidden
        for dropout in settings.dnn_search.dropout
        for job in jobs
    ]
    sizes = sorted(settings.dnn_search.hidden, reverse=True)  # the largest stack first: no core waits for it in the end
    units = [[job for job in grid if job.settings.hidden == hidden] for hidden in sizes]
    order = [job for unit in units for job in unit]
    context = DnnContext(settings.train, settings.seed.train, inputs.labels, len(inputs.classes))
    results = run_units(train_unit, context, units, runtime=runtime, title="dnn search", kernels=settings.train.kernels)
    done = dict(zip(map(id, order), results, strict=True))
    predictions, curves = [], []
    for job in grid:
        result, own = done[id(job)], job.settings
        extra = {"hidden": own.hidden, "dropout": own.dropout}
        predictions.append(_rows(inputs, job, result).assign(**extra))
        curves.append(curve_rows([job.fold], [result], f"h{own.hidden}_d{own.dropout}"))
    return pd.concat(predictions, ignore_index=True), pd.concat(curves, ignore_index=True)


def encode(inputs: StudyInputs, learn: np.ndarray) -> tuple[TableEncoder, np.ndarray]:
    """Fit the encoder on the cases that are learnt from; return it and all cases encoded, float32 (n, features)."""
    encoder = TableEncoder.fit(inputs.table.iloc[learn], inputs.numeric, inputs.categorical)
    return encoder, encoder.transform(inputs.table)


def learning_cases(fold: FoldJob, trained_on: str) -> np.ndarray:
    """Return the positions of the cases a network learns from, ascending."""
    return np.sort(np.concatenate([fold.roles[role] for role in LEARN[trained_on]]))


def train_unit(context: DnnContext, jobs: Sequence[DnnJob], place: Place) -> list[FoldResult]:
    """Train and score the networks of a stack; a fold that saw fewer categories is padded with empty columns."""
    first = jobs[0].settings
    widest = max(job.rows.shape[1] for job in jobs)
    networks, members = [], []
    for job in jobs:
        seed = fold_seed(context.seed, "tabular", "dnn", job.fold)
        with seeded(seed):
            network = Mlp(job.rows.shape[1], job.settings.hidden, job.settings.dropout, context.classes)
        networks.append(pad_features(network, widest))
        members.append(Member(job.learn, job.fold.roles["val"], seed))
    tables = [np.pad(job.rows, ((0, 0), (0, widest - job.rows.shape[1]))) for job in jobs]
    task = ClassifyTask(
        ClassifyArrays(
            table=torch.from_numpy(np.stack(tables)),
            labels=torch.from_numpy(context.labels),
            weights=torch.from_numpy(np.stack([class_weights(context.labels, job.learn) for job in jobs])),
        )
    )
    phase = Phase("train", first.epochs, first.learning_rate)
    plan = make_plan((phase,), first.batch_size, context.train, precision="fp32")
    nothing: list[Roles] = [{} for _ in jobs]
    device = torch.device(place.device)
    results = train_and_score(
        networks, task, plan, members, nothing, device=device, report_progress=place.report_progress
    )
    return [_scored(job, result, context.classes, device) for job, result in zip(jobs, results, strict=True)]


def _scored(job: DnnJob, result: FoldResult, classes: int, device: torch.device) -> FoldResult:
    """Return a result without the padding, and what the network says of the roles that it did not learn from."""
    if result.failure:
        return result
    state = cut_features(result.state, job.rows.shape[1])
    with seeded(0):
        network = Mlp(job.rows.shape[1], job.settings.hidden, job.settings.dropout, classes)
    load_state(network, state)
    scored = {}
    for role in SCORE[job.trained_on]:
        seen = Seen(table=torch.from_numpy(job.rows[job.fold.roles[role]]))
        scored[role] = ask(network, seen, class_probabilities, precision="fp32", device=device)
    return replace(result, probabilities=scored, state=state)


def _jobs(inputs: StudyInputs, folds: Sequence[FoldJob], kinds: Sequence[str], settings: Dnn) -> list[DnnJob]:
    return [
        DnnJob(fold, kind, settings, *encode(inputs, learning_cases(fold, kind))) for fold in folds for kind in kinds
    ]


def _rows(inputs: StudyInputs, job: DnnJob, result: FoldResult) -> pd.DataFrame:
    parts = [
        prediction_rows(inputs, job.fold, role, found, trained_on=job.trained_on)
        for role, found in result.probabilities.items()
    ]
    return pd.concat(parts, ignore_index=True)
