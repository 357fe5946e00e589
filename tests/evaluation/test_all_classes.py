"""All classes of a study of three, by hand."""

import pandas as pd
import pytest

from busline.base.settings.evaluation import Evaluate
from busline.evaluation.classes import class_calls, class_cases, score_classes
from busline.evaluation.summaries import Summariser
from made_inputs import small_params

CLASSES = ["normal", "benign", "malignant"]
SETTINGS: Evaluate = small_params().evaluate


def made_table():
    """Four cases in two repeats of two folds; case b is called benign in one repeat, and malignant on the mean."""
    chances = {
        "a": [(0.8, 0.1, 0.1), (0.6, 0.3, 0.1)],
        "b": [(0.1, 0.5, 0.4), (0.1, 0.2, 0.7)],
        "c": [(0.2, 0.7, 0.1), (0.1, 0.8, 0.1)],
        "d": [(0.1, 0.1, 0.8), (0.3, 0.1, 0.6)],
    }
    labels = {"a": "normal", "b": "malignant", "c": "benign", "d": "malignant"}
    rows = [
        {"case_id": case, "scheme": "cv", "repeat": repeat, "fold": int(case in "cd"), "split": "test"}
        | {"label": labels[case], **{f"p_{name}": chance for name, chance in zip(CLASSES, row, strict=True)}}
        for case, repeats in chances.items()
        for repeat, row in enumerate(repeats)
    ]
    tuned = {**rows[0], "split": "tune", "case_id": "z"}
    master = [{**row, "scheme": "master", "repeat": -1, "fold": -1} for row in rows[:3:2]]
    return pd.DataFrame([*rows[::-1], tuned, *master])


def test_calls_are_of_probabilities_averaged_over_the_repeats():
    calls = class_calls(class_cases(made_table(), CLASSES), CLASSES)
    assert calls["actual"].tolist() == ["normal", "malignant", "benign", "malignant"]
    assert calls["predicted"].tolist() == ["normal", "malignant", "benign", "malignant"]


def test_scores_by_hand():
    found = score_classes(class_cases(made_table(), CLASSES), CLASSES, Summariser(1, SETTINGS), 0.25, "cnn", "m")
    assert found.confusion == [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    assert [(one.label, one.cases) for one in found.classes] == [("normal", 1), ("benign", 1), ("malignant", 2)]
    # four folds of two cases; in the first, b is called benign
    assert found.metrics["accuracy"].mean == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    assert (found.metrics["accuracy"].folds, found.metrics["accuracy"].undefined) == (4, 0)
    malignant = found.classes[2].metrics
    assert malignant["recall"].mean == pytest.approx((0 + 1 + 1 + 1) / 4)
    normal = found.classes[0].metrics["recall"]  # 1 in two folds, of one case: t of 1 degree of freedom
    assert (normal.mean, normal.low, normal.high) == pytest.approx((1.0, 1 / (1 + 12.706205**2), 1.0))
    assert found.metrics["roc_auc_ovr"].folds == 0  # no fold has all three classes
    assert found.metrics["roc_auc_ovr"].mean is None
    assert found.master is not None
    assert (found.master.cases, found.master.score("accuracy")) == (2, 0.5)


def test_a_calibration_error_is_taken_in_each_repeat_and_then_averaged():
    """Normal, two bins: errors 0.1 and 0, then 0.1 and 0.05; of averaged probabilities 0.125 and 0.05."""
    settings = SETTINGS.model_copy(update={"calibration_bins": 2})
    found = score_classes(class_cases(made_table(), CLASSES), CLASSES, Summariser(1, settings), 0.25, "cnn", "m")
    assert found.classes[0].calibration_error == pytest.approx((0.05 + 0.075) / 2)
    assert found.classwise_ece == pytest.approx(sum(one.calibration_error for one in found.classes) / 3)


def test_more_than_one_model_draws_from_generators_of_its_own():
    cases = class_cases(made_table(), CLASSES)
    one, other = (score_classes(cases, CLASSES, Summariser(1, SETTINGS), 0.25, "cnn", name) for name in "mn")
    assert one.metrics["accuracy"].low == other.metrics["accuracy"].low
    assert one.confusion == other.confusion
