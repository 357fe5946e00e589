"""A study with made predictions of every family, and its evaluation."""

from dataclasses import replace

import numpy as np
from sklearn import metrics as sklearn_metrics

from busline.base.params import load_params
from busline.evaluation.evaluate import Inputs, evaluate
from busline.evaluation.vote import vote_all
from made_inputs import PARAMS_FILE
from made_predictions import CLASSES, make_labels, make_predictions, make_splits

SEGMENTATION = ("dice", "iou", "sensitivity", "specificity", "hd95", "assd")
DEFAULT = load_params(PARAMS_FILE)
PARAMS = DEFAULT.model_copy(update={"cv": DEFAULT.cv.model_copy(update={"repeats": 4, "image_repeats": 4})})
SPLITS = make_splits(cases=60, folds=3, repeats=2)
LABELS = make_labels(SPLITS)
TABULAR, IMAGE = ("logreg", "random_forest"), ("custom_cnn", "mobilenet_v2_random")


def make_scores(splits, seed=0):
    test = splits[splits["role"] == "test"].drop(columns="role").assign(split="test", label="benign")
    values = np.random.default_rng(seed).random((len(test), len(SEGMENTATION)))
    values[:, 4:] *= 12.0  # mm
    return test.assign(**dict(zip(SEGMENTATION, values.T, strict=True))).reset_index(drop=True)


def make_inputs(splits=SPLITS, labels=LABELS):
    tabular = {name: make_predictions(splits, labels, seed=seed, tabular=True) for seed, name in enumerate(TABULAR)}
    image = {name: make_predictions(splits, labels, seed=5 + seed) for seed, name in enumerate(IMAGE)}
    voted, weights = vote_all(tabular, image, CLASSES)
    folds = splits[splits["scheme"] == "cv"]
    search = make_predictions(folds, labels, seed=3).assign(hidden=16, dropout=0.2)
    predictions = {
        "tabular": tabular,
        "cnn": image,
        "merged": {},
        "augmentation": {"mild": make_predictions(splits, labels, seed=4)},
        "dnn_search": {"h16_d0.2": search},
        "vote": voted,
    }
    return Inputs(splits, predictions, weights, {"segment": {"unet": make_scores(splits)}})


INPUTS = make_inputs()
RESULT = evaluate(INPUTS, PARAMS)


def by_fold(table):
    test = table[(table["split"] == "test") & (table["scheme"] == "cv")]
    return [
        (fold["label"] == "malignant", fold["p_malignant"].astype(float))
        for _, fold in test.groupby(["repeat", "fold"], sort=True)
    ]


THEIRS = {
    "accuracy": lambda truth, score: sklearn_metrics.accuracy_score(truth, score >= 0.5),
    "f1": lambda truth, score: sklearn_metrics.f1_score(truth, score >= 0.5),
    "roc_auc": sklearn_metrics.roc_auc_score,
    "precision": lambda truth, score: sklearn_metrics.precision_score(truth, score >= 0.5),
    "recall": lambda truth, score: sklearn_metrics.recall_score(truth, score >= 0.5),
    "specificity": lambda truth, score: sklearn_metrics.recall_score(truth, score >= 0.5, pos_label=0),
}


def with_predictions(family, **models):
    """Return the inputs with some models of a family replaced."""
    return replace(INPUTS, predictions={**INPUTS.predictions, family: {**INPUTS.predictions[family], **models}})
