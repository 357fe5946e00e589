"""Sensitivity and specificity at operating points that are chosen inside the fold.

See :mod:`busline.evaluation.held_out`. Of the models that keep cases out for it, a fold has few to choose on: some
thirty of BrEaST's 252 (five folds, 15 %), a dozen of them positive, so that 95 % sensitivity means "all of them", and
what is aimed at is not what the test cases show. The lesion models choose on all training cases, some two hundred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from busline.evaluation.held_out import HeldOut
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.results import ChosenOn, OperatingPoint, Rate, Thresholds
from busline.evaluation.summaries import Summariser, shared_cases, split_folds
from busline.metrics.classification import recall, specificity
from busline.metrics.operating import POINTS
from busline.splits import RESAMPLE

RATES = {"sensitivity": recall, "specificity": specificity}


@dataclass(frozen=True)
class Operated:
    """Test cases at one operating point."""

    margins: pd.DataFrame
    """case_id, repeat, fold, truth, score: the score above the fold's threshold, NaN where the fold has none."""
    thresholds: pd.Series
    """By fold; NaN where the tuning cases are of one class."""


def operate(held: HeldOut, point: str) -> Operated:
    """Choose a threshold on each fold's tuning cases and measure its test cases by it; ``point`` is a key of POINTS."""
    choose = POINTS[point].choose
    rows = held.tune.sort_values([*RESAMPLE, "case_id"], ignore_index=True)
    keys = pd.MultiIndex.from_frame(rows[RESAMPLE].drop_duplicates())
    thresholds = pd.Series([choose(truth, score) for truth, score in split_folds(rows)], index=keys, dtype="float64")
    of_fold = thresholds.reindex(pd.MultiIndex.from_frame(held.test[RESAMPLE])).to_numpy()
    return Operated(held.test.assign(score=held.test["score"] - of_fold), thresholds)


def pooled_calls(margins: pd.DataFrame) -> pd.DataFrame:
    """Return case_id, truth and called: the share of its repeats with a threshold in which the case reaches it.

    Cases without a threshold in any repeat are left out.
    """
    defined = margins.dropna(subset="score")
    calls = defined.assign(called=(defined["score"] >= 0.0).astype("float64"))
    return calls.groupby("case_id", sort=True, as_index=False).agg(truth=("truth", "first"), called=("called", "mean"))


def operating_table(
    operated: dict[str, Operated],
    summariser: Summariser,
    patients: PatientBootstrap,
    ratio: float,
    names: tuple[str, str],
) -> dict[str, OperatingPoint]:
    """Return, by operating point, both rates over the folds and pooled, and the thresholds.

    Args:
        operated: by operating point, the test cases of the folds.
        summariser: for the mean over folds and its interval.
        patients: for the pooled rates' interval.
        ratio: number of test cases divided by number of training cases of a fold.
        names: family and model.
    """
    table = {}
    for point, found in operated.items():
        calls, rates, defined = pooled_calls(found.margins), {}, found.margins.dropna(subset="score")
        for rate in RATES:
            folds = _fold_rates(found.margins, rate)
            summary = summariser.scores(folds, ratio, *names, f"{point} {rate}", cases=shared_cases(defined, rate))
            pooled, low, high = _pooled_rate(calls, rate, patients)
            rates[rate] = Rate(**dict(summary), pooled=pooled, pooled_low=low, pooled_high=high)
        thresholds = Thresholds(**{name: float(found.thresholds.agg(name)) for name in ("median", "min", "max")})
        table[point] = OperatingPoint(**rates, threshold=thresholds)
    return table


def chosen_cases(held: HeldOut) -> ChosenOn:
    """Return the fewest and the most cases, and positive cases, that a fold has to choose on."""
    by_fold = held.tune.groupby(RESAMPLE)["truth"]
    cases, positives = by_fold.size(), by_fold.sum()
    return ChosenOn(cases=(int(cases.min()), int(cases.max())), positives=(int(positives.min()), int(positives.max())))


def _fold_rates(margins: pd.DataFrame, rate: str) -> np.ndarray:
    rates = [
        float("nan") if np.isnan(margin).any() else RATES[rate](truth, margin >= 0.0)
        for truth, margin in split_folds(margins)
    ]
    return np.array(rates)


def _pooled_rate(calls: pd.DataFrame, rate: str, patients: PatientBootstrap) -> tuple[float, float, float]:
    """Return a pooled rate and its interval."""
    of_class = calls[calls["truth"] == (rate == "sensitivity")]
    called = of_class["called"].to_numpy()
    right = called if rate == "sensitivity" else 1.0 - called
    low, high = patients.mean(of_class["case_id"], right)
    pooled = float(right.mean()) if right.size else float("nan")
    return pooled, low, high
