"""The diagnosis: a few numbers of each case, cross-fitted, into one probability by a logistic regression per fold.

For the test fold i, the regression learns from the cases of all other folds. A case of fold j brings what the network
of the pair {i, j} says of it, which saw neither fold; so test cases of fold i touch nothing that the regression is
fitted to. A test case is then seen by all networks that left fold i out, and the mean of the regression's logits is its
probability's. See :mod:`busline.studies.lesion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from busline.base.seeding import derive_seed
from busline.models.combiner import Combiner, Rows, SignWords, fit_combiner
from busline.models.shape import FEATURES
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs, prediction_rows

NETWORK = ("malignancy", "birads")
IMAGE = (*NETWORK, *FEATURES)
MODELS: dict[str, tuple[tuple[str, ...], bool]] = {
    "image": (IMAGE, False),
    "image_clinical": (IMAGE, True),
}
"""Inputs from the image, and whether the clinical columns join them."""
PARTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "malignancy": (("malignancy",), False),
    "malignancy_whole": (("malignancy_whole",), False),
    "malignancy_window": (("malignancy_window",), False),
    "network": (NETWORK, False),
    "shape": (FEATURES, False),
    "clinical": ((), True),
    "network_clinical": (NETWORK, True),
    "shape_clinical": (FEATURES, True),
}
"""The same step with some of the inputs: what each is worth."""


@dataclass(frozen=True)
class CombineStudy:
    """What the combine stage saves.

    Attributes:
        predictions: by name of :data:`MODELS` and :data:`PARTS`, one row a test case and resample.
        combiners: the regressions by name, with repeat and fold.
    """

    predictions: dict[str, pd.DataFrame]
    combiners: dict[str, list[dict[str, Any]]]


def run_combine(inputs: StudyInputs, said: pd.DataFrame, seed: int) -> CombineStudy:
    """Fit and apply the regressions of every fold.

    Args:
        inputs: the study's cases, clinical columns and resamples.
        said: what each network says of the cases it left out, as :class:`busline.studies.lesion.LesionStudy` has it.
        seed: root seed.
    """
    numbers = _numbers(inputs, said)
    predictions: dict[str, pd.DataFrame] = {}
    combiners: dict[str, list[dict[str, Any]]] = {}
    jobs = [job for job in fold_jobs(inputs) if job.repeat >= 0]
    for name, (columns, clinical) in {**MODELS, **PARTS}.items():
        rows, fitted = [], []
        for job in jobs:
            combiner, probability = _fold(inputs, numbers, job, columns, clinical=clinical, seed=seed)
            rows.append(prediction_rows(inputs, job, "test", probability))
            fitted.append({"repeat": job.repeat, "fold": job.fold, **combiner.to_dict()})
        predictions[name] = pd.concat(rows, ignore_index=True)
        combiners[name] = fitted
    return CombineStudy(predictions, combiners)


def cross_fitted(numbers: pd.DataFrame, job: FoldJob) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that a fold's regression may learn from, and those that it is applied to.

    Args:
        numbers: ``repeat, first, second, position, fold`` and numbers, one row a network and case it left out.
        job: the fold i.

    Returns:
        One row a case of the other folds j, from the network of the pair {i, j}; and for each case of fold i one row a
        network of the pairs {i, j}. Every row is of a network that saw neither the case nor fold i.
    """
    mine = numbers[
        (numbers["repeat"] == job.repeat) & ((numbers["first"] == job.fold) | (numbers["second"] == job.fold))
    ]
    tested = mine["fold"] == job.fold
    return mine[~tested].sort_values("position"), mine[tested].sort_values(["position", "first", "second"])


def _fold(
    inputs: StudyInputs, numbers: pd.DataFrame, job: FoldJob, columns: Sequence[str], *, clinical: bool, seed: int
) -> tuple[Combiner, np.ndarray]:
    """Return the regression of one fold, and the probabilities of its test cases in their order."""
    learn, test = cross_fitted(numbers, job)
    chosen = learn["position"].to_numpy()
    names, known = list(columns), np.empty((len(inputs.case_ids), 0))
    if clinical:
        own, known = clinical_inputs(inputs, chosen)
        names += own
    rows, seen = (
        np.concatenate([part[list(columns)].to_numpy(np.float64), known[part["position"].to_numpy()]], axis=1)
        for part in (learn, test)
    )
    state = derive_seed(seed, "lesion", "combine", job.repeat, job.fold)
    combiner = fit_combiner(rows, inputs.labels[chosen], names, seed=state)
    logits = pd.Series(combiner.logits(seen)).groupby(test["position"].to_numpy()).mean()
    return combiner, np.asarray(expit(logits.loc[job.roles["test"]].to_numpy()), np.float64)


def clinical_inputs(inputs: StudyInputs, learn: np.ndarray) -> tuple[list[str], Rows]:
    """Return the clinical columns as numbers: names, and float64 (n, names).

    A numeric column is itself, NaN where it is missing, and a flag that it is; a categorical one has a column for each
    word that at least five of the cases at ``learn`` have. Only these cases are looked at for it.

    Args:
        inputs: the study's cases.
        learn: positions of the cases that are learnt from.
    """
    names: list[str] = []
    parts: list[np.ndarray] = []
    for name in inputs.numeric:
        values = inputs.table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        names += [name, f"{name} missing"]
        parts.append(np.stack([values, np.isnan(values)], axis=1).astype(np.float64))
    for name in inputs.categorical:
        cells = inputs.table[name].astype(object)
        words = SignWords.fit(cells.iloc[learn])
        names += [f"{name}: {word}" for word in words.names]
        parts.append(words.transform(cells))
    return names, np.concatenate(parts, axis=1) if parts else np.empty((len(inputs.case_ids), 0))


def _numbers(inputs: StudyInputs, said: pd.DataFrame) -> pd.DataFrame:
    """Return ``said`` with each case's position and the logits averaged over both views."""
    position = pd.Series(np.arange(len(inputs.case_ids)), index=list(inputs.case_ids))
    means = {name: said[[f"{name}_whole", f"{name}_window"]].mean(axis=1) for name in NETWORK}
    return said.assign(position=position.loc[said["case_id"]].to_numpy(), **means)
