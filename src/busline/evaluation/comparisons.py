"""Every model against every other on the same folds, with Holm's correction, counted as wins, ties and losses.

A family of comparisons is what is asked at once: the models, the levels of augmentation, the sizes of the tabular
network. Models with fewer repeats are compared on the repeats that both have.

DeLong's and McNemar's test want one score, or one call, a case. With several repeats a case has its scores' mean, and
is called if it is in more than half of the repeats: these two compare ensembles of as many fits, not single models, and
describe. The corrected t test compares the models fold by fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from busline.evaluation.operating_points import pooled_calls
from busline.evaluation.outcomes import Comparison, Outcome, Outcomes
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.prediction_tables import CASE
from busline.evaluation.summaries import pool_repeats, split_folds
from busline.metrics.classification import roc_auc
from busline.metrics.comparison import corrected_t_test, delong_covariance, delong_test, holm, mcnemar_exact
from busline.splits import RESAMPLE

TESTS = ("t", "delong", "mcnemar")
"""Corrected resampled t on the folds' ROC AUC, DeLong on that of the scores averaged over the repeats, McNemar on the
calls at Youden's point that most repeats make."""

MAJORITY = 0.5
"""A case is called if it is in more than this share of the repeats; a tie is not called."""

COLUMNS = list(Comparison.model_fields)

Name = tuple[str, str]


@dataclass(frozen=True)
class Competitor:
    """A model as it is compared."""

    cases: pd.DataFrame
    """Test cases of the folds: case_id, repeat, fold, truth, score, in that order of sorting."""
    ratio: float
    """Number of test cases divided by number of training cases of a fold."""
    margins: pd.DataFrame | None = None
    """Test cases at the operating point, see :class:`busline.evaluation.operating_points.Operated`; None without."""


def compare(group: str, models: Mapping[Name, Competitor], patients: PatientBootstrap) -> pd.DataFrame:
    """Return a row for every pair of a family of comparisons, see :class:`busline.evaluation.outcomes.Comparison`.

    Args:
        group: name of the family.
        models: by (family, model).
        patients: for the interval of the difference of the ROC AUCs of averaged scores.
    """
    views = _Views(models, patients)
    rows = [{"group": group, **_pair(views, a, b)} for a, b in combinations(models, 2)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    for test in TESTS:
        table[f"{test}_holm"] = holm(table[f"{test}_p"].astype("float64"))
    return table


def count_outcomes(table: pd.DataFrame, models: list[Name], alpha: float) -> list[Outcomes]:
    """Return each model's wins, ties and losses in every test.

    A win is a difference in the model's favour with Holm's p below ``alpha``; identical scores are ties; a test that
    could not be made is none of the three.
    """
    return [Outcomes(family=name[0], model=name[1], **_outcomes(table, name, alpha)) for name in models]


def _outcomes(table: pd.DataFrame, name: Name, alpha: float) -> dict[str, Outcome]:
    first = (table["family_a"] == name[0]) & (table["model_a"] == name[1])
    second = (table["family_b"] == name[0]) & (table["model_b"] == name[1])
    sign = first.astype(int) - second.astype(int)
    outcomes = {}
    for test in TESTS:
        made = (sign != 0) & table[f"{test}_holm"].notna()
        gain = (sign * table[f"{test}_difference"])[made & (table[f"{test}_holm"] < alpha)]
        wins, losses = int((gain > 0).sum()), int((gain < 0).sum())
        outcomes[test] = Outcome(wins=wins, ties=int(made.sum()) - wins - losses, losses=losses)
    return outcomes


class _Views:
    """What the pairs need of a model on some repeats, computed once."""

    def __init__(self, models: Mapping[Name, Competitor], patients: PatientBootstrap) -> None:
        self.models, self.patients = models, patients
        self.repeats = {name: frozenset(model.cases["repeat"].unique()) for name, model in models.items()}
        self._pooled: dict[tuple[Name, frozenset[int]], tuple[pd.DataFrame, np.ndarray]] = {}
        self._folds: dict[Name, pd.Series] = {}
        self._calls: dict[tuple[Name, frozenset[int]], pd.DataFrame | None] = {}

    def pooled(self, name: Name, repeats: frozenset[int]) -> tuple[pd.DataFrame, np.ndarray]:
        """Return one row a case, its score averaged over the repeats, and the ROC AUC in every bootstrap sample."""
        if (name, repeats) not in self._pooled:
            pooled = pool_repeats(_of(self.models[name].cases, repeats))
            self._pooled[name, repeats] = pooled, self.patients.aucs(pooled)
        return self._pooled[name, repeats]

    def folds(self, name: Name) -> pd.Series:
        """Return the ROC AUC by fold."""
        if name not in self._folds:
            cases = self.models[name].cases
            keys = pd.MultiIndex.from_frame(cases[RESAMPLE].drop_duplicates())
            self._folds[name] = pd.Series([roc_auc(*fold) for fold in split_folds(cases)], index=keys)
        return self._folds[name]

    def calls(self, name: Name, repeats: frozenset[int]) -> pd.DataFrame | None:
        """Return each case's truth and the share of repeats that call it at the operating point; None without one."""
        if (name, repeats) not in self._calls:
            margins = self.models[name].margins
            self._calls[name, repeats] = None if margins is None else pooled_calls(_of(margins, repeats))
        return self._calls[name, repeats]


def _pair(views: _Views, a: Name, b: Name) -> dict[str, object]:
    shared = views.repeats[a] & views.repeats[b]
    one, other = views.models[a], views.models[b]
    found: dict[str, object] = {"family_a": a[0], "model_a": a[1], "family_b": b[0], "model_b": b[1]}
    return {
        **found,
        "repeats": len(shared),
        "identical": _identical(_of(one.cases, shared), _of(other.cases, shared)),
        **_by_fold(views, a, b, max(one.ratio, other.ratio)),
        **_by_case(views, a, b, shared),
        **_by_call(views.calls(a, shared), views.calls(b, shared)),
    }


def _by_fold(views: _Views, a: Name, b: Name, ratio: float) -> dict[str, float]:
    both = pd.concat([views.folds(a), views.folds(b)], axis=1, join="inner").to_numpy(dtype=np.float64)
    test = corrected_t_test(both[:, 0], both[:, 1], ratio)
    return {"t_difference": test.difference, "t_p": test.p_value}


def _by_case(views: _Views, a: Name, b: Name, shared: frozenset[int]) -> dict[str, float]:
    (first, first_samples), (second, second_samples) = views.pooled(a, shared), views.pooled(b, shared)
    areas = delong_covariance(first["truth"], np.stack([first["score"], second["score"]]))
    test = delong_test(areas, 0, 1)
    low, high = views.patients.interval(first_samples - second_samples)
    return {"delong_difference": test.difference, "delong_p": test.p_value, "low": low, "high": high}


def _by_call(first: pd.DataFrame | None, second: pd.DataFrame | None) -> dict[str, float | int | None]:
    if first is None or second is None:
        return {"only_a": None, "only_b": None, "mcnemar_difference": None, "mcnemar_p": None}
    both = first.merge(second, on=["case_id", "truth"], suffixes=("_a", "_b"))
    right_a, right_b = ((both[f"called_{model}"] > MAJORITY) == both["truth"] for model in "ab")
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    difference = (only_a - only_b) / len(both) if len(both) else float("nan")
    p_value = mcnemar_exact(only_a, only_b) if len(both) else float("nan")
    return {"only_a": only_a, "only_b": only_b, "mcnemar_difference": difference, "mcnemar_p": p_value}


def _of(table: pd.DataFrame, repeats: frozenset[int]) -> pd.DataFrame:
    return table[table["repeat"].isin(repeats)]


def _identical(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    columns = [*CASE, "score"]
    return first[columns].reset_index(drop=True).equals(second[columns].reset_index(drop=True))
