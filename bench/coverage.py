"""What intervals cover and what tests cry among equals, simulated with known truth: ``make coverage``.

The tables go between the markers of docs/statistics.md, which says what is drawn and what is concluded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer

from bench import areas, coverage_tables, equal_models, operating
from bench.coverage_tables import Cell, Covered
from bench.simulation import Experiments, Scheme, World, run

Found = TypeVar("Found")

BATCH = 10
"""Experiments that are drawn at once, for the memory that they take."""
CASES = (100, 252, 1000)
SCHEMES = (Scheme(3, 1), Scheme(5, 1), Scheme(5, 10))
TUNED = 0.15
"""Share of the training cases that a threshold is chosen on, as cv.tune_fraction in params.yaml."""
MODELS = 5
"""Equally good models that are compared with each other."""
SHARED = 0.5
"""Correlation of their features."""

STEADY, HIGH = np.full(10, 0.42), np.full(10, 0.75)
UNSTEADY, WILD = np.repeat([0.6, 0.0], 6), np.repeat([0.85, 0.0], (4, 8))
WORLDS = (
    World("steady", STEADY[None]),
    World("high", HIGH[None]),
    World("unsteady", UNSTEADY[None], drawn=9),
    World("very unsteady", WILD[None], drawn=7),
)
EQUAL = (
    World("steady", np.tile(STEADY, (MODELS, 1)), shared=SHARED),
    World("unsteady", np.tile(UNSTEADY, (MODELS, 1)), drawn=9, shared=SHARED),
)
UNEQUAL = (World("steady, one better", np.stack([STEADY, 0.34 / 0.42 * STEADY]), shared=SHARED),)


@dataclass(frozen=True)
class Run:
    """How much is simulated."""

    experiments: int
    seed: int


def batches(world: World, cell: Cell, scheme: Scheme, size: Run) -> Iterator[tuple[Experiments, np.random.Generator]]:
    """Yield a cell's experiments by its scheme or by one with tuning cases; the draws hang on the seed and the cell."""
    generator = np.random.default_rng([size.seed, *str(cell).encode()])
    for start in range(0, size.experiments, BATCH):
        count = min(BATCH, size.experiments - start)
        yield run(world, scheme, cell.cases, count, generator), generator


def area_cell(world: World, cell: Cell, size: Run) -> Covered:
    """Return what the intervals of the ROC AUC cover in a cell."""
    true, points, intervals = [], [], []
    for found, generator in batches(world, cell, cell.scheme, size):
        estimates, ends = areas.estimates_and_intervals(found, cell.scheme, generator)
        true.append(found.aucs[:, 0])
        points.append(estimates)
        intervals.append(ends)
    return coverage_tables.covered(np.concatenate(true), _joined(points), _joined(intervals))


def operating_cell(world: World, cell: Cell, size: Run) -> dict[tuple[str, str], Covered]:
    """Return what the intervals of sensitivity and specificity cover in a cell, by operating point and rate."""
    scheme = replace(cell.scheme, tuned=TUNED)
    true: dict[tuple[str, str], list[np.ndarray]] = {}
    found_of: dict[tuple[str, str], list[dict[str, np.ndarray]]] = {}
    for found, generator in batches(world, cell, scheme, size):
        for point, limits in operating.tuned_thresholds(found).items():
            for rate, values in found.rates(limits).items():
                true.setdefault((point, rate), []).append(values[:, 0])
        for key, values_of in operating.estimates_and_intervals(found, scheme, generator).items():
            found_of.setdefault(key, []).append(values_of)
    covered = {}
    for key, parts in found_of.items():
        joined = _joined(parts)
        points = {name: values for name, values in joined.items() if values.ndim == 1}
        intervals = {name: values for name, values in joined.items() if values.ndim == 2}
        covered[key] = coverage_tables.covered(np.concatenate(true[key]), points, intervals)
    return covered


def comparison_cell(world: World, cell: Cell, size: Run) -> dict[str, float]:
    """Return by test how often it cries "better" in a cell, and the first two models' difference in ROC AUC."""
    scheme = replace(cell.scheme, tuned=TUNED)
    parts, difference = [], []
    for found, generator in batches(world, cell, scheme, size):
        parts.append(equal_models.findings(found, scheme, generator))
        difference.append(found.aucs[:, 0] - found.aucs[:, 1])
    shares = {name: float(values.mean()) for name, values in _joined(parts).items()}
    return {"difference": float(np.concatenate(difference).mean()), **shares}


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _cells(
    what: str, worlds: Sequence[World], measure: Callable[[World, Cell, Run], Found], size: Run
) -> dict[Cell, Found]:
    found = {}
    for world, cases, scheme in product(worlds, CASES, SCHEMES):
        cell, begun = Cell(world.title, cases, scheme), time.monotonic()
        found[cell] = measure(world, cell, size)
        print(f"coverage: {what}, {cell}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


def main(
    experiments: Annotated[int, typer.Option(help="Experiments a cell.", min=2)] = 2000,
    seed: Annotated[int, typer.Option(help="Root seed.")] = 2026,
    page: Annotated[Path, typer.Option(help="The page whose tables are made anew.")] = Path("docs/statistics.md"),
) -> None:
    """Simulate intervals and tests with known truth and write the tables of docs/statistics.md."""
    size = Run(experiments, seed)
    text = coverage_tables.render(
        experiments,
        _cells("ROC AUC", WORLDS, area_cell, size),
        _cells("equal models", EQUAL, comparison_cell, size),
        _cells("one better", UNEQUAL, comparison_cell, size),
        _cells("operating points", (WORLDS[0], WORLDS[2]), operating_cell, size),
    )
    page.write_text(coverage_tables.put(page.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
