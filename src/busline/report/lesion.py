"""The section on the lesion network: its diagnoses, what each part is worth, and its outlines beside the U-Net's."""

from __future__ import annotations

from busline.base.settings.lesion import Lesion
from busline.base.settings.weights import NONE
from busline.evaluation.results import Summary, Tables
from busline.families import LESION, LESION_PARTS, SEGMENT, segmenters
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import (
    METRICS,
    about_distances,
    count_scored,
    in_order,
    model_name,
    one_name,
    segmentation_metrics,
)
from busline.report.operating import percent


def lesion_section(scores: Tables, lesion: Lesion) -> Row:
    """Return diagnoses and outlines, of which there may be none; ``lesion`` says what the network learnt from."""
    tables = [_diagnoses(scores)] if scores.scored(LESION.key) else []
    if set(scores.segmentations) - {SEGMENT.key}:  # which has a table of its own
        tables.append(_outlines(scores))
    return section(LESION.key, "Lesion network", text=_how_to_read(_begins_with(lesion)), tables=tables)


def _begins_with(lesion: Lesion) -> str:
    """Return the initial weights in words."""
    file = None if lesion.weights == NONE else f"the weights “{lesion.weights}” of {lesion.encoder}"
    if not lesion.pretrain.phantoms:
        return file or "random weights"
    return f"weights learnt on phantoms, and before that {file}" if file else "weights learnt on phantoms"


def _how_to_read(initial: str) -> list[str]:
    return [
        "One network outlines the lesion and judges it, on the whole picture and in a window around its own outline. "
        f"For every pair of folds one, or several, learns from the other folds, from {initial}. A "
        "test case is seen by all networks that left its fold out. A logistic regression joins their logits with "
        "nine measures of the outline's shape and echo, and with the clinical columns; it is fitted on cases of the "
        "other folds as seen by networks that left both folds out.",
        "The lesion's size in mm is an input of the models that say so, and of no other: it needs the size of a pixel, "
        "which the picture does not show and which whoever scanned the case chose.",
        "What a radiologist noted (shape, margin, echo, BI-RADS) is a target of the network's training, like the "
        "masks, and no model's input.",
    ]


def _diagnoses(scores: Tables) -> Row:
    rows = [
        {"model": model_name(name), **_summary(models[name].metrics["roc_auc"])}
        for models in (scores.scored(LESION.key), scores.searches.get(LESION_PARTS.key, {}))
        for name in in_order(models)
    ]
    caption = "The first four are the models; the others are the same step with some of the inputs."
    return table(
        "lesion_auc", [text_column("model", "Inputs"), *_columns(scores)], rows, title="ROC AUC", caption=caption
    )


def _outlines(scores: Tables) -> Row:
    found = [
        (family.title if family.files else one_name(family.key, name), content)
        for family in segmenters()
        for name, content in scores.segmentations.get(family.key, {}).items()
    ]
    names = segmentation_metrics(name for _, content in found for name in content.metrics)
    rows = [
        {
            "metric": METRICS[name],
            "model": title,
            **_summary(content.metrics[name]),
            "cases": count_scored(content.cases[name].count, content.cases[name].undefined),
        }
        for name in names
        for title, content in found
        if name in content.metrics
    ]
    columns = [text_column("metric", "Score"), text_column("model", "Network"), *_columns(scores)]
    columns.append(column("cases", "Scored cases", "text", ours=True))
    caption = (
        "Means over the test folds of the mean over cases, at the size the cohort stores. The lesion network's outline "
        f"is the component with the largest summed probability, filled. {about_distances(names)}"
    ).strip()
    return table("lesion_outlines", columns, rows, title="Outlines", caption=caption)


def _columns(scores: Tables) -> list[Row]:
    return [
        column("ours", "Ours", "score", ours=True),
        column("interval", f"{percent(scores)} interval", "interval", ours=True),
        column("folds", "Folds", "count", ours=True),
    ]


def _summary(score: Summary) -> Row:
    return {
        "ours": score.mean,
        "interval": [score.low, score.high],
        "folds": score.folds,
        "status": "run",
    }
