"""Scores of a classifier of several classes on one set of cases: pure functions of arrays.

Everywhere ``truth`` is (n,) int64, the index of each case's class, and ``probabilities`` (n, K) float64 in [0, 1], a
column a class, K at least 2. A ValueError is raised if they are not.

Decided once, here:

- A case is called the most probable class; tied ones go to the first in the order of the columns. (The binary call
  gives a tie to the positive class: with two columns only tied cases differ.)
- A score of one class is the binary one of "this class or not" (:mod:`busline.metrics.classification`) and undefined
  (NaN) where that is: recall without cases of the class, precision and F1 without cases and without calls, the ROC AUC
  without cases or without others. Precision of a class that has cases and is never called is 0; scikit-learn's with
  ``zero_division=nan`` is NaN, and its macro mean thereby forgives a model that gives up a class.
- A macro mean is over the classes whose score is defined (as scikit-learn's with ``zero_division=nan``), and NaN if
  none is. So cases that lack a class are scored on the others; one that is called nevertheless counts with a precision
  and an F1 of 0, and in no mean recall, which is thereby the balanced accuracy.
- The mean ROC AUC and the calibration error are means of all classes: NaN if one of them is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from busline.metrics import classification as binary
from busline.metrics.calibration import expected_calibration_error


def called(probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the most probable class of each case: (n,) int64; of tied classes the first in the order of the columns.

    Raises:
        ValueError: if the array is not (n, K) with K at least 2, or holds anything outside [0, 1].
    """
    return np.asarray(_probabilities(probabilities).argmax(axis=1), dtype=np.int64)


def confusion(truth: npt.ArrayLike, called: npt.ArrayLike, classes: int) -> np.ndarray:
    """Count the cases of each class by the class they are called.

    Args:
        truth: (n,) class indices, 0 to ``classes`` - 1.
        called: (n,) likewise.
        classes: number of classes.

    Returns:
        (classes, classes) int64: rows are actual classes, columns called ones.

    Raises:
        ValueError: if the arrays differ in length, are not one-dimensional or hold anything but indices of classes.
    """
    actual, found = _indices(truth, classes, "truth"), _indices(called, classes, "called")
    if actual.shape != found.shape:
        raise ValueError(f"arrays must have one shape, found {actual.shape} and {found.shape}")
    return np.bincount(actual * classes + found, minlength=classes**2).reshape(classes, classes)


def accuracy(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the share of cases that are called their own class; NaN without cases."""
    counts = _counts(truth, probabilities)
    return float(_ratios(np.trace(counts), counts.sum()))


def precision(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return, of the cases called each class, the share that are of it: (K,).

    Of a class that is never called it is 0 if there are cases of it, NaN if there are none.
    """
    counts = _counts(truth, probabilities)
    cases, calls = counts.sum(axis=1), counts.sum(axis=0)
    return np.where((calls == 0) & (cases > 0), 0.0, _ratios(np.diag(counts), calls))


def recall(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return, of the cases of each class, the share that are called it: (K,), NaN of a class without cases."""
    counts = _counts(truth, probabilities)
    return _ratios(np.diag(counts), counts.sum(axis=1))


def f1(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN) of each class: (K,), NaN of a class without cases and calls."""
    counts = _counts(truth, probabilities)
    return _ratios(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def roc_auc(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the ROC AUC of each class's probability, its cases against all others: (K,).

    NaN of a class without cases and of one that all cases are of.
    """
    return _against_the_rest(binary.roc_auc, truth, probabilities)


def balanced_accuracy(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean recall of the classes that have cases (which is macro recall); NaN without cases."""
    return _mean_of_defined(recall(truth, probabilities))


def macro_precision(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean precision of the classes that have cases or are called; NaN without cases."""
    return _mean_of_defined(precision(truth, probabilities))


def macro_f1(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean F1 of the classes that have cases or are called; NaN without cases.

    It is the mean of the F1s, not the F1 of the means. The two differ: Opitz & Burst 2019, arXiv:1911.03347.
    """
    return _mean_of_defined(f1(truth, probabilities))


def roc_auc_ovr(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the unweighted mean of :func:`roc_auc`; NaN if that of any class is undefined.

    scikit-learn's, which knows the classes only from ``truth`` or ``labels``, raises or is NaN there. A mean of the
    other classes would be that of another task.
    """
    return float(np.mean(roc_auc(truth, probabilities)))


def calibration_error(truth: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int) -> np.ndarray:
    """Return the expected calibration error of each class's probability: (K,), NaN without cases.

    Args:
        truth: (n,) class indices.
        probabilities: (n, K).
        bins: number of bins of equal numbers of cases, at least 1; each class has its own.
    """
    return _against_the_rest(lambda true, score: expected_calibration_error(true, score, bins), truth, probabilities)


def classwise_calibration_error(truth: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int) -> float:
    """Return classwise-ECE, the mean of :func:`calibration_error` over all K classes; NaN without cases.

    A class without cases counts: its probability should be 0. Like the binary error it is biased upwards on few cases,
    so it is no metric of a fold: take it on pooled predictions.

    Source: Kull et al. 2019, arXiv:1910.12656, with the bins of :func:`busline.metrics.calibration.reliability`.
    """
    return float(np.mean(calibration_error(truth, probabilities, bins)))


CLASS_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_precision": macro_precision,
    "macro_f1": macro_f1,
    "roc_auc_ovr": roc_auc_ovr,
}
"""What is computed in every test fold: functions of (truth, probabilities)."""

PER_CLASS_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "roc_auc": roc_auc,
}
"""The same for each class: (K,), in the order of the columns."""


def _counts(truth: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    value = _probabilities(probabilities)
    return confusion(truth, called(value), value.shape[1])


def _against_the_rest(
    metric: Callable[[np.ndarray, np.ndarray], float], truth: npt.ArrayLike, probabilities: npt.ArrayLike
) -> np.ndarray:
    """Return a binary metric of (is of the class, its probability) for each class: (K,)."""
    value = _probabilities(probabilities)
    actual = _indices(truth, value.shape[1], "truth")
    return np.array([metric(actual == index, column) for index, column in enumerate(value.T)])


def _ratios(part: npt.ArrayLike, whole: npt.ArrayLike) -> np.ndarray:
    """Return part / whole, NaN where the whole is 0."""
    size = np.asarray(whole, dtype=np.float64)
    return np.asarray(part / np.where(size > 0, size, np.nan))


def _mean_of_defined(scores: np.ndarray) -> float:
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if defined.size else float("nan")


def _probabilities(values: npt.ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"probabilities must have a shape (n, classes) of two classes or more, found {array.shape}")
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]")
    return array


def _indices(values: npt.ArrayLike, classes: int, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not np.isin(array, np.arange(classes)).all():
        raise ValueError(f"{name} must be one-dimensional and hold only class indices, 0 to {classes - 1}")
    return array.astype(np.int64)
