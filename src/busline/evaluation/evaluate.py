"""From prediction tables to metrics, the report's tables and the plots' tables; nothing else is looked at.

The master split is a single point estimate and never mixed with the folds of the cross-validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from busline.base.artifacts import plain
from busline.evaluation.calibrations import calibration_table, recalibrate
from busline.evaluation.classes import binary_calls, class_calls, class_cases, score_classes
from busline.evaluation.comparisons import Competitor, compare, count_outcomes
from busline.evaluation.constants import find_constants
from busline.evaluation.headline import describe, make_claims
from busline.evaluation.held_out import HeldOut, held_out, voted_held_out
from busline.evaluation.loading import grid_columns
from busline.evaluation.metrics_file import Metrics, compact
from busline.evaluation.operating_points import chosen_cases, operate, operating_table
from busline.evaluation.outcomes import Outcomes
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.plot_tables import classifier_plots, learning_curves, reliability_plot
from busline.evaluation.pooling import pool
from busline.evaluation.prediction_tables import check_cases, check_predictions
from busline.evaluation.results import (
    AllClasses,
    ChosenOn,
    Classifier,
    Pair,
    Protocol,
    Search,
    Segmentation,
    Tables,
    VotedMaster,
    Weight,
)
from busline.evaluation.settings import EvaluationSettings
from busline.evaluation.summaries import (
    Summariser,
    point_estimate,
    pool_repeats,
    scored,
    test_to_train,
)
from busline.evaluation.vote import weights_of
from busline.families import FAMILIES, GROUPS, TRAINING, Family, classifiers, segmenters
from busline.metrics.classification import THRESHOLD
from busline.metrics.operating import POINTS
from busline.splits import cross_validated, first_repeats, master_rows


@dataclass(frozen=True)
class Inputs:
    """What evaluation reads."""

    splits: pd.DataFrame
    """case_id, repeat, fold, role."""
    predictions: Mapping[str, Mapping[str, pd.DataFrame]]
    """By family (keys of :data:`busline.families.FAMILIES`) and model; a family that is not there is left out."""
    weights: pd.DataFrame
    """Voting weights: tabular, image, repeat, fold, weight, low, high, tune_auc, n_tune."""
    segmentation: Mapping[str, Mapping[str, pd.DataFrame]]
    """By family of segmentation and model: case_id, repeat, fold, split and a column a metric."""
    curves: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)
    """Learning curves by (family, model)."""
    patients: Mapping[str, str] = field(default_factory=dict)
    """Patient by case; a case that is not there is a patient of its own."""
    duplicates: Sequence[tuple[str, str]] = ()
    """Pairs of cases with (near-)duplicate images."""
    skipped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By family and model, why there is nothing of it."""


@dataclass(frozen=True)
class Evaluation:
    """What evaluation writes."""

    metrics: Metrics
    """The metrics file, see :func:`busline.evaluation.metrics_file.compact`."""
    tables: Tables
    """Everything the report's tables need."""
    plots: dict[str, pd.DataFrame]
    """roc, pr, calibration, confusion, reliability, comparisons, curves."""


def evaluate(inputs: Inputs, params: EvaluationSettings) -> Evaluation:
    """Evaluate every model of ``inputs``.

    Raises:
        DataError: if a table breaks its contract or does not predict exactly the test cases.
    """
    study = _Study(inputs, params)
    families: dict[str, Mapping[str, Classifier | Search | Segmentation]] = {}
    for family in classifiers():
        names = inputs.predictions.get(family.key, {})
        if family.search:
            families[family.key] = {name: study.search(family, name) for name in names}
        elif family.members:
            families[family.key] = {name: study.vote(family, name) for name in names}
        else:
            families[family.key] = {name: study.classifier(family, name) for name in names}
    for family in segmenters():
        scores = {name: table for name, table in inputs.segmentation.get(family.key, {}).items() if not table.empty}
        families[family.key] = {name: study.segmentation(family, name, table) for name, table in scores.items()}
    pairs, counts = study.comparisons()
    rivals = {**study.competitors, **study.outlined}
    content = {
        "protocol": study.protocol(params),
        "comparisons": counts,
        "headline": make_claims(params.headline, rivals, params.evaluate.confidence),
        "described": describe(params.headline, rivals, params.evaluate.confidence),
        "all_classes": study.all_classes,
        "constant": find_constants(inputs.predictions, inputs.splits),
        "skipped": {key: dict(reasons) for key, reasons in inputs.skipped.items() if reasons},
    }
    tables = Tables.model_validate(content | {key: models for key, models in families.items() if models})
    return Evaluation(compact(tables), tables, study.plots(pairs, params.evaluate.calibration_bins))


class _Study:
    """The inputs with what all families share."""

    def __init__(self, inputs: Inputs, params: EvaluationSettings) -> None:
        self.inputs, self.image_repeats = inputs, params.cv.image_repeats
        self.classes = tuple(params.split.ordered)
        self.positive = self.classes[-1]
        self.summariser = Summariser(params.seed.split, params.evaluate)
        cases = sorted(inputs.splits["case_id"].unique())
        drawn_by = params.seed.split, params.evaluate
        self.patients = PatientBootstrap(cases, inputs.patients, *drawn_by, inputs.duplicates)
        self.curves_of: dict[tuple[str, str], pd.DataFrame] = {}
        """Cases of the folds by (family, model): those whose curves are drawn."""
        self.calls: dict[tuple[str, str], pd.DataFrame] = {}
        """Each case's class and what it is called, likewise."""
        self.all_classes: dict[str, dict[str, AllClasses]] = {}
        """Scores of all classes by family and model; empty with two."""
        self.calibrated: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
        """Cases of the folds by (family, model), before and after calibration."""
        self.competitors: dict[tuple[str, str], Competitor] = {}
        self.outlined: dict[tuple[str, str], Competitor] = {}
        """Segmentation networks; their cases have a column a metric."""
        self.chosen_on: dict[str, ChosenOn] = {}
        """Fewest and most cases a fold has to choose on, by :attr:`busline.families.Family.chooses`; of the first
        family of that kind, which has most repeats."""

    def protocol(self, params: EvaluationSettings) -> Protocol:
        folds = cross_validated(self.inputs.splits)
        settings = params.evaluate
        return Protocol(
            classes=self.classes,
            positive=self.positive,
            threshold=THRESHOLD,
            confidence=settings.confidence,
            bootstrap=settings.bootstrap,
            calibration_bins=settings.calibration_bins,
            cases=int(folds["case_id"].nunique()),
            positives=self._positives(),
            folds=int(folds["fold"].nunique()),
            repeats=int(folds["repeat"].nunique()),
            image_repeats=self.image_repeats,
            tune=self.chosen_on.get("kept out"),
            inner=self.chosen_on.get("inner"),
        )

    def classifier(self, family: Family, model: str) -> Classifier:
        cases, table = self._cases(family, model), self.inputs.predictions[family.key][model]
        held = held_out(table, self._splits(family), self.classes, family, _where(family, model))
        return self._scores(family, model, cases, held)

    def search(self, family: Family, model: str) -> Search:
        cases = cross_validated(self._cases(family, model))
        summary = self.summariser.classifier(cases, self._ratio(family, model), family.key, model, ["roc_auc"])
        self.competitors[family.key, model] = Competitor(cases, self._ratio(family, model))
        first = self.inputs.predictions[family.key][model].iloc[0]
        point = {column: plain(first[column]) for column in grid_columns(family)}
        return Search.model_validate({**point, "metrics": summary})

    def vote(self, family: Family, pair: str) -> Pair:
        cases, half = self._cases(family, pair), self._cases(family, pair, f"p_half_{self.positive}")
        predictions, weights = self.inputs.predictions, weights_of(self.inputs.weights, pair)
        held = voted_held_out(pair, cross_validated(cases), predictions, self.inputs.weights, self.positive)
        chosen, ratio = cross_validated(weights)["weight"], self._ratio(family, pair)
        scores = dict(self._scores(family, pair, cases, held))
        scores["master"] = _voted_point(master_rows(cases), master_rows(half), master_rows(weights))
        first, second = pair.split("+")
        return Pair(
            **scores,
            tabular=first,
            image=second,
            half=self.summariser.classifier(cross_validated(half), ratio, family.key, f"{pair} half"),
            weight=Weight(
                **{name: float(chosen.agg(name)) for name in ("mean", "median", "min", "max")}, folds=len(chosen)
            ),
        )

    def segmentation(self, family: Family, model: str, scores: pd.DataFrame) -> Segmentation:
        test = scores[scores["split"] == "test"]
        check_cases(test, self._splits(family), f"scores of {family.key} model {model!r}")
        ratio = self._ratio(family, model)
        self.outlined[family.key, model] = Competitor(test, ratio)
        return self.summariser.segmentation(test, ratio, family.key, model)

    def comparisons(self) -> tuple[pd.DataFrame, dict[str, list[Outcomes]]]:
        """Return a row a pair, and each model's wins, ties and losses by family of comparisons."""
        parts, counts = [], {}
        for group in GROUPS:
            models = {name: model for name, model in self.competitors.items() if FAMILIES[name[0]].group == group}
            parts.append(compare(group, models, self.patients))
            counts[group] = count_outcomes(parts[-1], list(models), 1 - self.summariser.settings.confidence)
        filled = [part for part in parts if len(part)]
        return pd.concat(filled, ignore_index=True) if filled else parts[0], {k: v for k, v in counts.items() if v}

    def plots(self, comparisons: pd.DataFrame, bins: int) -> dict[str, pd.DataFrame]:
        plots = classifier_plots(self.curves_of, self.calls, bins)
        plots["reliability"] = reliability_plot(self.calibrated, bins)
        return plots | {"comparisons": comparisons, "curves": learning_curves(self.inputs.curves)}

    def _scores(self, family: Family, model: str, cases: pd.DataFrame, held: HeldOut | None) -> Classifier:
        """Score the evaluated model; operating points and calibration are those of the one that kept cases out."""
        folds, ratio, names = cross_validated(cases), self._ratio(family, model), (family.key, model)
        self.curves_of[names] = folds
        self._score_classes(family, model, folds)
        operating, calibration, margins = None, None, None
        if held is not None:
            self.chosen_on.setdefault(family.chooses, chosen_cases(held))
            operated = {point: operate(held, point) for point in POINTS}
            own = test_to_train(self._splits(family), family.operated_learns_from, family.left_out)
            operating = operating_table(operated, self.summariser, self.patients, own, names)
            self.calibrated[names] = recalibrate(held)
            calibration = calibration_table(self.calibrated[names], self.summariser, *names)
            margins = operated["youden"].margins
        self.competitors[names] = Competitor(folds, ratio, margins)
        return Classifier(
            metrics=self.summariser.classifier(folds, ratio, *names),
            pooled=pool(folds, self.patients, self.summariser, *names),
            operating=operating,
            calibration=calibration,
            master=point_estimate(master_rows(cases)),
        )

    def _cases(self, family: Family, model: str, column: str = "") -> pd.DataFrame:
        table, where = self._table(family, model), _where(family, model)
        check_predictions(table, where, self.classes, [column] if column else [])
        cases = scored(table, self.positive, column)
        check_cases(cases, self._splits(family), where)
        return cases

    def _table(self, family: Family, model: str) -> pd.DataFrame:
        """Return the predictions of the model that is evaluated."""
        table = self.inputs.predictions[family.key][model]
        return table[table["trained_on"] == "all"] if "trained_on" in table else table

    def _score_classes(self, family: Family, model: str, folds: pd.DataFrame) -> None:
        """Note what cases are called, and with more than two classes the scores of all of them."""
        names = family.key, model
        if len(self.classes) == 2:
            self.calls[names] = binary_calls(pool_repeats(folds), self.classes)
            return
        cases = class_cases(self._table(family, model), self.classes)
        self.calls[names] = class_calls(cases, self.classes)
        found = score_classes(cases, self.classes, self.summariser, self._ratio(family, model), *names)
        self.all_classes.setdefault(family.key, {})[model] = found

    def _splits(self, family: Family) -> pd.DataFrame:
        """Return the resamples that the family was trained in."""
        splits = self.inputs.splits
        return splits if family.all_repeats else first_repeats(splits, self.image_repeats)

    def _ratio(self, family: Family, model: str) -> float:
        """Return the ratio of test to training cases; a model with a fit of that name learnt from all of these."""
        table = self.inputs.predictions.get(family.key, {}).get(model, pd.DataFrame())
        learns_from = TRAINING if "trained_on" in table else family.learns_from
        return test_to_train(self.inputs.splits, learns_from, family.left_out)

    def _positives(self) -> int | None:
        for models in self.inputs.predictions.values():
            for table in models.values():
                return int(table.loc[table["label"] == self.positive, "case_id"].nunique())
        return None


def _where(family: Family, model: str) -> str:
    return f"predictions of {family.key} model {model!r}"


def _voted_point(cases: pd.DataFrame, half: pd.DataFrame, weights: pd.DataFrame) -> VotedMaster | None:
    point, beside = point_estimate(cases), point_estimate(half)
    if point is None or beside is None or weights.empty:
        return None
    row = weights.iloc[0]
    interval = {name: float(row[name]) for name in ("weight", "low", "high", "tune_auc")}
    voted = {**interval, "n_tune": int(row["n_tune"]), "half_roc_auc": beside.score("roc_auc")}
    return VotedMaster.model_validate({**point.model_dump(), **voted})
