"""The lesion network over pairs of folds: each network leaves two folds of a repeat out and learns from all the others.

With K folds there are K (K - 1) / 2 pairs a repeat, each with one network or several whose verdicts are averaged. A
test case of fold i is outlined and judged by the networks of the K - 1 pairs {i, j}, an ensemble that never saw it. A
training case of fold j has, for the test fold i, what those of the pair {i, j} say: they saw neither fold. So the step
that combines features is trained on features of unseen cases, exactly as in nested cross-validation, with
K (K - 1) / 2 trainings instead of K K.

Folds are those of data/splits, so patients and near-duplicates lie in one fold, and a pair is a union of two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby

import numpy as np
import pandas as pd
import torch

from busline.base.errors import ParameterError
from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.lesion import Lesion, LesionBody
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.training import Precision, Train
from busline.cohort.outlines import outline_rows
from busline.models.lesion import build_lesion_network
from busline.splits import CV, MASTER, Resample
from busline.studies.inputs import Roles, StudyInputs
from busline.studies.lesion_cases import LesionCases
from busline.studies.networks import load_state
from busline.studies.pretrain import lesion_plan
from busline.training.batches import Member
from busline.training.lesion_task import LesionTask
from busline.training.pool import Place, alone_or_stacked, run_units
from busline.training.results import FoldResult, State, train_and_score
from busline.training.two_views import OUTPUTS, describe_lesions, mean_map, mean_outputs, outline_of
from busline.training.views import Ranges


class LesionSettings(Section):
    """The parameters of the lesion network."""

    seed: Seeds
    split: Split
    cv: CrossValidation
    train: Train
    lesion: Lesion


@dataclass(frozen=True)
class LesionContext:
    """What all pairs share; ``initial`` are the pre-trained network's tensors."""

    lesion: Lesion
    body: LesionBody
    precision: Precision
    seed: int
    cases: LesionCases
    initial: State


@dataclass(frozen=True)
class PairJob:
    """One network: the repeat, its two left-out folds, and the positions of the cases it learns from and leaves out.

    ``number`` counts the networks of the pair, from 0.
    """

    repeat: int
    first: int
    second: int
    number: int
    learn: np.ndarray
    left_out: np.ndarray

    def __str__(self) -> str:
        more = f", network {self.number + 1}" if self.number else ""
        return f"repeat {self.repeat}, without folds {self.first} and {self.second}{more}"

    @property
    def pair(self) -> tuple[int, int, int]:
        """Repeat and left-out folds."""
        return self.repeat, self.first, self.second

    @property
    def seed_keys(self) -> tuple[int, ...]:
        """What sets this network apart; the first of each pair is the same network however many there are."""
        return (*self.pair, self.number) if self.number else self.pair


@dataclass(frozen=True)
class LesionStudy:
    """What the lesion stage saves.

    Attributes:
        outputs: a row a pair and case that it leaves out, the mean over its networks: ``repeat, first, second, case_id,
            fold`` (the case's own) and :data:`OUTPUTS`.
        outlines: predicted and true mask of each test case and repeat: see :mod:`busline.cohort.outlines`.
        curves: learning curves; ``fold`` numbers the networks.
        states: the networks' tensors, by repeat, left-out folds and number.
    """

    outputs: pd.DataFrame
    outlines: pd.DataFrame
    curves: pd.DataFrame
    states: Mapping[tuple[int, int, int, int], State]


def pair_jobs(resamples: Mapping[Resample, Roles], networks: int = 1) -> list[PairJob]:
    """Return ``networks`` jobs a pair of folds of each repeat, those of a pair side by side.

    Raises:
        ParameterError: if there are fewer than three folds: a pair would leave nothing to learn from.
    """
    jobs = []
    for repeat in sorted({one.repeat for one in resamples if one != MASTER}):
        tests = {one.fold: roles["test"] for one, roles in resamples.items() if one.repeat == repeat}
        if len(tests) < 3:
            raise ParameterError("cv.folds", f"is {len(tests)}", expected="3 or more for the lesion network")
        everyone = np.sort(np.concatenate(list(tests.values())))
        for first, second in combinations(sorted(tests), 2):
            left_out = np.sort(np.concatenate([tests[first], tests[second]]))
            learn = np.setdiff1d(everyone, left_out)
            jobs += [PairJob(repeat, first, second, number, learn, left_out) for number in range(networks)]
    return jobs


def run_lesion(
    inputs: StudyInputs,
    cases: LesionCases,
    settings: LesionSettings,
    body: LesionBody,
    initial: State,
    *,
    runtime: Runtime,
) -> LesionStudy:
    """Train the networks of every pair of folds and outline the test cases of every fold.

    Args:
        inputs: the study's cases and resamples.
        cases: the same cases in the same order.
        settings: its parameters.
        body: what it stands on.
        initial: tensors of the pre-trained network.
        runtime: how this machine runs it.
    """
    each = settings.lesion.model_copy(update={"networks": 1})  # more of them leave the others' keys in the cache alone
    context = LesionContext(each, body, settings.train.precision, settings.seed.train, cases, initial)
    jobs = pair_jobs(inputs.resamples, settings.lesion.networks)
    results = run_units(
        train_unit,
        context,
        alone_or_stacked(jobs, runtime),
        runtime=runtime,
        title="lesion network",
        kernels=settings.train.kernels,
        precision=settings.train.precision,
    )
    pairs = list(zip(jobs, results, strict=True))
    outlines = []
    for repeat in sorted({job.repeat for job in jobs}):
        chances = _mean_maps(cases, [pair for pair in pairs if pair[0].repeat == repeat])
        outlines.append(_outline(inputs, cases, repeat, chances))
    states = {(*job.pair, job.number): result.state for job, result in pairs}
    return LesionStudy(
        pd.concat(
            [_outputs(inputs, list(group)) for _, group in groupby(pairs, lambda one: one[0].pair)], ignore_index=True
        ),
        pd.concat(outlines, ignore_index=True),
        _curves(pairs),
        states,
    )


def train_unit(context: LesionContext, jobs: Sequence[PairJob], place: Place) -> list[FoldResult]:
    """Train networks and let each say what it sees in its left-out cases."""
    settings, networks, members = context.lesion, [], []
    for job in jobs:
        network = build_lesion_network(context.body)
        load_state(network, context.initial)
        networks.append(network)
        seed = derive_seed(context.seed, "lesion", *job.seed_keys)
        members.append(Member(job.learn, np.array([], np.int64), seed))
    task = LesionTask(context.cases.arrays(), settings.image_size, Ranges(), settings.findings_weight)
    plan = lesion_plan(settings.epochs, settings.learning_rate, settings.batch_size, context.precision)
    device = torch.device(place.device)
    nothing: list[Roles] = [{} for _ in jobs]
    results = train_and_score(
        networks, task, plan, members, nothing, device=device, report_progress=place.report_progress
    )
    return [_look(context, job, result, device) for job, result in zip(jobs, results, strict=True)]


def _look(context: LesionContext, job: PairJob, result: FoldResult, device: torch.device) -> FoldResult:
    """Return the result with maps and :data:`OUTPUTS` of the left-out cases."""
    if result.failure:
        return result
    network, cases, left_out = build_lesion_network(context.body), context.cases, job.left_out
    load_state(network, result.state)
    maps, outputs = describe_lesions(
        network,
        cases.images[left_out],
        cases.sizes[left_out],
        cases.pixel_mm[left_out],
        context.lesion.image_size,
        precision=context.precision,
        device=device,
    )
    return replace(result, probabilities={"maps": maps, "outputs": outputs})


def _outputs(inputs: StudyInputs, of_pair: Sequence[tuple[PairJob, FoldResult]]) -> pd.DataFrame:
    """Return what a pair's networks say of the cases they left out: the mean of those that say anything, or NaN."""
    job = of_pair[0][0]
    mean = mean_outputs([result.probabilities["outputs"] for _, result in of_pair])
    case_ids = np.asarray(inputs.case_ids, dtype=object)[job.left_out]
    keys = {"repeat": job.repeat, "first": job.first, "second": job.second, "case_id": case_ids}
    table = pd.DataFrame({**keys, "fold": _own_folds(inputs, job.repeat)[job.left_out]})
    return pd.concat([table, pd.DataFrame(mean, columns=list(OUTPUTS))], axis=1)


def _own_folds(inputs: StudyInputs, repeat: int) -> np.ndarray:
    """Return the fold of a repeat in which each case is tested, int64 (n,)."""
    folds = np.full(len(inputs.case_ids), -1, np.int64)
    for resample, roles in inputs.resamples.items():
        if resample.repeat == repeat:
            folds[roles["test"]] = resample.fold
    return folds


def _mean_maps(cases: LesionCases, pairs: Sequence[tuple[PairJob, FoldResult]]) -> np.ndarray:
    """Return each case's map, averaged over the networks of one repeat that left it out: uint8 (n, C, C)."""
    total, count = np.zeros(cases.images.shape, np.uint32), np.zeros(len(cases.images), np.uint32)
    for job, result in pairs:
        total[job.left_out] += result.probabilities["maps"]
        count[job.left_out] += 1
    return np.stack([mean_map(one, int(number)) for one, number in zip(total, count, strict=True)])


def _outline(inputs: StudyInputs, cases: LesionCases, repeat: int, maps: np.ndarray) -> pd.DataFrame:
    """Return the outline of each case's main lesion, at the stored size, which is that of the maps."""
    found, truth = [], []
    for chances, mask, (width, height) in zip(maps, cases.masks, cases.sizes, strict=True):
        found.append(outline_of(chances[:height, :width]))
        truth.append(mask[:height, :width] > 0)
    return outline_rows(inputs.case_ids, CV, repeat, _own_folds(inputs, repeat).tolist(), found, truth)


def _curves(pairs: Sequence[tuple[PairJob, FoldResult]]) -> pd.DataFrame:
    rows = []
    for number, (job, result) in enumerate(pairs):
        own = {"first": job.first, "second": job.second, "network": job.number}
        keys = {"model": "lesion", "scheme": CV, "repeat": job.repeat, "fold": number, **own}
        rows += [{**keys, **row} for row in result.curve]
    return pd.DataFrame(rows)
