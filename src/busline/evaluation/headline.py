"""The headline: what the study said beforehand that it claims, with the one test of each claim.

Every other test describes. Holm's correction is over the claims: one a task.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.headline import Headline, Question
from busline.evaluation.comparisons import Competitor
from busline.evaluation.outcomes import Claim
from busline.evaluation.summaries import split_folds
from busline.families import FAMILIES, active_files
from busline.metrics.classification import FOLD_METRICS
from busline.metrics.comparison import corrected_t_test, holm
from busline.metrics.intervals import corrected_interval
from busline.metrics.segmentation import KNOWN
from busline.splits import RESAMPLE, cross_validated

TASKS: dict[str, tuple[str, ...]] = {"classification": tuple(FOLD_METRICS), "segmentation": tuple(KNOWN)}
"""The metrics that a task's headline can be."""
Name = tuple[str, str]


def questions(headline: Headline) -> dict[str, Question]:
    """Return what is claimed by task, of the tasks that have a question.

    Raises:
        ParameterError: naming a family, of another task or unknown, or a metric that cannot be.
    """
    claimed = {"classification": headline.classification, "segmentation": headline.segmentation}
    found = {task: question for task, question in claimed.items() if question is not None}
    for task, question in found.items():
        _require_of_task(f"headline.{task}", question, task)
    return found


def _require_of_task(where: str, question: Question, task: str) -> None:
    families = [key for key, family in FAMILIES.items() if family.task == task]
    for entry, place in (("model", question.model), ("against", question.against)):
        if place is not None and parse_place(place)[0] not in families:
            mend = near_matches(parse_place(place)[0], families)
            raise ParameterError(f"{where}.{entry}", f"names no family of {task}: {place!r}", mend=mend)
    if question.against == question.model:
        raise ParameterError(f"{where}.against", "is the model itself", mend="name another, or null")
    if question.metric not in TASKS[task]:
        mend = near_matches(question.metric, TASKS[task])
        raise ParameterError(f"{where}.metric", f"is no metric of {task}: {question.metric!r}", mend=mend)


def described(headline: Headline) -> dict[str, Question]:
    """Return the pairs that are shown without a claim, by their keys below ``headline``; see :func:`questions`."""
    found = {f"described.{number}": question for number, question in enumerate(headline.described)}
    for key, question in found.items():
        family = FAMILIES.get(parse_place(question.model)[0])
        if family is None:
            mend = near_matches(parse_place(question.model)[0], FAMILIES)
            raise ParameterError(f"headline.{key}.model", f"names no family: {question.model!r}", mend=mend)
        _require_of_task(f"headline.{key}", question, family.task)
    return found


def not_in_run(headline: Headline, params: object, classes: int) -> list[str]:
    """Return the models of the questions that a run with these parameters will not have.

    Args:
        headline: the questions.
        params: all parameters, which hold the lists of active models.
        classes: of the study.

    Raises:
        ParameterError: for a name that a family with a fixed list of models never has.
    """
    gone = []
    for where, question in {**questions(headline), **described(headline)}.items():
        for entry, place in (("model", question.model), ("against", question.against)):
            if place is None:
                continue
            key, model = parse_place(place)
            family = FAMILIES[key]
            if family.files and model not in family.files and not family.point:
                mend = near_matches(model, family.files)
                raise ParameterError(f"headline.{where}.{entry}", f"names no model of {key}: {model!r}", mend=mend)
            there = family.point or model in active_files(family, params)
            if not there or (family.binary_only and classes > 2):
                gone.append(place)
    return list(dict.fromkeys(gone))


def parse_place(place: str) -> Name:
    """Return family and model of "family/model"."""
    family, _, model = place.partition("/")
    return family, model


def make_claims(headline: Headline, models: Mapping[Name, Competitor], confidence: float) -> dict[str, Claim]:
    """Return what is claimed, by task.

    Args:
        headline: the questions.
        models: those that there are, by (family, model); of a segmentation network ``cases`` has a column a metric.
        confidence: coverage of the intervals.
    """
    claims = {task: _answer(question, models, confidence) for task, question in questions(headline).items()}
    corrected = holm([np.nan if claim.p_value is None else claim.p_value for claim in claims.values()])
    return {
        task: claim.model_copy(update={"p_holm": None if np.isnan(p_value) else float(p_value)})
        for (task, claim), p_value in zip(claims.items(), corrected, strict=True)
    }


def describe(headline: Headline, models: Mapping[Name, Competitor], confidence: float) -> list[Claim]:
    """Return the pairs that are shown without a claim, in their order; see :func:`make_claims`."""
    return [_answer(question, models, confidence) for question in described(headline).values()]


def _answer(question: Question, models: Mapping[Name, Competitor], confidence: float) -> Claim:
    own = models.get(parse_place(question.model))
    other = None if question.against is None else models.get(parse_place(question.against))
    figures = {} if own is None or other is None else _compared(own, other, question.metric, confidence)
    named = {"model": question.model, "metric": question.metric, "against": question.against}
    return Claim.model_validate({**named, **figures})


def fold_scores(model: Competitor, metric: str) -> pd.Series:
    """Return a model's score in each fold; of outlines the mean over the fold's cases."""
    cases = cross_validated(model.cases)
    if metric not in FOLD_METRICS:
        found = cases[metric] if metric in cases else pd.Series(np.nan, index=cases.index)
        return found.astype("float64").groupby([cases[key] for key in RESAMPLE]).mean()
    keys = pd.MultiIndex.from_frame(cases[RESAMPLE].drop_duplicates())
    return pd.Series([FOLD_METRICS[metric](*fold) for fold in split_folds(cases)], index=keys)


def _compared(own: Competitor, other: Competitor, metric: str, confidence: float) -> dict[str, float | int]:
    scores = [fold_scores(model, metric) for model in (own, other)]
    both = pd.concat(scores, axis=1, join="inner").to_numpy(np.float64)
    ratio = max(own.ratio, other.ratio)
    test = corrected_t_test(both[:, 0], both[:, 1], ratio)
    interval = corrected_interval(both[:, 0] - both[:, 1], ratio, confidence=confidence, bounded=False)
    return {
        "difference": test.difference,
        "low": interval.low,
        "high": interval.high,
        "p_value": test.p_value,
        "folds": interval.folds,
    }
