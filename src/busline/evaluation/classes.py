"""All classes of a study of more than two, beside the binary analyses of the positive class against the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from busline.evaluation.results import AllClasses, ClassScores, Master
from busline.evaluation.summaries import Summariser, shared_cases, split_repeats
from busline.metrics.classification import call
from busline.metrics.multiclass import CLASS_METRICS, PER_CLASS_METRICS, calibration_error, called, confusion
from busline.splits import RESAMPLE, cross_validated, master_rows

CALLS = ["actual", "predicted"]
"""Columns of a table of calls: labels of classes, one row a case."""


def class_cases(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the test rows, sorted: case_id, scheme, repeat, fold, actual (position in ``classes``), p_<class>."""
    test = table[table["split"] == "test"]
    cases = test[["case_id", *RESAMPLE]].assign(actual=pd.Index(classes).get_indexer(pd.Index(test["label"])))
    cases[_columns(classes)] = test[_columns(classes)].astype("float64")
    return cases.sort_values([*RESAMPLE, "case_id"], ignore_index=True)


def score_classes(
    cases: pd.DataFrame, classes: Sequence[str], summariser: Summariser, ratio: float, family: str, model: str
) -> AllClasses:
    """Score a classifier on all classes.

    Args:
        cases: as :func:`class_cases` returns them.
        classes: the study's labels in their order.
        summariser: of fold scores; its seed and settings.
        ratio: number of test cases divided by number of training cases.
        family: whose scores they are: the bootstraps' generators depend on it, and on ``model``.
        model: likewise.
    """
    folds = [_arrays(rows, classes) for _, rows in cross_validated(cases).groupby(RESAMPLE, sort=True)]
    pooled = _pooled(cases, classes)
    actual, probabilities = _arrays(pooled, classes)
    bins = summariser.settings.calibration_bins
    repeats = split_repeats(cross_validated(cases))
    errors = np.mean([calibration_error(*_arrays(rows, classes), bins) for rows in repeats], axis=0)
    each = {name: np.array([metric(*fold) for fold in folds]) for name, metric in PER_CLASS_METRICS.items()}
    whole = {name: np.array([metric(*fold) for fold in folds]) for name, metric in CLASS_METRICS.items()}
    names = (family, model, "all classes")
    against_rest = [pooled.reset_index().assign(truth=actual == place) for place in range(len(classes))]
    return AllClasses(
        metrics={
            name: summariser.scores(scores, ratio, *names, name, cases=shared_cases(against_rest[-1], name))
            for name, scores in whole.items()
        },
        classes=[
            ClassScores(
                label=label,
                metrics={
                    name: summariser.scores(
                        scores[:, place], ratio, *names, label, name, cases=shared_cases(against_rest[place], name)
                    )
                    for name, scores in each.items()
                },
                cases=int((actual == place).sum()),
                calibration_error=errors[place],
            )
            for place, label in enumerate(classes)
        ],
        classwise_ece=float(errors.mean()),
        confusion=confusion(actual, called(probabilities), len(classes)).tolist(),
        master=_master(master_rows(cases), classes),
    )


def class_calls(cases: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return each case's class and the most probable one, of probabilities averaged over the repeats: an ensemble's."""
    actual, probabilities = _arrays(_pooled(cases, classes), classes)
    names = np.array(classes)
    return pd.DataFrame(dict(zip(CALLS, (names[actual], names[called(probabilities)]), strict=True)))


def binary_calls(pooled: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return each case's class and the one it is called at the threshold of the report.

    Args:
        pooled: one row a case with truth and score, see :func:`busline.evaluation.summaries.pool_repeats`.
        classes: the negative and the positive label.
    """
    names, columns = np.array(classes), (pooled["truth"].to_numpy(), call(pooled["score"].to_numpy()))
    return pd.DataFrame(dict(zip(CALLS, (names[column.astype(int)] for column in columns), strict=True)))


def _columns(classes: Sequence[str]) -> list[str]:
    return [f"p_{name}" for name in classes]


def _arrays(cases: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    return cases["actual"].to_numpy(), cases[_columns(classes)].to_numpy()


def _pooled(cases: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return one row a case of the folds, its probabilities averaged over the repeats."""
    by_case = cross_validated(cases).groupby("case_id", sort=True)
    return by_case.agg({"actual": "first", **dict.fromkeys(_columns(classes), "mean")})


def _master(cases: pd.DataFrame, classes: Sequence[str]) -> Master | None:
    if cases.empty:
        return None
    scores = {name: metric(*_arrays(cases, classes)) for name, metric in CLASS_METRICS.items()}
    return Master.model_validate({**scores, "cases": len(cases)})
