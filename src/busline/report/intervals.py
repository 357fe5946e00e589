"""What the report says of its one interval, and the appendix on the paper's own: a bootstrap of the fold scores."""

from __future__ import annotations

from collections.abc import Iterator

from busline.evaluation.results import Protocol, Summary, Tables
from busline.families import AUGMENTATION, CNN, DNN_SEARCH, MERGED, SEGMENT, TABULAR
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import METRICS, model_name, pair_name
from busline.report.operating import percent
from busline.report.paper import Interval, Published, TabularScores

COVERED = (0.94, 1.00)
"""Least and greatest coverage of the interval in docs/statistics.md where it says 0.95."""
BOOTSTRAP_COVERED = (0.37, 0.83)
"""The same of a bootstrap of the fold scores."""

Beside = tuple[int, str, str, Interval, Summary | None]
"""Number of the paper's table, model, metric, the published figure and ours, None where the model did not run."""


def about_interval(scores: Tables) -> str:
    """Say what stands beside every mean over the folds, and what it rests on."""
    return (
        f"The {percent(scores)} interval beside it is the corrected t of Nadeau and Bengio "
        "(doi:10.1023/A:1024068626366), which allows for the overlap of the training parts; scores between 0 and 1 "
        "have it in Wilson's form (doi:10.1080/01621459.1927.10502953). It is rather too wide: in simulations it held "
        f"the truth {_span(COVERED)} of the time where it says 0.95 (docs/statistics.md). It rests on the folds, and "
        f"few make it wide: {_degrees(scores.protocol)}. It speaks of this cohort, not of other hospitals."
    )


def paper_interval_section(scores: Tables, published: Published, segmenter: str | None) -> list[Row]:
    """Return the paper's kind of interval, of our folds, beside those that it published; nothing where none ran.

    Args:
        scores: content of reports/tables.json.
        published: the paper.
        segmenter: the segmentation network that stands beside the paper's, or None.
    """
    rows = [
        {
            "table": f"Table {number}",
            "model": model,
            "metric": METRICS[metric],
            "paper": figure._asdict(),
            "ours": found.mean,
            "bootstrap": [found.bootstrap_low, found.bootstrap_high],
        }
        for number, model, metric, figure, found in _published(scores, published, segmenter)
        if found
    ]
    if not rows:
        return []
    columns = [
        text_column("table", "Table"),
        text_column("model", "Model"),
        text_column("metric", "Metric"),
        column("paper", "Paper (95 %)", "published"),
        column("ours", "Ours", "score", ours=True),
        column("bootstrap", f"Bootstrap of the folds {percent(scores)}", "interval", ours=True),
    ]
    text = (
        f"The intervals of {published.citation.short} are of a bootstrap of the fold scores. That of our folds "
        f"({scores.protocol.bootstrap:,} samples) stands here beside them, and nowhere else. It takes the folds as "
        f"independent, which they are not: in simulations it held the truth {_span(BOOTSTRAP_COVERED)} of the time "
        "where it says 0.95 (docs/statistics.md). It can be compared with the paper's, and says nothing of where the "
        "truth lies."
    )
    shown = table("paper_interval", columns, rows, title="Published intervals and a bootstrap of our folds")
    return [section("paper_interval", "The paper's own interval", text=[text], tables=[shown])]


def _published(scores: Tables, published: Published, segmenter: str | None) -> Iterator[Beside]:
    """Return every figure that the paper gives an interval for; of the voted pairs it gives none."""
    for name, of_model in published.tabular.items():
        for metric in TabularScores.model_fields:
            yield 4, model_name(name), metric, getattr(of_model, metric), _found(scores, TABULAR.key, name, metric)
    searched = {
        (network.point["hidden"], network.point["dropout"]): model
        for model, network in scores.searches.get(DNN_SEARCH.key, {}).items()
    }
    for row in published.dnn_search:
        model, label = searched.get((row.hidden, row.dropout), ""), f"{row.hidden} units, dropout {row.dropout:g}"
        yield 5, label, "roc_auc", row.roc_auc, _found(scores, DNN_SEARCH.key, model, "roc_auc")
    for number, family, paper in ((6, AUGMENTATION, published.augmentation), (7, CNN, published.cnn)):
        for model, figure in paper.items():
            yield number, model_name(model), "roc_auc", figure, _found(scores, family.key, model, "roc_auc")
    for model, figure in published.merged.items():
        yield 8, pair_name("dnn", model), "roc_auc", figure, _found(scores, MERGED.key, model, "roc_auc")
    for metric, score in published.segment.items():
        figure, model = Interval(score.mean, score.low, score.high), segmenter or ""
        yield 9, model_name(model), metric, figure, _found(scores, SEGMENT.key, model, metric)


def _found(scores: Tables, family: str, name: str, metric: str) -> Summary | None:
    model = scores.found(family).get(name)
    return model.metrics.get(metric) if model else None


def _degrees(protocol: Protocol) -> str:
    folds, of_images = (protocol.folds * count for count in (protocol.repeats, protocol.image_repeats))
    text = f"{folds} folds leave {folds - 1} degree{'s' if folds > 2 else ''} of freedom"
    return text if of_images == folds else f"{text}, the {of_images} of networks of images {of_images - 1}"


def _span(covered: tuple[float, float]) -> str:
    return f"{covered[0]:.2f} to {covered[1]:.2f}"
