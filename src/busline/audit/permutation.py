"""A pipeline on permuted labels must score what chance scores: the test that finds a leak in the procedure.

Labels are permuted between groups (patients, near-duplicates) before anything is split or fitted, so that no case has
anything to do with its label. A pipeline that chooses features on all cases, stops or tunes on test cases, or has a
case on two sides still scores above chance. A column that copies the label does not show here: the labels move, the
copy stays.

What is tested is the mean over the folds of a permutation, one number a permutation. Given the cases, permutations are
independent, so that a t test of these means against chance holds, though the folds of one permutation are not
independent. Chance is exactly 0.5 for an honest pipeline: whatever was fitted, the labels of a test fold are still in
random order, so that the expected AUC and balanced accuracy of that fold are 0.5. That holds because

- folds are made anew for the permuted labels and stratified, so that the classes' counts in a test fold say nothing;
  with folds that are not, a training part with few positive cases means a test part with many, and scores of several
  folds pooled in one AUC fall below 0.5;
- an AUC is taken in each fold by itself, for the same reason.

Groups of different sizes disturb this a little (a class's count then differs from fold to fold).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from busline.audit.results import Permutation
from busline.audit.statistics import above
from busline.audit.work import spread
from busline.base.runtime import Runtime
from busline.base.seeding import numpy_generator
from busline.splits import Resample
from busline.studies.inputs import Roles

Resamples = Mapping[Resample, Roles]
Pipeline = Callable[[np.ndarray, Resamples], Mapping[str, np.ndarray]]
"""Trains and scores on labels, 0 or 1, (n,), in given resamples; returns fold scores, chance 0.5, by metric."""
MakeResamples = Callable[[np.ndarray], Resamples]

CHANCE = 0.5
ALARM = 0.001
"""A permuted mean above chance with a smaller p fails the audit."""


@dataclass(frozen=True)
class _Context:
    pipeline: Pipeline
    labels: np.ndarray
    groups: np.ndarray
    resamples: MakeResamples
    seed: int


def permutation_test(
    name: str,
    pipeline: Pipeline,
    labels: np.ndarray,
    groups: np.ndarray,
    resamples: MakeResamples,
    *,
    permutations: int,
    seed: int,
    runtime: Runtime,
) -> tuple[list[Permutation], list[str]]:
    """Run a pipeline on the labels as they are, and on permuted ones.

    Args:
        name: of the pipeline, for the progress and for messages.
        pipeline: what is tested; a picklable callable if there is more than one process.
        labels: 0 or 1, (n,).
        groups: group of each case, (n,).
        resamples: makes the folds for some labels.
        permutations: how many; 0 runs nothing.
        seed: root of the permutations.
        runtime: how this machine runs it.

    Returns:
        One entry a metric; and what is wrong, one line a metric.
    """
    if permutations == 0:
        return [], []
    context = _Context(pipeline, labels, groups, resamples, seed)
    jobs = list(range(permutations + 1))
    found = spread(_run_one, context, jobs, runtime=runtime, title=f"permutations of {name}")
    rows, problems = [], []
    for metric, observed in found[0].items():
        means = np.array([scores[metric] for scores in found[1:]])
        p_mean, mean = above(means, CHANCE), float(means.mean())
        row = Permutation(
            name=name,
            metric=metric,
            permutations=permutations,
            mean=mean,
            sd=float(means.std(ddof=1)) if permutations > 1 else None,
            p_mean=p_mean,
            observed=observed,
            p_observed=float((1 + (means >= observed - 1e-12).sum()) / (1 + permutations)),
        )
        rows.append(row)
        if p_mean is not None and p_mean < ALARM:
            problems.append(
                f"{name} on permuted labels: mean {metric} {mean:.3f} over {permutations} permutations, above "
                f"0.5 with p = {p_mean:.1e}: something in the procedure sees the test labels"
            )
    return rows, problems


def permute_labels(labels: np.ndarray, groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return labels dealt anew among the groups.

    The cases of a group share one: that of most of them before, the later class where two are as many.

    Args:
        labels: class of each case from 0 to K - 1, (n,).
        groups: group of each case, (n,).
        generator: source of the order.
    """
    _, place = np.unique(groups, return_inverse=True)
    counts = np.stack([np.bincount(place, weights=labels == one) for one in range(labels.max() + 1)], axis=1)
    most = labels.max() - counts[:, ::-1].argmax(axis=1)
    dealt = generator.permutation(most.astype(np.int64))
    return np.asarray(dealt[place])


def _run_one(context: _Context, number: int) -> dict[str, float]:
    """Return the mean over the folds of each metric; number 0 is the labels as they are."""
    labels = context.labels
    if number:
        labels = permute_labels(labels, context.groups, numpy_generator(context.seed, "permutation", number))
    scores = context.pipeline(labels, context.resamples(labels))
    return {metric: float(np.nanmean(values)) for metric, values in scores.items()}
