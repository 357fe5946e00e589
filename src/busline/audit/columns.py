"""What each column tells of the label alone, and what a model would gain from the columns that were dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from busline.audit.results import ColumnAlone, ColumnClass, Columns
from busline.audit.statistics import fold_interval
from busline.base.seeding import derive_seed
from busline.base.settings.tabular import LogReg
from busline.cohort.schema import Column
from busline.metrics.classification import roc_auc
from busline.models.encoding import TableEncoder
from busline.models.tabular import fit_classifier, probabilities

Folds = Sequence[tuple[np.ndarray, np.ndarray]]
"""Positions of the training and of the test cases of each fold."""
MODEL = "logreg"
"""The model whose gain is measured: the fastest, and with two columns as good as any."""
TELLS = ("value", "missing")
"""What of a column is looked at: its values, and where it has none."""


def audit_columns(
    table: pd.DataFrame,
    columns: Sequence[Column],
    kept: Sequence[str],
    positive: np.ndarray,
    folds: Folds,
    settings: LogReg,
    *,
    most: float,
    seed: int,
) -> tuple[Columns, list[str]]:
    """Score every column alone, and every provenance that was dropped together with the kept columns.

    Args:
        table: the study's cases with every column of the source, n rows.
        columns: every column of the source's table.
        kept: names of the columns that the models see.
        positive: bool (n,).
        folds: in which all is fitted and scored.
        settings: those of the model of the table that they are tried in.
        most: a kept column that has a higher ROC AUC alone is a problem.
        seed: root of the model's seed.

    Returns:
        The figures of every column and provenance; and what is wrong, one line a column.
    """
    alone, problems = [], []
    for column in columns:
        tells = {
            tell: fold_interval(_score_alone(table[column.name], column.kind, tell, positive, folds), folds)
            for tell in TELLS
        }
        row = ColumnAlone(name=column.name, provenance=column.provenance, kept=column.name in kept, **tells)
        problems += [
            _complaint(column, tell, found.mean, most)
            for tell, found in tells.items()
            if row.kept and found.mean is not None and found.mean > most
        ]
        alone.append(row)
    return Columns(alone=alone, classes=_classes(table, columns, kept, positive, folds, settings, seed)), problems


def _complaint(column: Column, tell: str, mean: float, most: float) -> str:
    what = "" if tell == "value" else "where it is missing, "
    return (
        f"column {column.name!r} ({column.provenance}): {what}alone it has a ROC AUC of {mean:.3f}, more than "
        f"audit.max_auc_alone, {most:g}: it seems to tell the label"
    )


def _score_alone(values: pd.Series, kind: str, tell: str, positive: np.ndarray, folds: Folds) -> list[float]:
    """Return the ROC AUC of one column in each test fold; all that is chosen comes from the training part.

    A number, or whether there is one, is the score itself, with the direction that is better in training; a category's
    score is its share of positive cases in training.
    """
    if tell == "value" and kind == "categorical":
        codes = pd.factorize(values.astype("object").fillna(""))[0]
        return [roc_auc(positive[test], _shares(codes, positive, train)[test]) for train, test in folds]
    numbers = (values.isna() if tell == "missing" else values).to_numpy(dtype=np.float64)
    scores = []
    for train, test in folds:
        known = numbers[train][~np.isnan(numbers[train])]
        filled = np.where(np.isnan(numbers), np.median(known) if len(known) else 0.0, numbers)
        sign = -1.0 if roc_auc(positive[train], filled[train]) < 0.5 else 1.0
        scores.append(roc_auc(positive[test], sign * filled[test]))
    return scores


def _shares(codes: np.ndarray, positive: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return each case's share of positive training cases in its category; of an unseen category, the overall one."""
    seen = np.bincount(codes[train], minlength=codes.max() + 1)
    hits = np.bincount(codes[train], weights=positive[train], minlength=codes.max() + 1)
    return np.asarray(np.where(seen > 0, hits / np.maximum(seen, 1), positive[train].mean())[codes])


def _classes(
    table: pd.DataFrame,
    columns: Sequence[Column],
    kept: Sequence[str],
    positive: np.ndarray,
    folds: Folds,
    settings: LogReg,
    seed: int,
) -> list[ColumnClass]:
    """Return what the model loses with one kept column alone, and gains from each provenance among the dropped ones.

    The label itself is left out. So is a category that is another one in each case: in a test case it is always unseen.
    """
    dropped: dict[str, list[Column]] = {}
    for column in columns:
        repeats = column.kind == "numeric" or table[column.name].nunique() < len(table)
        if column.name not in kept and column.provenance not in (None, "label") and repeats:
            dropped.setdefault(str(column.provenance), []).append(column)
    allowed = [column for column in columns if column.name in kept]
    base = _model_scores(table, allowed, positive, folds, settings, seed)
    rows = [ColumnClass(provenance=None, columns=list(kept), auc=fold_interval(base, folds), gain=None)]
    for column in allowed if len(allowed) > 1 else []:
        scores = _model_scores(table, [column], positive, folds, settings, seed)
        gain = fold_interval(np.subtract(scores, base), folds, differences=True)
        rows.append(ColumnClass(provenance=None, columns=[column.name], auc=fold_interval(scores, folds), gain=gain))
    for provenance, let_in in dropped.items():
        scores = _model_scores(table, [*allowed, *let_in], positive, folds, settings, seed)
        rows.append(
            ColumnClass(
                provenance=provenance,
                columns=[column.name for column in let_in],
                auc=fold_interval(scores, folds),
                gain=fold_interval(np.subtract(scores, base), folds, differences=True),
            )
        )
    return rows


def _model_scores(
    table: pd.DataFrame, used: Sequence[Column], positive: np.ndarray, folds: Folds, settings: LogReg, seed: int
) -> list[float]:
    kinds: Mapping[str, list[str]] = {
        kind: [column.name for column in used if column.kind == kind] for kind in ("numeric", "categorical")
    }
    if not used:
        return [0.5] * len(folds)  # a model without columns says the same of every case
    scores = []
    for number, (train, test) in enumerate(folds):
        encoder = TableEncoder.fit(table.iloc[train], kinds["numeric"], kinds["categorical"])
        rows = encoder.transform(table.iloc[train])
        estimator = fit_classifier(
            MODEL, settings, rows, positive[train].astype(np.int64), derive_seed(seed, "audit columns", number)
        )
        found = probabilities(estimator, encoder.transform(table.iloc[test]))
        scores.append(roc_auc(positive[test], found[:, 1]))
    return scores
