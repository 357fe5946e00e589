"""The metrics file's part of the results, small enough to be read as a diff: family → model → metric."""

from __future__ import annotations

from busline.evaluation.results import Classifier, Pair, Search, Segmentation, Summary, Tables

Figures = dict[str, float | int | None]
Metric = Figures | dict[str, Figures]
"""Mean and interval of a metric, or one number a metric; of the operating points, both rates by point."""
Metrics = dict[str, dict[str, dict[str, Metric]]]
POOLED_SCALARS = ("roc_auc", "curve_sensitivity", "brier", "ece")
"""Of the pooled scores, what stands in the metrics file."""


def compact(tables: Tables) -> Metrics:
    """Return, by family and model, every metric's mean and interval.

    ``operating`` has the rates at the operating points (means over the folds), ``pooled`` one number a metric. Of
    voted pairs, which are many, there is the ROC AUC, chosen weight and a half; of segmentation networks the number of
    undefined cases too.
    """
    metrics: Metrics = {}
    for family, pairs in tables.pairs.items():
        metrics[family] = {model: _pair(pair) for model, pair in pairs.items()}
    for family, models in tables.classifiers.items():
        metrics[family] = {model: _classifier(content) for model, content in models.items()}
    for family, searches in tables.searches.items():
        metrics[family] = {model: _intervals(content) for model, content in searches.items()}
    for family, networks in tables.segmentations.items():
        metrics[family] = {model: _segmentation(content) for model, content in networks.items()}
    for family, scored in tables.all_classes.items():
        for model, found in scored.items():
            metrics[family][model]["all_classes"] = {name: _interval(one) for name, one in found.metrics.items()}
    return metrics


def _pair(pair: Pair) -> dict[str, Metric]:
    return {"roc_auc": _interval(pair.metrics["roc_auc"]), "roc_auc_half": _interval(pair.half["roc_auc"])}


def _classifier(content: Classifier) -> dict[str, Metric]:
    found = _intervals(content)
    if content.operating:
        found["operating"] = {
            name: {"sensitivity": point.sensitivity.mean, "specificity": point.specificity.mean}
            for name, point in content.operating.items()
        }
    pooled: Figures = content.pooled.model_dump(include=set(POOLED_SCALARS))
    if content.calibration:
        pooled["ece_calibrated"] = content.calibration.after.ece
    return {**found, "pooled": pooled}


def _segmentation(content: Segmentation) -> dict[str, Metric]:
    return {
        name: {**_interval(summary), "undefined_cases": content.cases[name].undefined}
        for name, summary in content.metrics.items()
    }


def _intervals(content: Classifier | Search) -> dict[str, Metric]:
    return {name: _interval(summary) for name, summary in content.metrics.items()}


def _interval(summary: Summary) -> Figures:
    return summary.model_dump(include={"mean", "low", "high"})
