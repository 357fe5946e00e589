"""How often the intervals of `make contrast` hold the true difference: ``make coverage``, its last tables.

An arm's scores are drawn, not learnt: a case's own difficulty, what it has with one arm alone, what it varies by from
seed to seed, and what a seed does to all cases. So the expected figure of an arm is known.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit, ndtr, stdtrit

from bench.coverage_tables import ENOUGH, MOST, put, table
from bench.ends import CONFIDENCE, SAMPLES
from bench.simulation import POSITIVES
from busline.evaluation.paired_cases import ROC_AUC, figures
from busline.metrics.contrast import contrast_arms, reach_over_seeds
from busline.metrics.resampling import draw_patients, weighted_aucs

BEGIN, END = "<!-- what a change is worth, made by make coverage -->", "<!-- end of what a change is worth -->"
CASES = (100, 252)
SEEDS = (2, 3, 5)
METRICS = (ROC_AUC, "dice")
CENTRE = 1.5
"""The second arm's distance of the classes' mean scores, or the logit of its middling Dice."""


@dataclass(frozen=True)
class World:
    """What scores vary with: standard deviations on the scale of the score, or of the logit of a Dice."""

    title: str
    own: float
    """Of what a case has with one arm alone."""
    noise: tuple[float, float]
    """Of what a case varies by from seed to seed, by arm."""
    seeds: tuple[float, float]
    """Of what a seed does to all cases, by arm."""
    case: float = 0.7
    """Of what a case has in both arms."""
    better: float = 0.0
    """What is added to the first arm's centre; with 0 both arms have the same expected figure."""
    one_run: bool = False
    """Whether what the seeds draw is the same in both arms but for its size."""


WORLDS = (
    World("the same under every seed", own=0.7, noise=(0.0, 0.0), seeds=(0.0, 0.0)),
    World("cases above all", own=0.6, noise=(0.4, 0.4), seeds=(0.04, 0.04)),
    World("cases and seeds", own=0.5, noise=(0.5, 0.5), seeds=(0.12, 0.12)),
    World("cases and seeds, one better", own=0.5, noise=(0.5, 0.5), seeds=(0.12, 0.12), better=0.4),
    World("seeds above all", own=0.3, noise=(0.5, 0.5), seeds=(0.3, 0.3)),
    World("a case's noise alone", own=0.0, noise=(0.7, 0.7), seeds=(0.0, 0.0)),
    World("one arm steady", own=0.5, noise=(0.5, 0.0), seeds=(0.2, 0.0)),
    World("one arm steady, seeds above all", own=0.2, noise=(0.5, 0.0), seeds=(0.5, 0.0)),
    World("two models of one run", own=0.5, noise=(0.5, 0.4), seeds=(0.4, 0.2), one_run=True),
)


@dataclass(frozen=True)
class Cell:
    """What is drawn, the metric, and the numbers of cases and seeds."""

    world: World
    metric: str
    cases: int
    seeds: int


def expected_figure(world: World, arm: int, metric: str, centre: float) -> float:
    """Return an arm's expected figure: of a normal score in closed form, of a logit-normal Dice by quadrature."""
    of_cases = world.case**2 + world.own**2 + world.noise[arm] ** 2
    if metric == ROC_AUC:
        return float(ndtr(centre / np.sqrt(2.0 * of_cases + world.seeds[arm] ** 2)))
    points, weights = hermegauss(60)
    spread = np.sqrt(of_cases + world.seeds[arm] ** 2)
    return float((weights * expit(centre + spread * points)).sum() / weights.sum())


@cache
def centres(world: World, metric: str) -> tuple[float, float]:
    """Return both arms' centres: the first one's is that at which the arms are equal, and what makes it better."""
    goal = expected_figure(world, 1, metric, CENTRE)
    level = brentq(lambda centre: expected_figure(world, 0, metric, centre) - goal, 0.0, 4.0 * CENTRE)
    return float(level) + world.better, CENTRE


def true_difference(world: World, metric: str) -> float:
    """Return the first arm's expected figure minus the second's."""
    first, second = (expected_figure(world, arm, metric, centre) for arm, centre in enumerate(centres(world, metric)))
    return first - second


def draw(world: World, metric: str, cases: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return truth bool (n,), the positive cases first, and scores (arms, seeds, 1, n) of one experiment."""
    truth, most = np.arange(cases) < round(POSITIVES * cases), max(SEEDS)
    shared = 1 if world.one_run else 2
    of_case = world.case * generator.standard_normal(cases) + world.own * generator.standard_normal((2, 1, cases))
    of_noise = np.array(world.noise)[:, None, None] * generator.standard_normal((shared, most, cases))
    of_seed = np.array(world.seeds)[:, None, None] * generator.standard_normal((shared, most, 1))
    centre = np.array(centres(world, metric))[:, None, None] + of_seed
    if metric == ROC_AUC:
        return truth, (of_case + of_noise + centre * (truth - 0.5))[:, :, None]
    return truth, np.asarray(expit(of_case + of_noise + centre))[:, :, None]


def intervals(
    first: np.ndarray, second: np.ndarray, samples: np.ndarray, units: int, *, one_run: bool
) -> dict[str, tuple[float, float]]:
    """Return the intervals of a difference by their names in the table; see :func:`contrast_arms`."""
    found = contrast_arms(first, second, samples, units, one_run=one_run, confidence=CONFIDENCE)
    down, up = reach_over_seeds(first, second, CONFIDENCE, one_run=one_run)
    summed = _satterthwaite(first, second, samples, units, one_run=one_run)
    return {
        "cases alone": (found.cases_low, found.cases_high),
        "seeds alone": (found.difference - down, found.difference + up),
        "Satterthwaite": (found.difference - summed, found.difference + summed),
        "cases and seeds": (found.low, found.high),
    }


def _satterthwaite(first: np.ndarray, second: np.ndarray, samples: np.ndarray, units: int, *, one_run: bool) -> float:
    """Return the reach by one t for the sum of variances, its degrees of freedom by Satterthwaite 1946.

    Source: DOI 10.2307/3002019.
    """
    parts = [(samples.var(ddof=1) * units / (units - 1), units - 1)]
    arms = [first - second] if one_run else [first, second]
    parts += [(arm.var(ddof=1) / arm.size, arm.size - 1) for arm in arms]
    total = sum(variance for variance, _ in parts)
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in parts)
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(total))


def simulate(world: World, metric: str, cases: int, experiments: int, seed: int) -> dict[int, dict[str, np.ndarray]]:
    """Return the intervals (E, 2) of all experiments by number of seeds and name; fewer seeds are the first of more."""
    generator = np.random.default_rng([seed, *f"{world.title}, {metric}, {cases} cases".encode()])
    ends: dict[int, dict[str, list[tuple[float, float]]]] = {count: {} for count in SEEDS}
    names = [str(case) for case in range(cases)]
    for _ in range(experiments):
        truth, scores = draw(world, metric, cases, generator)
        counts = draw_patients(names, generator, SAMPLES)
        points = np.stack([figures(arm, truth, metric) for arm in scores])
        sampled = _sampled(scores[:, :, 0], truth, metric, counts)
        for count in SEEDS:
            samples = sampled[0, :count].mean(axis=0) - sampled[1, :count].mean(axis=0)
            arms = points[0, :count], points[1, :count]
            for name, found in intervals(*arms, samples, cases, one_run=world.one_run).items():
                ends[count].setdefault(name, []).append(found)
    return {count: {name: np.array(found) for name, found in named.items()} for count, named in ends.items()}


def _sampled(scores: np.ndarray, truth: np.ndarray, metric: str, counts: np.ndarray) -> np.ndarray:
    """Return the figures of scores (arms, seeds, n) in every sample: (arms, seeds, samples)."""
    if metric != ROC_AUC:
        return np.asarray(scores @ counts.T / counts.shape[1])
    return np.array([[weighted_aucs(truth, of_seed, counts) for of_seed in arm] for arm in scores])


@dataclass(frozen=True)
class Seen:
    """What was seen of one interval in a cell."""

    coverage: float
    """Share of the experiments in which it holds the true difference."""
    width: float
    """Mean width."""


def see(ends: np.ndarray, truth: float) -> Seen:
    """Return what was seen of intervals (E, 2)."""
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return Seen(float(held.mean()), float(np.diff(ends).mean()))


def cells(
    worlds: Sequence[World], experiments: int, seed: int, say: Callable[[str], None]
) -> dict[Cell, dict[str, Seen]]:
    """Return what was seen in every cell, by interval."""
    found = {}
    for world, metric, cases in product(worlds, METRICS, CASES):
        begun = time.monotonic()
        truth = true_difference(world, metric)
        for count, named in simulate(world, metric, cases, experiments, seed).items():
            seen = {name: see(ends, truth) for name, ends in named.items()}
            found[Cell(world, metric, cases, count)] = seen
        say(f"coverage: contrasts, {world.title}, {metric}, {cases} cases: {time.monotonic() - begun:.0f} s")
    return found


def render(experiments: int, found: Mapping[Cell, Mapping[str, Seen]]) -> str:
    """Return the tables as Markdown."""
    names = list(next(iter(found.values())))
    worlds, chosen = list(dict.fromkeys(cell.world for cell in found)), names[-1]
    by_size = []
    for size in dict.fromkeys((cell.metric, cell.cases, cell.seeds) for cell in found):
        seen = [of_cell for cell, of_cell in found.items() if (cell.metric, cell.cases, cell.seeds) == size]
        by_size.append([*map(str, size), *(_lowest([one[name] for one in seen]) for name in names)])
    by_world = [[world.title, *(_lowest(_of(found, chosen, world, count)) for count in SEEDS)] for world in worlds]
    head = ["interval", "lowest", "median", "highest", "errs among equals", f"≥ {ENOUGH}, ≤ {MOST}"]
    parts = [
        f"{experiments:,} experiments a cell, {len(worlds)} worlds.",
        "### Differences: all cells at once",
        table(head, [_summary(name, found) for name in names]),
        "### Differences: lowest coverage of the worlds (mean width)",
        table(["metric", "cases", "seeds", *names], by_size),
        f"### Differences: lowest coverage of “{chosen}”, by world (mean width)",
        table(["what scores vary with", *(f"{count} seeds" for count in SEEDS)], by_world),
    ]
    return "\n\n".join(parts)


def _summary(name: str, found: Mapping[Cell, Mapping[str, Seen]]) -> list[str]:
    """Return an interval's row over all cells: coverages, and how often it leaves out a true difference of 0."""
    coverage = np.array([seen[name].coverage for seen in found.values()])
    equal = np.array([not cell.world.better for cell in found])
    enough = np.where(equal, np.round(1.0 - coverage, 6) <= MOST, True) & (coverage >= ENOUGH)
    verdict = "yes" if enough.all() else f"in {enough.sum()} of {enough.size}"
    figures = *np.quantile(coverage, (0.0, 0.5, 1.0)), 1.0 - coverage[equal].min()
    return [name, *(f"{value:.3f}" for value in figures), verdict]


def _of(found: Mapping[Cell, Mapping[str, Seen]], name: str, world: World, seeds: int) -> list[Seen]:
    return [seen[name] for cell, seen in found.items() if (cell.world, cell.seeds) == (world, seeds)]


def _lowest(seen: Sequence[Seen]) -> str:
    return f"{min(one.coverage for one in seen):.3f} ({np.mean([one.width for one in seen]):.3f})"


def main(
    experiments: Annotated[int, typer.Option(help="Experiments a cell.", min=2)] = 2000,
    seed: Annotated[int, typer.Option(help="Root seed.")] = 2026,
    page: Annotated[Path, typer.Option(help="The page whose tables are made anew.")] = Path("docs/statistics.md"),
) -> None:
    """Simulate differences between arms with known truth and write their tables of docs/statistics.md."""
    found = cells(WORLDS, experiments, seed, lambda line: print(line, file=sys.stderr, flush=True))
    text = put(page.read_text(encoding="utf-8"), render(experiments, found), BEGIN, END)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
