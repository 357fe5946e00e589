"""From prediction tables to metrics, the report's tables and the plots' tables; nothing else is looked at.

The master split is a single point estimate and never mixed with the folds of the cross-validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from busline.base.settings.evaluation import Evaluate
from busline.base.settings.images import Cnn, Merged
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section, Seed
from busline.base.settings.tabular import Tabular
from busline.base.settings.training import Augmentation
from busline.evaluation.calibrations import calibration_scores, calibration_table, recalibrate
from busline.evaluation.comparisons import Competitor, compare, count_outcomes
from busline.evaluation.held_out import HeldOut, held_out, voted_held_out
from busline.evaluation.loading import grid_columns
from busline.evaluation.operating_points import chosen_cases, operate, operating_table
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.plot_tables import classifier_plots, learning_curves, reliability_plot
from busline.evaluation.prediction_tables import binary_classes, check_cases, check_predictions
from busline.evaluation.summaries import (
    Summariser,
    compact,
    cross_validated,
    master,
    measured,
    point_estimate,
    pool_repeats,
    score_pooled,
    scored,
    test_to_train,
)
from busline.evaluation.vote import MEMBERS, weights_of
from busline.families import FAMILIES, GROUPS, Family, classifiers, segmenters
from busline.metrics.classification import THRESHOLD
from busline.metrics.operating import POINTS

Tables = dict[str, Any]
POOLED_SCALARS = ("roc_auc", "curve_sensitivity", "brier", "ece")
"""Of the pooled scores, what stands in the metrics file."""


class EvaluationSettings(Section):
    """The parameters of evaluation: its own, and which models there are."""

    seed: Seed
    split: Split
    cv: CrossValidation
    tabular: Tabular
    augmentation: Augmentation
    cnn: Cnn
    merged: Merged
    evaluate: Evaluate


@dataclass(frozen=True)
class Inputs:
    """What evaluation reads."""

    splits: pd.DataFrame
    """case_id, repeat, fold, role."""
    predictions: Mapping[str, Mapping[str, pd.DataFrame]]
    """By family (keys of :data:`busline.families.FAMILIES`) and model; a family that is not there is left out."""
    weights: pd.DataFrame
    """Voting weights: tabular, image, repeat, fold, weight, low, high, weigh_auc, n_weigh."""
    segmentation: Mapping[str, pd.DataFrame]
    """By family of segmentation: case_id, repeat, fold, split and a column a metric."""
    curves: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    """Learning curves by (family, model)."""
    patients: Mapping[str, str] = field(default_factory=dict)
    """Patient by case; a case that is not there is a patient of its own."""
    skipped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By family and model, why there is nothing of it."""


@dataclass(frozen=True)
class Evaluation:
    """What evaluation writes."""

    metrics: Tables
    """family → model → metric → mean, low, high, nb_low, nb_high, and one number a metric of ``operating`` and
    ``pooled``; the segmentation has no models."""
    tables: Tables
    """Everything the report's tables need."""
    plots: dict[str, pd.DataFrame]
    """roc, pr, calibration, confusion, reliability, comparisons, curves."""


def evaluate(inputs: Inputs, params: EvaluationSettings) -> Evaluation:
    """Evaluate every model of ``inputs``.

    Raises:
        DataError: if a table breaks its contract or does not predict exactly the test cases.
        ParameterError: if there are not two classes.
    """
    classes = binary_classes(params.split.classes)
    study = _Study(inputs, classes, params)
    tables: Tables = {}
    for family in classifiers():
        measure = study.search if family.search else study.vote if family.members else study.classifier
        tables[family.key] = {name: measure(family, name) for name in inputs.predictions.get(family.key, {})}
    for family in segmenters():
        tables[family.key] = study.segmentation(family)
    comparisons, tables["comparisons"] = study.comparisons()
    tables["skipped"] = {key: dict(reasons) for key, reasons in inputs.skipped.items() if reasons}
    tables = {name: content for name, content in tables.items() if content}
    plots = classifier_plots(study.curves_of, classes, params.evaluate.calibration_bins)
    plots["reliability"] = reliability_plot(study.calibrated, params.evaluate.calibration_bins)
    plots |= {"comparisons": comparisons, "curves": learning_curves(inputs.curves)}
    return Evaluation(_compact(tables), {"protocol": study.protocol(params), **tables}, plots)


class _Study:
    """The inputs with what all families share."""

    def __init__(self, inputs: Inputs, classes: tuple[str, str], params: EvaluationSettings) -> None:
        self.inputs, self.classes, self.image_repeats = inputs, classes, params.cv.image_repeats
        self.summariser = Summariser(params.seed, params.evaluate)
        cases = sorted(inputs.splits["case_id"].unique())
        self.patients = PatientBootstrap(cases, inputs.patients, params.seed, params.evaluate)
        self.curves_of: dict[tuple[str, str], pd.DataFrame] = {}
        """Cases of the folds by (family, model): those whose curves are drawn."""
        self.calibrated: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
        """Pooled cases by (family, model), before and after calibration."""
        self.competitors: dict[tuple[str, str], Competitor] = {}
        self.chosen_on: dict[str, dict[str, list[int]]] = {}
        """Fewest and most cases a fold has to choose on, by :attr:`busline.families.Family.chooses`; of the first
        family of that kind, which has most repeats."""

    def protocol(self, params: EvaluationSettings) -> Tables:
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
            "weigh": self.chosen_on.get("kept out"),
            "inner": self.chosen_on.get("inner"),
        }

    def classifier(self, family: Family, model: str) -> Tables:
        cases, table = self._cases(family, model), self.inputs.predictions[family.key][model]
        held = held_out(table, self._splits(family), self.classes, family, _where(family, model))
        return {**self._scores(family, model, cases, held), "master": point_estimate(master(cases))}

    def search(self, family: Family, model: str) -> Tables:
        cases = cross_validated(self._cases(family, model))
        summary = self.summariser.classifier(cases, self._ratio(family), family.key, model, ["roc_auc"])
        self.competitors[family.key, model] = Competitor(cases, self._ratio(family))
        point = self.inputs.predictions[family.key][model].iloc[0]
        return {**{column: point[column] for column in grid_columns(family)}, "metrics": summary}

    def vote(self, family: Family, pair: str) -> Tables:
        cases, half = self._cases(family, pair), self._cases(family, pair, f"p_half_{self.classes[1]}")
        predictions, positive = self.inputs.predictions, self.classes[1]
        held = voted_held_out(pair, cross_validated(cases), predictions, self.inputs.weights, positive)
        weights = weights_of(self.inputs.weights, pair)
        chosen = cross_validated(weights)["weight"]
        ratio = self._ratio(family)
        return {
            **dict(zip(MEMBERS, pair.split("+"), strict=True)),
            **self._scores(family, pair, cases, held),
            "half": self.summariser.classifier(cross_validated(half), ratio, family.key, f"{pair} half"),
            "weight": {
                **{name: float(chosen.agg(name)) for name in ("mean", "median", "min", "max")},
                "folds": len(chosen),
            },
            "master": _voted_point(master(cases), master(half), master(weights)),
        }

    def segmentation(self, family: Family) -> Tables:
        scores = self.inputs.segmentation.get(family.key)
        if scores is None or scores.empty:
            return {}
        test = scores[scores["split"] == "test"]
        check_cases(test, self._splits(family), f"scores of {family.key}")
        summary = self.summariser.segmentation(cross_validated(test), self._ratio(family), family.key)
        single = master(test)
        means = {name: float(single[name].astype("float64").mean()) for name in measured(scores)}
        return {**summary, "master": {**means, "cases": len(single)} if len(single) else None}

    def comparisons(self) -> tuple[pd.DataFrame, Tables]:
        """Return a row a pair, and each model's wins, ties and losses by family of comparisons."""
        parts, counts = [], {}
        for group in GROUPS:
            models = {name: model for name, model in self.competitors.items() if FAMILIES[name[0]].group == group}
            parts.append(compare(group, models, self.patients))
            counts[group] = count_outcomes(parts[-1], list(models), 1 - self.summariser.settings.confidence)
        filled = [part for part in parts if len(part)]
        return pd.concat(filled, ignore_index=True) if filled else parts[0], {k: v for k, v in counts.items() if v}

    def _scores(self, family: Family, model: str, cases: pd.DataFrame, held: HeldOut | None) -> Tables:
        """Score the evaluated model; operating points and calibration are those of the one that kept cases out."""
        folds, ratio, names = cross_validated(cases), self._ratio(family), (family.key, model)
        self.curves_of[names] = folds
        pooled = pool_repeats(folds)
        low, high = self.patients.interval(self.patients.aucs(pooled))
        scores: Tables = {
            "metrics": self.summariser.classifier(folds, ratio, *names),
            "pooled": {
                **score_pooled(pooled),
                "roc_auc_low": low,
                "roc_auc_high": high,
                **calibration_scores(pooled, self.summariser, *names),
            },
            "operating": None,
            "calibration": None,
        }
        margins = None
        if held is not None:
            self.chosen_on.setdefault(family.chooses, chosen_cases(held))
            operated = {point: operate(held, point) for point in POINTS}
            own = test_to_train(self._splits(family), family.operated_learns_from, family.left_out)
            scores["operating"] = operating_table(operated, self.summariser, self.patients, own, names)
            self.calibrated[names] = recalibrate(held)
            scores["calibration"] = calibration_table(self.calibrated[names], self.summariser, *names)
            margins = operated["youden"].margins
        self.competitors[names] = Competitor(folds, ratio, margins)
        return scores

    def _cases(self, family: Family, model: str, column: str = "") -> pd.DataFrame:
        table, where = self.inputs.predictions[family.key][model], _where(family, model)
        if "trained_on" in table:
            table = table[table["trained_on"] == "all"]
        check_predictions(table, where, self.classes, [column] if column else [])
        cases = scored(table, self.classes[1], column)
        check_cases(cases, self._splits(family), where)
        return cases

    def _splits(self, family: Family) -> pd.DataFrame:
        """Return the resamples that the family was trained in."""
        splits = self.inputs.splits
        return splits if family.all_repeats else splits[splits["repeat"] < self.image_repeats]

    def _ratio(self, family: Family) -> float:
        return test_to_train(self.inputs.splits, family.learns_from, family.left_out)

    def _positives(self) -> int | None:
        for models in self.inputs.predictions.values():
            for table in models.values():
                return int(table.loc[table["label"] == self.classes[1], "case_id"].nunique())
        return None


def _where(family: Family, model: str) -> str:
    return f"predictions of {family.key} model {model!r}"


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
    for family in classifiers():
        for model, content in tables.get(family.key, {}).items():
            summaries, scalars = content["metrics"], _scalars(content)
            if family.members:  # of the many pairs, what they are for
                summaries, scalars = {"roc_auc": summaries["roc_auc"], "roc_auc_half": content["half"]["roc_auc"]}, {}
            written = {name: compact(summary) for name, summary in summaries.items()}
            metrics.setdefault(family.key, {})[model] = {**written, **scalars}
    for family in segmenters():
        if family.key in tables:
            found = tables[family.key]
            metrics[family.key] = {
                name: {**compact(summary), "undefined_cases": found["cases"][name]["undefined"]}
                for name, summary in found["metrics"].items()
            }
    return metrics


def _scalars(content: Tables) -> Tables:
    """Return one number a metric: rates at the operating points (means over the folds), and the pooled scores."""
    found: Tables = {}
    if content.get("operating"):
        rates = {point: (row["sensitivity"], row["specificity"]) for point, row in content["operating"].items()}
        found["operating"] = {
            point: {"sensitivity": first["mean"], "specificity": second["mean"]}
            for point, (first, second) in rates.items()
        }
    if "pooled" in content:
        found["pooled"] = {name: content["pooled"][name] for name in POOLED_SCALARS}
    if content.get("calibration"):
        found["pooled"]["ece_calibrated"] = content["calibration"]["after"]["ece"]
    return found
