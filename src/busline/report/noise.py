"""The section on the noise of training: what a figure moves by if nothing changes but the seed of training."""

from __future__ import annotations

from collections.abc import Iterable

from busline.base.artifacts import plain
from busline.evaluation.metrics_file import compact
from busline.evaluation.results import Tables
from busline.evaluation.seed_noise import Headline, Noise, Spread, headline_figures
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import METRICS, in_order, one_name
from busline.report.operating import NAMES, named

HEADS = {**METRICS, "pooled_roc_auc": "Pooled ROC AUC"}
Measured = list[tuple[str, str, str, Spread]]


def noise_section(noise: Noise, scores: Tables, seed: int) -> list[Row]:
    """Return the section, or nothing where nothing was measured.

    Args:
        noise: content of reports/noise.json.
        scores: content of reports/tables.json; models that it has none of are left out.
        seed: ``seed.train`` of this run.
    """
    if not noise.seeds:
        return []
    current = headline_figures(plain(compact(scores)))
    measured = [
        (family, model, metric, spread)
        for family, models in noise.families.items()
        for model in in_order(models)
        for metric, spread in models[model].items()
        if (family, model, metric) in current
    ]
    text = [_how_to_read(noise), *_fixed(measured), *_out_of_date(noise, measured, current, seed)]
    return [section("noise", "Noise of training", text=text, tables=[_table(noise, measured)])]


def _table(noise: Noise, measured: Measured) -> Row:
    columns = [
        *NAMES,
        text_column("metric", "Metric"),
        column("mean", "Mean over the seeds", "score", ours=True),
        column("sd", "SD of the difference", "score", ours=True),
        column("interval", f"Its {100 * noise.confidence:g} % interval", "interval", ours=True),
        column("limit", "Repeatability limit", "score", ours=True),
    ]
    rows = []
    for family, model, metric, spread in measured:
        values = [value for value in spread.values if value is not None]
        mean = sum(values) / len(values) if len(values) == len(spread.values) else None
        figures = {"mean": mean, "sd": spread.sd, "interval": [spread.low, spread.high], "limit": spread.limit}
        rows.append({**named(family, model), "metric": HEADS[metric], **figures})
    return table("noise", columns, rows, title="The difference between two seeds of training")


def _how_to_read(noise: Noise) -> str:
    alone = f" Set for these runs alone: {', '.join(noise.settings)}." if noise.settings else ""
    return (
        f"The same data, folds and bootstrap samples, trained with {len(noise.seeds)} seeds (seed.train: "
        f"{', '.join(map(str, noise.seeds))}). Of each headline figure there is the standard deviation of the "
        "difference between two seeds, √2 times that over the seeds, and the repeatability limit: a change of a model "
        f"that moves its figure by less cannot be told from another seed ({100 * noise.confidence:g} %, Student's t). "
        f"Neither says anything of other patients or other folds.{alone}"
    )


def _fixed(measured: Measured) -> list[str]:
    """Say which models have the same figures under every seed."""
    moved = {(family, model) for family, model, _, spread in measured if len(set(spread.values)) > 1}
    names = _names((family, model) for family, model, *_ in measured if (family, model) not in moved)
    if not names:
        return []
    return [f"0 where seed.train decides nothing, or nothing that these figures show: {names}."]


def _out_of_date(noise: Noise, measured: Measured, current: Headline, seed: int) -> list[str]:
    """Say what of this run the table is not about."""
    text = []
    again = "`make noise` measures anew."
    if seed in noise.seeds:
        place = noise.seeds.index(seed)
        moved = [(key, model) for key, model, metric, of in measured if of.values[place] != current[key, model, metric]]
        if moved:
            text.append(f"Out of date, as this run has other figures with the same seed: {_names(moved)}. {again}")
    else:
        text.append(f"This run has another seed.train, {seed}, so whether the table is out of date is not known.")
    known = {name[:3] for name in measured}
    if missing := _names((family, model) for family, model, metric in current if (family, model, metric) not in known):
        text.append(f"Not measured: {missing}. {again}")
    return text


def _names(models: Iterable[tuple[str, str]]) -> str:
    return ", ".join(one_name(*model) for model in dict.fromkeys(models))
