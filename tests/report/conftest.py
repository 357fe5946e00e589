"""Inputs of a report: a small study with made-up predictions, evaluated by the real evaluation."""

import json

import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import plain
from busline.base.params import Params, load_params
from busline.evaluation.evaluate import Inputs, evaluate
from busline.report.figures import draw_figures
from busline.report.paper import load_published
from busline.report.summarise import ReportInputs, summarise
from made_inputs import PARAMS_FILE

CASES = 48
FOLDS = 3
CLASSES = ("benign", "malignant")


def study_params() -> Params:
    content = load_params(PARAMS_FILE).model_dump(mode="json")
    content["data"]["source"] = "phantom"
    content["split"]["classes"] = list(CLASSES)
    content["cv"] |= {"folds": FOLDS, "repeats": 1}
    content["cnn"]["models"]["tiny_net"] = content["cnn"]["models"]["custom_cnn"]
    content["report"]["published"] = "chowdhary2026"
    return Params.model_validate(content)


def evaluated(params: Params, tabular: list[str], cnn: list[str]):
    """Evaluate made-up predictions of some models; tabular models are better than image models."""
    labels = np.array([CLASSES[i % 5 < 2] for i in range(CASES)])
    cases = pd.DataFrame({"case_id": [f"case{i:03d}" for i in range(CASES)], "label": labels})
    fold_of, roles = np.arange(CASES) % FOLDS, np.array(["test", "weigh", "fit"])
    splits = pd.concat(
        [cases.assign(repeat=0, fold=fold, role=roles[(fold_of - fold) % FOLDS]) for fold in range(FOLDS)]
        + [cases.assign(repeat=-1, fold=-1, role=np.where(np.arange(CASES) < 8, "test", "fit"))]
    )[["case_id", "repeat", "fold", "role"]]
    kept_out = splits[splits["role"] != "fit"].rename(columns={"role": "split"}).merge(cases)
    test = splits[splits["role"] == "test"].drop(columns="role").merge(cases).assign(split="test")
    generator = np.random.default_rng(7)

    def predictions(skill: float, of: pd.DataFrame = test, **extra: object) -> pd.DataFrame:
        signal = skill * (of["label"] == CLASSES[1]) + generator.normal(size=len(of))
        score = 1.0 / (1.0 + np.exp(-signal))
        return of.assign(p_benign=1.0 - score, p_malignant=score, **extra)

    def twice(skill: float) -> pd.DataFrame:
        return pd.concat(
            [predictions(skill, trained_on="all"), predictions(skill, kept_out, trained_on="without_weigh")]
        )

    pairs = [f"{table}+{image}" for table in tabular for image in cnn]
    predicted = {
        "tabular": {name: twice(1.5) for name in tabular},
        "cnn": {name: predictions(1.0, kept_out) for name in cnn},
        "merged": {name: predictions(1.2, kept_out) for name in cnn},
        "vote": {name: predictions(1.6, p_half_malignant=generator.uniform(size=len(test))) for name in pairs},
        "augmentation": {name: predictions(0.8) for name in ("none", "mild")},
        "dnn_search": {
            "h16_d0.2": predictions(1.4, hidden=16, dropout=0.2),
            "h8_d0.1": predictions(1.4, hidden=8, dropout=0.1),
        },
    }
    keys = test[["repeat", "fold"]].drop_duplicates()
    weights = pd.concat(
        keys.assign(tabular=table, image=image, weight=0.6, low=0.5, high=0.7, weigh_auc=0.8, n_weigh=9)
        for table in tabular
        for image in cnn
    )
    scores = {
        name: generator.uniform(0.4, 0.9, size=len(test)) for name in ("dice", "iou", "sensitivity", "specificity")
    }
    scores |= {"hd95": scores["dice"] * 5, "assd": scores["dice"]}  # mm
    folds = test[test["repeat"] >= 0]
    outlines = {
        "segment": test.assign(**scores),
        "lesion_segment": folds.assign(dice=0.8, iou=0.7, sensitivity=0.8, specificity=0.9, hd95=2.0, assd=0.5),
    }
    predicted["lesion_parts"] = {name: predictions(1.5, folds) for name in ("shape", "clinical")}
    training = splits[(splits["repeat"] >= 0) & (splits["role"] != "test")].drop(columns="role").merge(cases)
    predicted["lesion"] = {
        name: pd.concat(
            [
                predictions(1.5, folds, trained_on="all"),
                predictions(1.5, training, trained_on="inner", split="weigh"),
            ]
        )
        for name in ("image", "image_clinical")
    }
    curve = pd.DataFrame({"repeat": 0, "fold": 0, "phase": "train", "epoch": [1, 2], "train_loss": [1.0, 0.5]})
    curves = {("cnn", name): curve.assign(stop_loss=[1.1, 0.9]) for name in cnn}
    curves["lesion", "lesion"] = curve.assign(stop_loss=np.nan)
    return evaluate(Inputs(splits, predicted, weights, outlines, curves), params)


def records(table: pd.DataFrame) -> list[dict]:
    """Rows as the stage makes them of a CSV file: null for what is missing."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


@pytest.fixture(scope="session")
def params() -> Params:
    return study_params()


@pytest.fixture(scope="session")
def evaluation(params):
    return evaluated(params, ["logreg", "random_forest"], ["custom_cnn", "tiny_net"])


@pytest.fixture
def inputs(params, evaluation) -> ReportInputs:
    """A report's inputs as the stage reads them; each test may change its own copy."""
    return study_inputs(params, evaluation)


@pytest.fixture(scope="session")
def report_of():
    """A report's inputs of any evaluation and its parameters."""
    return study_inputs


@pytest.fixture(scope="session")
def figures(params, evaluation):
    """The figures of the unchanged inputs: drawing takes seconds."""
    return draw_figures(summarise(study_inputs(params, evaluation)), evaluation.plots)


def study_inputs(params: Params, evaluation) -> ReportInputs:
    described = {
        "n": 48,
        "missing": 0,
        "mean": 50.0,
        "sd": None,
        "min": 20,
        "q1": 40,
        "median": 50,
        "q3": 60,
        "max": 90,
    }
    return ReportInputs(
        params=params,
        published=load_published("chowdhary2026"),
        scores=json.loads(json.dumps(plain(evaluation.tables))),
        card={
            "source": "phantom",
            "cases": 52,
            "patients": 52,
            "labels": {"benign": 32, "malignant": 16, "normal": 4},
            "numeric": {"Age": {"benign": described, "malignant": described}},
            "images": dict.fromkeys(("width", "height", "stored_width", "stored_height", "pixel_mm"), described),
            "masks": {"with_main_lesion": 48, "with_other_lesions": 2, "other_lesions": 3},
            "lesion_share": {"benign": described},
            "missing": {"Age": 0.125},
            "undeclared": [],
            "duplicates": {"exact": 0, "near": 1, "across_labels": 0},
        },
        verdicts=[
            {
                "name": "Age",
                "provenance": "patient",
                "kind": "numeric",
                "kept": True,
                "missing": 0.125,
                "reason": "allowed",
                "auc_alone": 0.71,
            },
            {
                "name": "BIRADS",
                "provenance": "radiologist",
                "kind": "categorical",
                "kept": False,
                "missing": 0.0,
                "reason": "provenance radiologist is not allowed",
                "auc_alone": 0.93,
            },
            {
                "name": "CaseID",
                "provenance": "identifier",
                "kind": "numeric",
                "kept": False,
                "missing": 0.0,
                "reason": "provenance identifier is not allowed",
                "auc_alone": None,
            },
        ],
        checks={
            "cases": 48,
            "groups": 47,
            "largest_group": 2,
            "labels": {"benign": 32, "malignant": 16},
            "resamples": 4,
            "groups_in_two_roles": 0,
            "cases_by_role": [{"role": "test", "label": "benign", "min": 6, "max": 11}],
        },
        pictures={
            "segmentation": [
                {
                    "file": "segmentation_best.png",
                    "rank": "best",
                    "case_id": "case003",
                    "label": "malignant",
                    "fold": 0,
                    "dice": 0.91,
                    "iou": 0.83,
                    "sensitivity": None,
                    "specificity": 0.99,
                    "hd95": 1.75,
                    "assd": None,
                }
            ],
            "saliency": {
                "model": "custom_cnn",
                "method": "SmoothGrad.",
                "pictures": [
                    {"file": "saliency_01.png", "case_id": "case006", "label": "malignant", "fold": 0, "score": 0.87}
                ],
            },
        },
        hashes={"data/cohort/cases.parquet": "0" * 64, "requirements.lock": None},
        versions={"numpy": "2.4.6", "torch": None},
        comparisons=records(evaluation.plots["comparisons"]),
    )
