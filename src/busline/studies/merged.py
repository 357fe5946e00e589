"""Merged networks: image and table network of the same repeat and fold, joined and fine-tuned (Table 8, "Merged")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from busline.base.runtime import Runtime
from busline.base.settings.merged import MergedHead, MergedSettings
from busline.base.settings.training import Train
from busline.models.images import build_image_model
from busline.models.merged import MergedNetwork
from busline.models.mlp import Mlp, pad_features
from busline.splits import Resample
from busline.studies.dnn import encode
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import NetworkStudy, fold_seed, gather, load_state
from busline.training.batches import Member
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Place, alone_or_stacked, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.tasks import ClassifyArrays, ClassifyTask, class_weights


@dataclass(frozen=True)
class MergedContext:
    """What all folds share; ``images`` uint8 (n, s, s), ``labels`` int64 (n,)."""

    name: str
    settings: MergedSettings
    train: Train
    seed: int
    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class MergedJob:
    """One resample, the two networks trained on its training cases, and the table encoded by those."""

    fold: FoldJob
    image: State
    table: State
    rows: np.ndarray

    def __str__(self) -> str:
        return str(self.fold)


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
) -> NetworkStudy:
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
        MergedJob(fold, images[fold.resample], tables[fold.resample], encode(inputs, fold.roles["train"])[1])
        for fold in folds
    ]
    context = MergedContext(name, settings, train, seed, inputs.images, inputs.labels)
    units = alone_or_stacked(jobs, runtime)
    results = run_units(train_unit, context, units, runtime=runtime, title=f"dnn + {name}")
    return gather(inputs, folds, results, name, keep_states=False)


def train_unit(context: MergedContext, jobs: Sequence[MergedJob], place: Place) -> list[FoldResult]:
    """Train and score some joint networks."""
    joint, dnn = context.settings.merged, context.settings.dnn
    widest = max(job.rows.shape[1] for job in jobs)
    networks, members = [], []
    for job in jobs:
        seed = fold_seed(context.seed, "merged", context.name, job.fold)
        with seeded(seed):
            image = build_image_model(context.settings.image.model)
            table = Mlp(job.rows.shape[1], dnn.hidden, dnn.dropout)
            load_state(image, job.image)
            load_state(table, job.table)
            pad_features(table, widest)
            networks.append(MergedNetwork(image, table, joint.hidden, joint.dropout))
        members.append(Member(job.fold.roles["train"], job.fold.roles["val"], seed))
    tables = [np.pad(job.rows, ((0, 0), (0, widest - job.rows.shape[1]))) for job in jobs]
    weights = [class_weights(context.labels, job.fold.roles["train"]) for job in jobs]
    task = ClassifyTask(
        ClassifyArrays(
            images=torch.from_numpy(context.images),
            table=torch.from_numpy(np.stack(tables)),
            labels=torch.from_numpy(context.labels).float(),
            weights=torch.from_numpy(np.stack(weights)),
        ),
        context.settings.image.augmentation,
    )
    plan = merged_plan(joint, context.train)
    score = [{role: job.fold.roles[role] for role in ("tune", "test")} for job in jobs]
    device = torch.device(place.device)
    return train_and_score(networks, task, plan, members, score, device=device, report_progress=place.report_progress)


def merged_plan(merged: MergedHead, train: Train) -> Plan:
    """Return two phases: the new head alone, then everything at a small learning rate."""
    head = Phase("head", merged.epochs, merged.learning_rate, ("joined",))
    tune = Phase("fine_tune", merged.fine_tune_epochs, merged.fine_tune_learning_rate)
    return make_plan((head, tune), merged.batch_size, train, precision=train.precision)
