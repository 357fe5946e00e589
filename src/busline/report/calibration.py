"""The section on calibration: of the evaluated models, and before and after a calibration inside the fold."""

from __future__ import annotations

from busline.evaluation.pooled import Recalibration
from busline.evaluation.results import Tables
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import one_name, scored_models
from busline.report.operating import NAMES, chosen_cases, named

HEADS = {
    "ece": ("Calibration error", "score"),
    "ece_perfect": ("Of a perfect model", "score"),
    "ece_chance": ("Its 95th percentile", "score"),
    "slope": ("Slope", "score"),
    "intercept": ("Intercept", "score"),
    "brier": ("Brier score", "score"),
}
BOTH = ("ece", "ece_perfect", "slope", "intercept", "brier")


def calibration_section(scores: Tables) -> Row:
    """Return calibration of all predictions of a repeat, as they are and calibrated inside the fold."""
    tables = [_evaluated(scores)]
    text = [
        "On all out-of-fold predictions of a repeat at once; each figure is the mean over the repeats, as "
        "probabilities that are averaged first would be an ensemble's. The calibration error is the mean distance of "
        f"predicted and observed frequency in {scores.protocol.calibration_bins} bins of equal numbers; it is never 0 "
        "on few cases, so beside it stands what a perfectly calibrated model with the same probabilities would get, "
        "and the 95th percentile of that. A slope below 1 means probabilities that are too extreme, an intercept below "
        "0 probabilities that are too high on the whole; both are of logistic regressions on the predicted log odds "
        "(doi:10.1186/s12916-019-1466-7). A slope is n/a where it is not finite in one of the repeats.",
        *_base_rate(scores),
    ]
    before_after = _before_after(scores)
    if before_after["rows"]:
        tables.append(before_after)
        text.append(
            f"The calibration is Platt's on the log odds, fitted inside the fold on {chosen_cases(scores)}: two "
            "parameters, the slope shrunk by a ridge penalty (scikit-learn's C = 1) and kept from turning the order "
            "around. So few cases move the level rightly and the slope roughly."
        )
    else:
        text.append("Before and after calibration: not available, as no model kept cases out to fit it on.")
    return section("calibration", "Calibration", text=text, tables=tables)


def _base_rate(scores: Tables) -> list[str]:
    """Return what the share of positive cases alone would get; nothing where no model says which these are."""
    if scores.protocol.positives is None:
        return []
    share = scores.protocol.positives / scores.protocol.cases
    return [
        f"A model that gives every case the share of {scores.protocol.positive} cases, {share:.3f}, is perfectly "
        f"calibrated and useless: its Brier score is {share * (1 - share):.3f}."
    ]


def _evaluated(scores: Tables) -> Row:
    columns = [*NAMES, *(column(key, head, kind, ours=True) for key, (head, kind) in HEADS.items())]
    rows = [
        {**named(family, name), **found.pooled.model_dump(include=set(HEADS))}
        for family, name, found in scored_models(scores)
    ]
    return table("calibration", columns, rows, title="Calibration of the evaluated models")


def _before_after(scores: Tables) -> Row:
    columns = [text_column("model", "Model")]
    for key in BOTH:
        head, kind = HEADS[key]
        columns += [
            column(f"{key}_before", f"{head}, before", kind, ours=True),
            column(f"{key}_after", "after", kind, ours=True),
        ]
    columns.append(text_column("better", "Brier better", ours=True))
    rows = []
    for family, name, found in scored_models(scores):
        if found.calibration:
            row: Row = {"model": one_name(family, name), "better": _better(found.calibration)}
            for state, calibration in dict(found.calibration).items():
                row |= {f"{key}_{state}": getattr(calibration, key) for key in BOTH}
            rows.append(row)
    caption = (
        "Those of the table are not quite the ones above, as they kept the tuning cases out of their training. Not "
        "available for the searches."
    )
    return table("recalibrated", columns, rows, title="Calibration inside the fold, before and after", caption=caption)


def _better(calibration: Recalibration) -> str | None:
    before, after = calibration.before.brier, calibration.after.brier
    return None if before is None or after is None else "yes" if after < before else "no"
