"""What evaluation finds: the content of reports/tables.json, which the report reads.

A number that is undefined is None, null in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from busline.base.results import Number, Result, Span
from busline.constant_fits import ConstantFit
from busline.evaluation.outcomes import Claim, Outcomes
from busline.evaluation.pooled import Pooled, Recalibration
from busline.families import FAMILIES, Family

KINDS = ("classifiers", "pairs", "searches", "segmentations")
"""Fields of :class:`Tables` that hold families of models; in the file the families stand beside each other."""


class Summary(Result):
    """Fold scores of one metric."""

    mean: Number
    min: Number
    max: Number
    low: Number
    """The interval that is reported, see :func:`busline.metrics.intervals.reported_interval`."""
    high: Number
    bootstrap_low: Number
    """Bootstrap interval of the fold scores, too narrow: to be set beside a paper's own."""
    bootstrap_high: Number
    folds: int
    """How many folds have a score."""
    undefined: int
    """How many have none."""


class Rate(Summary):
    """Sensitivity or specificity at an operating point, over the folds and pooled."""

    pooled: Number
    """Mean over the cases; a case counts by the share of repeats in which it is called rightly."""
    pooled_low: Number
    """Interval of a bootstrap of the patients: other patients, the same models."""
    pooled_high: Number


class Thresholds(Result):
    """The folds' thresholds at an operating point."""

    median: Number
    min: Number
    max: Number


class OperatingPoint(Result):
    """Both rates at an operating point that is chosen inside the fold."""

    sensitivity: Rate
    specificity: Rate
    threshold: Thresholds


class Master(Result, extra="allow"):
    """One estimate a metric, on the master split's test cases; the metrics stand beside the number of cases."""

    __pydantic_extra__: dict[str, Number] = Field(init=False)
    cases: int

    def score(self, metric: str) -> float | None:
        """Return the score of a metric, None if it is undefined or not there."""
        return self.__pydantic_extra__.get(metric)


class VotedMaster(Master):
    """The master split's estimate of a voted pair, with its weight."""

    weight: Number
    low: Number
    """Ends of the best interval of weights, of which the middle is taken."""
    high: Number
    tune_auc: Number
    n_tune: int
    half_roc_auc: Number
    """ROC AUC at a weight of a half."""


class ClassScores(Result):
    """One class of more than two against the rest."""

    label: str
    metrics: dict[str, Summary]
    """By metric of a fold."""
    cases: int
    calibration_error: Number
    """Expected calibration error of its probability, of pooled predictions."""


class AllClasses(Result):
    """A classifier's scores of all classes, where the study has more than two."""

    metrics: dict[str, Summary]
    """By metric of a fold."""
    classes: list[ClassScores]
    """In the study's order."""
    classwise_ece: Number
    """Mean over the classes of their calibration errors."""
    confusion: list[list[int]]
    """Cases by actual class (rows) and by the most probable one, of pooled predictions."""
    master: Master | None


class Classifier(Result):
    """A classifier with every metric."""

    metrics: dict[str, Summary]
    """By metric of a fold."""
    pooled: Pooled
    operating: dict[str, OperatingPoint] | None
    """By operating point; None for a model that kept no cases out to choose on."""
    calibration: Recalibration | None
    master: Master | None


class Weight(Result):
    """The folds' voting weights of a pair: that of the tabular model."""

    mean: Number
    median: Number
    min: Number
    max: Number
    folds: int


class Pair(Classifier):
    """Two models that vote."""

    tabular: str
    image: str
    half: dict[str, Summary]
    """By metric of a fold, at a weight of a half."""
    weight: Weight
    master: VotedMaster | None


class Search(Result, extra="allow"):
    """A model of a comparison that feeds nothing; where the models are a grid, its point stands beside the metrics."""

    __pydantic_extra__: dict[str, int | float] = Field(init=False)
    metrics: dict[str, Summary]

    @property
    def point(self) -> dict[str, int | float]:
        """Where it lies in the grid, by column (:attr:`busline.families.Family.point`)."""
        return self.__pydantic_extra__


class CaseScores(Result):
    """Scores of single cases of all repeats in one metric of segmentation."""

    mean: Number
    min: Number
    max: Number
    count: int
    """How many cases have a score."""
    undefined: int
    """How many have none."""


class Segmentation(Result):
    """A segmentation network."""

    metrics: dict[str, Summary]
    """By metric of segmentation, the fold's mean over cases."""
    cases: dict[str, CaseScores]
    """By metric of segmentation."""
    master: Master | None


class ChosenOn(Result):
    """How many cases, and positive ones, a fold has to choose a threshold on."""

    cases: Span
    positives: Span


class Protocol(Result):
    """What the numbers rest on."""

    classes: tuple[str, ...] = Field(strict=False)
    """In their order, the positive one last."""
    positive: str
    threshold: float
    confidence: float
    bootstrap: int
    calibration_bins: int
    cases: int
    positives: int | None
    folds: int
    repeats: int
    image_repeats: int
    tune: ChosenOn | None
    """Of models that kept cases out for it."""
    inner: ChosenOn | None
    """Of models that choose on inner out-of-fold predictions."""


class Tables(Result):
    """All of it, by family of models (keys of :data:`busline.families.FAMILIES`) and model."""

    protocol: Protocol
    comparisons: dict[str, list[Outcomes]] = Field(default_factory=dict)
    """By family of comparisons, a key of :data:`busline.families.GROUPS`."""
    headline: dict[str, Claim] = Field(default_factory=dict)
    """By task."""
    described: list[Claim] = Field(default_factory=list)
    """Further pairs, without a claim."""
    all_classes: dict[str, dict[str, AllClasses]] = Field(default_factory=dict)
    """By family and model, where the study has more than two classes."""
    skipped: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Why there is nothing of a model, by family and model (:mod:`busline.base.skipped`)."""
    constant: dict[str, dict[str, list[ConstantFit]]] = Field(default_factory=dict)
    """By family and model, which say one probability of all test cases."""
    classifiers: dict[str, dict[str, Classifier]] = Field(default_factory=dict)
    pairs: dict[str, dict[str, Pair]] = Field(default_factory=dict)
    searches: dict[str, dict[str, Search]] = Field(default_factory=dict)
    segmentations: dict[str, dict[str, Segmentation]] = Field(default_factory=dict)

    def scored(self, family: str) -> Mapping[str, Classifier]:
        """Return a family's models that have every metric, voted pairs too."""
        return self.pairs.get(family) or self.classifiers.get(family, {})

    def compared(self, family: str) -> Mapping[str, Classifier | Search]:
        """Return a family's models that can be compared by their ROC AUC: those of :meth:`scored`, and searches."""
        return self.scored(family) or self.searches.get(family, {})

    def found(self, family: str) -> Mapping[str, Classifier | Search | Segmentation]:
        """Return whatever there is of a family."""
        return self.compared(family) or self.segmentations.get(family, {})

    @model_validator(mode="before")
    @classmethod
    def _sort_by_kind(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        families = {key: models for key, models in content.items() if key in FAMILIES}
        found = {key: part for key, part in content.items() if key not in families}
        for key, models in families.items():
            kind = _kind(FAMILIES[key])
            found[kind] = {**found.get(kind, {}), key: models}
        return found

    @model_serializer(mode="wrap")
    def _side_by_side(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        families = [content.pop(kind) for kind in KINDS]
        for key in ("all_classes", "constant"):
            if not content[key]:
                del content[key]  # two classes, or models that tell cases apart, have nothing to say here
        return content | {key: models for part in families for key, models in part.items()}


def _kind(family: Family) -> str:
    if family.task == "segmentation":
        return "segmentations"
    return "searches" if family.search else "pairs" if family.members else "classifiers"
