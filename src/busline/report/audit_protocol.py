"""The audit's table of test cases of master splits, scored by models that know them, and what it says of a paper."""

from __future__ import annotations

from collections.abc import Sequence

from busline.audit.results import MasterSplits, ScoredBothWays
from busline.families import FAMILIES, TABULAR
from busline.report.layout import Row, column, table, text_column
from busline.report.names import any_name, family_name, pair_name
from busline.report.paper import Published, published_aucs

ROUNDING = 0.005
WITHIN = ("leaked only", "honest only", "both", "neither")
"""Which of the two ranges of draws a figure of the paper lies in."""


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


def protocol_text(
    protocol: MasterSplits, rows: Sequence[Row], published: Published | None, *, comparable: bool
) -> list[str]:
    """Return what the table shows and, where the paper is about the same data, what its figures are consistent with."""
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


def protocol_table(rows: Sequence[Row], protocol: MasterSplits, published: Published | None) -> Row:
    """Return the table of rows of :func:`protocol_rows`."""
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


def whole_weights(published: Published) -> list[str]:
    """Return the paper's pairs whose weight is 1 and whose figure is the tabular model's own mean."""
    return [
        pair_name(row.tabular, row.image)
        for row in published.vote
        if row.weight >= 1.0
        and row.tabular in published.tabular
        and abs(row.roc_auc - published.tabular[row.tabular].roc_auc.mean) <= ROUNDING
    ]


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


def _within(figure: float | None, source: ScoredBothWays) -> str:
    """Say which of the two ranges of draws the paper's figure, rounded to two decimals, lies in."""
    inside = []
    for name, draws in (("honest", source.honest), ("leaked", source.leaked)):
        if figure is None or draws.low is None or draws.high is None:
            return ""
        if draws.low - ROUNDING <= figure <= draws.high + ROUNDING:
            inside.append(name)
    return {2: "both", 0: "neither"}.get(len(inside)) or f"{inside[0]} only"
