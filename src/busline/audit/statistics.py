"""Summaries of fold scores and of draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from busline.audit.results import Draws, FoldInterval
from busline.metrics.intervals import corrected_interval, reported_interval

QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def fold_interval(
    scores: npt.ArrayLike, folds: Sequence[tuple[np.ndarray, np.ndarray]], *, differences: bool = False
) -> FoldInterval:
    """Return the mean of fold scores, or of their differences, with its interval.

    See :func:`busline.metrics.intervals.reported_interval`, and of differences, which may be negative,
    :func:`busline.metrics.intervals.corrected_interval`, not cut off.

    Args:
        scores: (k,) in [0, 1], or in [-1, 1] if they are ``differences``; NaN where undefined.
        folds: positions of training and test cases of the k folds.
        differences: whether they are.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return FoldInterval(mean=None, low=None, high=None)
    ratio = float(np.mean([len(test) / len(train) for train, test in folds]))
    reached = corrected_interval(values, ratio, bounded=False) if differences else reported_interval(values, ratio)
    return FoldInterval(mean=float(values.mean()), low=reached.low, high=reached.high)


def describe_draws(draws: npt.ArrayLike) -> Draws:
    """Describe the defined draws; all but their number is None where there are none."""
    values = np.asarray(draws, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    if not len(values):
        return Draws(mean=None, **dict.fromkeys(QUANTILES), max=None, draws=0)
    quantiles = {name: float(np.quantile(values, at)) for name, at in QUANTILES.items()}
    return Draws(mean=float(values.mean()), **quantiles, max=float(values.max()), draws=len(values))


def above(draws: npt.ArrayLike, chance: float) -> float | None:
    """Return p of the one-sided t test that the mean of some draws is no more than ``chance``; None for fewer than 2.

    Draws that are all the same are certain: 0 above chance, 1 otherwise.
    """
    values = np.asarray(draws, dtype=np.float64)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return None
    excess, spread = float(values.mean() - chance), float(values.std(ddof=1))
    if spread < 1e-12:
        return 0.0 if excess > 1e-12 else 1.0
    return float(stdtr(len(values) - 1, -excess / (spread / np.sqrt(len(values)))))
