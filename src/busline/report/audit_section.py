"""What the report says about leaks: columns, splits, fold models scored on cases they know, and permuted labels."""

from __future__ import annotations

from collections.abc import Sequence

from busline.audit.results import ColumnAlone, ColumnClass, Leakage, Permutation, Planted
from busline.families import TABULAR
from busline.report.audit_protocol import protocol_rows, protocol_table, protocol_text
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import METRICS, model_name
from busline.report.paper import Published

FEW = {TABULAR.key: 199, "image": 19}
"""Fewer permutations than these find gross leaks only, and the report says so."""


def audit_section(leakage: Leakage, published: Published | None, *, comparable: bool) -> Row:
    """Return the audit's section.

    Args:
        leakage: content of reports/leakage.json.
        published: the paper, or None.
        comparable: whether the paper's figures are about the same data; only then they are judged.
    """
    rows = protocol_rows(leakage.protocol, published)
    text = [_what_was_checked(leakage)]
    if leakage.protocol.master_splits:
        text[0] += f" No kept column alone has a ROC AUC above {leakage.settings.max_auc_alone:g}."
        text += protocol_text(leakage.protocol, rows, published, comparable=comparable)
        text.append(_permutation_text(leakage))
    else:
        text.append("The cohort has no labels that anything could tell, so nothing else was looked for.")
    tables = [
        protocol_table(rows, leakage.protocol, published),
        _permutation_table(leakage.permutation),
        _class_table(leakage.columns.classes),
        _column_table(leakage.columns.alone),
        _planted_table(leakage.splits.planted),
    ]
    return section("audit", "Leakage audit", text=text, tables=[shown for shown in tables if shown["rows"]])


def _what_was_checked(leakage: Leakage) -> str:
    splits = leakage.splits
    sides = splits.pairs_on_two_sides
    return (
        f"Every check here that finds a leak stops the run. Of {splits.cases:,} cases of {splits.patients:,} "
        f"patients (or cases, where the source names no patient), split into {splits.resamples} resamples, "
        f"{sides.patients} pairs of one patient and "
        f"{sides.duplicates} of {splits.duplicate_pairs} pairs of near-duplicate images, looked for anew, stand "
        "on two sides of a split."
    )


def _permutation_text(leakage: Leakage) -> str:
    settings = leakage.settings
    text = (
        "On permuted labels a pipeline must score what chance scores: the mean over permutations is tested against "
        "0.5, one-sided, and p below 0.001 stops the run. This finds a leak in the procedure (features or a threshold "
        "chosen, or training stopped, on test cases), not a column that copies the label."
    )
    few = [
        f"{count or 'none'} of {what} models, where {FEW[what]} are meant"
        for what, count in ((TABULAR.key, settings.tabular_permutations), ("image", settings.image_permutations))
        if count < FEW[what]
    ]
    if few:
        text += f" This run made few permutations ({'; '.join(few)}), which find gross leaks only."
    if settings.image_permutations:
        text += (
            f" The image model had {settings.image_epochs} epochs at {settings.image_size} × "
            f"{settings.image_size} pixels from random weights, so its observed score is not that of the other "
            "tables."
        )
    return text


def _permutation_table(rows: Sequence[Permutation]) -> Row:
    columns = [
        text_column("model", "Model"),
        text_column("metric", "Metric"),
        column("permutations", "Permutations", "count"),
        column("mean", "Permuted mean", "score", ours=True),
        column("sd", "SD", "score", ours=True),
        text_column("above", "p (above 0.5)", ours=True),
        column("observed", "Observed", "score", ours=True),
        text_column("place", "p (observed)", ours=True),
    ]
    names = {**METRICS, "balanced_accuracy": "Balanced accuracy"}
    shown = [
        {
            **dict(row),
            "model": model_name(row.name),
            "metric": names.get(row.metric, row.metric),
            "above": _p(row.p_mean),
            "place": _p(row.p_observed),
        }
        for row in rows
    ]
    caption = "One mean over the folds a permutation; observed: the same on the labels as they are, one repeat."
    return table("permutation", columns, shown, title="Permuted labels", caption=caption)


def _class_table(classes: Sequence[ColumnClass]) -> Row:
    columns = [
        text_column("what", "Columns"),
        column("auc", "ROC AUC", "score", ours=True),
        column("gain", "Gain", "number", ours=True),
        column("interval", "95 % interval", "interval", ours=True),
        text_column("names", "Which"),
    ]
    rows = []
    for row in classes:
        gain = row.gain or row.auc
        less = f"{', '.join(row.columns)} alone" if row.gain else "kept"
        rows.append(
            {
                "what": f"kept and {row.provenance}" if row.provenance else less,
                "auc": row.auc.mean,
                "gain": row.gain.mean if row.gain else "–",
                "interval": [gain.low, gain.high],
                "names": ", ".join(row.columns),
            }
        )
    caption = (
        "Logistic regression in the study's folds; the interval is that of the gain over the kept columns, or of their "
        "ROC AUC. Columns that differ in every case are left out. A kept column alone: a declared provenance is taken "
        "at its word, and whether a finding was noted before the scan is not to be seen in a table."
    )
    return table("classes", columns, rows, title="What dropped columns would have been worth", caption=caption)


def _column_table(alone: Sequence[ColumnAlone]) -> Row:
    columns = [
        text_column("name", "Column"),
        text_column("provenance", "Provenance"),
        text_column("kept", "Kept"),
        column("value", "ROC AUC alone", "score", ours=True),
        column("interval", "95 % interval", "interval", ours=True),
        column("missing", "Of its gaps alone", "score", ours=True),
    ]
    rows = [
        {
            **dict(row),
            "kept": "yes" if row.kept else "no",
            "value": row.value.mean,
            "interval": [row.value.low, row.value.high],
            "missing": row.missing.mean,
        }
        for row in alone
    ]
    caption = "Means over the study's folds; direction and categories' shares from the training cases."
    return table("alone", columns, rows, title="Every column alone", caption=caption)


def _planted_table(planted: Sequence[Planted]) -> Row:
    columns = [
        text_column("change", "Copies"),
        column("planted", "Planted", "count"),
        column("found", "Found", "count"),
        column("false", "Falsely joined", "count"),
    ]
    caption = "Changed copies of this cohort's own images, planted among them and looked for."
    rows = [dict(row) for row in planted]
    return table("planted", columns, rows, title="Near-duplicates that would be found", caption=caption)


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
