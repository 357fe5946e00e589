"""The section on single cases: pictures for the page, their figures for the Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import METRICS, UNDEFINED, model_name, segmentation_metrics


def cases_section(pictures: Mapping[str, Any], positive: str) -> Row:
    """Return the galleries of segmentations and saliency maps, and tables of the cases shown.

    Args:
        pictures: content of reports/pictures/pictures.json.
        positive: the positive class.
    """
    galleries, tables = [], []
    if pictures["segmentation"]:
        text = (
            "Best, median and worst segmentation of repeat 0 by Dice. Left: the scan. Middle: the lesion's true "
            "outline (green). Right: the predicted lesion (orange) under both outlines."
        )
        shown = [{"file": p["file"], "caption": _segmentation_caption(p)} for p in pictures["segmentation"]]
        galleries.append({"layout": "rows", "text": text, "pictures": shown})
        columns = [text_column("rank", "Rank by Dice"), text_column("case_id", "Case"), text_column("label", "Label")]
        columns += [
            column(key, METRICS[key], "score", ours=True) for key in segmentation_metrics(pictures["segmentation"][0])
        ]
        tables.append(table("segmented", columns, pictures["segmentation"], title="Segmented cases"))
    saliency = pictures["saliency"]
    if saliency["pictures"]:
        model = model_name(saliency["model"])
        text = f"Where the image model ({model}) looks, for high to low scores of each class. {saliency['method']}"
        shown = [{"file": p["file"], "caption": _saliency_caption(p, positive)} for p in saliency["pictures"]]
        galleries.append({"layout": "", "text": text, "pictures": shown})
        columns = [text_column("case_id", "Case"), text_column("label", "Label")]
        columns.append(column("score", f"Probability of {positive}", "score", ours=True))
        tables.append(table("salient", columns, saliency["pictures"], title=f"Cases with a saliency map of {model}"))
    text = "Each case is shown by the network of repeat 0 that was not trained on it."
    return section("cases", "Cases", text=[text], tables=tables, galleries=galleries)


def _segmentation_caption(picture: Mapping[str, Any]) -> str:
    scores = [
        f"{METRICS[key]} {UNDEFINED if picture[key] is None else format(picture[key], '.2f')}"
        for key in segmentation_metrics(picture)
    ]
    return f"{picture['rank'].capitalize()}: case {picture['case_id']} ({picture['label']}), {', '.join(scores)}."


def _saliency_caption(picture: Mapping[str, Any], positive: str) -> str:
    return f"Case {picture['case_id']} ({picture['label']}): probability of {positive} {picture['score']:.2f}."
