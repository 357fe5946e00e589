"""The tables of docs/statistics.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.simulation import Scheme

ENOUGH = 0.93
"""Coverage that an interval must have everywhere."""
MOST = 0.06
"""Share of equals among which a test may cry "better"."""
BEGIN, END = "<!-- made by make coverage -->", "<!-- end of what make coverage makes -->"


@dataclass(frozen=True)
class Cell:
    """What is learnt from, the number of cases, and the scheme of cross-validation."""

    world: str
    cases: int
    scheme: Scheme

    def __str__(self) -> str:
        return f"{self.world}, {self.cases} cases, {self.scheme}"


@dataclass(frozen=True)
class Covered:
    """What was seen in a cell."""

    truth: float
    """Expected figure of the procedure."""
    noise: float
    """Standard deviation of the fits' true figures."""
    bias: Mapping[str, float]
    """By estimate: mean minus truth."""
    coverage: Mapping[str, float]
    """By interval: share of the experiments in which it holds the procedure's expected figure."""
    given: Mapping[str, float]
    """The same for the mean true figure of the very models that were fitted."""
    width: Mapping[str, float]
    """By interval: mean width, of what lies between 0 and 1."""


def covered(true: np.ndarray, points: Mapping[str, np.ndarray], intervals: Mapping[str, np.ndarray]) -> Covered:
    """Return what was seen; ``true`` (E, R, K) of the fits, points (E,), intervals (E, 2)."""
    expected, own = float(true.mean()), true.mean(axis=(1, 2))
    return Covered(
        truth=expected,
        noise=float(true.std()),
        bias={name: float(values.mean()) - expected for name, values in points.items()},
        coverage={name: _held(ends, expected) for name, ends in intervals.items()},
        given={name: _held(ends, own) for name, ends in intervals.items()},
        width={name: float(np.diff(ends.clip(0.0, 1.0)).mean()) for name, ends in intervals.items()},
    )


def render(
    experiments: int,
    areas: Mapping[Cell, Covered],
    equal: Mapping[Cell, Mapping[str, float]],
    better: Mapping[Cell, Mapping[str, float]],
    rates: Mapping[Cell, Mapping[tuple[str, str], Covered]],
) -> str:
    """Return the tables as Markdown."""
    by_rate = [found for of_cell in rates.values() for found in of_cell.values()]
    worst = {cell: _lowest(list(of_cell.values())) for cell, of_cell in rates.items()}
    parts = [
        f"{experiments:,} experiments a cell: the standard error of a coverage of 0.95 is "
        f"{np.sqrt(0.95 * 0.05 / experiments):.3f}.",
        "### ROC AUC: all cells at once",
        _summary(areas.values()),
        "### ROC AUC: coverage (mean width)",
        _cells(areas),
        "### ROC AUC: bias of the estimates",
        _biases(areas),
        '### Equally good models: how often a test cries "better"',
        _tests(equal),
        "### One model better: how often a test says so",
        _tests(better, names=[name for name in next(iter(better.values())) if "Holm" not in name]),
        "### Sensitivity and specificity: all cells at once",
        _summary(by_rate),
        "### Sensitivity and specificity: lowest coverage of six (mean width)",
        "Three operating points, two rates each.",
        table(
            ["data", "cases", "folds", *worst[next(iter(worst))]],
            [[*_names(cell), *row.values()] for cell, row in worst.items()],
        ),
        "### Sensitivity and specificity: largest bias of six",
        _rate_biases(rates),
    ]
    return "\n\n".join(parts)


def put(page: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """Return the page with ``text`` between the markers.

    Raises:
        ValueError: if the page has not both markers.
    """
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"the page needs the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _held(ends: np.ndarray, truth: float | np.ndarray) -> float:
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


def _summary(found: Collection[Covered]) -> str:
    """Return a row an interval: the coverages of all cells, and the width beside the narrowest that covers."""
    rows = []
    for name in next(iter(found)).coverage:
        coverage = np.array([cell.coverage[name] for cell in found])
        given = np.array([cell.given[name] for cell in found])
        width = np.mean([cell.width[name] for cell in found])
        verdict = "yes" if coverage.min() >= ENOUGH else f"in {(coverage >= ENOUGH).sum()} of {coverage.size}"
        figures = (coverage.min(), float(np.median(coverage)), coverage.max(), given.min())
        rows.append([name, *(f"{value:.3f}" for value in figures), f"{width:.3f}", verdict])
    head = ["interval", "lowest", "median", "highest", "lowest for these models", "mean width", f"≥ {ENOUGH}"]
    return table(head, rows)


def _cells(found: Mapping[Cell, Covered]) -> str:
    names = list(next(iter(found.values())).coverage)
    rows = [
        [*_names(cell), *(f"{seen.coverage[name]:.3f} ({seen.width[name]:.3f})" for name in names)]
        for cell, seen in found.items()
    ]
    return table(["data", "cases", "folds", *names], rows)


def _biases(found: Mapping[Cell, Covered]) -> str:
    names = list(next(iter(found.values())).bias)
    rows = [
        [*_names(cell), f"{seen.truth:.3f}", f"{seen.noise:.3f}", *(f"{seen.bias[name]:+.3f}" for name in names)]
        for cell, seen in found.items()
    ]
    return table(["data", "cases", "folds", "true", "SD of a fit", *names], rows)


def _rate_biases(rates: Mapping[Cell, Mapping[tuple[str, str], Covered]]) -> str:
    names = list(next(iter(next(iter(rates.values())).values())).bias)
    rows = [
        [*_names(cell), *(f"{max((seen.bias[name] for seen in of_cell.values()), key=abs):+.3f}" for name in names)]
        for cell, of_cell in rates.items()
    ]
    return table(["data", "cases", "folds", *names], rows)


def _lowest(found: Sequence[Covered]) -> dict[str, str]:
    return {
        name: f"{min(seen.coverage[name] for seen in found):.3f} ({np.mean([seen.width[name] for seen in found]):.3f})"
        for name in found[0].coverage
    }


def _tests(found: Mapping[Cell, Mapping[str, float]], names: Sequence[str] = ()) -> str:
    names = names or [name for name in next(iter(found.values())) if name != "difference"]
    rows = [[*_names(cell), *(f"{seen[name]:.3f}" for name in names)] for cell, seen in found.items()]
    highest = ["", "", "highest", *(f"{max(seen[name] for seen in found.values()):.3f}" for name in names)]
    return table(["data", "cases", "folds", *names], [*rows, highest])


def _names(cell: Cell) -> list[str]:
    return [cell.world, f"{cell.cases:,}", str(cell.scheme)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
