"""Intervals for the ROC AUC of a cross-validated procedure: those that are reported, and those that might be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.ends import CONFIDENCE, SAMPLES, Ends, bootstrap_t, on_logit
from bench.simulation import Experiments, Scheme
from busline.metrics.comparison import delong_covariance
from busline.metrics.intervals import (
    bootstrap_interval,
    corrected_interval,
    corrected_logit_interval,
    corrected_wilson_interval,
)
from busline.metrics.resampling import draw_patients, percentiles


@dataclass(frozen=True)
class Areas:
    """ROC AUC of M models' folds, and what each case has to do with their mean."""

    folds: np.ndarray
    """(M, R, K)"""
    share: np.ndarray
    """(M, n) the sum of a model's squares estimates the variance of the mean over the folds, the models being given."""
    covariance: np.ndarray
    """(M, M) DeLong's of a fold's areas, averaged over the folds."""


def fold_areas(truth: np.ndarray, score: np.ndarray, fold: np.ndarray) -> Areas:
    """Return the folds' areas and their influence on the mean.

    A case in several repeats counts once, with the sum of its shares. Source of the variance: LeDell, Petersen and van
    der Laan 2015, DOI 10.1214/15-EJS1035, here with DeLong's n - 1 in every fold.

    Args:
        truth: bool (n,).
        score: (M, R, n) distinct out-of-fold scores.
        fold: (R, n) from 0.
    """
    models, repeats, cases = score.shape
    folds = int(fold.max()) + 1
    areas, share = np.empty((models, repeats, folds)), np.zeros((models, cases))
    covariance = np.zeros((models, models))
    for repeat, number in np.ndindex(repeats, folds):
        inside, values = fold[repeat] == number, score[:, repeat]
        positive, negative = np.flatnonzero(inside & truth), np.flatnonzero(inside & ~truth)
        beaten = _below(values[:, positive], values[:, negative])
        beating = 1.0 - _below(values[:, negative], values[:, positive])
        area = beaten.mean(axis=1)
        areas[:, repeat, number] = area
        for of_class, placed in ((positive, beaten), (negative, beating)):
            centred = (placed - area[:, None]) / np.sqrt(of_class.size * (of_class.size - 1))
            share[:, of_class] += centred / (repeats * folds)
            covariance += centred @ centred.T / (repeats * folds)
    return Areas(areas, share, covariance)


def _below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return, row by row, the share of ``others`` below each value."""
    rows = [np.searchsorted(np.sort(other), value) for value, other in zip(values, others, strict=True)]
    return np.asarray(np.stack(rows) / others.shape[1])


def weighted_delong(truth: np.ndarray, score: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC AUC and DeLong's variance of it in each sample of ``counts`` (samples, n); scores are distinct."""
    positive, negative = (np.flatnonzero(group)[score[group].argsort()] for group in (truth, ~truth))
    own, other = counts[:, positive].astype(np.float64), counts[:, negative].astype(np.float64)
    positives, negatives = own.sum(axis=1), other.sum(axis=1)
    nothing = np.zeros((len(counts), 1))
    below = np.hstack([nothing, other.cumsum(axis=1)])[:, np.searchsorted(score[negative], score[positive])]
    under = np.hstack([nothing, own.cumsum(axis=1)])[:, np.searchsorted(score[positive], score[negative])]
    beaten, beating = below / negatives[:, None], 1.0 - under / positives[:, None]
    area = np.einsum("sp,sp->s", own, beaten) / positives
    first = np.einsum("sp,sp->s", own, (beaten - area[:, None]) ** 2) / (positives - 1) / positives
    second = np.einsum("sp,sp->s", other, (beating - area[:, None]) ** 2) / (negatives - 1) / negatives
    return area, first + second


def estimates_and_intervals(
    found: Experiments, scheme: Scheme, generator: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the estimates (E,) and the intervals (E, 2) of every experiment, by their names in the table."""
    counts = draw_patients([str(case) for case in range(found.truth.size)], generator, SAMPLES)
    points: dict[str, list[float]] = {}
    intervals: dict[str, list[Ends]] = {}
    for score, fold in zip(found.out_of_fold[:, 0], found.fold, strict=True):
        of_one = _one(found.truth, score, fold, scheme, counts, generator)
        for name, point in of_one[0].items():
            points.setdefault(name, []).append(point)
        for name, ends in of_one[1].items():
            intervals.setdefault(name, []).append(ends)
    return {key: np.array(value) for key, value in points.items()}, {k: np.array(v) for k, v in intervals.items()}


def _one(
    truth: np.ndarray,
    score: np.ndarray,
    fold: np.ndarray,
    scheme: Scheme,
    counts: np.ndarray,
    generator: np.random.Generator,
) -> tuple[dict[str, float], dict[str, Ends]]:
    areas, whole = fold_areas(truth, score[None], fold), fold_areas(truth, score[None], np.zeros_like(fold))
    folds, pooled = areas.folds.ravel(), score.mean(axis=0)
    of_pooled = delong_covariance(truth, pooled)
    mean, area, apart = float(folds.mean()), float(of_pooled.auc[0]), float(whole.folds.mean())
    variance = float(of_pooled.covariance[0, 0])
    factor = 1 / folds.size + scheme.ratio
    spread = max(float(areas.covariance[0, 0]), float(folds.var(ddof=1)))
    samples, variances = weighted_delong(truth, pooled, counts)
    plain = bootstrap_interval(folds, generator, samples=SAMPLES, confidence=CONFIDENCE)
    corrected = corrected_interval(folds, scheme.ratio, confidence=CONFIDENCE)
    on_scale = corrected_logit_interval(folds, scheme.ratio, confidence=CONFIDENCE)
    in_form = corrected_wilson_interval(folds, scheme.ratio, confidence=CONFIDENCE)
    points = {"mean over folds": mean, "pooled, repeats apart": apart, "pooled, scores averaged": area}
    return points, {
        "fold bootstrap": (plain.low, plain.high),
        "corrected t": (corrected.low, corrected.high),
        "corrected t, logit": (on_scale.low, on_scale.high),
        "corrected t, Wilson": (in_form.low, in_form.high),
        "within folds": on_logit(mean, float((areas.share**2).sum())),
        "within folds, corrected": on_logit(mean, factor * spread),
        "DeLong, repeats apart": on_logit(apart, float((whole.share**2).sum())),
        "DeLong": on_logit(area, variance),
        "patients": percentiles(samples, CONFIDENCE),
        "bootstrap-t": bootstrap_t(area, variance, samples, variances),
    }
