"""How often tests cry "better" among models that are equally good, and how often they see that one is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations

import numpy as np
from scipy.special import ndtr

from bench.areas import Areas, fold_areas
from bench.ends import SAMPLES
from bench.operating import margins, tuned_thresholds
from bench.simulation import Experiments, Scheme
from busline.metrics.comparison import corrected_t_test, delong_covariance, delong_test, holm, mcnemar_exact
from busline.metrics.resampling import draw_patients, percentiles, weighted_aucs

ALPHA = 0.05
exact = cache(mcnemar_exact)
"""Counts come again and again, and SciPy's test is slow."""
TODAY = ("corrected t", "DeLong", "McNemar")
"""The three tests that stand side by side in the report."""


def findings(found: Experiments, scheme: Scheme, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return by test whether it cries "better" (E,): of the first two models, and of any two with Holm's correction."""
    counts = draw_patients([str(case) for case in range(found.truth.size)], generator, SAMPLES)
    calls = margins(found, tuned_thresholds(found)["youden"]).mean(axis=2) >= 0.0
    rows = [
        _one(found.truth, *of_one, scheme, counts) for of_one in zip(found.out_of_fold, found.fold, calls, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _one(
    truth: np.ndarray, score: np.ndarray, fold: np.ndarray, calls: np.ndarray, scheme: Scheme, counts: np.ndarray
) -> dict[str, bool]:
    areas, pooled = fold_areas(truth, score, fold), score.mean(axis=1)
    of_pooled = delong_covariance(truth, pooled)
    folds = areas.folds.reshape(len(score), -1)
    right = calls == truth
    tests: Mapping[str, Callable[[int, int], float]] = {
        "corrected t": lambda a, b: corrected_t_test(folds[a], folds[b], scheme.ratio).p_value,
        "within folds": lambda a, b: _within(areas, a, b),
        "within folds, corrected": lambda a, b: _corrected(areas, a, b, scheme.ratio),
        "DeLong": lambda a, b: delong_test(of_pooled, a, b).p_value,
        "McNemar": lambda a, b: exact(int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())),
    }
    pairs = list(combinations(range(len(score)), 2))
    p_values = {name: np.array([test(*pair) for pair in pairs]) for name, test in tests.items()}
    found = {name: bool(values[0] < ALPHA) for name, values in p_values.items()}
    low, high = percentiles(
        weighted_aucs(truth, pooled[0], counts) - weighted_aucs(truth, pooled[1], counts), 1 - ALPHA
    )
    found["patients"] = not low <= 0.0 <= high
    found["any of the three"] = any(found[name] for name in TODAY)
    for name, values in p_values.items():
        found[f"{name}, Holm"] = bool((holm(values) < ALPHA).any())
    found["any of the three, Holm"] = any(found[f"{name}, Holm"] for name in TODAY)
    return found


def _within(areas: Areas, a: int, b: int) -> float:
    """Return the p-value of the mean difference of the folds' areas, models taken as given."""
    variance = float(((areas.share[a] - areas.share[b]) ** 2).sum())
    return _two_sided(float((areas.folds[a] - areas.folds[b]).mean()), variance)


def _corrected(areas: Areas, a: int, b: int, ratio: float) -> float:
    """Return the same with the greater of DeLong's variance of a fold's difference and the folds' own, corrected."""
    differences = areas.folds[a] - areas.folds[b]
    covariance = areas.covariance
    given = float(covariance[a, a] + covariance[b, b] - 2.0 * covariance[a, b])
    spread = max(given, float(differences.var(ddof=1)))
    return _two_sided(float(differences.mean()), (1 / differences.size + ratio) * spread)


def _two_sided(difference: float, variance: float) -> float:
    return float(2.0 * ndtr(-abs(difference) / np.sqrt(variance)))
