"""Intervals for the mean of fold scores.

All leave undefined folds (NaN) out and have no answer (NaN) for fewer than two folds. They stay within what a score can
be: [0, 1], or from 0 up for a distance. What each of them covers is simulated in docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, stdtrit


@dataclass(frozen=True)
class Interval:
    """An interval for a mean; low and high are NaN where there is none."""

    low: float
    high: float
    folds: int
    """Number of folds with a score, those the interval rests on."""


def reported_interval(
    scores: npt.ArrayLike,
    ratio: float,
    *,
    confidence: float = 0.95,
    most: float = 1.0,
    cases: float = float("inf"),
) -> Interval:
    """Return the interval that stands beside every mean of fold scores, chosen in docs/statistics.md.

    It is :func:`corrected_wilson_interval`, and for a distance, which has no most, :func:`corrected_interval`.

    Args:
        scores: (k,) one score a fold, in [0, most] or NaN.
        ratio: number of test cases divided by number of training cases of a fold.
        confidence: coverage in (0, 1).
        most: the greatest possible score, 1, or infinity for a distance.
        cases: of a rate, the cases that it is a share of.
    """
    if np.isinf(most):
        return corrected_interval(scores, ratio, confidence=confidence, most=most)
    return corrected_wilson_interval(scores, ratio, cases=cases, confidence=confidence)


def bootstrap_interval(
    scores: npt.ArrayLike,
    generator: np.random.Generator,
    *,
    samples: int = 2000,
    confidence: float = 0.95,
    most: float = 1.0,
) -> Interval:
    """Return the percentile bootstrap interval of the mean fold score, as in Chowdhary & Dennis 2026.

    It takes the folds as independent, which they are not (training parts overlap, repeats share their cases): it is
    too narrow, and fit only to be set beside the paper's own.

    Args:
        scores: (k,) one score a fold, in [0, most] or NaN.
        generator: source of the resampling.
        samples: number of bootstrap samples.
        confidence: coverage in (0, 1).
        most: the greatest possible score, infinity for a distance.
    """
    defined = _defined(scores)
    if defined.size < 2:
        return Interval(float("nan"), float("nan"), defined.size)
    drawn = generator.integers(0, defined.size, size=(samples, defined.size))
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined[drawn].mean(axis=1), (tail, 1 - tail))
    return _clipped(low, high, defined.size, most)


def corrected_interval(
    scores: npt.ArrayLike, ratio: float, *, confidence: float = 0.95, bounded: bool = True, most: float = 1.0
) -> Interval:
    """Return the corrected resampled t interval, which allows for overlapping training parts.

    mean ± t(k - 1) · sqrt((1/k + n_test/n_train) · s²), s² the variance of the fold scores with k - 1 degrees of
    freedom. Source: Nadeau and Bengio, Machine Learning 52 (2003), DOI 10.1023/A:1024068626366.

    Args:
        scores: (k,) one score a fold, in [0, most] or NaN; differences of scores if not ``bounded``.
        ratio: number of test cases divided by number of training cases of a fold.
        confidence: coverage in (0, 1).
        bounded: whether the interval is cut off at 0 and ``most``.
        most: the greatest possible score, infinity for a distance.
    """
    defined = _defined(scores)
    if defined.size < 2:
        return Interval(float("nan"), float("nan"), defined.size)
    error = np.sqrt((1 / defined.size + ratio) * defined.var(ddof=1))
    reach = float(stdtrit(defined.size - 1, (1 + confidence) / 2)) * error
    low, high = defined.mean() - reach, defined.mean() + reach
    return _clipped(low, high, defined.size, most) if bounded else Interval(float(low), float(high), defined.size)


def corrected_logit_interval(scores: npt.ArrayLike, ratio: float, *, confidence: float = 0.95) -> Interval:
    """Return :func:`corrected_interval` taken to the logit scale and back: it lies in (0, 1) and is not cut off.

    logit(m) ± t(k - 1) · e / (m · (1 - m)), m the mean and e the corrected standard error; the delta method gives the
    error on the logit scale. Where all scores are 0, or all are 1, it is that point.

    Args:
        scores: (k,) one score a fold, in [0, 1] or NaN.
        ratio: number of test cases divided by number of training cases of a fold.
        confidence: coverage in (0, 1).
    """
    plain = corrected_interval(scores, ratio, confidence=confidence, bounded=False)
    mean = (plain.low + plain.high) / 2
    if not 0.0 < mean < 1.0:
        return plain
    reach = (plain.high - plain.low) / 2 / (mean * (1.0 - mean))
    low, high = (float(expit(logit(mean) + end)) for end in (-reach, reach))
    return Interval(low, high, plain.folds)


def corrected_wilson_interval(
    scores: npt.ArrayLike, ratio: float, *, cases: float = float("inf"), confidence: float = 0.95
) -> Interval:
    """Return :func:`corrected_interval` in Wilson's form: it lies in [0, 1] and is not cut off.

    It holds the means p with (m - p)² ≤ t² · e² · p(1 - p) / (m(1 - m)), m the mean, e the corrected standard error and
    t Student's quantile with k - 1 degrees of freedom. Source: Wilson 1927, DOI 10.1080/01621459.1927.10502953, with
    the number of cases at which a rate has that error, as Korn and Graubard 1998, Survey Methodology 24, 193-201.

    Args:
        scores: (k,) one score a fold, in [0, 1] or NaN.
        ratio: number of test cases divided by number of training cases of a fold.
        cases: greatest number of cases that the scores can be worth; of a rate, the cases that it is a share of. With
            infinity folds that all have one score have that point for an interval.
        confidence: coverage in (0, 1).
    """
    defined = _defined(scores)
    if defined.size < 2:
        return Interval(float("nan"), float("nan"), defined.size)
    mean, squared = float(defined.mean()), float(stdtrit(defined.size - 1, (1 + confidence) / 2)) ** 2
    binomial, variance = mean * (1.0 - mean), float((1 / defined.size + ratio) * defined.var(ddof=1))
    part = max(squared * variance / binomial if binomial > 0.0 else 0.0, squared / cases)
    reach = float(np.sqrt(part * binomial + part**2 / 4))
    low, high = ((mean + part / 2 + end) / (1 + part) for end in (-reach, reach))
    return _clipped(low, high, defined.size, 1.0)


def _defined(scores: npt.ArrayLike) -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64)
    return values[~np.isnan(values)]


def _clipped(low: float, high: float, folds: int, most: float) -> Interval:
    return Interval(float(np.clip(low, 0, most)), float(np.clip(high, 0, most)), folds)
