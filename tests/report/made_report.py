"""Inputs of a report: a small study with made-up predictions, evaluated by the real evaluation."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from busline.base.artifacts import plain
from busline.base.params import Params, load_params
from busline.evaluation.evaluate import Evaluation, Inputs, evaluate
from busline.evaluation.outcomes import Comparison
from busline.evaluation.results import Tables
from busline.families import FAMILIES
from busline.report.paper import load_published
from busline.report.summarise import ReportInputs
from made_inputs import PARAMS_FILE

CASES = 48
FOLDS = 3
CLASSES = ("benign", "malignant")
DESCRIBED = {
    "n": 48, "missing": 0, "mean": 50.0, "sd": None, "min": 20, "q1": 40, "median": 50, "q3": 60, "max": 90
}  # fmt: skip
CARD = {
    "source": "phantom",
    "cases": 52,
    "patients": 52,
    "labels": {"benign": 32, "malignant": 16, "normal": 4},
    "numeric": {"Age": {"benign": DESCRIBED, "malignant": DESCRIBED}},
    "images": dict.fromkeys(("width", "height", "stored_width", "stored_height", "pixel_mm"), DESCRIBED),
    "masks": {"with_main_lesion": 48, "with_other_lesions": 2, "other_lesions": 3},
    "lesion_share": {"benign": DESCRIBED},
    "missing": {"Age": 0.125},
    "undeclared": [],
    "duplicates": {"exact": 0, "near": 1, "across_labels": 0, "left_out": [], "lines": []},
    "doubts": {"cases": {}, "same_mask": [], "sixteen_bits": None, "lines": []},
}
CHECKS = {
    "cases": 48,
    "groups": 47,
    "largest_group": 2,
    "labels": {"benign": 32, "malignant": 16},
    "resamples": 4,
    "groups_in_two_roles": 0,
    "cases_by_role": [{"role": "test", "label": "benign", "min": 6, "max": 11}],
}
SEGMENTED = {
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
SALIENT = {"file": "saliency_01.png", "case_id": "case006", "label": "malignant", "fold": 0, "score": 0.87}


def verdict(name, provenance, kind, *, missing=0.0, auc_alone=None):
    allowed = provenance == "patient"
    reason = "allowed" if allowed else f"provenance {provenance} is not allowed"
    row = {"name": name, "provenance": provenance, "kind": kind, "kept": allowed, "missing": missing}
    return {**row, "reason": reason, "auc_alone": auc_alone}


def study_params() -> Params:
    content = load_params(PARAMS_FILE).model_dump(mode="json")
    content["split"]["classes"] = list(CLASSES)
    content["cv"] |= {"folds": FOLDS, "repeats": 1}
    content["cnn"]["models"]["tiny_net"] = content["cnn"]["models"]["custom_cnn"]
    content["report"]["published"] = "chowdhary2026"
    return Params.model_validate(content)


@dataclass
class MadeStudy:
    """Splits of cases, and predictions of a given skill for some of them."""

    cases: pd.DataFrame
    splits: pd.DataFrame
    generator: np.random.Generator

    @classmethod
    def make(cls):
        labels = np.array([CLASSES[i % 5 < 2] for i in range(CASES)])
        cases = pd.DataFrame({"case_id": [f"case{i:03d}" for i in range(CASES)], "label": labels})
        fold_of, roles = np.arange(CASES) % FOLDS, np.array(["test", "tune", "train"])
        splits = pd.concat(
            [
                cases.assign(scheme="cv", repeat=0, fold=fold, role=roles[(fold_of - fold) % FOLDS])
                for fold in range(FOLDS)
            ]
            + [cases.assign(scheme="master", repeat=-1, fold=-1, role=np.where(np.arange(CASES) < 8, "test", "train"))]
        )[["case_id", "scheme", "repeat", "fold", "role"]]
        return cls(cases, splits, np.random.default_rng(7))

    def rows(self, of: pd.Series) -> pd.DataFrame:
        """Return some rows of the splits, their role as the split."""
        return self.splits[of].rename(columns={"role": "split"}).merge(self.cases)

    @property
    def test(self) -> pd.DataFrame:
        return self.rows(self.splits["role"] == "test")

    @property
    def folds(self) -> pd.DataFrame:
        return self.rows((self.splits["role"] == "test") & (self.splits["scheme"] == "cv"))

    @property
    def kept_out(self) -> pd.DataFrame:
        return self.rows(self.splits["role"] != "train")

    @property
    def training(self) -> pd.DataFrame:
        return self.rows((self.splits["scheme"] == "cv") & (self.splits["role"] != "test"))

    def predictions(self, skill: float, of: pd.DataFrame | None = None, **extra: object) -> pd.DataFrame:
        """Return predictions of some rows, of the test cases by default."""
        rows = self.test if of is None else of
        signal = skill * (rows["label"] == CLASSES[1]) + self.generator.normal(size=len(rows))
        score = 1.0 / (1.0 + np.exp(-signal))
        return rows.assign(p_benign=1.0 - score, p_malignant=score, **extra)

    def twice(self, skill: float) -> pd.DataFrame:
        """Return a tabular model's predictions."""
        without = self.predictions(skill, self.kept_out, trained_on="without_tune")
        return pd.concat([self.predictions(skill, trained_on="all"), without])

    def inner(self, skill: float) -> pd.DataFrame:
        """Return a lesion model's predictions."""
        inner = self.predictions(skill, self.training, trained_on="inner", split="tune")
        return pd.concat([self.predictions(skill, self.folds, trained_on="all"), inner])


def evaluated(params: Params, tabular: list[str], cnn: list[str]) -> Evaluation:
    """Evaluate made-up predictions of some models; tabular models are better than image models."""
    study = MadeStudy.make()
    pairs = [f"{table}+{image}" for table in tabular for image in cnn]
    half = study.generator.uniform(size=len(study.test))
    predicted = {
        "tabular": {name: study.twice(1.5) for name in tabular},
        "cnn": {name: study.predictions(1.0, study.kept_out) for name in cnn},
        "merged": {name: study.predictions(1.2, study.kept_out) for name in cnn},
        "vote": {name: study.predictions(1.6, p_half_malignant=half) for name in pairs},
        "augmentation": {name: study.predictions(0.8) for name in ("none", "mild")},
        "dnn_search": {
            "h16_d0.2": study.predictions(1.4, hidden=16, dropout=0.2),
            "h8_d0.1": study.predictions(1.4, hidden=8, dropout=0.1),
        },
        "lesion_parts": {name: study.predictions(1.5, study.folds) for name in ("shape", "clinical")},
        "lesion": {name: study.inner(1.5) for name in FAMILIES["lesion"].files},
    }
    weights = made_weights(study.test, tabular, cnn)
    return evaluate(Inputs(study.splits, predicted, weights, made_outlines(study), made_curves(cnn)), params)


def made_weights(test, tabular, cnn):
    """Return the same weight for every pair and fold."""
    keys = test[["scheme", "repeat", "fold"]].drop_duplicates()
    return pd.concat(
        keys.assign(tabular=table, image=image, weight=0.6, low=0.5, high=0.7, tune_auc=0.8, n_tune=9)
        for table in tabular
        for image in cnn
    )


def made_outlines(study):
    """Return scores of outlines by family and model; distances are in mm."""
    drawn = {
        name: study.generator.uniform(0.4, 0.9, size=len(study.test))
        for name in ("dice", "iou", "sensitivity", "specificity")
    }
    drawn |= {"hd95": drawn["dice"] * 5, "assd": drawn["dice"]}
    same = study.folds.assign(dice=0.8, iou=0.7, sensitivity=0.8, specificity=0.9, hd95=2.0, assd=0.5)
    return {"segment": {"unet": study.test.assign(**drawn)}, "lesion_segment": {"lesion": same}}


def made_curves(cnn):
    curve = pd.DataFrame(
        {"scheme": "cv", "repeat": 0, "fold": 0, "phase": "train", "epoch": [1, 2], "train_loss": [1.0, 0.5]}
    )
    curves = {("cnn", name): curve.assign(val_loss=[1.1, 0.9]) for name in cnn}
    return {**curves, ("lesion", "lesion"): curve.assign(val_loss=np.nan)}


def study_inputs(params: Params, evaluation: Evaluation) -> ReportInputs:
    """Return a report's inputs as the stage reads them: each call its own copy."""
    own = json.loads(json.dumps({"card": CARD, "checks": CHECKS, "segmented": SEGMENTED, "salient": SALIENT}))
    pairs = evaluation.plots["comparisons"].astype(object)
    return ReportInputs(
        params=params,
        published=load_published("chowdhary2026"),
        scores=Tables.model_validate_json(json.dumps(plain(evaluation.tables.model_dump()))),
        card=own["card"],
        verdicts=[
            verdict("Age", "patient", "numeric", missing=0.125, auc_alone=0.71),
            verdict("BIRADS", "radiologist", "categorical", auc_alone=0.93),
            verdict("CaseID", "identifier", "numeric"),
        ],
        checks=own["checks"],
        pictures={
            "segmentation": [own["segmented"]],
            "saliency": {"model": "custom_cnn", "method": "SmoothGrad.", "pictures": [own["salient"]]},
        },
        hashes={"data/cohort/phantom/cases.parquet": "0" * 64, "requirements.lock": None},
        versions={"numpy": "2.4.6", "torch": None},
        comparisons=[Comparison.model_validate(row) for row in pairs.to_dict("records")],
    )


def edited(inputs: ReportInputs, *place: str, **values: object) -> ReportInputs:
    """Return the inputs with values changed at a place of tables.json: keys from the top, then what is there."""
    content = inputs.scores.model_dump()
    part = content
    for key in place:
        part = part[key]
    part |= values
    return with_scores(inputs, content)


def with_scores(inputs: ReportInputs, content: dict) -> ReportInputs:
    """Return the inputs with another content of tables.json."""
    return replace(inputs, scores=Tables.model_validate_json(json.dumps(content)))
