"""The models of the folds, scoring every case: those they were trained on too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from busline.audit.settings import AuditSettings
from busline.audit.work import spread
from busline.base.runtime import Runtime
from busline.splits import Resample
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs
from busline.studies.networks import state_name
from busline.studies.tabular import LEARN, TabularContext, fit_table

if TYPE_CHECKING:
    import torch

NETWORK = ("train", "val")
"""Roles that a stored network learnt from, and by which its best epoch was chosen."""


@dataclass(frozen=True)
class FoldScores:
    """Scores of all cases by the model of each fold.

    Attributes:
        scores: probability of the positive class, float (n,), by fold.
        known: the cases whose label had a part in the model's training, bool (n,), by fold.
    """

    scores: Mapping[Resample, np.ndarray]
    known: Mapping[Resample, np.ndarray]


@dataclass(frozen=True)
class _Job:
    """One classical model in one fold."""

    name: str
    fold: FoldJob

    def __str__(self) -> str:
        return f"{self.name}, {self.fold}"


def score_tables(
    inputs: StudyInputs, params: AuditSettings, names: Sequence[str], *, runtime: Runtime
) -> dict[str, FoldScores]:
    """Fit classical models again in each fold, as their stage does with all training cases, and score every case."""
    folds = [job for job in fold_jobs(inputs) if not job.is_master]
    jobs = [_Job(name, fold) for name in names for fold in folds]
    contexts = {name: TabularContext(name, getattr(params.tabular.models, name), params.seed, inputs) for name in names}
    scores = spread(_score_fold, contexts, jobs, runtime=runtime, title="models of the folds on all cases")
    found = {(job.name, job.fold.resample): score for job, score in zip(jobs, scores, strict=True)}
    keys = [fold.resample for fold in folds]
    known = _known(inputs, LEARN["all"], keys)
    return {name: FoldScores({key: found[name, key] for key in keys}, known) for name in names}


def score_tabular_networks(inputs: StudyInputs, params: AuditSettings, folder: Path) -> FoldScores:
    """Score every case by the stored tabular networks."""
    import torch

    from busline.base.artifacts import load_tensors
    from busline.models.mlp import Mlp
    from busline.studies.dnn import encode

    settings = params.tabular.models.dnn
    scores = {}
    for job in fold_jobs(inputs):
        if not job.is_master:
            rows = encode(inputs, job.roles["train"])[1]
            network = Mlp(rows.shape[1], settings.hidden, settings.dropout)
            network.load_state_dict(load_tensors(folder / f"{state_name(job.resample)}.safetensors"))
            scores[job.resample] = _probabilities(network, torch.from_numpy(rows))
    return FoldScores(scores, _known(inputs, NETWORK, scores))


def score_images(inputs: StudyInputs, params: AuditSettings, name: str, folder: Path) -> FoldScores:
    """Score every case by an image model's stored networks, in 32-bit arithmetic."""
    import torch

    from busline.base.artifacts import load_tensors
    from busline.models.images import build_image_model

    assert inputs.images is not None
    images = torch.from_numpy(inputs.images).unsqueeze(1).float() / 127.5 - 1.0
    network = build_image_model(params.cnn.models[name])
    scores = {}
    for job in fold_jobs(inputs):
        if not job.is_master:
            network.load_state_dict(load_tensors(folder / f"{state_name(job.resample)}.safetensors"))
            scores[job.resample] = _probabilities(network, images.contiguous(memory_format=torch.channels_last))
    return FoldScores(scores, _known(inputs, NETWORK, scores))


def _score_fold(contexts: Mapping[str, TabularContext], job: _Job) -> np.ndarray:
    from busline.models.tabular import positive_probability

    context = contexts[job.name]
    learn = np.sort(np.concatenate([job.fold.roles[role] for role in LEARN["all"]]))
    fitted = fit_table(context, job.fold, learn)
    return positive_probability(fitted.estimator, fitted.encoder.transform(context.inputs.table)).astype(np.float64)


def _probabilities(network: torch.nn.Module, rows: torch.Tensor) -> np.ndarray:
    import torch

    torch.set_num_threads(1)  # their number may change the last bits
    network.eval()
    with torch.inference_mode():
        logits = torch.cat([network(part) for part in rows.split(64)])
    return np.asarray(torch.sigmoid(logits.double()).numpy())


def _known(inputs: StudyInputs, roles: Iterable[str], keys: Iterable[Resample]) -> dict[Resample, np.ndarray]:
    known = {}
    for key in keys:
        mask = np.zeros(len(inputs.case_ids), dtype=bool)
        for role in roles:
            mask[inputs.resamples[key][role]] = True
        known[key] = mask
    return known
