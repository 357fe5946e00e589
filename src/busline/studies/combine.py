"""The diagnosis: a few numbers of each case, cross-fitted, into one probability by a logistic regression per fold.

For the test fold i, the regression learns from the cases of all other folds. A case of fold j brings what the network
of the pair {i, j} says of it, which saw neither fold; so test cases of fold i touch nothing that the regression is
fitted to. A test case is then seen by all networks that left fold i out, and the mean of the regression's logits is its
probability's. See :mod:`busline.studies.lesion`.

A threshold and a calibration for fold i are chosen on inner out-of-fold predictions of all cases of the other folds:
a case of fold j is scored by a regression that learns from the folds other than i and j, from what the network of the
pair {i, j} says of it. That network and that regression saw neither the case nor its fold nor fold i, and the
regression's rows come from networks {i, k}, none of which saw fold i. So nothing of fold i, not a picture and not a
label, takes part in the choice, and the rates that its test cases show are honest ones. Two things make these rows
differ from the test rows; both are part of what the test cases show, and neither lets a test label in. The networks
{i, k} learnt from fold j, so the weights of the regression know fold j by what these networks say of *other* cases, as
in every cross-validation of a stacked model's last step; without it a network would be needed for every three folds.
And a test case has the mean logit of K - 1 networks and a regression of K - 1 folds, an inner row one and of K - 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from busline.base.seeding import derive_seed
from busline.models.combiner import ClinicalColumns, fit_combiner
from busline.models.diagnosis import MODELS, PARTS, Diagnosis, Inputs, design_rows, mean_views, probabilities
from busline.splits import Resample
from busline.studies.inputs import FoldJob, StudyInputs, fold_jobs, prediction_rows


@dataclass(frozen=True)
class CombineStudy:
    """What the combine stage saves.

    Attributes:
        predictions: by name of :data:`busline.models.diagnosis.MODELS` and ``PARTS``, one row a test case and resample
            (``split`` = ``test``, ``trained_on`` = ``all``); of the models also one row a training case and resample,
            of its inner out-of-fold prediction (``split`` = ``tune``, ``trained_on`` = ``inner``).
        diagnoses: the last steps by name and resample.
    """

    predictions: dict[str, pd.DataFrame]
    diagnoses: dict[str, dict[Resample, Diagnosis]]


def run_combine(inputs: StudyInputs, outputs: pd.DataFrame, groups: np.ndarray, seed: int) -> CombineStudy:
    """Fit and apply the regressions of every fold; without clinical columns those that have them are left out.

    Args:
        inputs: the study's cases, clinical columns and resamples.
        outputs: what each network says of the cases it left out, as :class:`busline.studies.lesion.LesionStudy` has it.
        groups: group of each case, (n,): inner folds split no patient and no pair of near-duplicates.
        seed: root seed.
    """
    position = pd.Series(np.arange(len(inputs.case_ids)), index=list(inputs.case_ids))
    numbers = mean_views(outputs.assign(position=position.loc[outputs["case_id"]].to_numpy()))
    predictions: dict[str, pd.DataFrame] = {}
    diagnoses: dict[str, dict[Resample, Diagnosis]] = {}
    jobs = [job for job in fold_jobs(inputs) if not job.is_master]
    for name, design in {**MODELS, **PARTS}.items():
        if design[1] and inputs.table.empty:
            continue
        rows, fitted = [], {}
        for job in jobs:
            learn, test = cross_fitted(numbers, job)
            state = derive_seed(seed, "lesion", "combine", job.repeat, job.fold)
            fitted[job.resample], logits = _learn_and_judge(inputs, groups, learn, test, design, state)
            rows.append(_rows(inputs, job, "test", logits, "all"))
            if name in MODELS:
                inner = _inner_logits(inputs, groups, learn, design, state)
                rows.append(_rows(inputs, job, "tune", inner, "inner"))
        predictions[name] = pd.concat(rows, ignore_index=True)
        diagnoses[name] = fitted
    return CombineStudy(predictions, diagnoses)


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


def _inner_logits(inputs: StudyInputs, groups: np.ndarray, learn: pd.DataFrame, design: Inputs, seed: int) -> pd.Series:
    """Return the logits of the cases that a fold's regression learns from, each by one that left its own fold out."""
    parts: list[pd.Series] = []
    for fold in sorted(learn["fold"].unique()):
        inside = learn["fold"] == fold
        state = derive_seed(seed, "inner", int(fold))
        parts.append(_learn_and_judge(inputs, groups, learn[~inside], learn[inside], design, state)[1])
    logits: pd.Series = pd.concat(parts)
    return logits.sort_index()


def _learn_and_judge(
    inputs: StudyInputs, groups: np.ndarray, learn: pd.DataFrame, judged: pd.DataFrame, design: Inputs, seed: int
) -> tuple[Diagnosis, pd.Series]:
    """Return a step fitted to some rows, and each other case's mean logit by its position, ascending."""
    columns, with_clinical = design
    chosen = learn["position"].to_numpy()
    clinical = None
    if with_clinical:
        clinical = ClinicalColumns.fit(inputs.table.iloc[chosen], inputs.numeric, inputs.categorical)
    names = [*columns, *(clinical.names if clinical else [])]
    rows = design_rows(learn, inputs.table, columns, clinical)
    diagnosis = Diagnosis(
        columns, clinical, fit_combiner(rows, inputs.labels[chosen], groups[chosen], names, seed=seed)
    )
    return diagnosis, diagnosis.judge(judged, inputs.table)


def _rows(inputs: StudyInputs, job: FoldJob, split: str, logits: pd.Series, trained_on: str) -> pd.DataFrame:
    """Return prediction rows of the cases at the positions that index ``logits``."""
    cases = replace(job, roles={split: logits.index.to_numpy(np.int64)})
    return prediction_rows(inputs, cases, split, probabilities(logits), trained_on=trained_on)
