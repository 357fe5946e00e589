"""The section that sets every model against every other: wins, ties and losses, and a matrix of corrected p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from busline.evaluation.outcomes import Comparison, Outcome, Outcomes
from busline.evaluation.results import Tables
from busline.families import DNN_SEARCH, FAMILIES, GROUPS, TOGETHER
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import UNDEFINED, any_name, family_name, in_order, one_name
from busline.report.operating import NAMES

Pairs = Mapping[tuple[str, str, str, str], Comparison]
Name = tuple[str, str]
TESTS = {"t": "Corrected t", "delong": "DeLong", "mcnemar": "McNemar"}
IDENTICAL = "identical"


def comparison_section(scores: Tables, comparisons: Sequence[Comparison]) -> Row:
    """Return how every model fares against every other.

    Args:
        scores: content of reports/tables.json.
        comparisons: one a pair, as reports/plots/comparisons.csv holds them.
    """
    alpha = 1 - scores.protocol.confidence
    tables = []
    for group, title in GROUPS.items():
        counted = {(entry.family, entry.model): entry for entry in scores.comparisons.get(group, [])}
        if len(counted) > 1:
            pairs = {_key(row): row for row in comparisons if row.group == group}
            models = [
                (family, name)
                for family in FAMILIES
                for name in in_order(model for of, model in counted if of == family)
            ]
            tables.append(_outcomes(scores, group, title, [counted[model] for model in models], len(pairs)))
            tables.append(_matrix(scores, group, title, models, pairs, alpha))
    return section("comparison", "Comparison of models", text=_how_to_read(alpha), tables=tables)


def _how_to_read(alpha: float) -> list[str]:
    return [
        "Every two models on the same folds. All of this describes: what is claimed, by one test, stands under "
        "“Headline”. Among equals, some of three tests cries “better” far more often than one in twenty times "
        "(docs/statistics.md). The corrected resampled t test compares the folds' ROC AUCs and allows "
        "for overlapping training parts (doi:10.1023/A:1024068626366). DeLong's test (doi:10.1109/LSP.2014.2337313) "
        "compares ROC AUCs of all cases and takes the predictions as given, so it does not know how they vary with "
        "training. McNemar's exact test compares right and wrong calls at Youden's point, chosen inside the fold; its "
        "models of the table are those trained without the tuning cases. The last two want one score or call a case: "
        "its mean score over the repeats, and the call of more than half of them. With several repeats they compare "
        "ensembles of as many fits, not single models. Models with fewer repeats are compared on the repeats that both "
        "have.",
        f"A win is a difference with p below {alpha:g} after Holm's correction for all pairs of the table. A tie is no "
        "proof of equality: on few cases, and with many pairs, most true differences are ties.",
    ]


def _outcomes(scores: Tables, group: str, title: str, entries: Sequence[Outcomes], pairs: int) -> Row:
    made = [test for test in TESTS if any(_made(entry.by_test()[test]) for entry in entries)]
    columns = [*(NAMES if group == TOGETHER else NAMES[1:]), column("auc", "ROC AUC", "score", ours=True)]
    columns += [text_column(test, f"{TESTS[test]}: wins–ties–losses", ours=True) for test in made]
    rows = []
    for entry in entries:
        row: Row = {"family": family_name(entry.family), "model": _label(scores, entry.family, entry.model)}
        row["auc"] = scores.compared(entry.family)[entry.model].metrics["roc_auc"].mean
        rows.append({**row, **{test: _counts(entry.by_test()[test]) for test in made}})
    caption = f"{pairs} pairs; the ROC AUC is the mean over the folds of all repeats that a model has."
    return table(f"outcomes_{group}", columns, rows, title=f"{title}: wins, ties and losses", caption=caption)


def _matrix(scores: Tables, group: str, title: str, models: Sequence[Name], pairs: Pairs, alpha: float) -> Row:
    columns = [text_column("model", "Model")]
    columns += [column(str(number), str(number), "pair") for number in range(1, len(models) + 1)]
    rows = []
    for place, one in enumerate(models):
        label = one_name(*one) if group == TOGETHER else _label(scores, *one)
        row: Row = {"model": f"{place + 1} {label}"}
        for number, other in enumerate(models):
            if place != number:
                row[str(number + 1)] = _cell(one, other, pairs, "delong" if number > place else "t", alpha)
        rows.append(row)
    caption = (
        "The row's ROC AUC minus the column's in hundredths, and Holm's p in brackets: above the diagonal DeLong's "
        "test of the ROC AUC of averaged scores, below it the corrected t test of the folds'. ▲: the row's model wins, "
        f"▼: it loses (p below {alpha:g}). “{IDENTICAL}”: the two have the same score for every case."
    )
    return table(f"matrix_{group}", columns, rows, title=f"{title}: differences and p-values", caption=caption)


def _cell(one: Name, other: Name, pairs: Pairs, test: Literal["t", "delong"], alpha: float) -> str:
    turned = (*one, *other) not in pairs
    pair = pairs[(*other, *one) if turned else (*one, *other)]
    t, delong = (pair.t_difference, pair.t_holm), (pair.delong_difference, pair.delong_holm)
    difference, p_value = t if test == "t" else delong
    if pair.identical:
        return IDENTICAL
    if p_value is None or difference is None:
        return UNDEFINED
    gain = -difference if turned else difference
    mark = ("▲ " if gain > 0 else "▼ ") if p_value < alpha else ""
    hundredths = round(100 * gain)
    return f"{mark}{'−' if hundredths < 0 else '+' if hundredths > 0 else ''}{abs(hundredths)} ({show_p(p_value)})"


def show_p(p_value: float) -> str:
    """Return a p-value to two digits that count, and 1 as it is."""
    if p_value < 0.001:
        return "<0.001"
    return "1" if p_value >= 0.995 else f"{p_value:.2f}" if p_value >= 0.1 else f"{p_value:.3f}"


def _label(scores: Tables, family: str, model: str) -> str:
    if family == DNN_SEARCH.key:
        point = scores.searches[family][model].point
        return f"{point['hidden']} units, dropout {point['dropout']:g}"
    return any_name(model)


def _made(outcome: Outcome) -> int:
    return outcome.wins + outcome.ties + outcome.losses


def _counts(outcome: Outcome) -> str:
    return f"{outcome.wins}–{outcome.ties}–{outcome.losses}" if _made(outcome) else UNDEFINED


def _key(pair: Comparison) -> tuple[str, str, str, str]:
    return pair.family_a, pair.model_a, pair.family_b, pair.model_b
