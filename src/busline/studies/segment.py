"""Lesion segmentation over all resamples (Chowdhary & Dennis 2026, Table 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from busline.base.runtime import Runtime
from busline.base.settings.segmentation import SegmenterSettings
from busline.base.settings.training import Train
from busline.cohort.outlines import outline_rows
from busline.models.maps import map_bytes, outline_at
from busline.models.segmentation import advise_pair, build_segmenter, load_encoder, require_pair
from busline.predictors.files import stem_of
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import TRIAL_CASES, TRIAL_JOB, as_state, as_tensors, curve_rows, fold_seed
from busline.training.batches import Member
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Place, alone_or_stacked, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.tasks import SegmentArrays, SegmentTask
from busline.training.trial import try_unit


@dataclass(frozen=True)
class SegmentContext:
    """What all folds share; ``images`` and ``masks`` uint8 (n, s, s)."""

    name: str
    settings: SegmenterSettings
    train: Train
    seed: int
    images: np.ndarray
    masks: np.ndarray
    pretrained: State | None


@dataclass(frozen=True)
class SegmentStudy:
    """What the segmentation stage saves.

    Attributes:
        outlines: one row a test case and resample, with predicted and true mask: see :mod:`busline.cohort.outlines`.
        curves: learning curves.
        states: the networks' tensors by :func:`busline.predictors.files.stem_of`.
    """

    outlines: pd.DataFrame
    curves: pd.DataFrame
    states: Mapping[str, State]


def run_segment(
    inputs: StudyInputs,
    settings: SegmenterSettings,
    name: str,
    truth: Sequence[np.ndarray],
    *,
    seed: int,
    train: Train,
    runtime: Runtime,
    pretrained: Mapping[str, torch.Tensor] | None = None,
) -> SegmentStudy:
    """Train one segmentation network on the training cases of every resample and outline its test cases.

    The tuning cases serve no voting here: they are learnt from as well.

    Args:
        inputs: the study's cases and resamples, with images and masks of the size that the settings say.
        settings: the model's.
        name: what it is called; its seeds depend on it.
        truth: the cases' true masks as the cohort stores them, bool (height, width) each.
        seed: root of every random draw.
        train: what all networks share.
        runtime: how this machine runs it.
        pretrained: tensors of the encoder, or None.
    """
    assert inputs.images is not None
    assert inputs.masks is not None
    context = SegmentContext(name, settings, train, seed, inputs.images, inputs.masks, as_state(pretrained))
    try_network(context)
    jobs = fold_jobs(inputs)
    results = run_units(
        train_unit,
        context,
        alone_or_stacked(jobs, runtime),
        runtime=runtime,
        title=name,
        kernels=train.kernels,
        precision=train.precision,
    )
    pairs = list(zip(jobs, results, strict=True))
    outlines = pd.concat([_outline(inputs, truth, job, result) for job, result in pairs], ignore_index=True)
    states = {stem_of(job.resample): result.state for job, result in pairs}
    return SegmentStudy(outlines, curve_rows(jobs, results, name), states)


def try_network(context: SegmentContext) -> None:
    """Refuse a pair of architecture and encoder that cannot be trained on such pictures, before any training begins."""
    settings = context.settings
    require_pair(settings.architecture, settings.encoder)
    small = replace(
        context,
        settings=settings.model_copy(update={"epochs": 1, "batch_size": len(TRIAL_CASES)}),
        images=context.images[TRIAL_CASES],
        masks=context.masks[TRIAL_CASES],
    )
    try_unit(
        train_unit,
        small,
        [TRIAL_JOB],
        kernels=context.train.kernels,
        where=f"{settings.architecture} with the encoder {settings.encoder!r}",
        problem=f"cannot be trained on pictures of {settings.image_size} pixels in {context.train.precision}",
        mend=advise_pair(settings.encoder, settings.image_size),
    )


def train_unit(context: SegmentContext, jobs: Sequence[FoldJob], place: Place) -> list[FoldResult]:
    """Train networks and predict the probability maps of their test cases, as uint8 (m, side, side)."""
    settings, networks, members = context.settings, [], []
    for job in jobs:
        seed = fold_seed(context.seed, "segment", context.name, job)
        with seeded(seed):
            network = build_segmenter(settings.architecture, settings.encoder, settings.image_size, settings.start)
        if context.pretrained is not None:
            load_encoder(network, as_tensors(context.pretrained), f"weights of {context.name}")
        networks.append(network)
        learn = np.sort(np.concatenate([job.roles["train"], job.roles["tune"]]))
        members.append(Member(learn, job.roles["val"], seed))
    arrays = SegmentArrays(images=torch.from_numpy(context.images), masks=torch.from_numpy(context.masks))
    task = SegmentTask(arrays, settings.augmentation)
    parts = tuple(name for name, _ in networks[0].network.named_children())
    plan = segment_plan(settings, context.train, parts)
    score = [{"test": job.roles["test"]} for job in jobs]
    device = torch.device(place.device)
    results = train_and_score(
        networks, task, plan, members, score, device=device, report_progress=place.report_progress
    )
    return [_as_maps(result) for result in results]


def segment_plan(settings: SegmenterSettings, train: Train, parts: tuple[str, ...]) -> Plan:
    """Return the one phase; only a pretrained encoder is frozen (a random one would never learn)."""
    frozen = settings.freeze_encoder and settings.start is not None
    trainable = tuple(f"network.{part}" for part in parts if part != "encoder") if frozen else None
    phase = Phase("train", settings.epochs, settings.learning_rate, trainable)
    return make_plan((phase,), settings.batch_size, train, precision=train.precision)


def _as_maps(result: FoldResult) -> FoldResult:
    """Return the result with maps of bytes."""
    return replace(result, probabilities={role: map_bytes(maps[:, 0]) for role, maps in result.probabilities.items()})


def _outline(inputs: StudyInputs, truth: Sequence[np.ndarray], job: FoldJob, result: FoldResult) -> pd.DataFrame:
    """Return the test cases' outlines: the probability, brought to the stored size, above one half."""
    index = job.roles["test"].tolist()
    true = [truth[place] for place in index]
    maps = result.probabilities["test"]
    found = [outline_at(one, mask.shape[1], mask.shape[0]) for one, mask in zip(maps, true, strict=True)]
    cases, (scheme, repeat, fold) = [inputs.case_ids[place] for place in index], job.resample
    return outline_rows(cases, scheme, repeat, [fold] * len(index), found, true)
