"""Operating points: the score from which a case is called positive, chosen on cases that are not scored with it.

A threshold is one of the scores it is chosen on, and a case is called positive if its score is at least that. Of
thresholds that serve equally well, the one that misses fewest positive cases is taken. With one class there is none
(NaN).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from busline.metrics.classification import roc_curve

ROUNDING = 1e-9
"""A rate that misses a target by less than this has reached it: 19/20 is 95 %."""


def youden_threshold(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the threshold with the greatest sensitivity + specificity - 1.

    Source: Youden 1950, DOI 10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) finite, higher for the positive class.
    """
    alarms, hits, thresholds = roc_curve(truth, score)
    if thresholds.size == 0:
        return float("nan")
    gain = hits - alarms
    return float(thresholds[np.flatnonzero(gain >= gain.max() - ROUNDING)[-1]])


def sensitivity_threshold(truth: npt.ArrayLike, score: npt.ArrayLike, target: float) -> float:
    """Return the highest threshold whose sensitivity is at least ``target`` (in (0, 1]); arguments as in Youden's."""
    true, value = np.asarray(truth).astype(bool), np.asarray(score, dtype=np.float64)
    if true.all() or not true.any():
        return float("nan")
    falling = np.sort(value[true])[::-1]
    return float(falling[int(np.ceil(target * falling.size - ROUNDING)) - 1])


def specificity_threshold(truth: npt.ArrayLike, score: npt.ArrayLike, target: float) -> float:
    """Return the lowest threshold whose specificity is at least ``target`` (in (0, 1]).

    Where only calling nobody is specific enough, the threshold is just above the highest score. Arguments as in
    :func:`youden_threshold`.
    """
    true, value = np.asarray(truth).astype(bool), np.asarray(score, dtype=np.float64)
    if true.all() or not true.any():
        return float("nan")
    falling = np.sort(value[~true])[::-1]
    allowed = int(np.floor((1.0 - target) * falling.size + ROUNDING))
    above = value[value > falling[allowed]] if allowed < falling.size else value
    return float(above.min()) if above.size else float(np.nextafter(value.max(), np.inf))


def sensitivity_at_specificity(truth: npt.ArrayLike, score: npt.ArrayLike, target: float) -> float:
    """Read the greatest sensitivity at a specificity of at least ``target`` off the ROC curve of the same cases.

    The threshold is chosen on the very cases that are scored, so this is what the best choice would have given and no
    estimate of what a choice made beforehand gives. NaN with one class.
    """
    true, value = np.asarray(truth).astype(bool), np.asarray(score, dtype=np.float64)
    threshold = specificity_threshold(true, value, target)
    return float("nan") if np.isnan(threshold) else float(np.mean(value[true] >= threshold))


@dataclass(frozen=True)
class OperatingPoint:
    """A rule that chooses a threshold."""

    title: str
    choose: Callable[[np.ndarray, np.ndarray], float]
    """Threshold of (truth, score)."""


SENSITIVITY, SPECIFICITY = 0.95, 0.90
"""Targets of the operating points."""

POINTS: dict[str, OperatingPoint] = {
    "youden": OperatingPoint("Youden's index", youden_threshold),
    "sensitivity_95": OperatingPoint(
        "95 % sensitivity", lambda true, score: sensitivity_threshold(true, score, SENSITIVITY)
    ),
    "specificity_90": OperatingPoint(
        "90 % specificity", lambda true, score: specificity_threshold(true, score, SPECIFICITY)
    ),
}
"""The operating points that are reported, by the name they have in the metrics."""
