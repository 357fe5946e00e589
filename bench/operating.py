"""Intervals for the sensitivity and specificity of a procedure that chooses its threshold inside each fold."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bench.ends import CONFIDENCE, NORMAL, SAMPLES, Ends, wilson
from bench.simulation import Experiments, Scheme, of_own_fold
from busline.metrics.intervals import corrected_interval, corrected_logit_interval, corrected_wilson_interval
from busline.metrics.operating import ROUNDING, SENSITIVITY, SPECIFICITY
from busline.metrics.resampling import draw_patients, percentiles, weighted_means


def thresholds(truth: np.ndarray, score: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the thresholds by operating point, chosen as :data:`busline.metrics.operating.POINTS` does.

    Args:
        truth: bool (..., m) of the cases to choose on.
        score: (..., m) distinct along the last axis.
        counts: int (samples, ..., m), how often each case is in each sample.

    Returns:
        (samples, ...) each, NaN for a sample with one class.
    """
    order = np.argsort(-score, axis=-1)
    true, value = np.take_along_axis(truth, order, -1), np.take_along_axis(score, order, -1)
    drawn = np.take_along_axis(counts, order[None], -1)
    hits, alarms = (drawn * true).cumsum(axis=-1), (drawn * ~true).cumsum(axis=-1)
    positives, negatives = hits[..., -1:], alarms[..., -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.where(drawn > 0, hits / positives - alarms / negatives, -np.inf)
    best = _last(gain >= gain.max(axis=-1, keepdims=True) - ROUNDING)
    enough = (hits >= np.ceil(SENSITIVITY * positives - ROUNDING)).argmax(axis=-1)
    few = (drawn > 0) & (alarms <= np.floor((1.0 - SPECIFICITY) * negatives + ROUNDING))
    above = np.nextafter(np.where(drawn > 0, value, -np.inf).max(axis=-1), np.inf)
    both = (positives > 0)[..., 0] & (negatives > 0)[..., 0]
    places = {"youden": best, "sensitivity_95": enough, "specificity_90": _last(few)}
    found = {
        name: np.take_along_axis(np.broadcast_to(value, drawn.shape), at[..., None], -1)[..., 0]
        for name, at in places.items()
    }
    found["specificity_90"] = np.where(few.any(axis=-1), found["specificity_90"], above)
    return {name: np.where(both, found_of, np.nan) for name, found_of in found.items()}


def tuned_thresholds(found: Experiments) -> dict[str, np.ndarray]:
    """Return the thresholds of all folds (E, M, R, K) on the log odds, by operating point."""
    places = tuning_cases(found)[:, None]
    score = np.take_along_axis(found.scores, np.broadcast_to(places, (*found.scores.shape[:4], places.shape[-1])), -1)
    once = np.ones((1, *score.shape), dtype=np.int64)
    by_point = thresholds(np.broadcast_to(found.truth[places], score.shape), score, once)
    return {point: values[0] for point, values in by_point.items()}


def tuning_cases(found: Experiments) -> np.ndarray:
    """Return the cases that each fold chooses on (E, R, K, m)."""
    count = int(found.tune[0, 0, 0].sum())
    return np.argsort(~found.tune, axis=-1, kind="stable")[..., :count]


def margins(found: Experiments, limit: np.ndarray) -> np.ndarray:
    """Return probability minus its fold's threshold (E, M, R, n) for thresholds (E, M, R, K) of the log odds."""
    threshold = np.broadcast_to(expit(limit)[..., None], found.scores.shape)
    return np.asarray(found.out_of_fold - of_own_fold(threshold, found.fold))


def estimates_and_intervals(
    found: Experiments, scheme: Scheme, generator: np.random.Generator
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Return by operating point and rate the estimates (E,) and the intervals (E, 2), by their names in the table."""
    counts = draw_patients([str(case) for case in range(found.truth.size)], generator, SAMPLES)
    limits, tuning = tuned_thresholds(found), tuning_cases(found)
    averaged = {point: margins(found, limit)[:, 0].mean(axis=1) >= 0.0 for point, limit in limits.items()}
    own = of_own_fold(found.scores, found.fold)[:, 0]
    groups = {"sensitivity": found.truth, "specificity": ~found.truth}
    rows: dict[tuple[str, str], dict[str, list[object]]] = {}
    for one, fold in enumerate(found.fold):
        cases = tuning[one]
        score = np.take_along_axis(found.scores[one, 0], cases, -1)
        drawn = thresholds(found.truth[cases], score, counts[:, cases])
        places = fold + scheme.folds * np.arange(scheme.repeats)[:, None]
        for point, limit in limits.items():
            called = own[one] >= limit[one, 0].reshape(-1)[places]
            again = drawn[point].reshape(SAMPLES, -1)[:, places]
            hits, made = (own[one] >= again).sum(axis=1), (again == again).sum(axis=1)
            for rate, group in groups.items():
                right = rate == "sensitivity"
                found_of = _one(
                    called[:, group] == right,
                    (hits if right else made - hits)[:, group],
                    made[:, group],
                    averaged[point][one][group] == right,
                    counts[:, group],
                    fold[:, group],
                    scheme,
                )
                row = rows.setdefault((point, rate), {})
                for name, value in found_of.items():
                    row.setdefault(name, []).append(value)
    return {key: {name: np.array(values) for name, values in row.items()} for key, row in rows.items()}


def _one(
    right: np.ndarray,
    again: np.ndarray,
    made: np.ndarray,
    averaged: np.ndarray,
    counts: np.ndarray,
    fold: np.ndarray,
    scheme: Scheme,
) -> dict[str, float | Ends]:
    """Return estimates and intervals of one rate.

    Args:
        right: bool (R, m) whether a case of the class is called rightly.
        again: (samples, m) in how many repeats it is by the thresholds of each sample.
        made: (samples, m) in how many repeats there is such a threshold.
        averaged: bool (m,) by the margins' mean over the repeats.
        counts: (samples, m).
        fold: (R, m).
        scheme: folds and repeats.
    """
    k, cases = scheme.folds * scheme.repeats, right.shape[1]
    rates = np.array([right[r][fold[r] == number].mean() for r, number in np.ndindex(scheme.repeats, scheme.folds)])
    of_case, factor = right.mean(axis=0), 1 / k + scheme.ratio
    samples = (again * counts).sum(axis=1) / (made * counts).sum(axis=1)
    mean, variance = float(rates.mean()), float(samples.var())
    plain = corrected_interval(rates, scheme.ratio, confidence=CONFIDENCE)
    on_scale = corrected_logit_interval(rates, scheme.ratio, confidence=CONFIDENCE)
    in_form = corrected_wilson_interval(rates, scheme.ratio, cases=cases, confidence=CONFIDENCE)
    fixed = weighted_means(of_case, counts)
    return {
        "mean over folds": mean,
        "calls averaged": float(of_case.mean()),
        "scores averaged": float(averaged.mean()),
        "patients, scores averaged": percentiles(weighted_means(averaged, counts), CONFIDENCE),
        "patients, calls averaged": percentiles(fixed, CONFIDENCE),
        "threshold resampled": percentiles(samples, CONFIDENCE),
        "threshold resampled, Wilson": wilson(mean, variance, cases, NORMAL),
        "threshold resampled, Wilson, corrected": wilson(mean, variance * factor * scheme.folds, cases, NORMAL),
        "corrected t": (plain.low, plain.high),
        "corrected t, logit": (on_scale.low, on_scale.high),
        "corrected t, Wilson": (in_form.low, in_form.high),
    }


def _last(mask: np.ndarray) -> np.ndarray:
    """Return the place of the last True along the last axis."""
    return np.asarray(mask.shape[-1] - 1 - mask[..., ::-1].argmax(axis=-1))
