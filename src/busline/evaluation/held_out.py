"""What a model said of cases that were kept out of its training: those to choose on, and those to score.

Labels of test cases choose nothing: a threshold or a calibration is chosen on a fold's rows whose ``split`` is
``tune`` and applied to its test cases. There are two kinds (:attr:`busline.families.Family.chooses`).

*Kept out*: a fold's *tune* cases (cv.tune_fraction of its training part) were not learnt from by the image networks,
the merged ones, and the tabular models' second fits (``trained_on`` = ``without_tune``). What is chosen on them is
applied to the same model's test cases. A voted pair's weight was chosen on the same tuning cases, so its tune scores
flatter it a little: the threshold then fits the test cases less well, and the test cases show it.

*Inner*: the lesion models learn from all training cases. Their rows to choose on are inner out-of-fold predictions of
all of these (``trained_on`` = ``inner``, see :mod:`busline.studies.combine`), by models that saw neither the case's
fold nor the test fold. What is chosen on them is applied to the test cases of the model that learnt from all training
cases (``trained_on`` = ``all``): like that of a nested cross-validation, the choice knows nothing of the test fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from busline.evaluation.prediction_tables import CASE, check_cases, check_predictions
from busline.evaluation.summaries import scored
from busline.evaluation.vote import weights_of, without_tune
from busline.families import KEPT_OUT, VOTE, Family
from busline.metrics.voting import vote
from busline.splits import RESAMPLE, cross_validated

Predictions = Mapping[str, Mapping[str, pd.DataFrame]]
FITS = {"kept out": {KEPT_OUT: "without_tune", "test": "without_tune"}, "inner": {KEPT_OUT: "inner", "test": "all"}}
"""Of a table with several fits, the ``trained_on`` of the rows to choose on and of those to score."""


@dataclass(frozen=True)
class HeldOut:
    """One model's scores of held-out cases in every fold: case_id, repeat, fold, truth (bool), score."""

    tune: pd.DataFrame
    test: pd.DataFrame


def held_out(
    table: pd.DataFrame, splits: pd.DataFrame, classes: Sequence[str], family: Family, where: str
) -> HeldOut | None:
    """Return a model's scores to choose on and to test, or None if it has none to choose on.

    Args:
        table: the model's predictions, of all fits where there are several.
        splits: case_id, repeat, fold, role of the resamples the model was trained in.
        classes: labels of the study, the positive one last.
        family: the model's; it says on what is chosen.
        where: name of the table in messages.

    Raises:
        DataError: if the predictions are not exactly those of the cases that the family chooses on, and of the test
            cases.
    """
    if not family.chooses:
        return None
    roles = {KEPT_OUT: family.chosen_on, "test": ("test",)}
    parts = {split: table[table["split"] == split] for split in roles}
    if "trained_on" in table:
        fits = FITS[family.chooses]
        parts = {split: rows[rows["trained_on"] == fits[split]] for split, rows in parts.items()}
    if parts[KEPT_OUT].empty:
        return None
    found = {}
    for split, rows in parts.items():
        check_predictions(rows, where, classes)
        check_cases(rows, splits, where, roles=roles[split])
        found[split] = cross_validated(scored(rows, classes[-1], split=split))
    return HeldOut(found[KEPT_OUT], found["test"]) if len(found[KEPT_OUT]) else None


def voted_held_out(
    pair: str, test: pd.DataFrame, predictions: Predictions, weights: pd.DataFrame, positive: str
) -> HeldOut | None:
    """Return a voted pair's tune and test scores, or None if a member has no tune scores.

    Args:
        pair: "<tabular>+<image>".
        test: the pair's test cases in the folds, as :func:`busline.evaluation.summaries.scored` returns them.
        predictions: by family and model; the members'.
        weights: voting weights: tabular, image, scheme, repeat, fold, weight.
        positive: the positive label.
    """
    one, other = (predictions.get(key, {}).get(name) for key, name in zip(VOTE.members, pair.split("+"), strict=True))
    if one is None or other is None:
        return None
    members = [without_tune(member) for member in (one, other)]
    first, second = (cross_validated(scored(member, positive, split=KEPT_OUT)) for member in members)
    both = first.merge(second[[*CASE, "score"]], on=CASE, suffixes=("", "_image"))
    both = both.merge(weights_of(weights, pair)[[*RESAMPLE, "weight"]], on=RESAMPLE)
    if both.empty:
        return None
    tune = both.assign(score=vote(both["weight"], both["score"], both["score_image"]))
    return HeldOut(tune[[*CASE, "truth", "score"]], test)
