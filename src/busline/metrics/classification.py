"""Scores of a binary classifier on one set of cases: pure functions of arrays.

Decided once, here:

- A case is called positive if its score is at least the threshold; a tie is called positive.
- Tied scores of a positive and a negative case count half in the ROC AUC.
- What needs a class that is not there is undefined (NaN): the AUC with one class, recall and average precision without
  positive cases, specificity without negative ones, everything without cases.
- Precision and F1 of a model that calls nobody positive are 0 if there was somebody to find, and undefined if not.

scikit-learn has most of these, and the tests compare with it. It is not called: on 60 to 1,800 cases its functions take
3 to 40 times as long, every fold of every model needs them, and with one class they warn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

THRESHOLD = 0.5


@dataclass(frozen=True)
class Confusion:
    """Counts of true and false, positive and negative calls."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


def call(score: npt.ArrayLike, threshold: float = THRESHOLD) -> np.ndarray:
    """Return who is called positive: bool array, True where ``score`` >= ``threshold``."""
    return np.asarray(score, dtype=np.float64) >= threshold


def confusion(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> Confusion:
    """Count the four kinds of calls.

    Args:
        truth: (n,) bool or 0/1, true for positive cases.
        predicted: (n,) bool or 0/1, true for cases called positive.

    Raises:
        ValueError: if the arrays differ in length, are not one-dimensional or hold anything but two values.
    """
    true, called = _binary(truth, "truth"), _binary(predicted, "predicted")
    _same_length(true, called)
    return Confusion(
        true_positive=int(np.sum(true & called)),
        false_positive=int(np.sum(~true & called)),
        false_negative=int(np.sum(true & ~called)),
        true_negative=int(np.sum(~true & ~called)),
    )


def accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of right calls; arguments as in :func:`confusion`, NaN without cases."""
    counts = confusion(truth, predicted)
    right = counts.true_positive + counts.true_negative
    return _ratio(right, right + counts.false_positive + counts.false_negative)


def precision(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of positive cases among those called positive.

    Without a positive call it is 0 if there are positive cases, NaN if there are none; arguments as in
    :func:`confusion`.
    """
    counts = confusion(truth, predicted)
    if counts.false_negative > 0 and counts.true_positive + counts.false_positive == 0:
        return 0.0
    return _ratio(counts.true_positive, counts.true_positive + counts.false_positive)


def recall(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of positive cases that are called positive (sensitivity); NaN without positive cases."""
    counts = confusion(truth, predicted)
    return _ratio(counts.true_positive, counts.true_positive + counts.false_negative)


def specificity(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of negative cases that are called negative; NaN without negative cases."""
    counts = confusion(truth, predicted)
    return _ratio(counts.true_negative, counts.true_negative + counts.false_positive)


def f1(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return 2 TP / (2 TP + FP + FN); NaN if nobody is positive and nobody is called positive."""
    counts = confusion(truth, predicted)
    doubled = 2 * counts.true_positive
    return _ratio(doubled, doubled + counts.false_positive + counts.false_negative)


def roc_auc(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the share of (positive, negative) pairs in which the positive case scores higher; ties count half.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) finite, higher for the positive class.

    Returns:
        The area under the ROC curve in [0, 1] (the Mann-Whitney statistic); NaN with one class.

    Raises:
        ValueError: if the arrays differ in length or a score is not finite.
    """
    true, value = _scored(truth, score)
    positives = int(true.sum())
    negatives = true.size - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    midrank = np.cumsum(count) - (count - 1) / 2
    wins = midrank[place][true].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def brier(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the mean squared difference of probability and truth; NaN without cases.

    Source: Brier 1950, DOI 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, in its form for two classes.
    """
    true, value = _scored(truth, score)
    return float(np.mean((value - true) ** 2)) if true.size else float("nan")


def average_precision(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the precision averaged over the steps of recall, without interpolation; NaN without positive cases."""
    true, value = _scored(truth, score)
    if not true.any():
        return float("nan")
    _, hits, calls = _sweep(true, value)
    steps = np.diff(hits, prepend=0) / true.sum()
    return float(np.sum(steps * hits / calls))


def roc_curve(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the corners of the ROC curve.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) finite.

    Returns:
        False-positive rates, true-positive rates and thresholds, from (0, 0, inf) to (1, 1, lowest score); points on a
        straight line between their neighbours are left out. Empty arrays with one class.
    """
    true, value = _scored(truth, score)
    positives = int(true.sum())
    negatives = true.size - positives
    if positives == 0 or negatives == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    threshold, hits, calls = _sweep(true, value)
    hits, alarms = np.append(0, hits), np.append(0, calls - hits)
    rise, run = np.diff(hits), np.diff(alarms)
    keep = np.r_[True, rise[:-1] * run[1:] != rise[1:] * run[:-1], True]
    return alarms[keep] / negatives, hits[keep] / positives, np.append(np.inf, threshold)[keep]


def pr_curve(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the points of the precision-recall curve.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) finite.

    Returns:
        Recalls, precisions and thresholds by falling threshold; where several thresholds have one recall, the first
        and the last stay. Empty arrays without positive cases.
    """
    true, value = _scored(truth, score)
    if not true.any():
        return np.empty(0), np.empty(0), np.empty(0)
    threshold, hits, calls = _sweep(true, value)
    moves = np.diff(hits) > 0
    keep = np.append(True, moves) | np.append(moves, True)
    return (hits / true.sum())[keep], (hits / calls)[keep], threshold[keep]


def _called(metric: Callable[[npt.ArrayLike, npt.ArrayLike], float]) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda truth, score: metric(truth, call(score))


FOLD_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": _called(accuracy),
    "f1": _called(f1),
    "roc_auc": roc_auc,
    "precision": _called(precision),
    "recall": _called(recall),
    "specificity": _called(specificity),
}
"""What is computed in every test fold: functions of (truth, score of the positive class)."""


def _sweep(true: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct scores, falling, with the numbers of true and of all cases that reach each."""
    order = np.argsort(-value, kind="stable")
    last = np.append(np.diff(value[order]) != 0, True)
    return value[order][last], np.cumsum(true[order])[last], np.flatnonzero(last) + 1


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _binary(values: npt.ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must be one-dimensional and hold only 0 and 1 (or False and True)")
    return array.astype(bool)


def _scored(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    true, value = _binary(truth, "truth"), np.asarray(score, dtype=np.float64)
    _same_length(true, value)
    if not np.isfinite(value).all():
        raise ValueError("score must be finite")
    return true, value


def _same_length(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"arrays must have one shape, found {first.shape} and {second.shape}")
