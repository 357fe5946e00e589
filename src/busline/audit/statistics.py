"""Summaries of fold scores and of draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from busline.metrics.intervals import corrected_interval

QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}


def fold_interval(scores: npt.ArrayLike, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Return the mean of fold scores, or of their differences, with the corrected resampled t interval.

    See :func:`busline.metrics.intervals.corrected_interval`; it is not cut off, as a difference may be negative.

    Args:
        scores: (k,), NaN where undefined.
        folds: positions of training and test cases of the k folds.

    Returns:
        ``mean``, ``low`` and ``high``; None where there is none.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return {"mean": None, "low": None, "high": None}
    ratio = float(np.mean([len(test) / len(train) for train, test in folds]))
    reached = corrected_interval(values, ratio, bounded=False)
    low, high = (None if np.isnan(end) else end for end in (reached.low, reached.high))
    return {"mean": float(values.mean()), "low": low, "high": high}


def describe_draws(draws: npt.ArrayLike) -> dict[str, Any]:
    """Return mean, 5 %, 50 % and 95 % quantile, most, and number of the defined draws; None where there are none."""
    values = np.asarray(draws, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    if not len(values):
        return {"mean": None, **dict.fromkeys(QUANTILES), "max": None, "draws": 0}
    quantiles = {name: float(np.quantile(values, at)) for name, at in QUANTILES.items()}
    return {"mean": float(values.mean()), **quantiles, "max": float(values.max()), "draws": len(values)}


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
