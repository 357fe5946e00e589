"""Calibration of all out-of-fold predictions of a repeat, as they are and after a calibration fitted inside the fold.

The figures are taken repeat by repeat and averaged: probabilities that are averaged first are those of an ensemble,
less extreme than its members'.

The calibration (:mod:`busline.metrics.recalibration`) is fitted on a fold's tuning cases and applied to the same
model's test cases of that fold; see :mod:`busline.evaluation.held_out`. Some thirty cases bear two parameters,
shrunk, and no more; the lesion models have all training cases for them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from busline.base.seeding import numpy_generator
from busline.base.settings.evaluation import Evaluate
from busline.evaluation.held_out import HeldOut
from busline.evaluation.pooled import Calibration, Recalibration
from busline.evaluation.summaries import Summariser, mean_of_repeats, pool_repeats, split_repeats
from busline.metrics.calibration import (
    calibration_line,
    expected_calibration_error,
    perfect_calibration_error,
    reliability,
)
from busline.metrics.classification import brier
from busline.metrics.recalibration import fit_recalibration
from busline.splits import RESAMPLE

STATES = ("before", "after")
FIGURES = ("brier", "ece", "ece_perfect", "ece_chance", "slope", "intercept")


def recalibrate(held: HeldOut) -> dict[str, pd.DataFrame]:
    """Return the test cases of every fold ``before`` and ``after`` calibration.

    Folds whose tuning cases are of one class cannot be calibrated: their rows are left out of both.
    """
    tune = dict(list(held.tune.groupby(RESAMPLE)))
    parts = []
    for key, rows in held.test.groupby(RESAMPLE, sort=True):
        if key in tune:
            fitted = fit_recalibration(tune[key]["truth"], tune[key]["score"])
            parts.append(rows.assign(calibrated=fitted.apply(rows["score"])))
    rows = pd.concat(parts).dropna(subset="calibrated")
    return {"before": rows, "after": rows.assign(score=rows["calibrated"])}


def calibration_scores(cases: pd.DataFrame, summariser: Summariser, *names: str) -> Calibration:
    """Return how well probabilities are calibrated: the mean over the repeats, each with all its cases at once.

    Args:
        cases: case_id, repeat, truth, score.
        summariser: its seed, number of bins and of samples.
        names: what the seed of the perfect model's labels depends on.
    """
    generator = numpy_generator(summariser.seed, "perfect calibration", *names)
    figures = [_of_repeat(rows, summariser.settings, generator) for rows in split_repeats(cases)]
    return Calibration(**mean_of_repeats(figures, FIGURES), cases=int(cases["case_id"].nunique()))


def calibration_table(states: Mapping[str, pd.DataFrame], summariser: Summariser, *names: str) -> Recalibration:
    """Return the scores of :func:`calibration_scores` by state, ``before`` and ``after``."""
    return Recalibration(**{state: calibration_scores(states[state], summariser, *names, state) for state in STATES})


def reliability_rows(states: Mapping[str, pd.DataFrame], bins: int) -> pd.DataFrame:
    """Return the reliability curves: calibration (before or after), predicted, observed, count.

    A curve is of one probability a case, averaged over the repeats: with several, that of an ensemble.
    """
    parts = []
    for state in STATES:
        pooled = pool_repeats(states[state])
        curve = reliability(pooled["truth"], pooled["score"], bins)
        columns = {"predicted": curve.predicted, "observed": curve.observed, "count": curve.count}
        parts.append(pd.DataFrame({"calibration": np.repeat(state, curve.count.size), **columns}))
    return pd.concat(parts, ignore_index=True)


def _of_repeat(rows: pd.DataFrame, settings: Evaluate, generator: np.random.Generator) -> dict[str, float]:
    """Return the figures of one repeat, by name in FIGURES."""
    truth, score = rows["truth"].to_numpy(), rows["score"].to_numpy()
    perfect = perfect_calibration_error(score, settings.calibration_bins, generator, samples=settings.bootstrap)
    error = expected_calibration_error(truth, score, settings.calibration_bins)
    line = calibration_line(truth, score)
    values = (brier(truth, score), error, perfect.mean, perfect.high, line.slope, line.intercept)
    return dict(zip(FIGURES, values, strict=True))
