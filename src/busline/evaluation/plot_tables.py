"""Tables behind ``dvc plots``: ROC, precision-recall, calibration, confusion and learning curves.

Each has the columns family and model first, so one file and one plot template serve every model.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from busline.evaluation.calibrations import reliability_rows
from busline.evaluation.classes import CALLS
from busline.evaluation.summaries import pool_repeats
from busline.metrics.calibration import reliability
from busline.metrics.classification import pr_curve, roc_curve
from busline.splits import RESAMPLE, cross_validated

COLUMNS = {
    "roc": ["fpr", "tpr", "threshold"],
    "pr": ["recall", "precision", "threshold"],
    "calibration": ["predicted", "observed", "count"],
    "confusion": CALLS,
    "reliability": ["calibration", "predicted", "observed", "count"],
    "curves": ["phase", "epoch", "train_loss", "val_loss", "folds"],
}
"""Names of the plots and their columns behind family and model."""


def classifier_plots(
    models: Mapping[tuple[str, str], pd.DataFrame], calls: Mapping[tuple[str, str], pd.DataFrame], bins: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of the curves and the confusion, of out-of-fold scores averaged over the repeats.

    With several repeats these are of an ensemble, whose curve lies above that of a single model.

    Args:
        models: by (family, model), the cases of the folds as :func:`busline.evaluation.summaries.scored` returns them.
        calls: by (family, model), each case's class and what it is called (:data:`busline.evaluation.classes.CALLS`).
        bins: bins of the calibration curve.

    Returns:
        roc, pr, calibration and confusion (one row a case, as DVC's confusion template counts them).
    """
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in ("roc", "pr", "calibration")}
    for (family, model), cases in models.items():
        pooled = pool_repeats(cases)
        truth, score = pooled["truth"].to_numpy(), pooled["score"].to_numpy()
        curve = reliability(truth, score, bins)
        columns = {
            "roc": roc_curve(truth, score),
            "pr": pr_curve(truth, score),
            "calibration": (curve.predicted, curve.observed, curve.count),
        }
        for plot, arrays in columns.items():
            parts[plot].append(_labelled(family, model, pd.DataFrame(dict(zip(COLUMNS[plot], arrays, strict=True)))))
    parts["confusion"] = [_labelled(*name, table) for name, table in calls.items()]
    return {name: _joined(name, tables) for name, tables in parts.items()}


def reliability_plot(models: Mapping[tuple[str, str], Mapping[str, pd.DataFrame]], bins: int) -> pd.DataFrame:
    """Return the reliability curves before and after calibration.

    Args:
        models: by (family, model), test cases by state, see :func:`busline.evaluation.calibrations.recalibrate`.
        bins: bins of the curves.
    """
    return _joined("reliability", [_labelled(*name, reliability_rows(states, bins)) for name, states in models.items()])


def learning_curves(curves: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """Return the losses of every phase and epoch, averaged over the folds that reached it.

    Folds end a phase at different epochs, so a phase begins for all of them behind the longest phase before it.

    Args:
        curves: by (family, model): scheme, repeat, fold, phase, epoch, train_loss, val_loss.

    Returns:
        family, model, phase, epoch, train_loss, val_loss and the number of folds behind the mean: folds that stopped
        early are missing from the later epochs of a phase.
    """
    return _joined("curves", [_labelled(*key, _mean_curve(cross_validated(table))) for key, table in curves.items()])


def _mean_curve(table: pd.DataFrame) -> pd.DataFrame:
    folds = table.sort_values([*RESAMPLE, "epoch"])
    step = folds.groupby([*RESAMPLE, "phase"]).cumcount() + 1
    means, begin = [], 0
    for phase in folds["phase"].unique():
        rows = folds[folds["phase"] == phase].assign(epoch=step + begin)
        by_epoch = rows.groupby("epoch", as_index=False)
        mean = by_epoch.agg(train_loss=("train_loss", "mean"), val_loss=("val_loss", "mean"), folds=("fold", "size"))
        means.append(mean.assign(phase=phase)[COLUMNS["curves"]])
        begin = int(mean["epoch"].max())
    return pd.concat(means, ignore_index=True) if means else pd.DataFrame(columns=COLUMNS["curves"])


def _labelled(family: str, model: str, table: pd.DataFrame) -> pd.DataFrame:
    labelled = table.copy()
    labelled.insert(0, "family", family)
    labelled.insert(1, "model", model)
    return labelled


def _joined(name: str, tables: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame(columns=["family", "model", *COLUMNS[name]])
    return pd.concat(filled, ignore_index=True)
