"""What the report says about the data: the card, the verdict on every column, and the proof of the splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from busline.base.settings.data import Data, Prune
from busline.report.layout import Row, column, section, table, text_column
from busline.split_checks import describe_lacking


def data_section(card: Mapping[str, Any], data: Data, overlap: int = 0) -> Row:
    """Return the data card: counts, distributions, missingness and duplicates of the whole main cohort.

    Args:
        card: the card.
        data: which cohorts are active; of one alone no overlap is said.
        overlap: pairs of (nearly) the same image in two of them.
    """
    labels, masks, duplicates = card["labels"], card["masks"], card["duplicates"]
    counts = [
        ("Cases", card["cases"]),
        *((f"Cases labelled {label}", count) for label, count in labels.items()),
        ("Patients (or cases, where the source names no patient)", card["patients"]),
        ("Cases with a mask of the main lesion", masks["with_main_lesion"]),
        ("Cases with further lesions' masks", masks["with_other_lesions"]),
        ("Pairs of cases with the same image", duplicates["exact"]),
        ("Pairs of cases with nearly the same image", duplicates["near"]),
        ("Such pairs with two labels", duplicates["across_labels"]),
        ("Cases left out because one image had two labels", len(duplicates["left_out"])),
    ]
    rows = [{"what": what, "count": count} for what, count in counts]
    missing = [{"column": name, "missing": share} for name, share in card["missing"].items() if share > 0]
    tables = [
        table("counts", [text_column("what", "What"), column("count", "Number", "count")], rows, title="Counts"),
        table("distributions", _DISTRIBUTION, _distributions(card), title="Distributions", caption=_CAPTION),
        table(
            "missing",
            [text_column("column", "Column"), column("missing", "Missing", "percent")],
            missing,
            title="Columns with missing values",
            caption="Share of all cases.",
        ),
    ]
    text = ["The whole cohort, cases outside the study's classes included."]
    if "crop" in card:
        edges = ", ".join(f"{name} {edge:g}" for name, edge in card["crop"].items())
        text.append(f"Of every image and mask the part inside images.crop was read: {edges}.")
    if card["undeclared"]:
        text.append(f"Columns without declared provenance: {', '.join(card['undeclared'])}.")
    text += _not_taken(card)
    text += [f"To look at: {line}." for line in [*card["doubts"]["lines"], *duplicates["lines"]]]
    if len(data.active) > 1:
        text.append(
            f"Active cohorts: {', '.join(data.active)}. Pairs of the same or nearly the same image in two of them: "
            f"{overlap}. They do not change the split, for only {data.main} is trained on."
        )
    return section("data", "Data card", text=text, tables=tables)


def _not_taken(card: Mapping[str, Any]) -> list[str]:
    """Return which rows of the source are no cases, and why."""
    lines = [f"Left out: rows labelled “{label}”, {count}." for label, count in card.get("left_out", {}).items()]
    return lines + [f"Excluded: {case} ({reason})." for case, reason in card.get("excluded", {}).items()]


def verdict_section(verdicts: Sequence[Mapping[str, Any]], prune: Prune) -> Row:
    """Return the verdict on every column with its reason, and the ROC AUC it alone would have had."""
    columns = [
        text_column("name", "Column"),
        text_column("provenance", "Provenance"),
        text_column("kind", "Kind"),
        text_column("kept", "Kept"),
        column("missing", "Missing", "percent"),
        column("auc_alone", "ROC AUC alone", "score", ours=True),
        text_column("reason", "Reason"),
    ]
    rows = [{**verdict, "kept": "yes" if verdict["kept"] else "no"} for verdict in verdicts]
    text = [
        f"A model sees only columns of provenance {', '.join(prune.allowed_provenance)} with at most "
        f"{100 * prune.max_missing:g} % missing values. The ROC AUC a column alone would have had shows what its "
        "leakage would be worth; it decides nothing.",
    ]
    return section("columns", "Verdict on every column", text=text, tables=[table("verdicts", columns, rows)])


def split_section(checks: Mapping[str, Any]) -> Row:
    """Return the proof that no group of cases stands on two sides of a split, and the sizes of the parts."""
    columns = [
        text_column("role", "Role"),
        text_column("label", "Label"),
        column("min", "Fewest", "count"),
        column("max", "Most", "count"),
    ]
    sizes = table(
        "roles",
        columns,
        checks["cases_by_role"],
        title="Cases by role",
        caption="Over all resamples, the master split's too.",
    )
    text = [
        f"{checks['cases']} cases in {checks['groups']} groups (cases of one patient, and near-duplicate images; the "
        f"largest has {checks['largest_group']}) were split into {checks['resamples']} resamples. Groups with cases in "
        f"two roles of a resample: {checks['groups_in_two_roles']}.",
        "Models learn from training cases, networks stop by validation cases, voting weights are chosen on tuning "
        "cases, and test cases are scored.",
        *_origin_of_folds(checks),
        *(f"To mind: {line}." for line in describe_lacking(checks)),
    ]
    return section("splits", "Splits", text=text, tables=[sizes])


def _origin_of_folds(checks: Mapping[str, Any]) -> list[str]:
    """Return where the folds come from; nothing where they were dealt."""
    lines = []
    if given := checks.get("folds_from"):
        lines.append(
            f"The folds are the values of column {given['column']}, in this order: {', '.join(given['values'])}."
        )
    if kept := checks.get("folds_kept"):
        lines.append(
            f"Cases that keep the roles they had before: {kept['kept']}; new ones, dealt to where they were wanted: "
            f"{kept['new']}; cases that are gone: {kept['gone']}."
        )
        lines += [f"To mind: {line}." for line in kept["joined"]]
    return lines


_CAPTION = "Of the values that are not missing; sizes in pixels as released and as stored, pixel size as released."
_STATISTICS = {"mean": "Mean", "sd": "SD", "min": "Min", "q1": "Q1", "median": "Median", "q3": "Q3", "max": "Max"}
_DISTRIBUTION = [
    text_column("what", "What"),
    text_column("label", "Label"),
    column("n", "n", "count"),
    column("missing", "Missing", "count"),
    *(column(key, head, "number", ours=True) for key, head in _STATISTICS.items()),
]
_SIZES = {
    "width": "Width (px)",
    "height": "Height (px)",
    "stored_width": "Stored width (px)",
    "stored_height": "Stored height (px)",
    "pixel_mm": "Pixel size (mm)",
}


def _distributions(card: Mapping[str, Any]) -> list[Row]:
    by_label = {**card["numeric"], "Lesion (share of the image)": card["lesion_share"]}
    rows = [
        {"what": name, "label": label, **values} for name, parts in by_label.items() for label, values in parts.items()
    ]
    return rows + [{"what": head, "label": "all", **card["images"][key]} for key, head in _SIZES.items()]
