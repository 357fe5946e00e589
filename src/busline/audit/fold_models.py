"""The models of the folds, scoring every case: those they were trained on too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busline.audit.work import spread
from busline.base.runtime import Runtime
from busline.families import Family
from busline.predictors.cases import Cases
from busline.predictors.table import load_predictor
from busline.splits import MASTER, Resample
from busline.studies.inputs import Roles


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
class _Context:
    """What all models of a family share: the cases, and where its models are."""

    data: Path
    family: Family
    cases: Cases


@dataclass(frozen=True)
class _Job:
    """One model in one fold."""

    name: str
    fold: Resample

    def __str__(self) -> str:
        return f"{self.name}, {self.fold}"


def score_models(
    data: Path,
    family: Family,
    names: Sequence[str],
    cases: Cases,
    resamples: Mapping[Resample, Roles],
    learns_from: Sequence[str],
    *,
    runtime: Runtime,
) -> dict[str, FoldScores]:
    """Score every case by the stored models of each fold, as their own stage scores cases.

    Args:
        data: folder that holds models/.
        family: a family of classifiers.
        names: its models.
        cases: the study's cases, n.
        resamples: positions of the cases of each role; the master split is left out.
        learns_from: roles of the cases that the models were trained on.
        runtime: how this machine runs it.
    """
    folds = [fold for fold in resamples if fold != MASTER]
    jobs = [_Job(name, fold) for name in names for fold in folds]
    context = _Context(data, family, cases)
    title = f"{family.key} models of the folds on all cases"
    scores = spread(_score_fold, context, jobs, runtime=runtime, title=title)
    found = {(job.name, job.fold): score for job, score in zip(jobs, scores, strict=True)}
    known = {fold: _known(len(cases), learns_from, resamples[fold]) for fold in folds}
    return {name: FoldScores({fold: found[name, fold] for fold in folds}, known) for name in names}


def _score_fold(context: _Context, job: _Job) -> np.ndarray:
    found = load_predictor(context.data, context.family, job.name, job.fold).predict(context.cases)
    return np.asarray(found[:, -1], np.float64)


def _known(count: int, learns_from: Sequence[str], roles: Roles) -> np.ndarray:
    mask = np.zeros(count, dtype=bool)
    for role in learns_from:
        mask[roles[role]] = True
    return mask
