"""The section with what the study said beforehand that it claims."""

from __future__ import annotations

from busline.evaluation.headline import parse_place
from busline.evaluation.outcomes import Claim
from busline.evaluation.results import Summary, Tables
from busline.report.layout import Row, column, section, table, text_column
from busline.report.model_comparison import show_p
from busline.report.names import METRICS, NOTHING, UNDEFINED, one_name
from busline.report.operating import percent


def headline_section(scores: Tables) -> list[Row]:
    """Return the section, or none where the parameters claim nothing."""
    if not scores.headline and not scores.described:
        return []
    confidence = percent(scores)
    columns = [
        text_column("model", "Model"),
        text_column("metric", "Metric"),
        column("ours", f"Ours ({confidence})", "estimate", ours=True),
        text_column("against", "Against"),
        column("difference", f"Difference ({confidence})", "estimate", ours=True),
        text_column("p", "p", ours=True),
        text_column("p_holm", "p (Holm)", ours=True),
        column("folds", "Folds", "count", ours=True),
    ]
    with_task = [text_column("task", "Task"), *columns]
    rows = [{"task": task, **_row(scores, claim)} for task, claim in scores.headline.items()]
    shown = [table("headline", with_task, rows)] if rows else []
    if scores.described:
        title, more = "Also set side by side", [_row(scores, claim) for claim in scores.described]
        kept = [one for one in columns if one["key"] != "p_holm"]
        shown.append(table("described", kept, more, title=title, caption="Named before the run as well; not claimed."))
    text = [
        "What the parameters named, before the run, as the figure of each task and the one test that it is claimed by: "
        "the corrected t test of the folds' scores, which in simulations cried “better” in at most 4 of 100 pairs "
        f"of equals (docs/statistics.md). Holm's correction is over these {len(rows)} claims. Every other figure "
        "and every other test of this report describes. A difference that is not found is no sign of equality: with "
        "few folds the test finds little.",
        *_missing(scores),
    ]
    return [section("headline", "Headline", text=text, tables=shown)]


def _row(scores: Tables, claim: Claim) -> Row:
    found = _figure(scores, claim.model, claim.metric)
    return {
        "model": one_name(*parse_place(claim.model)),
        "metric": METRICS[claim.metric],
        "ours": None if found is None else [found.mean, found.low, found.high],
        "against": NOTHING if claim.against is None else one_name(*parse_place(claim.against)),
        "difference": None if claim.difference is None else [claim.difference, claim.low, claim.high],
        "p": UNDEFINED if claim.p_value is None else show_p(claim.p_value),
        "p_holm": UNDEFINED if claim.p_holm is None else show_p(claim.p_holm),
        "folds": claim.folds if found is None or claim.folds else found.folds,
    }


def _figure(scores: Tables, place: str, metric: str) -> Summary | None:
    family, model = parse_place(place)
    found = scores.found(family).get(model)
    return None if found is None else found.metrics.get(metric)


def _missing(scores: Tables) -> list[str]:
    """Say which models of the questions are not in this run."""
    claims = [*scores.headline.values(), *scores.described]
    places = [place for claim in claims for place in (claim.model, claim.against) if place]
    gone = dict.fromkeys(place for place in places if parse_place(place)[1] not in scores.found(parse_place(place)[0]))
    return [f"Not in this run: {', '.join(one_name(*parse_place(place)) for place in gone)}."] if gone else []
