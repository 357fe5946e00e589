"""What the audit finds: the content of reports/leakage.json, which the report reads.

A number that is undefined is None, null in the file.
"""

from __future__ import annotations

from busline.base.results import Number, Result, Span
from busline.base.settings.evaluation import Audit


class FoldInterval(Result):
    """Mean of fold scores, or of their differences, and its interval."""

    mean: Number
    low: Number
    high: Number


class ColumnAlone(Result):
    """What one column tells of the label."""

    name: str
    provenance: str | None
    kept: bool
    """Whether the models see it."""
    value: FoldInterval
    """ROC AUC of its values."""
    missing: FoldInterval
    """ROC AUC of where it has none."""


class ColumnClass(Result):
    """What a model would gain from the dropped columns of one provenance; without one, the kept columns themselves."""

    provenance: str | None
    columns: list[str]
    auc: FoldInterval
    gain: FoldInterval | None


class Columns(Result):
    """What columns tell of the label."""

    alone: list[ColumnAlone]
    classes: list[ColumnClass]


class PairsOnTwoSides(Result):
    """Pairs of cases that stand on two sides of a split."""

    patients: int
    """Of one patient."""
    duplicates: int
    """Of (near-)duplicate images."""


class Planted(Result):
    """Changed copies of the cohort's own images, planted and looked for."""

    change: str
    planted: int
    found: int
    false: int
    """Scans that are not one and were joined."""


class Splits(Result):
    """Patients and (near-)duplicate images on two sides of a split, looked for anew."""

    resamples: int
    patients: int
    cases: int
    duplicate_pairs: int
    pairs_on_two_sides: PairsOnTwoSides
    planted: list[Planted]


class Draws(Result):
    """ROC AUCs of single draws: mean, 5 %, 50 % and 95 % quantile, most, and their number."""

    mean: Number
    low: Number
    median: Number
    high: Number
    max: Number
    draws: int


class BothWays(Result):
    """A model's score on test cases of master splits, by models that know some of them and by models that do not."""

    leaked: Draws
    honest: Draws
    known: Number
    """Mean share of test cases that a fold's model knows."""


class ScoredBothWays(BothWays):
    """One model, or pair a+b, of a family."""

    family: str
    model: str


class MasterSplits(Result):
    """What figures become if models of the folds are scored on master splits' test cases."""

    master_splits: int
    test_cases: Span
    rows: list[ScoredBothWays]


class Permutation(Result):
    """One metric of a pipeline on permuted labels."""

    name: str
    """Of the pipeline's model."""
    metric: str
    permutations: int
    mean: Number
    """Of the permuted means over the folds."""
    sd: Number
    p_mean: Number
    """One-sided t test of the permuted means against chance; None for fewer than two."""
    observed: Number
    """The mean over the folds on the labels as they are."""
    p_observed: Number
    """Its place among the permuted means: (1 + how many are at least as high) / (1 + permutations)."""


class Leakage(Result):
    """All of it."""

    columns: Columns
    splits: Splits
    protocol: MasterSplits
    permutation: list[Permutation]
    settings: Audit
