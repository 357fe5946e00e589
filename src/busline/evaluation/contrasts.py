"""What changes are worth: what `make contrast` writes to docs/results/contrasts, as numbers and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from busline.base.results import Number, Result

HEAD = (
    "what",
    "metric",
    "model (SD over seeds)",
    "against (SD over seeds)",
    "difference",
    "over cases and seeds",
    "over cases alone",
    "seeds",
    "cases",
    "patients",
    "folds",
)
HOW_TO_READ = """\
A figure is the mean over the seeds of training; of a seed it is, averaged over the repeats, the ROC AUC of all
out-of-fold scores at once, or the mean Dice or IoU over the cases. A difference is that of `model` minus `against`, on
the same cases. The interval over cases and seeds is for other patients and networks trained again; that over cases
alone is for other patients and these very networks. Neither holds what another cohort or other folds would change:
training sets are held fixed. [Why these intervals](../../statistics.md#what-a-change-is-worth)."""


class Side(Result):
    """One arm of a pair."""

    name: str
    """Family and model, as `cnn/custom_cnn`."""
    settings: dict[str, Any]
    """Parameters that were set for this arm alone."""
    values: list[Number]
    """The figure under each seed, in their order."""
    mean: Number
    sd: Number
    """Standard deviation over the seeds."""
    folds: int
    repeats: int


class Pair(Result):
    """One metric of one pair of arms, see :func:`busline.metrics.contrast.contrast_arms`."""

    what: str
    metric: str
    model: Side
    against: Side
    one_run: bool
    """Whether both figures of a seed come from one run."""
    difference: Number
    """Of `model` minus `against`."""
    low: Number
    """Over cases and seeds."""
    high: Number
    cases_low: Number
    """Over cases alone."""
    cases_high: Number
    cases: int
    undefined: int
    """Cases that are left out: without a score in one run or another."""
    patients: int
    groups: int
    """Patients, those with near-duplicate images counted as one: what the bootstrap draws."""


class Contrasts(Result):
    """The content of docs/results/contrasts/<name>.json."""

    name: str
    study: str | None
    """The study of studies/ whose settings all runs have."""
    settings: dict[str, Any]
    """Parameters that were set for all runs."""
    seeds: list[int]
    """Values of ``seed.train``."""
    confidence: float
    pairs: list[Pair]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return values, mean and standard deviation of the figures of two or more seeds, as the fields of a side."""
    found = np.asarray(values, dtype=np.float64)
    return {"values": found.tolist(), "mean": float(found.mean()), "sd": float(found.std(ddof=1))}


def page(contrasts: Contrasts) -> str:
    """Return the page: what was run, the table, and how to read it."""
    base = [f"study `{contrasts.study}`"] if contrasts.study else []
    base += [_setting(key, value) for key, value in contrasts.settings.items()]
    lines = [
        f"# What changes are worth: `{contrasts.name}`",
        "",
        f"    make contrast NAME={contrasts.name}",
        "",
        f"All runs: {', '.join(base) or 'params.yaml as it is'}. "
        f"`seed.train`: {', '.join(map(str, contrasts.seeds))}. Intervals: {100 * contrasts.confidence:g} %.",
        "",
        *table(contrasts),
        "",
        *dict.fromkeys(_arms(pair) for pair in contrasts.pairs),
        "",
        HOW_TO_READ,
    ]
    return "\n".join([*lines, *_left_out(contrasts)]) + "\n"


def table(contrasts: Contrasts) -> list[str]:
    """Return the table as lines of Markdown, its columns aligned: a metric of a pair a line."""
    rows = [list(HEAD), *(_row(pair, len(contrasts.seeds)) for pair in contrasts.pairs)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return [f"| {' | '.join(row)} |" for row in padded]


def _row(pair: Pair, seeds: int) -> list[str]:
    sides = [f"{_number(side.mean)} ({_number(side.sd)})" for side in (pair.model, pair.against)]
    intervals = [
        f"{_number(low, sign=True)} to {_number(high, sign=True)}"
        for low, high in ((pair.low, pair.high), (pair.cases_low, pair.cases_high))
    ]
    counts = [str(count) for count in (seeds, pair.cases, pair.patients)]
    folds = dict.fromkeys(f"{side.folds} × {side.repeats}" for side in (pair.model, pair.against))
    return [pair.what, pair.metric, *sides, _number(pair.difference, sign=True), *intervals, *counts, ", ".join(folds)]


def _arms(pair: Pair) -> str:
    one, other = (_arm(side) for side in (pair.model, pair.against))
    return f"- {pair.what}: {one} against {other}" + (", of the same runs." if pair.one_run else ".")


def _arm(side: Side) -> str:
    return " with ".join([f"`{side.name}`", *_joined(side.settings)])


def _joined(settings: Mapping[str, Any]) -> list[str]:
    return [", ".join(_setting(key, value) for key, value in settings.items())] if settings else []


def _setting(key: str, value: Any) -> str:
    return f"`{key}: {value if isinstance(value, str) else json.dumps(value)}`"


def _left_out(contrasts: Contrasts) -> list[str]:
    """Return a line for every pair that could not use all cases."""
    lines = [
        f"- {pair.what}, {pair.metric}: left out, for want of a score in one run or another: {pair.undefined} cases."
        for pair in contrasts.pairs
        if pair.undefined
    ]
    return ["", *lines] if lines else []


def _number(value: float | None, *, sign: bool = False) -> str:
    return "n/a" if value is None else f"{value:{'+' if sign else ''}.4f}"
