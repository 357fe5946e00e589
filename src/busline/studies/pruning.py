"""Which columns a model may see, why, and what each would have been worth alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from busline.base.errors import DataError
from busline.base.seeding import derive_seed
from busline.base.settings.data import Prune
from busline.cohort.schema import Column

FOLDS = 5
REPEATS = 10
ENOUGH = 10
"""Cases on either side from which an AUC alone of 1 is no accident: of 10 and 10, chance orders one in 92,378 so."""
NEVER = ("identifier", "label")
"""Provenances that are no feature, whatever the parameters allow."""


@dataclass(frozen=True)
class Verdict:
    """Whether a column is kept.

    Attributes:
        name: the column.
        provenance: who or what its values come from.
        kind: ``numeric`` or ``categorical``.
        kept: whether a model may see it.
        missing: share of all cases of the cohort without a value, in [0, 1].
        reason: why it is kept or dropped.
        auc_alone: ROC AUC it would have had alone, see :func:`auc_alone`.
    """

    name: str
    provenance: str
    kind: str
    kept: bool
    missing: float
    reason: str
    auc_alone: float | None

    def describe(self) -> dict[str, Any]:
        """Return the verdict as JSON can hold it."""
        return asdict(self)


def judge_columns(
    cases: pd.DataFrame, columns: Sequence[Column], rules: Prune, classes: Sequence[str], seed: int
) -> list[Verdict]:
    """Judge every column of the source's table.

    Missingness is that of all cases of the cohort, as a reader of the table counts it; the AUC alone is that of the
    study's cases, which have one of ``classes``. It shows what leakage would have been worth, and keeps or drops no
    column; only one that tells the diagnosis of more than a handful of cases all but without an error stops the study.

    Args:
        cases: the cohort's table, n rows.
        columns: every column of the source's table.
        rules: allowed provenances, the largest share of missing values, and the largest AUC alone of a kept column.
        classes: labels of the study; the last one is the positive one.
        seed: root of the folds' shuffles.

    Raises:
        DataError: naming every column whose provenance nobody declared, or that says the diagnosis.
    """
    undeclared = [column.name for column in columns if column.provenance is None]
    if undeclared:
        raise DataError(
            f"column {', '.join(repr(name) for name in undeclared)}",
            "has no declared provenance",
            expected="a provenance for every column of the table, so that none leaks the diagnosis unseen",
            mend="declare it (your own data: under `columns` in dataset.yaml), or remove it from the table",
        )
    study = cases[cases["label"].isin(classes)]
    positive = (study["label"] == classes[-1]).to_numpy() if len(classes) == 2 else None
    verdicts = [_judge(column, cases, study, positive, rules, seed) for column in columns]
    kept = [verdict for verdict in verdicts if verdict.kept and verdict.provenance != "pathology"]
    last = (study["label"] == classes[-1]).to_numpy()
    if min(last.sum(), (~last).sum()) >= ENOUGH:
        alone = {one.name: auc_alone(study[one.name], one.kind, last, seed) for one in kept}
        _refuse_answers(alone, rules.max_auc_alone)
    return verdicts


def auc_alone(values: pd.Series, kind: str, positive: np.ndarray, seed: int) -> float | None:
    """Return the ROC AUC of one column as the only score.

    A numeric column is the score itself, its missing values set to the median and its direction free: the larger of
    AUC and 1 − AUC. A category's score is the share of positive cases it has in the *other* folds (a missing value is
    a category, an unseen one gets the overall share); the AUC is the mean over the folds of ten stratified 5-fold
    splits. A column that is different in each case therefore has 0.5, not the 1.0 of memorising; one
    that tells nothing may fall a little below 0.5.

    Args:
        values: the column, n rows.
        kind: ``numeric`` or ``categorical``.
        positive: bool (n,).
        seed: root of the folds' shuffles.

    Returns:
        The AUC in [0, 1], or None if it is undefined: fewer than two cases of a class, or no value at all.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import RepeatedStratifiedKFold

    fewest = int(min(positive.sum(), (~positive).sum()))
    if fewest < 2 or values.isna().all():
        return None
    if kind == "numeric":
        auc = float(roc_auc_score(positive, values.fillna(values.median())))
        return max(auc, 1.0 - auc)
    codes = pd.factorize(values.astype("object").fillna(""))[0]
    state = derive_seed(seed, "auc_alone") % 2**32
    folds = RepeatedStratifiedKFold(n_splits=min(FOLDS, fewest), n_repeats=REPEATS, random_state=state)
    scores = []
    for train, test in folds.split(codes, positive):
        seen = np.bincount(codes[train], minlength=codes.max() + 1)
        hits = np.bincount(codes[train], weights=positive[train], minlength=codes.max() + 1)
        share = np.where(seen > 0, hits / np.maximum(seen, 1), positive[train].mean())
        scores.append(roc_auc_score(positive[test], share[codes[test]]))
    return float(np.mean(scores))


def _judge(
    column: Column, cases: pd.DataFrame, study: pd.DataFrame, positive: np.ndarray | None, rules: Prune, seed: int
) -> Verdict:
    provenance = str(column.provenance)
    missing = float(cases[column.name].isna().mean())
    against = []
    if provenance in NEVER:
        against.append(f"provenance {provenance} is never a feature")
    elif provenance not in rules.allowed_provenance:
        against.append(f"provenance {provenance} is not allowed")
    if _has_one_value(cases[column.name]):
        against.append("it has the same value in every case")
    if missing > rules.max_missing:
        against.append(f"{missing:.1%} of its values are missing, more than {rules.max_missing:.1%}")
    return Verdict(
        name=column.name,
        provenance=provenance,
        kind=column.kind,
        kept=not against,
        missing=missing,
        reason="; ".join(against) or f"provenance {provenance} is allowed, {missing:.1%} of its values are missing",
        auc_alone=None if positive is None else auc_alone(study[column.name], column.kind, positive, seed),
    )


def _has_one_value(values: pd.Series) -> bool:
    """Return whether a column says the same of every case; that a value is missing says something too."""
    return bool(values.notna().all()) and bool((values == values.iloc[0]).all())


def _refuse_answers(alone: Mapping[str, float | None], most: float) -> None:
    answers = [f"{name!r} ({auc:.3f})" for name, auc in alone.items() if auc is not None and auc > most]
    if answers:
        raise DataError(
            f"column {', '.join(answers)}",
            "tells the diagnosis by itself: in brackets is the ROC AUC it has alone",
            expected=f"at most {most:g} of a column that is kept: what is known before the diagnosis does not tell it",
            mend="declare its true provenance (`label` or `pathology`), remove it, or raise prune.max_auc_alone if it "
            "may be right",
        )
