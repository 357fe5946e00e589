"""What the network studies share: seeds, and the tables they save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from busline.base.seeding import derive_seed
from busline.families import ALL
from busline.predictors.files import stem_of
from busline.splits import MASTER
from busline.studies.inputs import FoldJob, StudyInputs, prediction_rows
from busline.training.results import FoldResult, State

TRIAL_CASES = np.arange(2)
"""Positions, and labels, of the two cases on which a network is tried; batch norm needs two."""
TRIAL_JOB = FoldJob(MASTER, dict.fromkeys(("train", "val", "tune", "test"), TRIAL_CASES))


@dataclass(frozen=True)
class NetworkStudy:
    """What a network stage saves.

    Attributes:
        predictions: prediction table (one row a scored case and resample).
        curves: learning curves of all folds.
        states: the networks' tensors by :func:`busline.predictors.files.stem_of`.
    """

    predictions: pd.DataFrame
    curves: pd.DataFrame
    states: Mapping[str, State]


def fold_seed(seed: int, family: str, name: str, job: FoldJob) -> int:
    """Return the seed of one network: a function of the root seed and of (family, model, repeat, fold)."""
    return derive_seed(seed, family, name, job.repeat, job.fold)


def load_state(network: nn.Module, state: State) -> None:
    """Put the tensors that a fold left back into a network of the same shape."""
    network.load_state_dict(as_tensors(state))


def as_state(tensors: Mapping[str, torch.Tensor] | None) -> State | None:
    """Return tensors, if there are any, as arrays, in which form they go to training processes."""
    return None if tensors is None else {name: value.numpy() for name, value in tensors.items()}


def as_tensors(state: State) -> dict[str, torch.Tensor]:
    """Return arrays as tensors that share no memory with them."""
    return {name: torch.from_numpy(np.asarray(value).copy()) for name, value in state.items()}


def gather(
    inputs: StudyInputs, jobs: Sequence[FoldJob], results: Sequence[FoldResult], model: str, *, keep_states: bool = True
) -> NetworkStudy:
    """Join the folds' results into the tables a stage saves; of two fits the curves are those that chose nothing."""
    predictions = [
        prediction_rows(inputs, job, role, found)
        for job, result in zip(jobs, results, strict=True)
        for role, found in result.probabilities.items()
    ]
    kept = {stem_of(job.resample, job.trained_on): result.state for job, result in zip(jobs, results, strict=True)}
    pairs = list(zip(jobs, results, strict=True))
    shown = [pair for pair in pairs if pair[0].trained_on != ALL] or pairs
    curves = curve_rows([job for job, _ in shown], [result for _, result in shown], model)
    return NetworkStudy(pd.concat(predictions, ignore_index=True), curves, kept if keep_states else {})


def curve_rows(jobs: Sequence[FoldJob], results: Sequence[FoldResult], model: str) -> pd.DataFrame:
    """Return the learning curves of all folds as one tidy table."""
    rows = [
        {"model": model, **job.resample._asdict(), **row}
        for job, result in zip(jobs, results, strict=True)
        for row in result.curve
    ]
    return pd.DataFrame(rows)
