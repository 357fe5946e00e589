"""The whole audit: every check, their figures, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.audit import fold_models, protocol
from busline.audit.columns import audit_columns
from busline.audit.permutation import Pipeline, permutation_test
from busline.audit.pipelines import Folds, ImagePipeline, TabularPipeline
from busline.audit.planted import planted_recall
from busline.audit.results import (
    BothWays,
    Columns,
    Leakage,
    MasterSplits,
    PairsOnTwoSides,
    Permutation,
    ScoredBothWays,
    Splits,
)
from busline.audit.settings import AuditSettings
from busline.audit.sides import complaints, crossing_pairs, find_pairs, patient_pairs
from busline.base.runtime import Runtime
from busline.base.seeding import numpy_generator
from busline.cohort.store import Cohort
from busline.families import CNN, TABULAR, TRAINING, VOTE
from busline.predictors.cases import cohort_cases
from busline.splits import RESAMPLE, cross_validated, group_cases, indices_by_role, make_splits
from busline.studies.inputs import StudyInputs

COLUMN_REPEATS = 3
"""Repeats of the study's folds in which columns are scored: fast, and three folds alone would say little."""


@dataclass(frozen=True)
class AuditInputs:
    """What the audit reads.

    Attributes:
        cohort: all cases, with every column of the source.
        kept: names of the columns that the models see.
        splits: ``case_id, repeat, fold, role``.
        inputs: the study's cases, without images.
        small: the same with images of the size that the permutations take.
        predictions: prediction tables by family (tabular, cnn, vote) and model, of those that there are.
        folder: holds models/.
    """

    cohort: Cohort
    kept: Sequence[str]
    splits: pd.DataFrame
    inputs: StudyInputs
    small: StudyInputs
    predictions: Mapping[str, Mapping[str, pd.DataFrame]]
    folder: Path


def run_audit(data: AuditInputs, params: AuditSettings, *, runtime: Runtime) -> tuple[Leakage | None, list[str]]:
    """Return the figures of every check, and what is wrong, one line each.

    There are no figures where cases stand on two sides: nothing that is measured on such splits means anything.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # more threads may change the last bits
        return _run(data, params, runtime)


def _run(data: AuditInputs, params: AuditSettings, runtime: Runtime) -> tuple[Leakage | None, list[str]]:
    cases = data.cohort.cases.set_index("case_id", drop=False).loc[list(data.inputs.case_ids)].reset_index(drop=True)
    split_part, pairs, problems = _audit_splits(data, params)
    if problems:
        return None, problems
    if data.inputs.no_classes:
        columns, compared = Columns(alone=[], classes=[]), MasterSplits(master_splits=0, test_cases=(0, 0), rows=[])
        return Leakage(columns=columns, splits=split_part, protocol=compared, permutation=[], settings=params.audit), []
    links = zip(pairs["case_a"], pairs["case_b"], strict=True)
    groups = group_cases(data.inputs.case_ids, cases["patient_id"].tolist(), links)
    columns, found = audit_columns(
        cases,
        data.cohort.columns,
        data.kept,
        data.inputs.is_positive,
        _column_folds(cases, groups, params),
        params.tabular.models.logreg,
        most=params.audit.max_auc_alone,
        seed=params.seed.train,
    )
    problems = found
    permuted, found = _permute(data, params, groups, runtime)
    problems += found
    compared = _compare(data, params, groups, runtime)
    content = Leakage(
        columns=columns, splits=split_part, protocol=compared, permutation=permuted, settings=params.audit
    )
    return content, problems


def _audit_splits(data: AuditInputs, params: AuditSettings) -> tuple[Splits, pd.DataFrame, list[str]]:
    limits = params.ingest.duplicate_bits, params.ingest.duplicate_correlation
    cases = data.cohort.cases
    ids = cases["case_id"].tolist()
    images = {index: data.cohort.image(index) for index in np.flatnonzero(cases["width"] > 0).tolist()}
    pairs = find_pairs([ids[index] for index in images], list(images.values()), *limits)
    patients = patient_pairs(ids, cases["patient_id"].tolist())
    found = {
        "patients": crossing_pairs(data.splits, patients),
        "duplicates": crossing_pairs(data.splits, pairs.assign(why="(near-)duplicate images")),
    }
    seed = params.seed.split
    drawn = numpy_generator(seed, "planted").permutation(len(ids))[: params.audit.planted_cases]
    crossing = {name: len(table.drop_duplicates(["case_a", "case_b"])) for name, table in found.items()}
    part = Splits(
        resamples=int(data.splits.groupby(RESAMPLE).ngroups),
        patients=int(cases["patient_id"].nunique()),
        cases=len(ids),
        duplicate_pairs=len(pairs),
        pairs_on_two_sides=PairsOnTwoSides(**crossing),
        planted=planted_recall([images[index] for index in sorted(drawn) if index in images], *limits, seed),
    )
    return part, pairs, [line for table in found.values() for line in complaints(table)]


def _column_folds(
    cases: pd.DataFrame, groups: np.ndarray, params: AuditSettings
) -> list[tuple[np.ndarray, np.ndarray]]:
    cv = params.cv.model_copy(update={"repeats": max(COLUMN_REPEATS, params.cv.repeats)})
    splits = make_splits(cases, groups, params.split, cv, params.seed.split)
    resamples = indices_by_role(cross_validated(splits), cases["case_id"].tolist())
    everyone = np.arange(len(cases))
    return [(np.setdiff1d(everyone, roles["test"]), roles["test"]) for roles in resamples.values()]


def _compare(data: AuditInputs, params: AuditSettings, groups: np.ndarray, runtime: Runtime) -> MasterSplits:
    inputs, names = data.inputs, np.asarray(data.inputs.classes, dtype=object)[data.inputs.labels]
    count, seed = params.audit.master_splits, params.seed.split
    masters = protocol.draw_master_splits(names, groups, params.split, count, seed)
    positive = inputs.is_positive
    honest = {
        family: {
            name: protocol.out_of_fold(table, inputs.case_ids, inputs.classes[-1]) for name, table in tables.items()
        }
        for family, tables in data.predictions.items()
    }
    cases = cohort_cases(data.cohort, inputs.case_ids)
    first = {key: roles for key, roles in inputs.resamples.items() if key.repeat < params.cv.image_repeats}
    learns_from = TRAINING if params.cnn.fit_all else CNN.learns_from
    tabular, image = (
        fold_models.score_models(
            data.folder, family, list(data.predictions[family.key]), cases, resamples, roles, runtime=runtime
        )
        for family, resamples, roles in (
            (TABULAR, inputs.resamples, TABULAR.learns_from),
            (CNN, first, learns_from),
        )
    )
    rows = [
        _named(family, name, protocol.compare_model(positive, scores, honest[family][name], masters))
        for family, members in ((TABULAR.key, tabular), (CNN.key, image))
        for name, scores in members.items()
    ]
    for first_name, one in tabular.items():
        for second_name, other in image.items():
            pair = f"{first_name}+{second_name}"
            found = protocol.compare_pair(positive, one, other, honest[VOTE.key][pair], masters)
            rows.append(_named(VOTE.key, pair, found))
    sizes = [int(master.test.sum()) for master in masters]
    return MasterSplits(master_splits=len(masters), test_cases=(min(sizes), max(sizes)), rows=rows)


def _named(family: str, model: str, scores: BothWays) -> ScoredBothWays:
    return ScoredBothWays(family=family, model=model, **dict(scores))


def _permute(
    data: AuditInputs, params: AuditSettings, groups: np.ndarray, runtime: Runtime
) -> tuple[list[Permutation], list[str]]:
    settings = params.audit
    table = data.inputs  # images are sent to no process that does not need them
    pipelines: list[tuple[str, Pipeline, int]] = [
        (name, TabularPipeline(table, params, name), settings.tabular_permutations)
        for name in settings.tabular_models
        if name in data.predictions[TABULAR.key]
    ]
    if data.small.images is not None:
        image = ImagePipeline(data.small, params, settings.image_model)
        pipelines.append((settings.image_model, image, settings.image_permutations))
    rows, problems = [], []
    for name, pipeline, count in pipelines:
        found, wrong = permutation_test(
            name,
            pipeline,
            data.inputs.labels,
            groups,
            Folds(table, params, groups),
            permutations=count,
            seed=params.seed.split,
            runtime=runtime,
        )
        rows += found
        problems += wrong
    return rows, problems
