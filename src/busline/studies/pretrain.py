"""Initial weights of the lesion network, learnt from phantoms: no weights are downloaded for it.

Phantoms of the stream have speckle, layers, shadows, shapes and margins made by the same physics as those of the
phantom source, and their findings are known, so the network's heads learn the words they will be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.lesion import Lesion
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.training import Precision, Train
from busline.models.lesion import LesionNetwork
from busline.studies.lesion_cases import draw_lesion_cases
from busline.training.batches import Member
from busline.training.lesion_task import LesionTask
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan
from busline.training.pool import Place, run_units
from busline.training.results import FoldResult, train_and_score
from busline.training.views import Ranges

RANGES = Ranges(zoom=0.35, shift=0.15)
"""Wider than in training: what is learnt from phantoms should not hang on their framing."""
WEIGHT_DECAY = 0.05
CLIP_NORM = 5.0


class PretrainSettings(Section):
    """The parameters of learning from phantoms."""

    seed: Seeds
    train: Train
    lesion: Lesion


@dataclass(frozen=True)
class PretrainContext:
    """What decides the weights."""

    lesion: Lesion
    precision: Precision


@dataclass(frozen=True)
class PretrainJob:
    """The one network; ``seed`` of its phantoms, weights and batches."""

    seed: int


def run_pretrain(settings: PretrainSettings, *, runtime: Runtime) -> FoldResult:
    """Return the pre-trained network's tensors and learning curve."""
    context = PretrainContext(settings.lesion, settings.train.precision)
    job = PretrainJob(derive_seed(settings.seed.train, "lesion", "pretrain"))
    (result,) = run_units(
        train_unit,
        context,
        [[job]],
        runtime=runtime,
        title="lesion network on phantoms",
        kernels=settings.train.kernels,
        precision=settings.train.precision,
    )
    return result


def train_unit(context: PretrainContext, jobs: Sequence[PretrainJob], place: Place) -> list[FoldResult]:
    """Draw the phantoms and train on them."""
    (job,) = jobs
    settings = context.lesion.pretrain
    with seeded(job.seed):
        network = LesionNetwork()
    if settings.phantoms == 0:
        return [FoldResult({}, [], {name: value.numpy() for name, value in network.state_dict().items()})]
    cases = draw_lesion_cases(settings.phantoms, job.seed)
    task = LesionTask(cases.arrays(), context.lesion.image_size, RANGES, context.lesion.findings_weight)
    plan = lesion_plan(settings.epochs, settings.learning_rate, settings.batch_size, context.precision)
    member = Member(np.arange(settings.phantoms), np.array([], np.int64), job.seed)
    device = torch.device(place.device)
    return train_and_score([network], task, plan, [member], [{}], device=device, report_progress=place.report_progress)


def lesion_plan(epochs: int, learning_rate: float, batch_size: int, precision: Precision) -> Plan:
    """Return one phase under the one-cycle schedule, which needs no validation cases."""
    return Plan(
        phases=(Phase("train", epochs, learning_rate),),
        batch_size=batch_size,
        precision=precision,
        schedule="one_cycle",
        weight_decay=WEIGHT_DECAY,
        clip_norm=CLIP_NORM,
        plateau_factor=1.0,
        plateau_patience=epochs,
        min_learning_rate=learning_rate,
        stop_patience=epochs,
    )
