"""Whether predicted probabilities are frequencies.

The calibration error is biased upwards on few cases (a perfect model of AUC 0.88 shows about 0.13 on 50 cases in ten
bins, 0.06 on 252), so judge it on pooled out-of-fold predictions, never fold by fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Reliability:
    """Bins of a reliability curve by rising probability; arrays (k,), k at most the number of bins asked for."""

    predicted: np.ndarray
    """Mean predicted probability of the bin's cases."""
    observed: np.ndarray
    """Share of positive cases in the bin."""
    count: np.ndarray
    """Number of cases in the bin."""


def reliability(truth: npt.ArrayLike, score: npt.ArrayLike, bins: int) -> Reliability:
    """Sort the cases by probability into bins of equal numbers.

    Cases of one probability share a bin (that of their mean rank), so ties make bins unequal, or fewer, but the result
    does not depend on the order of the cases.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) probability of the positive class, in [0, 1].
        bins: number of bins, at least 1.

    Raises:
        ValueError: if the arrays differ in length or a probability is outside [0, 1].
    """
    true, value = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if true.shape != value.shape or true.ndim != 1:
        raise ValueError(f"arrays must have one shape (n,), found {true.shape} and {value.shape}")
    if not ((value >= 0) & (value <= 1)).all():
        raise ValueError("score must lie in [0, 1]")
    if true.size == 0:
        return Reliability(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    # twice the mean rank from 0, as whole numbers: (2 below + count) / 2n lies in (0, 1)
    which = ((2 * below + count) * bins // (2 * true.size))[place]
    size = np.bincount(which, minlength=bins)
    filled = size > 0
    predicted = np.bincount(which, weights=value, minlength=bins)[filled] / size[filled]
    observed = np.bincount(which, weights=true, minlength=bins)[filled] / size[filled]
    return Reliability(predicted, observed, size[filled])


def expected_calibration_error(truth: npt.ArrayLike, score: npt.ArrayLike, bins: int) -> float:
    """Return the mean distance of predicted and observed frequency over the cases of :func:`reliability`'s bins.

    Source: Naeini et al. 2015 (AAAI), "Obtaining well calibrated probabilities using Bayesian binning". NaN without
    cases.
    """
    curve = reliability(truth, score, bins)
    if curve.count.size == 0:
        return float("nan")
    return float(np.average(np.abs(curve.predicted - curve.observed), weights=curve.count))
