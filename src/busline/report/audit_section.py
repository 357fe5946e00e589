"""What the report says about leaks: columns, splits, fold models scored on cases they know, and permuted labels."""

from __future__ import annotations

from collections.abc import Sequence

from busline.audit.results import ColumnAlone, ColumnClass, Leakage, MasterSplits, Permutation, Planted, ScoredBothWays
from busline.families import FAMILIES, TABULAR
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import METRICS, any_name, family_name, model_name, pair_name
from busline.report.paper import Published, published_aucs

FEW = {TABULAR.key: 199, "image": 19}
"""Fewer permutations than these find gross leaks only, and the report says so."""
ROUNDING = 0.005
WITHIN = ("leaked only", "honest only", "both", "neither")
"""Which of the two ranges of draws a figure of the paper lies in."""


def audit_section(leakage: Leakage, published: Published | None, *, comparable: bool) -> Row:
    """Return the audit's section.

    Args:
        leakage: content of reports/leakage.json.
        published: the paper, or None.
        comparable: whether the paper's figures are about the same data; only then they are judged.
    """
    rows = protocol_rows(leakage.protocol, published)
    text = [_what_was_checked(leakage), *_protocol_text(leakage.protocol, rows, published, comparable=comparable)]
    text.append(_permutation_text(leakage))
    tables = [
        _protocol_table(rows, leakage.protocol, published),
        _permutation_table(leakage.permutation),
        _class_table(leakage.columns.classes),
        _column_table(leakage.columns.alone),
        _planted_table(leakage.splits.planted),
    ]
    return section("audit", "Leakage audit", text=text, tables=[shown for shown in tables if shown["rows"]])


def protocol_rows(protocol: MasterSplits, published: Published | None) -> list[Row]:
    """Return one row a model or pair: the paper's figure, honest and leaked, and which of them would hold the paper's.

    A pair of the paper whose image model was not run shows its tabular member alone, and ``from`` says so. Only voting
    pairs are judged: the paper's other figures are means over folds, which single draws do not speak of.
    """
    found = {(row.family, row.model): row for row in protocol.rows}
    paper = {key: figure["mean"] for key, figure in published_aucs(published).items()}
    rows = []
    for key in [*found, *(key for key in paper if key not in found)]:
        family, model = key
        alone = key not in found
        source = found.get((TABULAR.key, model.split("+")[0]) if alone else key)
        if source is None:
            continue
        figure = paper.get(key)
        rows.append(
            {
                "family": family_name(family),
                "model": any_name(model),
                "from": "tabular member alone" if alone else "",
                "paper": {"mean": figure} if figure is not None else None,
                "honest": source.honest.mean,
                "honest_range": [source.honest.low, source.honest.high],
                "leaked": source.leaked.mean,
                "leaked_range": [source.leaked.low, source.leaked.high],
                "leaked_max": source.leaked.max,
                "known": source.known,
                "within": _within(figure, source) if FAMILIES[family].members else "",
            }
        )
    return rows


def _within(figure: float | None, source: ScoredBothWays) -> str:
    """Say which of the two ranges of draws the paper's figure, rounded to two decimals, lies in."""
    inside = []
    for name, draws in (("honest", source.honest), ("leaked", source.leaked)):
        if figure is None or draws.low is None or draws.high is None:
            return ""
        if draws.low - ROUNDING <= figure <= draws.high + ROUNDING:
            inside.append(name)
    return {2: "both", 0: "neither"}.get(len(inside)) or f"{inside[0]} only"


def _what_was_checked(leakage: Leakage) -> str:
    splits = leakage.splits
    sides = splits.pairs_on_two_sides
    return (
        f"Every check here that finds a leak stops the run. Of {splits.cases:,} cases of {splits.patients:,} "
        f"patients (or cases, where the source names no patient), split into {splits.resamples} resamples, "
        f"{sides.patients} pairs of one patient and "
        f"{sides.duplicates} of {splits.duplicate_pairs} pairs of near-duplicate images, looked for anew, stand "
        f"on two sides of a split. No kept column alone has a ROC AUC above "
        f"{leakage.settings.max_auc_alone:g}."
    )


def _protocol_text(
    protocol: MasterSplits, rows: Sequence[Row], published: Published | None, *, comparable: bool
) -> list[str]:
    low, high = protocol.test_cases
    cases = f"{low}" if low == high else f"{low} to {high}"
    text = [
        f"A master split and the folds share their cases: a model of a fold was trained on most of a master split's "
        f"test cases. The table scores every fold model on the {cases} test cases of {protocol.master_splits} "
        "master splits all the same (leaked; of a pair, with the voting weight best on the validation cases), and "
        "beside it the out-of-fold predictions of the same cases (honest). The ranges hold 90 % of the single draws, "
        "one split and one fold model or repeat each: a single estimate on so few cases says little."
    ]
    if published and comparable:
        text += _findings(rows, published)
    elif published:
        text.append(
            f"The figures of {published.citation.short} are about other data and stand there for orientation only; "
            "whether one lies in a range here means nothing."
        )
    return text


def _findings(rows: Sequence[Row], published: Published) -> list[str]:
    """Say with care which of the paper's voting rows leaked scoring would explain, and count all of them."""
    pairs = [row for row in rows if row["within"]]
    counts = {within: sum(row["within"] == within for row in pairs) for within in WITHIN}

    def named(within: str) -> str:
        chosen = [f"{row['model']} ({row['paper']['mean']:.2f})" for row in pairs if row["within"] == within]
        return f"{counts[within]}: {'; '.join(chosen)}" if chosen else "none"

    text = [
        f"{published.citation.short} does not say which cases its voting estimates were scored on. Of its "
        f"{len(pairs)} voting rows, leaked scoring, and not honest scoring, would give figures like those of "
        f"{named('leaked only')}. Honest scoring, and not leaked scoring, would give figures like those of "
        f"{named('honest only')}; leaked scoring would have lifted these as well. Either would: {named('both')}. "
        f"Neither would: {named('neither')}."
    ]
    whole = whole_weights(published)
    if whole:
        text.append(
            f"The paper's pairs with a tabular weight of 1 ({'; '.join(whole)}) repeat its cross-validated means of "
            "the tabular model, which suggests that voting was cross-validated there: they count like the others."
        )
    return [*text, _conclusion(counts["leaked only"], counts["honest only"])]


def _conclusion(leaked: int, honest: int) -> str:
    """Say what the counts of rows that one way of scoring alone explains come to."""
    if leaked > honest:
        sum_up = f"More rows are explained by leaked scoring alone ({leaked}) than by honest scoring alone ({honest})"
    elif leaked < honest:
        sum_up = f"Fewer rows are explained by leaked scoring alone ({leaked}) than by honest scoring alone ({honest})"
    else:
        sum_up = f"As many rows are explained by leaked scoring alone as by honest scoring alone ({leaked})"
    return (
        f"{sum_up}: a finding about what would be consistent, not a verdict on what was done. A row that leaked "
        "scoring alone explains needs an explanation, whatever the others do."
    )


def whole_weights(published: Published) -> list[str]:
    """Return the paper's pairs whose weight is 1 and whose figure is the tabular model's own mean."""
    return [
        pair_name(row.tabular, row.image)
        for row in published.vote
        if row.weight >= 1.0
        and row.tabular in published.tabular
        and abs(row.roc_auc - published.tabular[row.tabular].roc_auc.mean) <= ROUNDING
    ]


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


def _protocol_table(rows: Sequence[Row], protocol: MasterSplits, published: Published | None) -> Row:
    columns = [text_column("family", "Family"), text_column("model", "Model")]
    if published:
        columns.append(column("paper", "Paper", "published"))
    columns += [
        column("honest", "Honest", "score", ours=True),
        column("honest_range", "90 % of draws", "interval", ours=True),
        column("leaked", "Leaked", "score", ours=True),
        column("leaked_range", "90 % of draws", "interval", ours=True),
        column("leaked_max", "Best", "score", ours=True),
        column("known", "Test cases known", "percent", ours=True),
    ]
    if published:
        columns += [text_column("within", "Paper lies in"), text_column("from", "Figures of")]
    caption = (
        f"Means over {protocol.master_splits} master splits. Stored networks learnt from training cases and were "
        "stopped by validation cases, so they know fewer test cases than classical models do."
    )
    title = "Test cases of master splits, scored by models that know them"
    return table("protocol", columns, rows, title=title, caption=caption)


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
