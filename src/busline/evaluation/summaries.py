"""Fold scores and what is said about them: mean, interval, range, and how many folds had a score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from busline.base.errors import ParameterError
from busline.base.seeding import numpy_generator
from busline.base.settings.evaluation import Evaluate
from busline.evaluation.results import CaseScores, Master, Segmentation, Summary
from busline.metrics.classification import FOLD_METRICS, average_precision, roc_auc
from busline.metrics.intervals import bootstrap_interval, reported_interval
from busline.metrics.operating import SPECIFICITY, sensitivity_at_specificity
from busline.metrics.segmentation import KNOWN
from busline.splits import RESAMPLE, cross_validated, master_rows

SHARES = {"accuracy": (False, True), "recall": (True,), "sensitivity": (True,), "specificity": (False,)}
"""Rates: metrics that are shares of the cases with one of these truths."""

POOLED_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "curve_sensitivity": partial(sensitivity_at_specificity, target=SPECIFICITY),
}
"""Of all cases of a repeat."""


@dataclass(frozen=True)
class Summariser:
    """Summarises fold scores; every bootstrap draws from a generator of its own."""

    seed: int
    settings: Evaluate

    def scores(
        self, scores: np.ndarray, ratio: float, *names: str, most: float = 1.0, cases: float = float("inf")
    ) -> Summary:
        """Summarise one score a fold.

        Args:
            scores: (k,) in [0, most], NaN where undefined.
            ratio: number of test cases divided by number of training cases, for the interval.
            names: family, model and metric: the generator's seed depends on them.
            most: the greatest possible score, 1, or infinity for a distance.
            cases: of a rate, the cases that it is a share of.
        """
        defined = scores[~np.isnan(scores)]
        generator = numpy_generator(self.seed, "bootstrap", *names)
        samples, confidence = self.settings.bootstrap, self.settings.confidence
        reported = reported_interval(defined, ratio, confidence=confidence, most=most, cases=cases)
        drawn = bootstrap_interval(defined, generator, samples=samples, confidence=confidence, most=most)
        return Summary(
            **_range(defined),
            low=reported.low,
            high=reported.high,
            bootstrap_low=drawn.low,
            bootstrap_high=drawn.high,
            folds=int(defined.size),
            undefined=int(scores.size - defined.size),
        )

    def classifier(
        self, cases: pd.DataFrame, ratio: float, family: str, model: str, metrics: Sequence[str] = tuple(FOLD_METRICS)
    ) -> dict[str, Summary]:
        """Summarise a classifier's folds; ``cases`` as :func:`scored` returns them, without the master split."""
        folds = split_folds(cases)
        summaries = {}
        for name in metrics:
            scores = np.array([FOLD_METRICS[name](truth, score) for truth, score in folds])
            summaries[name] = self.scores(scores, ratio, family, model, name, cases=shared_cases(cases, name))
        return summaries

    def segmentation(self, scores: pd.DataFrame, ratio: float, family: str, model: str) -> Segmentation:
        """Summarise segmentation scores of cases, as Chowdhary & Dennis 2026, Table 9.

        Args:
            scores: scheme, repeat, fold and a column a metric, the master split's too; null where undefined.
            ratio: as in :meth:`scores`.
            family: whose scores they are: the bootstrap's generator depends on it, and on ``model``.
            model: likewise.
        """
        folds, single = cross_validated(scores), master_rows(scores)
        metrics, cases = {}, {}
        for name in measured(scores):
            values = folds[name].astype("float64")
            means = values.groupby([folds[key] for key in RESAMPLE]).mean().to_numpy()
            metrics[name] = self.scores(means, ratio, family, model, name, most=KNOWN[name].most)
            defined = values.dropna().to_numpy()
            cases[name] = CaseScores(
                **_range(defined), count=int(defined.size), undefined=int(values.size - defined.size)
            )
        means_of = {name: float(single[name].astype("float64").mean()) for name in metrics}
        point = Master.model_validate({**means_of, "cases": len(single)}) if len(single) else None
        return Segmentation(metrics=metrics, cases=cases, master=point)


def measured(scores: pd.DataFrame) -> list[str]:
    """Return the metrics of segmentation that a table of scores has, in the report's order."""
    return [name for name in KNOWN if name in scores]


def scored(table: pd.DataFrame, positive: str, column: str = "", *, split: str = "test") -> pd.DataFrame:
    """Return the test (or tune) rows, sorted: case_id, scheme, repeat, fold, truth (bool) and score.

    Args:
        table: predictions.
        positive: the positive class.
        column: where the score is; by default the probability of the positive class.
        split: which rows.
    """
    test = table[table["split"] == split]
    truth, score = test["label"] == positive, test[column or f"p_{positive}"].astype("float64")
    cases = test[["case_id", *RESAMPLE]].assign(truth=truth, score=score)
    return cases.sort_values([*RESAMPLE, "case_id"], ignore_index=True)


def shared_cases(cases: pd.DataFrame, metric: str) -> float:
    """Return how many cases a rate is a share of, each counted once; infinity for a metric that is no rate.

    Args:
        cases: case_id and truth, once a repeat.
        metric: of a fold; the rates are the keys of SHARES.
    """
    if metric not in SHARES:
        return float("inf")
    return int(cases.loc[cases["truth"].isin(SHARES[metric]), "case_id"].nunique())


def split_folds(cases: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return truth and score of every fold in their order; ``cases`` as :func:`scored` sorts them."""
    starts = np.flatnonzero(~cases.duplicated(RESAMPLE))[1:]
    columns = (cases["truth"].to_numpy(), cases["score"].to_numpy())
    truths, scores = (np.split(column, starts) for column in columns)
    return list(zip(truths, scores, strict=True))


def pool_repeats(cases: pd.DataFrame) -> pd.DataFrame:
    """Return one row a case, its score averaged over the repeats: with several, the score of an ensemble."""
    return cases.groupby("case_id", sort=True, as_index=False).agg(truth=("truth", "first"), score=("score", "mean"))


def split_repeats(cases: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the cases of every repeat in their order, each sorted by case_id."""
    return [rows for _, rows in cases.sort_values("case_id").groupby("repeat", sort=True)]


def mean_of_repeats(figures: Sequence[Mapping[str, float]], names: Sequence[str]) -> dict[str, float]:
    """Return the mean over the repeats of some figures; NaN without a repeat, or where one's is."""
    return {name: float(np.mean([one[name] for one in figures])) if figures else float("nan") for name in names}


def score_pooled(cases: pd.DataFrame) -> dict[str, float]:
    """Score the order of all out-of-fold predictions of a repeat at once, and average over the repeats.

    ``curve_sensitivity`` is read off the pooled ROC curve at 90 % specificity: the threshold is chosen on the very
    cases that are scored. The figure with a threshold chosen inside the fold is an operating point's.

    Args:
        cases: as :func:`scored` returns them, without the master split.
    """
    repeats = [(rows["truth"].to_numpy(), rows["score"].to_numpy()) for rows in split_repeats(cases)]
    figures = [{name: measure(*repeat) for name, measure in POOLED_METRICS.items()} for repeat in repeats]
    return mean_of_repeats(figures, list(POOLED_METRICS))


def point_estimate(cases: pd.DataFrame) -> Master | None:
    """Return the fold metrics of the master split's test cases, or None if there are none."""
    if cases.empty:
        return None
    truth, score = cases["truth"].to_numpy(), cases["score"].to_numpy()
    scores = {name: metric(truth, score) for name, metric in FOLD_METRICS.items()}
    return Master.model_validate({**scores, "cases": len(cases)})


def test_to_train(splits: pd.DataFrame, trained_on: Sequence[str], left_out: int) -> float:
    """Return the number of test cases divided by that of training cases, averaged over the folds.

    Args:
        splits: case_id, scheme, repeat, fold, role.
        trained_on: roles of the cases a model was trained on, early stopping included.
        left_out: folds that each model did not learn from. With 2 of K folds left out, the test fold and each of the
            others once, a training case is learnt from by K - 2 of the K - 1 models that score a test case; their mean
            number of training cases is (K - 2) / (K - 1) of that of one model with the test fold alone left out.

    Raises:
        ParameterError: if no fold is left to learn from.
    """
    folds = cross_validated(splits)
    count = int(folds["fold"].nunique())
    if count <= left_out:
        raise ParameterError("cv.folds", f"is {count}", expected=f"more than the {left_out} folds that are left out")
    tested = folds[folds["role"] == "test"].groupby(RESAMPLE).size()
    trained = folds[folds["role"].isin(trained_on)].groupby(RESAMPLE).size()
    return float((tested / trained).mean()) * ((count - 1) / (count - left_out))


def _range(values: np.ndarray) -> dict[str, float]:
    if values.size == 0:
        return {"mean": float("nan"), "min": float("nan"), "max": float("nan")}
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
