"""The study's own pipelines as the permutation test takes them: the very functions that the stages call."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from busline.audit.permutation import Resamples
from busline.audit.settings import AuditSettings
from busline.base.runtime import Runtime
from busline.base.seeding import derive_seed
from busline.base.settings.evaluation import Audit
from busline.base.settings.images import ImageSettings
from busline.base.settings.models import image_settings
from busline.base.settings.weights import NONE
from busline.metrics.classification import THRESHOLD, call, recall, roc_auc, specificity
from busline.splits import RESAMPLE, cross_validated, indices_by_role, make_splits
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
        """Return the master split and one repeat of folds for ``labels``, class numbers (n,)."""
        names = np.asarray(self.inputs.classes, dtype=object)[labels]
        cases = pd.DataFrame({"case_id": list(self.inputs.case_ids), "label": names})
        cv = self.params.cv.model_copy(update={"repeats": 1, "image_repeats": 1})
        seed = derive_seed(self.params.seed.split, "audit folds", labels.tobytes().hex())
        return indices_by_role(make_splits(cases, self.groups, self.params.split, cv, seed), list(self.inputs.case_ids))


@dataclass(frozen=True)
class TabularPipeline:
    """A tabular model, its encoder fitted in each fold; for dnn its early stopping too."""

    inputs: StudyInputs
    params: AuditSettings
    name: str

    def __call__(self, labels: np.ndarray, resamples: Resamples) -> Mapping[str, np.ndarray]:
        """Return the scores of each fold on ``labels``, class numbers (n,)."""
        inputs, seed = replace(self.inputs, labels=labels, resamples=resamples), self.params.seed.train
        models = self.params.tabular.models
        with redirect_stderr(io.StringIO()):  # the progress of each permutation's folds
            if self.name == "dnn":
                from busline.studies.dnn import run_dnn

                predictions = run_dnn(inputs, models.dnn, seed=seed, train=self.params.train, runtime=ALONE).predictions
            else:
                from busline.studies.tabular import run_tabular

                predictions, _ = run_tabular(inputs, getattr(models, self.name), self.name, seed=seed, runtime=ALONE)
        return fold_scores(predictions[predictions["trained_on"] == "all"], inputs.classes)


@dataclass(frozen=True)
class ImagePipeline:
    """An image model from random weights, with the epochs that the audit allows it."""

    inputs: StudyInputs
    params: AuditSettings
    name: str

    def __call__(self, labels: np.ndarray, resamples: Resamples) -> Mapping[str, np.ndarray]:
        """Return the scores of each fold on ``labels``, class numbers (n,)."""
        from busline.studies.cnn import run_cnn

        inputs, params = replace(self.inputs, labels=labels, resamples=resamples), self.params
        with redirect_stderr(io.StringIO()):
            study = run_cnn(
                inputs,
                shortened(image_settings(params.cnn, params.augmentation, self.name), params.audit),
                self.name,
                seed=params.seed.train,
                train=params.train,
                runtime=ALONE,
                keep_states=False,
            )
        return fold_scores(study.predictions, inputs.classes)


def shortened(settings: ImageSettings, audit: Audit) -> ImageSettings:
    """Return settings with random weights, and the epochs, image size and one fit that the audit allows."""
    change = {"weights": NONE, "fine_tune": None, "epochs": audit.image_epochs}
    model = settings.model.model_copy(update=change)
    return settings.model_copy(update={"model": model, "image_size": audit.image_size, "fit_all": False})


def fold_scores(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return ROC AUC, and balanced accuracy at the threshold of the report, of each fold's test cases.

    The AUC does not see a threshold that was chosen on test cases; the balanced accuracy does.
    """
    test = cross_validated(predictions[predictions["split"] == "test"])
    scores: dict[str, list[float]] = {"roc_auc": [], "balanced_accuracy": []}
    for _, rows in test.groupby(RESAMPLE):
        truth, score = (rows["label"] == classes[-1]).to_numpy(), rows[f"p_{classes[-1]}"].to_numpy(np.float64)
        called = call(score, THRESHOLD)
        scores["roc_auc"].append(roc_auc(truth, score))
        scores["balanced_accuracy"].append((recall(truth, called) + specificity(truth, called)) / 2)
    return {metric: np.array(values) for metric, values in scores.items()}
