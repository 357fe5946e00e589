"""Measure what changes are worth: the pairs of contrasts/<name>.yaml, over the same cases and several training seeds.

Each distinct setting and seed is a DVC experiment in a folder of its own, as far as the stages that write the models'
predictions, so the workspace stays as it is, also when a run is interrupted. What was run before comes from the cache:
starting again goes on where the run ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
import typer

from busline.base.artifacts import atomic_file, save_json, save_text
from busline.base.cli import run_stage
from busline.base.errors import BuslineError, ParameterError
from busline.base.params import load_params
from busline.base.settings.reading import read_parameters
from busline.contrast_plan import VARIED, Arm, AskedPair, AskedSide, Plan, read_plan
from busline.evaluation.contrasts import Contrasts, Pair, Side, page, spread, table
from busline.evaluation.paired_cases import (
    Cohort,
    contrast_cases,
    count_groups,
    figures,
    pair_cases,
    read_cases,
    read_cohort,
)
from busline.evaluation.patients import PatientBootstrap
from busline.families import Family
from busline.study import experiment_reference, format_value, git, run_experiment

RESULTS = Path("docs/results/contrasts")

Runner = Callable[[str, Sequence[str], Sequence[str], Sequence[str], Path], None]
"""See :func:`run_arms`."""


@dataclass(frozen=True)
class Runs:
    """What the runs of one setting said, in the order of the seeds."""

    cases: Mapping[str, list[pd.DataFrame]]
    """By file of predictions, see :func:`busline.evaluation.paired_cases.read_cases`."""
    cohort: Cohort


def main(name: Annotated[str, typer.Argument(help="A file of contrasts/, without its suffix.")]) -> None:
    """Write docs/results/contrasts/<name>.json and .md, and print the table."""
    plan = read_plan(name)
    contrasts = measure(plan, run_arms)
    with atomic_file(RESULTS / f"{name}.json") as numbers, atomic_file(RESULTS / f"{name}.md") as text:
        save_json(contrasts.model_dump(), numbers)
        save_text(page(contrasts), text)
    print("\n".join(["", *table(contrasts), f"\nWritten to {RESULTS / name}.json and .md"]))


def measure(plan: Plan, run: Runner) -> Contrasts:
    """Run what a plan needs and compare its pairs.

    Args:
        plan: what is to be run and compared.
        run: trains with some settings and fetches files of the run, as :func:`run_arms`.
    """
    found = [_run_setting(plan, number, arms, run) for number, arms in enumerate(plan.runs, start=1)]
    by_arm = [[found[_place(plan, arm)] for arm in arms] for arms in plan.arms]
    pairs = [
        _compare(pair, metric, arms, runs)
        for pair, arms, runs in zip(plan.asked.pairs, plan.arms, by_arm, strict=True)
        for metric in pair.metrics
    ]
    asked, confidence = plan.asked, plan.arms[0][0].params.evaluate.confidence
    return Contrasts(
        name=plan.name,
        study=asked.study,
        settings=asked.settings,
        seeds=plan.seeds,
        confidence=confidence,
        pairs=pairs,
    )


def run_arms(name: str, settings: Sequence[str], targets: Sequence[str], paths: Sequence[str], folder: Path) -> None:
    """Train in a DVC experiment, which is removed again, and copy some of its files.

    Args:
        name: of the experiment.
        settings: parameters to set, as key=value.
        targets: stages to run, with all that they need.
        paths: files, from the repository's root: in Git, an output, or in a folder that is one.
        folder: where they are copied to, under the same paths.
    """
    reference = experiment_reference(name)
    git("update-ref", "-d", reference)  # left by a run that was killed
    try:
        run_experiment(name, settings, *targets)
        fetch(reference, paths, folder)
    finally:
        git("update-ref", "-d", reference)


def fetch(reference: str, paths: Sequence[str], folder: Path) -> None:
    """Copy files of a commit, and of DVC's cache as its lock names them, into ``folder`` under the same paths.

    Args:
        reference: a commit, or what names one.
        paths: files, from the repository's root.
        folder: where they are copied to.

    Raises:
        BuslineError: if the commit has no such file or, of an output that is a file, the cache has lost it.
    """
    from dvc.api import DVCFileSystem

    files = DVCFileSystem(rev=reference)
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            files.get_file(path, str(folder / path))
        except FileNotFoundError as error:
            raise BuslineError(f"{reference}: {path}", "is missing", mend="run the contrast again") from error


def writing_stage(stages: Mapping[str, Mapping[str, object]], family: Family, model: str) -> str:
    """Return the stage that writes a model's predictions, of the mapping ``stages`` of dvc.yaml."""
    folder = f"data/predictions/{family.key}"
    for name, stage in stages.items():
        outputs = stage.get("outs", [])
        assert isinstance(outputs, list)
        if folder in outputs:
            return name
        if any(str(path).startswith(f"{folder}/${{item.") for path in outputs):
            return f"{name}@{model}"
    raise ParameterError("dvc.yaml", f"no stage writes {folder}")


def _run_setting(plan: Plan, number: int, arms: Sequence[Arm], run: Runner) -> Runs:
    """Run one setting under every seed."""
    stages, params = read_parameters(Path("dvc.yaml"))["stages"], arms[0].params
    targets = list(dict.fromkeys(writing_stage(stages, arm.family, arm.model) for arm in arms))
    cohort_folder = f"data/cohort/{params.data.main}"
    paths = ["params.yaml", "data/splits/splits.parquet"]
    paths += [f"{cohort_folder}/{table}.parquet" for table in ("cases", "duplicates")]
    paths += [f"data/predictions/{_file(arm)}.parquet" for arm in arms]
    cases: dict[str, list[pd.DataFrame]] = {_file(arm): [] for arm in arms}
    for seed in plan.seeds:
        settings = [*(f"{key}={format_value(value)}" for key, value in arms[0].settings.items()), f"{VARIED}={seed}"]
        with TemporaryDirectory() as made:
            folder = Path(made)
            run(f"contrast-{plan.name}-{number}-{seed}", settings, targets, paths, folder)
            expected = params.model_copy(update={"seed": params.seed.model_copy(update={"train": seed})})
            if load_params(folder / "params.yaml") != expected:
                raise ParameterError("params.yaml", "was changed while runs were going", mend="start again")
            for arm in arms:
                cases[_file(arm)].append(read_cases(folder / "data", arm.family, arm.model, params))
            cohort = read_cohort(folder / "data", params)
    return Runs(cases, cohort)


def _compare(pair: AskedPair, metric: str, arms: tuple[Arm, Arm], runs: Sequence[Runs]) -> Pair:
    one, other = (of_arm.cases[_file(arm)] for arm, of_arm in zip(arms, runs, strict=True))
    cases, params = pair_cases(one, other, metric), arms[0].params
    duplicates = sorted({pair for of_arm in runs for pair in of_arm.cohort.duplicates})
    drawn_by = params.seed.split, params.evaluate, duplicates
    patients = PatientBootstrap(cases.case_ids, runs[0].cohort.patients, *drawn_by)
    groups, one_run = count_groups(patients, duplicates), runs[0] is runs[1]
    found = contrast_cases(cases, metric, patients, groups, one_run=one_run)
    values = (figures(scores, cases.truth, metric).tolist() for scores in (cases.first, cases.second))
    sides = [_side(*of_arm) for of_arm in zip((pair.model, pair.against), (one, other), values, strict=True)]
    return Pair(
        what=pair.what,
        metric=metric,
        model=sides[0],
        against=sides[1],
        one_run=one_run,
        difference=found.difference,
        low=found.low,
        high=found.high,
        cases_low=found.cases_low,
        cases_high=found.cases_high,
        cases=len(cases.case_ids),
        undefined=cases.undefined,
        patients=int(patients.patients.nunique()),
        groups=groups,
    )


def _side(asked: AskedSide, cases: Sequence[pd.DataFrame], values: Sequence[float]) -> Side:
    folds, repeats = (int(cases[0][name].nunique()) for name in ("fold", "repeat"))
    return Side(name=asked.name, settings=asked.settings, folds=folds, repeats=repeats, **spread(values))


def _file(arm: Arm) -> str:
    return f"{arm.family.key}/{arm.model}"


def _place(plan: Plan, arm: Arm) -> int:
    return next(place for place, run in enumerate(plan.runs) if run[0].params == arm.params)


def run() -> None:
    """Run the command ``busline-contrast``."""
    run_stage(main)


if __name__ == "__main__":
    run()
