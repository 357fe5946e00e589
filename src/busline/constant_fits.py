"""Models that say one probability of all test cases: what looks like chance, ROC AUC 0.5, is no model at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from busline.base.results import Result, Span
from busline.families import ALL, WITHOUT_TUNE
from busline.splits import RESAMPLE, Resample, by_resample

EQUAL = 1e-6
"""Probabilities that differ less are one: float32 and the order of a sum make such differences."""
LEAST = {"lightgbm": "min_child_samples", "random_forest": "min_samples_leaf"}
"""The parameter of a model of trees that is the fewest cases of a leaf: fewer than twice as many are never split."""


class ConstantFit(Result):
    """In how many resamples a model, or one of its two fits, says one probability of all test cases."""

    trained_on: str
    """The fit, see :mod:`busline.families`; empty where there is one."""
    resamples: int
    """In how many it does, and of how many."""
    of: int
    learnt: Span
    """The fewest and the most cases that were not tested in these, of the fit without them nor tuned."""

    def describe(self, model: str, settings: object = None) -> str:
        """Return it in words, with the parameter that makes a model constant where that is known.

        Args:
            model: key of the model.
            settings: the model's own.
        """
        fit = " (the fit without the tuning cases, which votes)" if self.trained_on == WITHOUT_TUNE else ""
        text = f"one probability for all test cases in {self.resamples} of {self.of} resamples{fit}"
        key = LEAST.get(model)
        least = 2 * int(getattr(settings, key)) if key and settings else 0
        if self.learnt[1] < least:
            fewest, most = self.learnt
            cases = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            text += (
                f": it learns from {cases} cases, and splits no fewer than {least}, 2 × tabular.models.{model}.{key}"
            )
        return text


def constant_fits(predictions: pd.DataFrame, sizes: Mapping[Resample, Mapping[str, int]]) -> list[ConstantFit]:
    """Return the fits that are constant somewhere, none where there is nothing to say.

    Args:
        predictions: of one model: scheme, repeat, fold, split and p_<class>, and trained_on where it has two fits.
        sizes: number of cases by resample and role.
    """
    test = predictions[predictions["split"] == "test"]
    names = [name for name in test if str(name).startswith("p_") and not str(name).startswith("p_half_")]
    fits = test["trained_on"].unique().tolist() if "trained_on" in test else [""]
    found = []
    for fit in sorted(fits):
        rows = test[test["trained_on"] == fit] if fit else test
        by_fold = rows.groupby(RESAMPLE)
        spread, cases = (by_fold[names].max() - by_fold[names].min()).max(axis=1), by_fold.size()
        same = [resample for resample, _ in by_resample(rows) if spread[resample] <= EQUAL and cases[resample] > 1]
        if same:
            kept_out = ("test",) if fit in ("", ALL) else ("test", "tune")
            learnt = [sum(n for role, n in sizes[one].items() if role not in kept_out) for one in same]
            span = (min(learnt), max(learnt))
            found.append(ConstantFit(trained_on=fit, resamples=len(same), of=len(cases), learnt=span))
    return found


def count_roles(splits: pd.DataFrame) -> dict[Resample, dict[str, int]]:
    """Return the number of cases by resample and role of a table of splits."""
    counts = {resample: rows["role"].value_counts() for resample, rows in by_resample(splits)}
    return {resample: {str(role): int(count) for role, count in one.items()} for resample, one in counts.items()}


def warn_of_constants(fits: Iterable[ConstantFit], model: str, settings: object = None) -> None:
    """Print a line for each; see :meth:`ConstantFit.describe`."""
    for fit in fits:
        print(f"warning: {model} says {fit.describe(model, settings)}")
