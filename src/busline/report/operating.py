"""Pooled scores, and sensitivity and specificity at operating points chosen inside the fold."""

from __future__ import annotations

from collections.abc import Sequence

from busline.evaluation.pooled import PatientScore, Pooled
from busline.evaluation.results import OperatingPoint, Tables
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import any_name, count_scored, family_name, one_name, scored_models

Found = tuple[str, str, dict[str, OperatingPoint]]
"""A model's family and name, and its operating points by name."""
POINTS = {
    "youden": (
        "Youden's point",
        "The threshold with the greatest sensitivity + specificity on the cases to choose on.",
    ),
    "sensitivity_95": (
        "At 95 % sensitivity",
        "The highest threshold that reaches 95 % sensitivity on the cases to choose on.",
    ),
    "specificity_90": (
        "At 90 % specificity",
        "The lowest threshold that reaches 90 % specificity on the cases to choose on.",
    ),
}
SAME_MODELS = "other patients, the same models"
"""What an interval that resamples the cases that are scored answers."""
NAMES = [text_column("family", "Family"), text_column("model", "Model")]


def pooled_table(scores: Tables) -> Row:
    """Return the scores of all out-of-fold predictions of a repeat at once, and of patients where some have several."""
    models = scored_models(scores)
    patients = {_of_patients(found.pooled.by_patient) for _, _, found in models if found.pooled.by_patient}
    columns = [
        *NAMES,
        column("area", f"ROC AUC ({percent(scores)}: {SAME_MODELS})", "estimate", ours=True),
        *([column("by_patient", "ROC AUC, one score a patient (likewise)", "estimate", ours=True)] if patients else []),
        column("average_precision", "Average precision", "score", ours=True),
        column("curve_sensitivity", "Sensitivity at 90 % specificity, read off the curve", "score", ours=True),
        column("cases", "Cases", "count", ours=True),
    ]
    rows = [
        {
            **named(family, name),
            **found.pooled.model_dump(include={"average_precision", "curve_sensitivity", "cases"}),
            "area": _with_interval(found.pooled),
            "by_patient": _with_interval(found.pooled.by_patient) if found.pooled.by_patient else None,
        }
        for family, name, found in models
    ]
    caption = (
        "All out-of-fold predictions of a repeat at once; each figure is the mean over the repeats. The interval is a "
        f"bootstrap of the patients ({SAME_MODELS}): it leaves out what learning from other cases would change. What "
        "is read off the curve is the best threshold in hindsight: the next section has the figure whose threshold was "
        "chosen beforehand."
    )
    return table("pooled", columns, rows, title="Pooled scores", caption=" ".join([caption, *sorted(patients)]))


def operating_section(scores: Tables) -> Row:
    """Return both rates at every operating point, with what there was to choose on."""
    found = [(family, name, model.operating) for family, name, model in scored_models(scores) if model.operating]
    if not found:
        return section("operating", "Operating points", text=["Not available: no model kept cases out to choose on."])
    tables = [_point_table(point, found, percent(scores)) for point in POINTS]
    return section("operating", "Operating points", text=_how_chosen(scores), tables=tables)


def named(family: str, name: str) -> Row:
    """Return the cells that name a model."""
    return {"family": family_name(family), "model": any_name(name)}


def percent(scores: Tables) -> str:
    """Return the confidence of the intervals, such as 95 %."""
    return f"{100 * scores.protocol.confidence:g} %"


def chosen_cases(scores: Tables) -> str:
    """Say how many cases a fold has to choose on, such as: 30 to 31 tuning cases, 12 of them malignant."""
    protocol = scores.protocol
    kinds = {"tuning cases": protocol.tune, "inner out-of-fold predictions": protocol.inner}
    return "; ".join(
        f"{_span(found.cases)} {name}, {_span(found.positives)} of them {protocol.positive}"
        for name, found in kinds.items()
        if found
    )


def _with_interval(score: Pooled | PatientScore) -> list[float | None]:
    return [score.roc_auc, score.roc_auc_low, score.roc_auc_high]


def _of_patients(score: PatientScore) -> str:
    return (
        f"Of the {score.patients} patients some have several cases: a patient has the {score.rule} score of its cases "
        "and is positive if any of them is."
    )


def _how_chosen(scores: Tables) -> list[str]:
    return [
        "Each threshold is chosen inside the fold, on the tuning cases that the model was not trained on, and applied "
        "to the same model's test cases. Of the models of the table, these are the ones trained without the "
        "tuning cases. A voted pair's weight was chosen on the same cases, which flatters it there: its thresholds "
        "tend to be too high.",
        "The lesion models learn from all training cases. Their thresholds are chosen on inner out-of-fold predictions "
        "of these: each training case scored by a network and a regression that saw neither its fold nor the test "
        "fold.",
        f"A fold has few cases to choose on: {chosen_cases(scores)}. So a threshold is uncertain, and what is aimed at "
        "is not what the test cases show; that gap is part of the figure.",
        "Rates are means over the folds with their interval. Pooled: over all cases, each counted by the share of "
        f"repeats in which it is called rightly, with a bootstrap of the patients ({SAME_MODELS}). Not available for "
        "the searches, which are compared by ROC AUC alone, and for the segmentation.",
    ]


def _point_table(point: str, found: Sequence[Found], confidence: str) -> Row:
    columns = [text_column("model", "Model")]
    for rate, head in (("sensitivity", "Sensitivity"), ("specificity", "Specificity")):
        columns += [
            column(rate, f"{head} ({confidence} interval)", "rate", ours=True),
            column(f"{rate}_pooled", "Pooled (patients)", "rate", ours=True),
        ]
    columns += [column("threshold", "Threshold", "score", ours=True), text_column("folds", "Folds", ours=True)]
    rows = [{"model": one_name(family, name), **_rates(points[point])} for family, name, points in found]
    title, caption = POINTS[point]
    return table(f"operating_{point}", columns, rows, title=title, caption=f"{caption} Median threshold of the folds.")


def _rates(point: OperatingPoint) -> Row:
    folds = count_scored(point.sensitivity.folds, point.sensitivity.undefined)
    row: Row = {"threshold": point.threshold.median, "folds": folds}
    for rate, found in (("sensitivity", point.sensitivity), ("specificity", point.specificity)):
        row |= {
            rate: [found.mean, found.low, found.high],
            f"{rate}_pooled": [found.pooled, found.pooled_low, found.pooled_high],
        }
    return row


def _span(ends: Sequence[int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
