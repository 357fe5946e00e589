"""Merged networks: image and table network of the same repeat and fold, joined and fine-tuned (Table 8, "Merged")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from busline.base.runtime import Runtime
from busline.base.settings.merged import MergedHead, MergedSettings
from busline.base.settings.training import Train
from busline.models.encoding import TableEncoder
from busline.models.merged import build_merged
from busline.models.mlp import cut_features, pad_features
from busline.predictors.files import TableNetwork, stem_of
from busline.splits import Resample
from busline.studies.dnn import encode
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import fold_seed, gather, load_state
from busline.training.batches import Member
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Place, alone_or_stacked, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.tasks import ClassifyArrays, ClassifyTask, class_weights


@dataclass(frozen=True)
class MergedContext:
    """What all folds share; ``images`` uint8 (n, s, s), ``labels`` int64 (n,), number of ``classes``."""

    name: str
    settings: MergedSettings
    train: Train
    seed: int
    images: np.ndarray
    labels: np.ndarray
    classes: int


@dataclass(frozen=True)
class MergedJob:
    """One resample, the two networks trained on its training cases, and the table as those encode it."""

    fold: FoldJob
    image: State
    table: State
    encoder: TableEncoder
    rows: np.ndarray

    def __str__(self) -> str:
        return str(self.fold)


@dataclass(frozen=True)
class MergedStudy:
    """What the stage saves: predictions, learning curves, and the networks by resample."""

    predictions: pd.DataFrame
    curves: pd.DataFrame
    networks: Mapping[Resample, TableNetwork]


def run_merged(
    inputs: StudyInputs,
    settings: MergedSettings,
    name: str,
    images: Mapping[Resample, State],
    tables: Mapping[Resample, State],
    *,
    seed: int,
    train: Train,
    runtime: Runtime,
) -> MergedStudy:
    """Join, in every resample, the image network ``name`` and the DNN of that resample, and train the joint network.

    Args:
        inputs: cases with images of the size that the settings say.
        settings: those of the joint network and of its two parts.
        name: what the image model is called; the seeds depend on it.
        images: tensors of the image networks by resample, trained without the tuning cases.
        tables: tensors of the DNNs by resample, likewise.
        seed: root of every random draw.
        train: what all networks share.
        runtime: how this machine runs it.
    """
    assert inputs.images is not None
    folds = fold_jobs(inputs)
    jobs = [
        MergedJob(fold, images[fold.resample], tables[fold.resample], *encode(inputs, fold.roles["train"]))
        for fold in folds
    ]
    context = MergedContext(name, settings, train, seed, inputs.images, inputs.labels, len(inputs.classes))
    units = alone_or_stacked(jobs, runtime)
    results = run_units(
        train_unit,
        context,
        units,
        runtime=runtime,
        title=f"dnn + {name}",
        kernels=train.kernels,
        precision=train.precision,
    )
    study = gather(inputs, folds, results, name)
    networks = {job.fold.resample: TableNetwork(job.encoder, study.states[stem_of(job.fold.resample)]) for job in jobs}
    return MergedStudy(study.predictions, study.curves, networks)


def train_unit(context: MergedContext, jobs: Sequence[MergedJob], place: Place) -> list[FoldResult]:
    """Train and score some joint networks."""
    widest = max(job.rows.shape[1] for job in jobs)
    networks, members = [], []
    for job in jobs:
        seed = fold_seed(context.seed, "merged", context.name, job.fold)
        with seeded(seed):
            network = build_merged(context.settings, job.rows.shape[1], context.classes)
        load_state(network.image, job.image)
        load_state(network.table, job.table)
        pad_features(network.table, widest)
        networks.append(network)
        members.append(Member(job.fold.roles["train"], job.fold.roles["val"], seed))
    tables = [np.pad(job.rows, ((0, 0), (0, widest - job.rows.shape[1]))) for job in jobs]
    weights = [class_weights(context.labels, job.fold.roles["train"]) for job in jobs]
    task = ClassifyTask(
        ClassifyArrays(
            images=torch.from_numpy(context.images),
            table=torch.from_numpy(np.stack(tables)),
            labels=torch.from_numpy(context.labels),
            weights=torch.from_numpy(np.stack(weights)),
        ),
        context.settings.image.augmentation,
    )
    plan = merged_plan(context.settings.merged, context.train)
    score = [{role: job.fold.roles[role] for role in ("tune", "test")} for job in jobs]
    device = torch.device(place.device)
    results = train_and_score(
        networks, task, plan, members, score, device=device, report_progress=place.report_progress
    )
    return [
        replace(result, state=cut_features(result.state, job.rows.shape[1], within="table."))
        for job, result in zip(jobs, results, strict=True)
    ]


def merged_plan(merged: MergedHead, train: Train) -> Plan:
    """Return two phases: the new head alone, then everything at a small learning rate."""
    head = Phase("head", merged.epochs, merged.learning_rate, ("joined",))
    tune = Phase("fine_tune", merged.fine_tune_epochs, merged.fine_tune_learning_rate)
    return make_plan((head, tune), merged.batch_size, train, precision=train.precision)
