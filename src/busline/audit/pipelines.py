"""The study's own pipelines as the permutation test takes them: the very functions that the stages call."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from busline.audit.permutation import Resamples
from busline.audit.settings import AuditSettings
from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.reading import part_of
from busline.families import CNN
from busline.metrics.classification import THRESHOLD, call, recall, roc_auc, specificity
from busline.splits import indices_by_role, make_splits
from busline.studies.inputs import StudyInputs

ALONE = Runtime()
"""A permutation's folds one after the other, in its own process, on the CPU, without the cache of folds."""


@dataclass(frozen=True)
class Folds:
    """Makes the study's folds, one repeat of them, for some labels; seeded by the labels, so that they differ."""

    inputs: StudyInputs
    params: AuditSettings
    groups: np.ndarray

    def __call__(self, labels: np.ndarray) -> Resamples:
        """Return the master split and one repeat of folds for ``labels``, 0 or 1, (n,)."""
        names = np.asarray(self.inputs.classes, dtype=object)[labels]
        cases = pd.DataFrame({"case_id": list(self.inputs.case_ids), "label": names})
        cv = self.params.cv.model_copy(update={"repeats": 1, "image_repeats": 1})
        seed = derive_seed(self.params.seed, "audit folds", labels.tobytes().hex())
        return indices_by_role(make_splits(cases, self.groups, self.params.split, cv, seed), list(self.inputs.case_ids))


@dataclass(frozen=True)
class TabularPipeline:
    """A tabular model, its encoder fitted in each fold; for dnn its early stopping too."""

    inputs: StudyInputs
    params: AuditSettings
    name: str

    def __call__(self, labels: np.ndarray, resamples: Resamples) -> Mapping[str, np.ndarray]:
        """Return the scores of each fold on ``labels``, 0 or 1, (n,)."""
        inputs = replace(self.inputs, labels=labels, resamples=resamples)
        with redirect_stderr(io.StringIO()):  # the progress of each permutation's folds
            if self.name == "dnn":
                from busline.studies.dnn import DnnSettings, run_dnn

                predictions = run_dnn(inputs, part_of(DnnSettings, self.params), runtime=ALONE).predictions
            else:
                from busline.studies.tabular import TabularSettings, run_tabular

                predictions, _ = run_tabular(inputs, part_of(TabularSettings, self.params), self.name, runtime=ALONE)
        return fold_scores(predictions[predictions["trained_on"] == "all"], inputs.classes)


@dataclass(frozen=True)
class ImagePipeline:
    """An image model from random weights, with the epochs that the audit allows it."""

    inputs: StudyInputs
    params: AuditSettings
    name: str

    def __call__(self, labels: np.ndarray, resamples: Resamples) -> Mapping[str, np.ndarray]:
        """Return the scores of each fold on ``labels``, 0 or 1, (n,)."""
        from busline.studies.cnn import CnnSettings, run_cnn

        inputs = replace(self.inputs, labels=labels, resamples=resamples)
        with redirect_stderr(io.StringIO()):
            study = run_cnn(
                inputs,
                part_of(CnnSettings, shortened(self.params, self.name)),
                self.name,
                augmentation=self.params.cnn.augmentation,
                runtime=ALONE,
                keep_states=False,
            )
        return fold_scores(study.predictions, inputs.classes)


def shortened(params: AuditSettings, name: str) -> AuditSettings:
    """Return parameters in which an image model starts from random weights and has ``audit.image_epochs`` epochs."""
    change: dict[str, Any] = {"weights": None, "fine_tune": None, "epochs": params.audit.image_epochs}
    models = {**params.cnn.models, name: params.cnn.models[name].model_copy(update=change)}
    return params.model_copy(update={CNN.key: params.cnn.model_copy(update={"models": models})})


def fold_scores(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return ROC AUC, and balanced accuracy at the threshold of the report, of each fold's test cases.

    The AUC does not see a threshold that was chosen on test cases; the balanced accuracy does.
    """
    test = predictions[(predictions["split"] == "test") & (predictions["repeat"] >= 0)]
    scores: dict[str, list[float]] = {"roc_auc": [], "balanced_accuracy": []}
    for _, rows in test.groupby(["repeat", "fold"]):
        truth, score = (rows["label"] == classes[-1]).to_numpy(), rows[f"p_{classes[-1]}"].to_numpy(np.float64)
        called = call(score, THRESHOLD)
        scores["roc_auc"].append(roc_auc(truth, score))
        scores["balanced_accuracy"].append((recall(truth, called) + specificity(truth, called)) / 2)
    return {metric: np.array(values) for metric, values in scores.items()}
