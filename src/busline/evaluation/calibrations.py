"""Calibration of pooled out-of-fold predictions, as they are and after a calibration fitted inside the fold.

The calibration (:mod:`busline.metrics.recalibration`) is fitted on a fold's tuning cases and applied to the same
model's test cases of that fold; see :mod:`busline.evaluation.held_out`. Some thirty cases bear two parameters,
shrunk, and no more; the lesion models have all training cases for them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from busline.base.seeding import numpy_generator
from busline.evaluation.held_out import HeldOut
from busline.evaluation.results import Calibration, Recalibration
from busline.evaluation.summaries import Summariser, pool_repeats
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


def recalibrate(held: HeldOut) -> dict[str, pd.DataFrame]:
    """Return one row a case with its score averaged over the repeats, ``before`` and ``after`` calibration.

    Folds whose tuning cases are of one class cannot be calibrated: their rows are left out of both.
    """
    tune = dict(list(held.tune.groupby(RESAMPLE)))
    parts = []
    for key, rows in held.test.groupby(RESAMPLE, sort=True):
        if key in tune:
            fitted = fit_recalibration(tune[key]["truth"], tune[key]["score"])
            parts.append(rows.assign(calibrated=fitted.apply(rows["score"])))
    rows = pd.concat(parts).dropna(subset="calibrated")
    after = rows.assign(score=rows["calibrated"])
    return {"before": pool_repeats(rows), "after": pool_repeats(after)}


def calibration_scores(pooled: pd.DataFrame, summariser: Summariser, *names: str) -> Calibration:
    """Return how well pooled probabilities are calibrated.

    Args:
        pooled: case_id, truth, score; one row a case.
        summariser: its seed, number of bins and of samples.
        names: what the seed of the perfect model's labels depends on.
    """
    truth, score = pooled["truth"].to_numpy(), pooled["score"].to_numpy()
    settings = summariser.settings
    generator = numpy_generator(summariser.seed, "perfect calibration", *names)
    perfect = perfect_calibration_error(score, settings.calibration_bins, generator, samples=settings.bootstrap)
    line = calibration_line(truth, score)
    return Calibration(
        brier=brier(truth, score),
        ece=expected_calibration_error(truth, score, settings.calibration_bins),
        ece_perfect=perfect.mean,
        ece_chance=perfect.high,
        slope=line.slope,
        intercept=line.intercept,
        cases=len(pooled),
    )


def calibration_table(states: Mapping[str, pd.DataFrame], summariser: Summariser, *names: str) -> Recalibration:
    """Return the scores of :func:`calibration_scores` by state, ``before`` and ``after``."""
    return Recalibration(**{state: calibration_scores(states[state], summariser, *names, state) for state in STATES})


def reliability_rows(states: Mapping[str, pd.DataFrame], bins: int) -> pd.DataFrame:
    """Return the reliability curves: calibration (before or after), predicted, observed, count."""
    parts = []
    for state in STATES:
        curve = reliability(states[state]["truth"], states[state]["score"], bins)
        columns = {"predicted": curve.predicted, "observed": curve.observed, "count": curve.count}
        parts.append(pd.DataFrame({"calibration": np.repeat(state, curve.count.size), **columns}))
    return pd.concat(parts, ignore_index=True)
