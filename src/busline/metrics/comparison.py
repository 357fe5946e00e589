"""Paired tests of two classifiers on the same cases, and Holm's correction for many of them.

Decided once, here:

- Where the statistic is 0 / 0 (no difference, and no variance of it) the p-value is 1; where a difference has no
  variance at all it is 0.
- Whether two models are *identical* is a question about their scores, asked where the scores are; a p-value of 1 is not
  the answer to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr

from busline.metrics.classification import roc_auc

ROUNDING = 1e-16
"""A variance below this is rounding: one pair of cases ordered otherwise is worth as much among 20,000 cases."""


@dataclass(frozen=True)
class AucCovariance:
    """Areas under the ROC curves of k models on the same n cases, and how they vary together."""

    auc: np.ndarray
    """(k,) in [0, 1]; NaN with one class."""
    covariance: np.ndarray
    """(k, k); NaN with fewer than two cases of a class."""


@dataclass(frozen=True)
class PairedTest:
    """A difference (first minus second), and the two-sided p-value of there being none; NaN where undefined."""

    difference: float
    p_value: float


def delong_covariance(truth: npt.ArrayLike, scores: npt.ArrayLike) -> AucCovariance:
    """Return DeLong's estimate of the covariance of AUCs, by Sun and Xu's algorithm.

    It takes the cases as independent and the scores as given: the variance of training is not in it. Source: Sun and Xu
    2014, DOI 10.1109/LSP.2014.2337313, for DeLong, DeLong and Clarke-Pearson 1988, DOI 10.2307/2531595.

    Args:
        truth: (n,) bool or 0/1.
        scores: (k, n), one row a model, finite.

    Raises:
        ValueError: if the arrays do not fit together or a score is not finite.
    """
    from scipy.stats import rankdata

    true, values = np.asarray(truth).astype(bool), np.atleast_2d(np.asarray(scores, dtype=np.float64))
    auc = np.array([roc_auc(true, row) for row in values])
    positives, negatives = int(true.sum()), int((~true).sum())
    if min(positives, negatives) < 2:
        return AucCovariance(auc, np.full((len(values), len(values)), np.nan))
    rank = rankdata(values, axis=1)  # ties share their mean rank, as they count half in the AUC
    beaten = (rank[:, true] - rankdata(values[:, true], axis=1)) / negatives
    beating = 1.0 - (rank[:, ~true] - rankdata(values[:, ~true], axis=1)) / positives
    covariance = np.atleast_2d(np.cov(beaten)) / positives + np.atleast_2d(np.cov(beating)) / negatives
    return AucCovariance(auc, covariance)


def delong_test(areas: AucCovariance, first: int, second: int) -> PairedTest:
    """Return DeLong's test of two of the models in ``areas`` (rows ``first`` and ``second``)."""
    variance = areas.covariance[first, first] + areas.covariance[second, second]
    variance -= 2.0 * areas.covariance[first, second]
    difference = float(areas.auc[first] - areas.auc[second])
    ratio = _ratio(difference, float(variance))
    return PairedTest(difference, float(2.0 * ndtr(-abs(ratio))))


def corrected_t_test(first: npt.ArrayLike, second: npt.ArrayLike, ratio: float) -> PairedTest:
    """Return the corrected resampled t test of two models' scores on the same folds.

    t = mean(d) / sqrt((1/k + n_test/n_train) · var(d)) with k - 1 degrees of freedom, d the differences of the k folds
    where both scores are defined. It is the test to :func:`busline.metrics.intervals.corrected_interval`. Source:
    Nadeau and Bengio, Machine Learning 52 (2003), DOI 10.1023/A:1024068626366.

    Args:
        first: (k,) one score a fold, NaN where undefined.
        second: the other model's, in the same order of folds.
        ratio: number of test cases divided by number of training cases of a fold; the greater one of the two models.

    Returns:
        The mean difference; the p-value is NaN for fewer than two folds.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(f"both models need one score a fold, found {one.shape} and {other.shape}")
    differences = (one - other)[~np.isnan(one - other)]
    folds = differences.size
    mean = float(differences.mean()) if folds else float("nan")
    if folds < 2:
        return PairedTest(mean, float("nan"))
    t = _ratio(mean, float((1 / folds + ratio) * differences.var(ddof=1)))
    return PairedTest(mean, float(2.0 * stdtr(folds - 1, -abs(t))))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    Args:
        only_first: number of cases that the first model alone called rightly.
        only_second: number that the second model alone called rightly.

    Returns:
        The binomial test of a half; 1 without discordant cases.
    """
    from scipy.stats import binomtest

    discordant = only_first + only_second
    return float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Return Holm's adjusted p-values: their comparison with α keeps the chance of any false finding below α.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    Args:
        p_values: (m,), NaN for a test that could not be made: it stays NaN and does not count.
    """
    values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    made = np.flatnonzero(~np.isnan(values))
    order = made[np.argsort(values[made], kind="stable")]
    steps = values[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _ratio(difference: float, variance: float) -> float:
    """Return difference / sqrt(variance), 0 / 0 being 0."""
    if np.isnan(difference) or np.isnan(variance):
        return float("nan")
    if variance < ROUNDING:
        return 0.0 if abs(difference) < np.sqrt(ROUNDING) else float("inf")
    return difference / float(np.sqrt(variance))
