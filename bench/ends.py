"""Ends of intervals, from an estimate, its variance and a quantile."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, ndtri

CONFIDENCE = 0.95
NORMAL = float(ndtri((1 + CONFIDENCE) / 2))
"""Quantile of the normal distribution."""
SAMPLES = 200
"""Bootstrap samples of an experiment; BUSline draws 2,000."""

Ends = tuple[float, float]


def on_logit(area: float, variance: float) -> Ends:
    """Return the normal interval on the logit scale, by the delta method."""
    if not 0.0 < area < 1.0:
        return area, area
    reach = NORMAL * np.sqrt(variance) / (area * (1.0 - area))
    return float(expit(logit(area) - reach)), float(expit(logit(area) + reach))


def bootstrap_t(area: float, variance: float, areas: np.ndarray, variances: np.ndarray) -> Ends:
    """Return the studentised bootstrap interval on the logit scale; samples without a variance are left out."""
    if not 0.0 < area < 1.0:
        return area, area
    defined = (areas > 0.0) & (areas < 1.0) & (variances > 0.0)
    drawn = areas[defined]
    t = (logit(drawn) - logit(area)) * drawn * (1.0 - drawn) / np.sqrt(variances[defined])
    low, high = np.quantile(t, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    error = np.sqrt(variance) / (area * (1.0 - area))
    return float(expit(logit(area) - high * error)), float(expit(logit(area) - low * error))


def wilson(rate: float, variance: float, cases: float, quantile: float) -> Ends:
    """Return Wilson's interval of a rate whose variance is not a binomial one.

    The number of cases is the one with which a binomial rate has this variance, at most ``cases``. Source: Korn and
    Graubard 1998, Survey Methodology 24, for the effective number; Wilson 1927, DOI 10.1080/01621459.1927.10502953.
    """
    size = min(rate * (1.0 - rate) / variance, cases) if variance > 0.0 and 0.0 < rate < 1.0 else cases
    part = quantile**2 / size
    reach = quantile * np.sqrt(rate * (1.0 - rate) / size + part / (4.0 * size))
    return float((rate + part / 2 - reach) / (1 + part)), float((rate + part / 2 + reach) / (1 + part))
