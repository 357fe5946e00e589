"""Measure the noise of training: train again with other values of seed.train, on the same data and folds.

Each seed is a DVC experiment up to `evaluate` in a folder of its own, so the workspace stays as it is, also when a run
is interrupted. What does not depend on seed.train comes from the cache, as does a seed that was run before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from busline.base.artifacts import save_json
from busline.base.cli import run_stage
from busline.base.errors import ParameterError
from busline.base.params import load_params
from busline.evaluation.metrics_file import Metrics
from busline.evaluation.seed_noise import Noise, measure_noise
from busline.study import experiment_reference, git, run_experiment

RESULT = Path("reports/noise.json")
METRICS = "reports/metrics.json"


def main(
    count: Annotated[int, typer.Argument(help="How many seeds: that of params.yaml and the next ones.")] = 5,
    settings: Annotated[
        list[str] | None, typer.Option("-S", "--set-param", help="A setting for these runs alone, key=value.")
    ] = None,
) -> None:
    """Write reports/noise.json and print it: of each headline figure, the standard deviation between two seeds."""
    first = load_params().seed.train
    noise = measure_seeds(first, count, settings or [], run_seed)
    save_json(noise.model_dump(), RESULT)
    print("\n".join([*show(noise), f"\nWritten to {RESULT}; `dvc repro` puts it into the report."]))


def measure_seeds(
    first: int, count: int, settings: Sequence[str], run: Callable[[int, Sequence[str]], Metrics]
) -> Noise:
    """Return the noise over the seeds ``first``, ``first + 1``, …; nothing runs if an argument is wrong.

    Args:
        first: seed.train of params.yaml.
        count: how many seeds, at least 2.
        settings: parameters for these runs alone, as key=value; not seed.train.
        run: trains and evaluates with a seed and these settings, and returns the metrics file.

    Raises:
        ParameterError: if there are fewer than two seeds, or a setting is none or sets the seed of training.
    """
    if count < 2:
        raise ParameterError("N", f"is {count}", expected="2 or more seeds", mend="make noise N=5")
    for setting in settings:
        key, equals, _ = setting.partition("=")
        if not equals:
            raise ParameterError(f"-S {setting}", "has no value", expected="key=value")
        if key.strip("+~ ") in ("seed", "seed.train"):
            mend = "leave it out, or change seed.train in params.yaml: it is the first seed"
            raise ParameterError(f"-S {setting}", "sets the seed that is varied here", mend=mend)
    runs = {seed: run(seed, settings) for seed in range(first, first + count)}
    return measure_noise(runs, settings=settings)


def run_seed(seed: int, settings: Sequence[str]) -> Metrics:
    """Train and evaluate with a seed in a DVC experiment, which is removed again, and return its metrics file."""
    name = f"noise-{seed}"
    reference = experiment_reference(name)
    git("update-ref", "-d", reference)  # left by a run that was killed
    try:
        run_experiment(name, [*settings, f"seed.train={seed}"], "evaluate")
        metrics: Metrics = json.loads(git("show", f"{reference}:{METRICS}"))
    finally:
        git("update-ref", "-d", reference)
    return metrics


def show(noise: Noise) -> list[str]:
    """Return the table as lines of text: a metric of a model a line."""
    percent = f"{100 * noise.confidence:g} %"
    rows = [("model", "metric", "SD of difference", f"its {percent} interval", "repeatability limit")]
    for family, models in noise.families.items():
        for model, spreads in models.items():
            for metric, spread in spreads.items():
                sd, low, high, limit = (
                    "n/a" if value is None else f"{value:.4f}"
                    for value in (spread.sd, spread.low, spread.high, spread.limit)
                )
                rows.append((f"{family}/{model}", metric, sd, f"{low} to {high}", limit))
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    seeds = ", ".join(map(str, noise.seeds))
    return [f"\nseed.train: {seeds}; 0 where training draws nothing that the figure shows", "", *lines]


if __name__ == "__main__":
    run_stage(main)
