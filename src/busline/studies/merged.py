"""Merged networks: image and table network of the same repeat and fold, joined and fine-tuned (Table 8, "Merged")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from busline.base.params import Params
from busline.models.images import build_image_model
from busline.models.merged import MergedNetwork
from busline.models.mlp import Mlp
from busline.studies.dnn import encode
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import (
    FoldResult,
    NetworkStudy,
    State,
    fold_seed,
    gather,
    load_state,
    train_and_score,
)
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Tell, run_jobs
from busline.training.tasks import Arrays, ClassifyTask, class_weights


@dataclass(frozen=True)
class MergedContext:
    """What all folds share."""

    name: str
    params: Params
    inputs: StudyInputs


@dataclass(frozen=True)
class MergedJob:
    """One resample with the two networks trained on its fit cases."""

    fold: FoldJob
    image: State
    table: State

    def __str__(self) -> str:
        return str(self.fold)


def run_merged(
    inputs: StudyInputs,
    params: Params,
    name: str,
    images: Mapping[tuple[int, int], State],
    tables: Mapping[tuple[int, int], State],
    *,
    workers: int,
) -> NetworkStudy:
    """Join, in every resample, the image network ``name`` and the DNN of that resample, and train the joint network.

    Args:
        inputs: cases with images.
        params: all parameters.
        name: the image model, a key of ``params.cnn.models``.
        images: tensors of the image networks by (repeat, fold), trained without the weigh cases.
        tables: tensors of the DNNs by (repeat, fold), likewise.
        workers: folds side by side.
    """
    folds = fold_jobs(inputs)
    jobs = [MergedJob(fold, images[fold.repeat, fold.fold], tables[fold.repeat, fold.fold]) for fold in folds]
    context = MergedContext(name, params, inputs)
    results = run_jobs(train_fold, context, jobs, workers=workers, title=f"dnn + {name}")
    return gather(inputs, folds, results, name, keep_states=False)


def train_fold(context: MergedContext, job: MergedJob, tell: Tell) -> FoldResult:
    """Train and score one joint network."""
    params, inputs, roles = context.params, context.inputs, job.fold.roles
    assert inputs.images is not None
    _, rows = encode(inputs, roles["fit"])
    seed = fold_seed(params.seed, "merged", context.name, job.fold)
    dnn = params.tabular.models.dnn
    with seeded(seed):
        image = build_image_model(params.cnn.models[context.name])
        table = Mlp(rows.shape[1], dnn.hidden, dnn.dropout)
        load_state(image, job.image)
        load_state(table, job.table)
        network = MergedNetwork(image, table, params.merged.hidden, params.merged.dropout)
    task = ClassifyTask(
        Arrays(
            images=torch.from_numpy(inputs.images),
            table=torch.from_numpy(rows),
            labels=torch.from_numpy(inputs.labels).float(),
            weights=torch.from_numpy(class_weights(inputs.labels, roles["fit"])),
        ),
        params.augmentation.levels[params.cnn.augmentation],
    )
    score = {role: roles[role] for role in ("weigh", "test")}
    return train_and_score(network, task, merged_plan(params), roles["fit"], roles["stop"], score, seed=seed, tell=tell)


def merged_plan(params: Params) -> Plan:
    """Return two phases: the new head alone, then everything at a small learning rate."""
    merged = params.merged
    head = Phase("head", merged.epochs, merged.learning_rate, ("joined",))
    tune = Phase("fine_tune", merged.fine_tune_epochs, merged.fine_tune_learning_rate)
    return make_plan((head, tune), merged.batch_size, params.train, precision=params.train.precision)
