"""A calibration of two parameters, fitted on a few cases that a model was not trained on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from busline.metrics.calibration import logit

RIDGE = 1.0
"""Weight of the penalty slope² / 2 against the log-likelihood: some thirty cases alone would make the slope too steep,
and infinite where a threshold parts them."""


@dataclass(frozen=True)
class Recalibration:
    """log odds of truth = intercept + slope · log odds predicted; NaN where it could not be fitted."""

    slope: float
    intercept: float

    def apply(self, score: npt.ArrayLike) -> np.ndarray:
        """Return calibrated probabilities of (n,) probabilities."""
        from scipy.special import expit

        return np.asarray(expit(self.intercept + self.slope * logit(score)))


def fit_recalibration(truth: npt.ArrayLike, score: npt.ArrayLike) -> Recalibration:
    """Fit Platt's calibration on the log odds, its slope shrunk by :data:`RIDGE` and never negative.

    Shrinkage moves the probabilities to the share of positive cases, so few cases make a model timid, never bold. A
    slope below nought would turn the model's order around; it is set to 0, the best there is without turning. Source:
    Platt 1999, "Probabilistic outputs for support vector machines".

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) probability of the positive class, in [0, 1].

    Returns:
        The calibration; NaN with one class, for which nothing can be fitted.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    true, odds = np.asarray(truth).astype(bool), logit(score)
    if true.all() or not true.any():
        return Recalibration(float("nan"), float("nan"))
    with warnings.catch_warnings():  # odds near certainty stop Newton's line search; lbfgs then takes over by itself
        warnings.filterwarnings("ignore", "Line search of Newton solver", ConvergenceWarning)
        model = LogisticRegression(C=1.0 / RIDGE, solver="newton-cholesky", tol=1e-10).fit(odds[:, None], true)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < 0:
        return Recalibration(0.0, float(logit([true.mean()])[0]))
    return Recalibration(slope, intercept)
