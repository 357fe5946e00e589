"""Bootstrap of patients: all cases of a patient are drawn together, since they are not independent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def draw_patients(patients: Sequence[str], generator: np.random.Generator, samples: int) -> np.ndarray:
    """Return how often each case is in each bootstrap sample of the patients.

    Args:
        patients: patient of each case, or whatever else is drawn together, length n.
        generator: source of the resampling.
        samples: number of bootstrap samples.

    Returns:
        int array (samples, n): as many patients are drawn as there are, with replacement.
    """
    names, place = np.unique(np.asarray(patients), return_inverse=True)
    drawn = generator.integers(0, names.size, size=(samples, names.size))
    rows = np.repeat(np.arange(samples), names.size) * names.size
    counts = np.bincount(rows + drawn.ravel(), minlength=samples * names.size).reshape(samples, names.size)
    return counts[:, place]


def weighted_means(values: npt.ArrayLike, counts: np.ndarray) -> np.ndarray:
    """Return the mean of ``values`` (n,) in each sample of ``counts`` (samples, n); NaN for an empty sample."""
    total = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((counts @ np.asarray(values, dtype=np.float64)) / total)


def weighted_aucs(truth: npt.ArrayLike, score: npt.ArrayLike, counts: np.ndarray) -> np.ndarray:
    """Return the ROC AUC in each sample; a sample with one class has none (NaN).

    Args:
        truth: (n,) bool or 0/1.
        score: (n,) finite.
        counts: (samples, n), how often each case is in each sample.
    """
    true, value = np.asarray(truth).astype(bool), np.asarray(score, dtype=np.float64)
    positive, negative = value[true][:, None], value[~true][None, :]
    wins = (positive > negative) + 0.5 * (positive == negative)
    own, other = counts[:, true], counts[:, ~true]
    pairs = own.sum(axis=1) * other.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(((own @ wins) * other).sum(axis=1) / pairs)


def percentiles(samples: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples; undefined ones (NaN) are left out, NaN if all are."""
    defined = samples[~np.isnan(samples)]
    if defined.size == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(low), float(high)
