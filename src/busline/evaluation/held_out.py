"""What a model said of the cases that were kept out of its training: those to choose on, and those to score.

A fold's *weigh* cases (cv.weigh_fraction of its training part) were not learnt from by the image networks, the merged
ones, and the tabular models' second fits (``trained_on`` = ``without_weigh``). A threshold or a calibration is chosen
on them and applied to the same model's test cases of the same fold; labels of test cases choose nothing. A model that
learnt from the weigh cases has no such choice.

A voted pair's weight was chosen on the same weigh cases, so its weigh scores flatter it a little: the threshold then
fits the test cases less well, and the test cases show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from busline.evaluation.prediction_tables import CASE, RESAMPLE, check_cases, check_predictions
from busline.evaluation.summaries import cross_validated, scored
from busline.metrics.voting import vote

Predictions = Mapping[str, Mapping[str, pd.DataFrame]]


@dataclass(frozen=True)
class HeldOut:
    """One model's scores of held-out cases in every fold: case_id, repeat, fold, truth (bool), score."""

    weigh: pd.DataFrame
    test: pd.DataFrame


def held_out(table: pd.DataFrame, splits: pd.DataFrame, classes: tuple[str, str], where: str) -> HeldOut | None:
    """Return a model's weigh and test scores, or None if it has no weigh scores.

    Args:
        table: the model's predictions, of both fits where there are two.
        splits: case_id, repeat, fold, role of the resamples the model was trained in.
        classes: the negative and the positive label.
        where: name of the table in messages.

    Raises:
        DataError: if the predictions are not exactly those of the fold's weigh and test cases.
    """
    if "trained_on" in table:
        table = table[table["trained_on"] == "without_weigh"]
    if not (table["split"] == "weigh").any():
        return None
    check_predictions(table, where, classes)
    found = {}
    for role in ("weigh", "test"):
        check_cases(table[table["split"] == role], splits, where, role=role)
        found[role] = cross_validated(scored(table, classes[1], split=role))
    return HeldOut(**found) if len(found["weigh"]) else None


def voted_held_out(
    pair: str, test: pd.DataFrame, predictions: Predictions, weights: pd.DataFrame, positive: str
) -> HeldOut | None:
    """Return a voted pair's weigh and test scores, or None if a member has no weigh scores.

    Args:
        pair: "<tabular>+<image>".
        test: the pair's test cases in the folds, as :func:`busline.evaluation.summaries.scored` returns them.
        predictions: by family and model; the members'.
        weights: voting weights: tabular, image, repeat, fold, weight.
        positive: the positive label.
    """
    tabular, _, image = pair.partition("+")
    one, other = predictions.get("tabular", {}).get(tabular), predictions.get("cnn", {}).get(image)
    if one is None or other is None:
        return None
    one = one[one["trained_on"] == "without_weigh"]
    first, second = (cross_validated(scored(member, positive, split="weigh")) for member in (one, other))
    chosen = weights[(weights["tabular"] == tabular) & (weights["image"] == image)]
    both = first.merge(second[[*CASE, "score"]], on=CASE, suffixes=("", "_image"))
    both = both.merge(chosen[[*RESAMPLE, "weight"]], on=RESAMPLE)
    if both.empty:
        return None
    weigh = both.assign(score=vote(both["weight"], both["score"], both["score_image"]))
    return HeldOut(weigh[[*CASE, "truth", "score"]], test)
