"""The noise of training, model by model: what `make noise` writes to reports/noise.json and the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from busline.base.results import Number, Result
from busline.evaluation.metrics_file import Metrics
from busline.families import FAMILIES
from busline.metrics.seed_noise import seed_noise

HEADLINE: dict[str, dict[str, tuple[str, str]]] = {
    "classification": {"roc_auc": ("roc_auc", "mean"), "pooled_roc_auc": ("pooled", "roc_auc")},
    "segmentation": {"dice": ("dice", "mean")},
}
"""By task, the headline metrics and where the metrics file has them: means over the folds, and of pooled predictions.

What a family has none of is left out: voted pairs and searches have no pooled ROC AUC there.
"""

Headline = dict[tuple[str, str, str], float | None]
"""A figure by (family, model, metric); None where it is undefined."""


class Spread(Result):
    """One metric of one model under all seeds."""

    values: list[Number]
    """In the order of the seeds."""
    sd: Number
    """Standard deviation of the difference between two seeds, see :func:`busline.metrics.seed_noise.seed_noise`."""
    low: Number
    high: Number
    limit: Number


class Noise(Result):
    """The content of reports/noise.json; without seeds, nothing was measured."""

    confidence: float
    seeds: list[int]
    """Values of ``seed.train``."""
    settings: list[str]
    """Parameters that were set for these runs alone, as key=value."""
    families: dict[str, dict[str, dict[str, Spread]]]
    """By family, model and metric."""


NOT_MEASURED = Noise(confidence=0.95, seeds=[], settings=[], families={})


def headline_figures(metrics: Metrics) -> Headline:
    """Return the headline figures of a metrics file (:func:`busline.evaluation.metrics_file.compact`)."""
    figures: Headline = {}
    for key, family in FAMILIES.items():
        for model, found in metrics.get(key, {}).items():
            for metric, (part, number) in HEADLINE[family.task].items():
                content = found.get(part)
                if isinstance(content, Mapping) and number in content:
                    value = content[number]
                    assert value is None or isinstance(value, (int, float))
                    figures[key, model, metric] = value
    return figures


def measure_noise(
    runs: Mapping[int, Metrics], *, settings: Sequence[str] = (), confidence: float = NOT_MEASURED.confidence
) -> Noise:
    """Return the noise of every headline figure that all runs have.

    Args:
        runs: the metrics file by seed of training, two or more.
        settings: parameters that were set for these runs alone.
        confidence: coverage of intervals and limits, in (0, 1).
    """
    figures = [headline_figures(metrics) for metrics in runs.values()]
    families: dict[str, dict[str, dict[str, Spread]]] = {}
    for name in figures[0]:
        if all(name in of_seed for of_seed in figures):
            family, model, metric = name
            values = [of_seed[name] for of_seed in figures]
            noise = seed_noise([float("nan") if value is None else value for value in values], confidence=confidence)
            spread = Spread(values=values, sd=noise.sd, low=noise.low, high=noise.high, limit=noise.limit)
            families.setdefault(family, {}).setdefault(model, {})[metric] = spread
    return Noise(confidence=confidence, seeds=list(runs), settings=list(settings), families=families)
