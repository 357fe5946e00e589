"""Whether predicted probabilities are frequencies.

The calibration error is biased upwards on few cases (a perfect model of AUC 0.88 shows about 0.13 on 50 cases in ten
bins, 0.06 on 252), so judge it on pooled out-of-fold predictions, never fold by fold, and beside what a perfectly
calibrated model would get (:func:`perfect_calibration_error`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CUT = 0.001
"""Before a logit is taken, probabilities are cut to [CUT, 1 - CUT]: some hundred cases cannot tell less from nought."""
ROUNDING = 1e-6
"""Log odds this close are one: probabilities are kept as float32, and a constant model's differ by as much."""


@dataclass(frozen=True)
class Line:
    """How predicted and true log odds go together; NaN where undefined."""

    slope: float
    """1 if well calibrated; less if the probabilities are too extreme, more if too timid."""
    intercept: float
    """0 if the mean is right; negative if the probabilities are too high on the whole."""


@dataclass(frozen=True)
class Expected:
    """What a perfectly calibrated model's calibration error would be."""

    mean: float
    high: float
    """The 95th percentile: chance alone gives more in one case of twenty."""


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
    which = _bins(value, bins)
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


def perfect_calibration_error(
    score: npt.ArrayLike, bins: int, generator: np.random.Generator, *, samples: int = 2000
) -> Expected:
    """Return the calibration error of a model whose probabilities are true, on cases with these very probabilities.

    Labels are drawn from the probabilities and the error of :func:`expected_calibration_error` is taken, many times.
    NaN without cases.

    Args:
        score: (n,) probability of the positive class, in [0, 1].
        bins: number of bins.
        generator: source of the labels.
        samples: number of sets of labels.
    """
    value = np.asarray(score, dtype=np.float64)
    if value.size == 0:
        return Expected(float("nan"), float("nan"))
    # |sum of (label - probability)| of a bin / n is the bin's share of the error
    member = (_bins(value, bins)[:, None] == np.arange(bins)).astype(np.float64)
    surprise = (generator.random((samples, value.size)) < value) - value
    errors = np.abs(surprise @ member).sum(axis=1) / value.size
    return Expected(float(errors.mean()), float(np.quantile(errors, 0.95)))


def calibration_line(truth: npt.ArrayLike, score: npt.ArrayLike) -> Line:
    """Return calibration slope and intercept: logistic regressions of the truth on the predicted log odds.

    The slope is that of the regression on the logit; the intercept is that of the regression with the slope held at 1
    (calibration in the large). Source: Van Calster et al. 2019, DOI 10.1186/s12916-019-1466-7.

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) probability of the positive class, in [0, 1]; cut to [CUT, 1 - CUT].

    Returns:
        Both NaN with one class; the slope is NaN too where it is infinite (a threshold parts the classes) or where all
        scores are one, up to :data:`ROUNDING`.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    true, odds = np.asarray(truth).astype(bool), logit(score)
    if true.all() or not true.any():
        return Line(float("nan"), float("nan"))
    intercept = brentq(lambda shift: float(np.sum(expit(odds + shift) - true)), -50.0, 50.0, xtol=1e-12)
    return Line(_slope(true, odds), float(intercept))


def logit(score: npt.ArrayLike) -> np.ndarray:
    """Return the log odds of probabilities, cut to [CUT, 1 - CUT] before."""
    from scipy.special import logit as log_odds

    value = np.asarray(score, dtype=np.float64)
    if not ((value >= 0) & (value <= 1)).all():
        raise ValueError("score must lie in [0, 1]")
    return np.asarray(log_odds(np.clip(value, CUT, 1 - CUT)))


def _slope(true: np.ndarray, odds: np.ndarray) -> float:
    from sklearn.linear_model import LogisticRegression

    apart = odds[true].min() >= odds[~true].max() or odds[true].max() <= odds[~true].min()
    if apart or np.ptp(odds) < ROUNDING:
        return float("nan")
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    return float(model.fit(odds[:, None], true).coef_[0, 0])


def _bins(value: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each case: that of its mean rank, counted from 0."""
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    # twice the mean rank from 0, as whole numbers: (2 below + count) / 2n lies in (0, 1)
    return np.asarray(((2 * below + count) * bins // (2 * value.size))[place])
