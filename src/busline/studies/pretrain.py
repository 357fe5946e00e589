"""Initial weights of the lesion network: those of its encoder, if it has any, and what phantoms teach.

Phantoms of the stream have speckle, layers, shadows, shapes and margins made by the same physics as those of the
phantom source, and their findings are known, so the network's heads learn the words they will be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.lesion import OWN, Lesion, LesionBody
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.training import Precision, Train
from busline.models.lesion import build_lesion_network
from busline.models.lesion_encoders import load_encoder
from busline.studies.lesion_cases import draw_lesion_cases
from busline.studies.networks import as_state, as_tensors
from busline.training.batches import Member
from busline.training.lesion_task import LesionTask
from busline.training.loop import seeded
from busline.training.plan import Phase, Plan
from busline.training.pool import Place, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.trial import try_unit
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
    """What decides the weights; ``pretrained`` are the tensors of the encoder, if it starts from some."""

    lesion: Lesion
    body: LesionBody
    precision: Precision
    pretrained: State | None


@dataclass(frozen=True)
class PretrainJob:
    """The one network; ``seed`` of its phantoms, weights and batches."""

    seed: int


def run_pretrain(
    settings: PretrainSettings,
    body: LesionBody,
    *,
    runtime: Runtime,
    pretrained: Mapping[str, torch.Tensor] | None = None,
) -> FoldResult:
    """Return the pre-trained network's tensors and learning curve; ``pretrained`` are the tensors of its encoder."""
    context = PretrainContext(settings.lesion, body, settings.train.precision, as_state(pretrained))
    job = PretrainJob(derive_seed(settings.seed.train, "lesion", "pretrain"))
    if body.encoder != OWN:
        try_network(context, job, settings.train)
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


def try_network(context: PretrainContext, job: PretrainJob, train: Train) -> None:
    """Refuse an encoder that cannot be trained on such pictures, before any phantom but two is drawn."""
    short = context.lesion.pretrain.model_copy(update={"phantoms": 2, "batch_size": 2, "epochs": 1})
    lesion = context.lesion.model_copy(update={"pretrain": short})
    try_unit(
        train_unit,
        replace(context, lesion=lesion),
        [job],
        kernels=train.kernels,
        where=f"lesion.encoder {context.body.encoder!r}",
        problem=f"cannot be trained on pictures of {lesion.image_size} pixels in {train.precision}",
        mend="set lesion.image_size to the side it was made for, or choose another network",
    )


def train_unit(context: PretrainContext, jobs: Sequence[PretrainJob], place: Place) -> list[FoldResult]:
    """Draw the phantoms and train on them."""
    (job,) = jobs
    settings = context.lesion.pretrain
    with seeded(job.seed):
        network = build_lesion_network(context.body)
    if context.pretrained is not None:
        load_encoder(network.encoder, as_tensors(context.pretrained), "lesion.weights")
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
