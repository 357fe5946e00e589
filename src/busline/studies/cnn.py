"""Image classifiers over all resamples (Chowdhary & Dennis 2026, Tables 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from busline.base.runtime import Runtime
from busline.base.settings.images import CUSTOM, ImageModel, ImageSettings
from busline.base.settings.training import Train
from busline.families import ALL, WITHOUT_TUNE
from busline.models.images import build_image_model, load_pretrained
from busline.models.timm_names import advise, require_timm
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import TRIAL_CASES, TRIAL_JOB, NetworkStudy, as_state, as_tensors, fold_seed, gather
from busline.training.batches import Member
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Place, alone_or_stacked, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.tasks import ClassifyArrays, ClassifyTask, class_weights
from busline.training.trial import try_unit


@dataclass(frozen=True)
class CnnContext:
    """What all folds of one image model share; see :func:`run_cnn`."""

    name: str
    settings: ImageSettings
    train: Train
    seed: int
    images: np.ndarray
    labels: np.ndarray
    classes: int
    pretrained: State | None


def run_cnn(
    inputs: StudyInputs,
    settings: ImageSettings,
    name: str,
    *,
    seed: int,
    train: Train,
    runtime: Runtime,
    fits: Sequence[str] = (WITHOUT_TUNE,),
    pretrained: Mapping[str, torch.Tensor] | None = None,
    keep_states: bool = True,
) -> NetworkStudy:
    """Train one image model in every resample and predict its test cases, and those to choose on where it may.

    Args:
        inputs: cases with images of the size that the settings say.
        settings: the model's.
        name: what it is called; its seeds depend on it.
        seed: root of every random draw.
        train: what all networks share.
        runtime: how this machine runs it.
        fits: what it learns from, one model each: all training cases, or those without the tuning cases.
        pretrained: tensors of the body, or None for random initial weights.
        keep_states: hand the trained networks back.

    Returns:
        Predictions, learning curves and networks.
    """
    assert inputs.images is not None
    context = CnnContext(
        name, settings, train, seed, inputs.images, inputs.labels, len(inputs.classes), as_state(pretrained)
    )
    if settings.model.network != CUSTOM:
        try_network(context)
    jobs = _jobs(inputs, fits)
    units = alone_or_stacked(jobs, runtime)
    results = run_units(
        train_unit, context, units, runtime=runtime, title=name, kernels=train.kernels, precision=train.precision
    )
    return gather(inputs, jobs, results, name, keep_states=keep_states)


def try_network(context: CnnContext) -> None:
    """Refuse a network that cannot be trained on such pictures, before any training begins."""
    model, side = context.settings.model, context.settings.image_size
    tune = model.fine_tune and model.fine_tune.model_copy(update={"epochs": 1})
    short = model.model_copy(update={"epochs": 1, "batch_size": len(TRIAL_CASES), "fine_tune": tune})
    small = replace(
        context,
        settings=context.settings.model_copy(update={"model": short}),
        images=context.images[TRIAL_CASES],
        labels=TRIAL_CASES,
    )
    require_timm(f"network {model.network!r}", model.network)
    try_unit(
        train_unit,
        small,
        [TRIAL_JOB],
        kernels=context.train.kernels,
        where=f"network {model.network!r}",
        problem=f"cannot be trained on pictures of {side} pixels in {context.train.precision}",
        mend=advise(model.network, side),
    )


def train_unit(context: CnnContext, jobs: Sequence[FoldJob], place: Place) -> list[FoldResult]:
    """Train and score some resamples."""
    settings = context.settings
    networks, members, weights = [], [], []
    for job in jobs:
        seed = fold_seed(context.seed, "cnn", context.name, job)
        with seeded(seed):
            network = build_image_model(settings.model, settings.image_size, context.classes, settings.start)
        if context.pretrained is not None:
            load_pretrained(network, as_tensors(context.pretrained), f"weights of {context.name}")
        networks.append(network)
        members.append(Member(job.roles["train"], job.roles["val"], seed))
        weights.append(class_weights(context.labels, job.roles["train"]))
    task = ClassifyTask(
        ClassifyArrays(
            images=torch.from_numpy(context.images),
            labels=torch.from_numpy(context.labels),
            weights=torch.from_numpy(np.stack(weights)),
        ),
        context.settings.augmentation,
    )
    plan = cnn_plan(context.settings.model, context.train)
    score = [{role: job.roles[role] for role in ("tune", "test") if len(job.roles[role])} for job in jobs]
    device = torch.device(place.device)
    return train_and_score(networks, task, plan, members, score, device=device, report_progress=place.report_progress)


def _jobs(inputs: StudyInputs, fits: Sequence[str]) -> list[FoldJob]:
    """Return the jobs of each fit; that without the tuning cases has no name of its own where it is the only one."""
    folds, name = fold_jobs(inputs), WITHOUT_TUNE if len(fits) > 1 else ""
    return [fold.on_all if fit == ALL else replace(fold, trained_on=name) for fit in fits for fold in folds]


def cnn_plan(spec: ImageModel, train: Train) -> Plan:
    """Return one phase for a network from scratch; head, then the named layers, for a pretrained one."""
    first = Phase("train", spec.epochs, spec.learning_rate)
    phases: tuple[Phase, ...] = (first,)
    if spec.fine_tune:
        layers = tuple(f"body.{layer}" for layer in spec.fine_tune.layers)
        head = Phase("head", spec.epochs, spec.learning_rate, ("head",))
        tune = Phase("fine_tune", spec.fine_tune.epochs, spec.fine_tune.learning_rate, ("head", *layers))
        phases = (head, tune)
    return make_plan(phases, spec.batch_size, train, precision=train.precision)
