"""What a figure becomes if models of the folds are scored on a master split's test cases, most of which they know.

A master split and the folds overlap: of its test cases, each fold's model was trained on most. Here every fold model is
scored on the test cases of many master splits, and beside it, on the same cases, the out-of-fold predictions, in which
each case has the score of a model that does not know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from busline.audit.fold_models import FoldScores
from busline.audit.results import BothWays
from busline.audit.statistics import describe_draws
from busline.base.seeding import numpy_generator
from busline.base.settings.protocol import Split
from busline.metrics.classification import roc_auc
from busline.metrics.voting import best_weight, vote
from busline.splits import cross_validated, draw_master


@dataclass(frozen=True)
class MasterSplit:
    """Test and validation cases of a master split, bool (n,) each."""

    test: np.ndarray
    validation: np.ndarray


def draw_master_splits(
    labels: np.ndarray, groups: np.ndarray, split: Split, count: int, seed: int
) -> list[MasterSplit]:
    """Return the study's own master split and ``count - 1`` further ones, with seeds derived from the study's.

    Args:
        labels: class names, (n,).
        groups: group of each case, (n,).
        split: shares of the parts.
        count: how many splits.
        seed: root seed.
    """
    generators = [numpy_generator(seed, "master")]
    generators += [numpy_generator(seed, "audit master", number) for number in range(1, count)]
    return [MasterSplit(*draw_master(labels, groups, split, generator)) for generator in generators]


def compare_model(
    positive: np.ndarray, models: FoldScores, honest: Mapping[int, np.ndarray], masters: Sequence[MasterSplit]
) -> BothWays:
    """Score one model both ways.

    Args:
        positive: bool (n,).
        models: scores of all cases by the fold models.
        honest: out-of-fold score of each case, (n,), by repeat.
        masters: the master splits.

    Returns:
        ROC AUCs described over master splits and fold models (leaked) or repeats (honest).
    """
    leaked = [
        [roc_auc(positive[master.test], score[master.test]) for score in models.scores.values()] for master in masters
    ]
    return _beside(leaked, positive, honest, masters, _known([models], masters))


def compare_pair(
    positive: np.ndarray,
    tabular: FoldScores,
    image: FoldScores,
    honest: Mapping[int, np.ndarray],
    masters: Sequence[MasterSplit],
) -> BothWays:
    """Score a voting pair both ways; the leaked weight is the best on the master split's validation cases.

    Members are the models of one fold; see :func:`compare_model`.
    """
    folds = [key for key in image.scores if key in tabular.scores]
    leaked = []
    for master in masters:
        tune, test = master.validation, master.test
        for key in folds:
            one, other = tabular.scores[key], image.scores[key]
            weight = best_weight(positive[tune], one[tune], other[tune]).weight
            leaked.append(roc_auc(positive[test], vote(weight, one[test], other[test])))
    known = [FoldScores({}, {key: member.known[key] for key in folds}) for member in (tabular, image)]
    return _beside(leaked, positive, honest, masters, _known(known, masters))


def out_of_fold(predictions: pd.DataFrame, case_ids: Sequence[str], positive: str) -> dict[int, np.ndarray]:
    """Return the out-of-fold score of each case by repeat.

    Args:
        predictions: a prediction table; of a tabular model the rows trained on all training cases.
        case_ids: the study's cases, n.
        positive: the positive class.
    """
    rows = cross_validated(predictions[predictions["split"] == "test"])
    if "trained_on" in rows:
        rows = rows[rows["trained_on"] == "all"]
    return {
        int(np.asarray(repeat).item()): part.set_index("case_id")[f"p_{positive}"]
        .loc[list(case_ids)]
        .to_numpy(np.float64)
        for repeat, part in rows.groupby("repeat")
    }


def _beside(
    leaked: npt.ArrayLike,
    positive: np.ndarray,
    honest: Mapping[int, np.ndarray],
    masters: Sequence[MasterSplit],
    known: float,
) -> BothWays:
    draws = [[roc_auc(positive[master.test], score[master.test]) for score in honest.values()] for master in masters]
    return BothWays(leaked=describe_draws(leaked), honest=describe_draws(draws), known=known)


def _known(members: Sequence[FoldScores], masters: Sequence[MasterSplit]) -> float:
    """Return the mean share of test cases whose label a fold's members, one of them at least, were trained with."""
    shares = [
        np.any([member.known[key][master.test] for member in members], axis=0).mean()
        for master in masters
        for key in members[0].known
    ]
    return float(np.mean(shares))
