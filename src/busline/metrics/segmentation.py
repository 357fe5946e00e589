"""Agreement of a predicted lesion mask with the true one, case by case: pure functions of arrays.

Every function takes ``predicted`` and then ``truth``, in the order of the loss functions: bool or 0/1 (any other number
than 0 counts as lesion), shape (n, height, width); and returns a float64 array (n,). A score without a denominator is
NaN. So Dice and IoU are NaN where both masks are empty, and 0 where only the true one is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def score_masks(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> dict[str, np.ndarray]:
    """Return all four scores by name: dice, iou, sensitivity, specificity."""
    return {metric.__name__: metric(predicted, truth) for metric in (dice, iou, sensitivity, specificity)}


def dice(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN); NaN where both masks are empty."""
    hit, alarm, miss, _ = _counts(predicted, truth)
    return _ratio(2 * hit, 2 * hit + alarm + miss)


def iou(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return TP / (TP + FP + FN), the Jaccard index; NaN where both masks are empty."""
    hit, alarm, miss, _ = _counts(predicted, truth)
    return _ratio(hit, hit + alarm + miss)


def sensitivity(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return the share of lesion pixels that are found; NaN where the true mask is empty."""
    hit, _, miss, _ = _counts(predicted, truth)
    return _ratio(hit, hit + miss)


def specificity(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return the share of background pixels that are left alone; NaN where the true mask is full."""
    _, alarm, _, quiet = _counts(predicted, truth)
    return _ratio(quiet, quiet + alarm)


def _counts(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[np.ndarray, ...]:
    """Return true positive, false positive, false negative and true negative pixels of each case."""
    found, true = np.asarray(predicted).astype(bool), np.asarray(truth).astype(bool)
    if true.ndim != 3 or true.shape != found.shape:
        raise ValueError(f"masks must have one shape (n, height, width), found {found.shape} and {true.shape}")
    pairs = (true & found, ~true & found, true & ~found, ~true & ~found)
    return tuple(pair.sum(axis=(1, 2), dtype=np.int64) for pair in pairs)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
