"""Test cases of several runs, paired: the same cases, scored by two arms under several seeds of training each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_table
from busline.base.errors import DataError
from busline.base.params import Params
from busline.base.skipped import skip_reason
from busline.evaluation.outlines import score_outlines
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.prediction_tables import check_cases, check_predictions
from busline.evaluation.summaries import scored
from busline.families import Family
from busline.metrics.classification import roc_auc
from busline.metrics.contrast import Contrast, contrast_arms
from busline.metrics.resampling import weighted_aucs, weighted_means
from busline.splits import cross_validated, first_repeats, group_cases

ROC_AUC = "roc_auc"
PAIRED_METRICS = {"classification": (ROC_AUC,), "segmentation": ("dice", "iou")}
"""Metrics of a repeat, by task: of all out-of-fold scores at once, or the mean over the cases."""


@dataclass(frozen=True)
class Cohort:
    """Whose case is whose, as a run's cohort has it."""

    patients: Mapping[str, str]
    """Patient by case."""
    duplicates: Sequence[tuple[str, str]]
    """Pairs of cases with (near-)duplicate images."""


@dataclass(frozen=True)
class PairedCases:
    """One metric's scores of the same n cases by two arms."""

    case_ids: list[str]
    """(n,) ascending."""
    truth: np.ndarray
    """(n,) bool, whether a case is positive; nothing, all False, of outlines."""
    first: np.ndarray
    """(seeds, repeats, n) scores by the first arm."""
    second: np.ndarray
    undefined: int
    """Cases that were left out, since their score is undefined in one run or another."""


def read_cohort(data: Path, params: Params) -> Cohort:
    """Read whose case is whose from the main cohort below ``data``."""
    folder = data / "cohort" / params.data.main
    cases, duplicates = (load_table(folder / f"{name}.parquet") for name in ("cases", "duplicates"))
    pairs = list(zip(duplicates["case_a"], duplicates["case_b"], strict=True))
    return Cohort(dict(zip(cases["case_id"], cases["patient_id"], strict=True)), pairs)


def read_cases(data: Path, family: Family, model: str, params: Params) -> pd.DataFrame:
    """Read what a model of a run says of the test cases of the folds.

    Args:
        data: folder that holds splits/, cohort/ and predictions/.
        family: the model's; no grid of models in one file.
        model: its name.
        params: the run's parameters.

    Returns:
        case_id, scheme, repeat, fold; of a classifier truth (bool) and score, of outlines a column a metric.

    Raises:
        DataError: if the run has nothing of the model, or not exactly the test cases of its resamples.
    """
    where = f"{family.key}/{model}"
    table = load_table(data / "predictions" / family.key / f"{model}.parquet")
    if reason := skip_reason(table):
        raise DataError(where, f"the run has nothing of it: {reason}")
    splits = load_table(data / "splits" / "splits.parquet")
    if family.task == "segmentation":
        sizes = load_table(data / "cohort" / params.data.main / "cases.parquet")
        table = score_outlines(table, dict(zip(sizes["case_id"], sizes["pixel_mm"], strict=True)), where)
        rows = table[table["split"] == "test"]
    else:
        table = table[table["trained_on"] == "all"] if "trained_on" in table else table
        classes = params.split.ordered
        check_predictions(table, where, classes)
        rows = scored(table, classes[-1])
    check_cases(rows, splits if family.all_repeats else first_repeats(splits, params.cv.image_repeats), where)
    return cross_validated(rows)


def pair_cases(first: Sequence[pd.DataFrame], second: Sequence[pd.DataFrame], metric: str) -> PairedCases:
    """Pair the cases of two arms.

    A case whose score is undefined in any of the runs (Dice of two empty outlines) is left out of all of them.

    Args:
        first: the first arm's cases by seed, as :func:`read_cases` returns them.
        second: the second arm's.
        metric: one of :data:`PAIRED_METRICS`.

    Raises:
        DataError: if the runs did not score the same cases with the same truth, or no case is left.
    """
    column = "score" if metric == ROC_AUC else metric
    ids, truth = _truth(first[0])
    for rows in (*first, *second):
        of_run, true = _truth(rows)
        if of_run != ids or not np.array_equal(true, truth):
            mend = "pair only settings with the same cohort and classes"
            raise DataError("paired cases", "the runs scored other cases, or with another truth", mend=mend)
    one, other = (np.stack([_by_repeat(rows, column, len(ids)) for rows in arm]) for arm in (first, second))
    kept = ~(np.isnan(one).any(axis=(0, 1)) | np.isnan(other).any(axis=(0, 1)))
    if not kept.any():
        raise DataError("paired cases", f"no case has a {metric} in every run")
    left = [case for case, stays in zip(ids, kept, strict=True) if stays]
    return PairedCases(left, truth[kept], one[..., kept], other[..., kept], int((~kept).sum()))


def figures(values: np.ndarray, truth: np.ndarray, metric: str) -> np.ndarray:
    """Return an arm's figure under each seed (S,), the mean over the repeats, of scores (S, repeats, n)."""
    if metric != ROC_AUC:
        return np.asarray(values.mean(axis=(1, 2)))
    return np.array([np.mean([roc_auc(truth, scores) for scores in of_seed]) for of_seed in values])


def sampled_figures(values: np.ndarray, truth: np.ndarray, metric: str, counts: np.ndarray) -> np.ndarray:
    """Return the mean over seeds and repeats of an arm's figure in each sample (B,) of ``counts`` (B, n)."""
    if metric != ROC_AUC:
        return weighted_means(values.mean(axis=(0, 1)), counts)
    runs = values.reshape(-1, values.shape[-1])
    return np.asarray(np.mean([weighted_aucs(truth, scores, counts) for scores in runs], axis=0))


def contrast_cases(
    cases: PairedCases, metric: str, patients: PatientBootstrap, units: int, *, one_run: bool
) -> Contrast:
    """Return the difference between the arms and its intervals.

    Args:
        cases: of both arms.
        metric: one of :data:`PAIRED_METRICS`.
        patients: bootstrap samples of exactly these cases.
        units: number of patients, or groups of them, that it draws.
        one_run: whether both figures of a seed come from one run.
    """
    arms = cases.first, cases.second
    first, second = (figures(values, cases.truth, metric) for values in arms)
    sampled, beside = (sampled_figures(values, cases.truth, metric, patients.counts) for values in arms)
    return contrast_arms(first, second, sampled - beside, units, one_run=one_run, confidence=patients.confidence)


def count_groups(patients: PatientBootstrap, duplicates: Sequence[tuple[str, str]]) -> int:
    """Return how many patients there are, those with near-duplicate images counted as one."""
    whose = patients.patients
    return int(np.unique(group_cases(whose.index.tolist(), whose.tolist(), duplicates)).size)


def _truth(rows: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the ids of the cases, ascending, and whether each is positive."""
    cases = rows.drop_duplicates("case_id").sort_values("case_id")
    truth = cases["truth"].to_numpy(bool) if "truth" in cases else np.zeros(len(cases), bool)
    return cases["case_id"].tolist(), truth


def _by_repeat(rows: pd.DataFrame, column: str, cases: int) -> np.ndarray:
    """Return the values of a column (repeats, cases), the cases ascending: each is tested once a repeat."""
    return rows.sort_values(["repeat", "case_id"])[column].to_numpy(np.float64).reshape(-1, cases)
