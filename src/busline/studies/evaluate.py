"""From prediction tables to metrics, the report's tables and the plots' tables; nothing else is looked at.

The master split is a single point estimate and never mixed with the folds of the cross-validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from busline.base.params import Params
from busline.metrics.classification import THRESHOLD
from busline.studies.plot_tables import classifier_plots, learning_curves
from busline.studies.prediction_tables import binary_classes, check_cases, check_predictions, check_scores
from busline.studies.summaries import (
    SEGMENTATION,
    TRAINED_ON_ALL,
    TRAINED_WITHOUT_WEIGH,
    Summariser,
    compact,
    cross_validated,
    master,
    point_estimate,
    scored,
    test_to_train,
)

Tables = dict[str, Any]
FULL = ("tabular", "cnn", "merged")
"""Families with every metric; the searches have the ROC AUC only."""
SEARCHES = ("dnn_search", "augmentation")
ALL_REPEATS = ("tabular", "dnn_search")
"""Families trained in every repeat; those of images in the first cv.image_repeats."""
LEARNS_FROM_WEIGH = ("tabular", "dnn_search", "segment")
"""Families whose evaluated models were trained on the weigh cases too."""


@dataclass(frozen=True)
class Inputs:
    """What evaluation reads."""

    splits: pd.DataFrame
    """case_id, repeat, fold, role."""
    predictions: Mapping[str, Mapping[str, pd.DataFrame]]
    """By family and model; a family that is not there is left out."""
    weights: pd.DataFrame
    """Voting weights: tabular, image, repeat, fold, weight, low, high, weigh_auc, n_weigh."""
    segmentation: pd.DataFrame
    """case_id, repeat, fold, split, dice, iou, sensitivity, specificity."""
    curves: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    """Learning curves by (family, model)."""


@dataclass(frozen=True)
class Evaluation:
    """What evaluation writes."""

    metrics: Tables
    """family → model → metric → mean, low, high, nb_low, nb_high; the segmentation has no models."""
    tables: Tables
    """Everything the report's tables need."""
    plots: dict[str, pd.DataFrame]
    """roc, pr, calibration, confusion, curves."""


def evaluate(inputs: Inputs, params: Params) -> Evaluation:
    """Evaluate every model of ``inputs``.

    Raises:
        DataError: if a table breaks its contract or does not predict exactly the test cases.
        ParameterError: if there are not two classes.
    """
    classes = binary_classes(params.split.classes)
    study = _Study(inputs, classes, Summariser(params.seed, params.evaluate), params.cv.image_repeats)
    tables: Tables = {"protocol": study.protocol(params)}
    for family in FULL:
        tables[family] = {name: study.classifier(family, name) for name in inputs.predictions.get(family, {})}
    for family in SEARCHES:
        tables[family] = {name: study.search(family, name) for name in inputs.predictions.get(family, {})}
    tables["vote"] = {name: study.vote(name) for name in inputs.predictions.get("vote", {})}
    tables["segment"] = study.segmentation()
    tables = {name: content for name, content in tables.items() if content}
    plots = classifier_plots(study.curves_of, classes, params.evaluate.calibration_bins)
    return Evaluation(_compact(tables), tables, {**plots, "curves": learning_curves(inputs.curves)})


class _Study:
    """The inputs with what all families share."""

    def __init__(self, inputs: Inputs, classes: tuple[str, str], summariser: Summariser, image_repeats: int) -> None:
        self.inputs, self.classes, self.summariser, self.image_repeats = inputs, classes, summariser, image_repeats
        self.curves_of: dict[tuple[str, str], pd.DataFrame] = {}
        """Cases of the folds by (family, model): those whose curves are drawn."""

    def protocol(self, params: Params) -> Tables:
        folds = cross_validated(self.inputs.splits)
        settings = params.evaluate
        return {
            "classes": list(self.classes),
            "positive": self.classes[1],
            "threshold": THRESHOLD,
            "confidence": settings.confidence,
            "bootstrap": settings.bootstrap,
            "calibration_bins": settings.calibration_bins,
            "cases": int(folds["case_id"].nunique()),
            "positives": self._positives(),
            "folds": int(folds["fold"].nunique()),
            "repeats": int(folds["repeat"].nunique()),
            "image_repeats": self.image_repeats,
        }

    def classifier(self, family: str, model: str) -> Tables:
        cases = self._cases(family, model)
        self.curves_of[family, model] = cross_validated(cases)
        return {**self._scores(family, model, cases), "master": point_estimate(master(cases))}

    def search(self, family: str, model: str) -> Tables:
        cases = cross_validated(self._cases(family, model))
        summary = self.summariser.classifier(cases, self._ratio(family), family, model, ["roc_auc"])
        if family == "augmentation":
            return {"metrics": summary}
        grid = self.inputs.predictions[family][model].iloc[0]
        return {"hidden": int(grid["hidden"]), "dropout": float(grid["dropout"]), "metrics": summary}

    def vote(self, pair: str) -> Tables:
        cases, half = self._cases("vote", pair), self._cases("vote", pair, f"p_half_{self.classes[1]}")
        self.curves_of["vote", pair] = cross_validated(cases)
        tabular, _, image = pair.partition("+")
        table = self.inputs.weights
        weights = table[(table["tabular"] == tabular) & (table["image"] == image)]
        chosen = cross_validated(weights)["weight"]
        return {
            "tabular": tabular,
            "image": image,
            **self._scores("vote", pair, cases),
            "half": self.summariser.classifier(cross_validated(half), self._ratio("vote"), "vote", f"{pair} half"),
            "weight": {
                **{name: float(chosen.agg(name)) for name in ("mean", "median", "min", "max")},
                "folds": len(chosen),
            },
            "master": _voted_point(master(cases), master(half), master(weights)),
        }

    def segmentation(self) -> Tables:
        scores = self.inputs.segmentation
        if scores.empty:
            return {}
        check_scores(scores, "segmentation scores", SEGMENTATION)
        test = scores[scores["split"] == "test"]
        check_cases(test, self._splits("segment"), "segmentation scores")
        summary = self.summariser.segmentation(cross_validated(test), self._ratio("segment"))
        single = master(test)
        means = {name: float(single[name].astype("float64").mean()) for name in SEGMENTATION}
        return {**summary, "master": {**means, "cases": len(single)} if len(single) else None}

    def _scores(self, family: str, model: str, cases: pd.DataFrame) -> Tables:
        folds = cross_validated(cases)
        metrics = self.summariser.classifier(folds, self._ratio(family), family, model)
        return {"metrics": metrics, "pooled": self.summariser.pooled(folds)}

    def _cases(self, family: str, model: str, column: str = "") -> pd.DataFrame:
        table, where = self.inputs.predictions[family][model], f"predictions of {family} model {model!r}"
        if "trained_on" in table:
            table = table[table["trained_on"] == "all"]
        check_predictions(table, where, self.classes, [column] if column else [])
        cases = scored(table, self.classes[1], column)
        check_cases(cases, self._splits(family), where)
        return cases

    def _splits(self, family: str) -> pd.DataFrame:
        """Return the resamples that the family was trained in."""
        splits = self.inputs.splits
        return splits if family in ALL_REPEATS else splits[splits["repeat"] < self.image_repeats]

    def _ratio(self, family: str) -> float:
        trained_on = TRAINED_ON_ALL if family in LEARNS_FROM_WEIGH else TRAINED_WITHOUT_WEIGH
        return test_to_train(self.inputs.splits, trained_on)

    def _positives(self) -> int | None:
        for models in self.inputs.predictions.values():
            for table in models.values():
                return int(table.loc[table["label"] == self.classes[1], "case_id"].nunique())
        return None


def _voted_point(cases: pd.DataFrame, half: pd.DataFrame, weights: pd.DataFrame) -> Tables | None:
    point, beside = point_estimate(cases), point_estimate(half)
    if point is None or beside is None or weights.empty:
        return None
    row = weights.iloc[0]
    interval = {name: float(row[name]) for name in ("weight", "low", "high", "weigh_auc")}
    return {**point, **interval, "n_weigh": int(row["n_weigh"]), "half_roc_auc": beside["roc_auc"]}


def _compact(tables: Tables) -> Tables:
    """Return the metrics file's part of the tables, small enough to be read as a diff."""
    metrics: Tables = {}
    for family in (*FULL, *SEARCHES):
        for model, content in tables.get(family, {}).items():
            summaries = {name: compact(summary) for name, summary in content["metrics"].items()}
            metrics.setdefault(family, {})[model] = summaries
    for pair, content in tables.get("vote", {}).items():
        both = {"roc_auc": content["metrics"]["roc_auc"], "roc_auc_half": content["half"]["roc_auc"]}
        metrics.setdefault("vote", {})[pair] = {name: compact(summary) for name, summary in both.items()}
    if "segment" in tables:
        metrics["segment"] = {name: compact(summary) for name, summary in tables["segment"]["metrics"].items()}
    return metrics
