"""Cohorts that lack something, from a folder to the report: what cannot be done is left out, with its reason."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from helpers_cohort import draw_image, draw_mask, own_data
from imports import REPOSITORY
from made_inputs import small_params
from whole_pipeline import run_all, write

CASES = 16
UNLABELLED = ("none",)
SMALL = {
    "cv__folds": 3,
    "ingest__max_side": 64,
    "dnn_search": {"hidden": [16], "dropout": [0.2]},
    "augmentation__active": ["none"],
    "cnn__active": ["custom_cnn"],
    "merged__active": ["custom_cnn"],
    "tabular__active": ["logreg", "dnn"],
    "illustrate__cases": 2,
    "audit__planted_cases": 2,
    "audit__master_splits": 2,
    "audit__tabular_permutations": 1,
    "audit__image_permutations": 1,
    "audit__image_epochs": 1,
}


def make_folder(folder, *, images, masks, columns, labels=("benign", "malignant")):
    """Write a user's folder of as many cases of each label, without patients."""
    folder.mkdir()
    dataset = {"table": "table.csv", "case_id": "id", "patient_id": "each image", "label": "diagnosis"}
    dataset["labels"] = {label: label for label in labels}
    count = max(len(labels), 2) * CASES // 2
    rows = [{"id": f"c{place:02d}", "diagnosis": labels[place % len(labels)]} for place in range(count)]
    if labels == UNLABELLED:
        dataset |= {"label": "none", "labels": None}
        rows = [{"id": row["id"]} for row in rows]
    if images:
        dataset["image"] = "image"
        for place, row in enumerate(rows):
            row["image"] = f"{row['id']}.png"
            Image.fromarray(draw_image(place)).save(folder / row["image"])
    if masks:
        dataset["mask"] = "mask"
        for row in rows:
            row["mask"] = f"{row['id']}_mask.png"
            Image.fromarray(draw_mask().astype(np.uint8) * 255).save(folder / row["mask"])
    if columns:
        dataset["columns"] = {"Age": {"provenance": "patient", "kind": "numeric"}}
        for place, row in enumerate(rows):
            row["Age"] = 40 + place
    with (folder / "dataset.yaml").open("w") as file:
        YAML().dump({key: value for key, value in dataset.items() if value is not None}, file)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def run(tmp_path, own, monkeypatch, **changes):
    monkeypatch.setenv("BUSLINE_WORKERS", "1")
    monkeypatch.chdir(REPOSITORY)
    params = small_params(**{**SMALL, **own_data(own), **changes})
    run_all(tmp_path / "run", write(tmp_path / "params.yaml", params), params)
    reports = tmp_path / "run/reports"
    return json.loads((reports / "metrics.json").read_text()), (reports / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", ["images", "columns"])
def test_three_classes_of_images_alone_and_of_a_table_alone(tmp_path, monkeypatch, part):
    parts = {**dict.fromkeys(("images", "masks", "columns"), False), part: True}
    own = make_folder(tmp_path / "own", **parts, labels=("benign", "malignant", "normal"))
    metrics, report = run(tmp_path, own, monkeypatch, split__classes=["normal", "benign", "malignant"])
    assert set(metrics) == ({"augmentation", "cnn"} if part == "images" else {"dnn_search", "tabular"})
    assert "## All classes" in report


def test_images_alone(tmp_path, monkeypatch):
    """No column that a model may see, no patient, no mask."""
    own = make_folder(tmp_path / "own", images=True, masks=False, columns=False)
    metrics, report = run(tmp_path, own, monkeypatch)
    assert set(metrics) == {"augmentation", "cnn"}
    assert "the cohort has no column that a model may see" in report
    assert "the cohort has no masks" in report
    assert "Dice" not in json.dumps(metrics)


def test_a_table_alone(tmp_path, monkeypatch):
    own = make_folder(tmp_path / "own", images=False, masks=False, columns=True)
    metrics, report = run(tmp_path, own, monkeypatch)
    assert set(metrics) == {"dnn_search", "tabular"}
    assert set(metrics["tabular"]) == {"logreg", "dnn"}
    assert "the cohort has no images" in report


def test_images_and_a_column_without_masks(tmp_path, monkeypatch):
    own = make_folder(tmp_path / "own", images=True, masks=False, columns=True)
    metrics, report = run(tmp_path, own, monkeypatch)
    assert set(metrics) == {"augmentation", "cnn", "dnn_search", "merged", "tabular", "vote"}
    assert "the cohort has no masks" in report
    assert "the cohort has no images" not in report


def test_a_cohort_without_labels_is_segmented(tmp_path, monkeypatch):
    own = make_folder(tmp_path / "own", images=True, masks=True, columns=True, labels=UNLABELLED)
    metrics, report = run(tmp_path, own, monkeypatch)
    assert set(metrics) == {"segment"}
    assert "Left out. Table, Search of the tabular network, Augmentation, Image" in report.replace("**", "")
    assert "the cohort has no labels" in report
    assert "so nothing else was looked for" in report
    assert "No kept column alone" not in report
    assert "calibrated and useless" not in report


def test_every_family_may_be_off(tmp_path, monkeypatch):
    own = make_folder(tmp_path / "own", images=True, masks=True, columns=True)
    off = {
        **{f"{key}__active": [] for key in ("tabular", "cnn", "merged", "augmentation", "seg")},
        "dnn_search": {"hidden": [], "dropout": []},
        "lesion__networks": 0,
        "illustrate__saliency": None,
    }
    metrics, report = run(tmp_path, own, monkeypatch, **off)
    assert metrics == {}
    assert "lesion.networks is 0" in report


MIRROR = Path(os.environ.get("BUSLINE_MIRROR", "")) / "busi/Dataset_BUSI_with_GT"


@pytest.mark.skipif(not MIRROR.is_dir(), reason="BUSI is not in $BUSLINE_MIRROR/busi")
def test_busi_goes_through_by_the_folder_source(tmp_path, monkeypatch):
    """Every sixth case of BUSI, with several masks a case, by a table that is written here."""
    own = tmp_path / "own"
    own.mkdir()
    rows = []
    for label in ("benign", "malignant", "normal"):
        for image in sorted((MIRROR / label).glob(f"{label} (*).png".replace("(", "[(]").replace(")", "[)]")))[::6]:
            masks = sorted(image.parent.glob(f"{image.stem.replace('(', '[(]').replace(')', '[)]')}_mask*.png"))
            rows.append({"id": image.stem, "label": label, "image": f"{label}/{image.name}"})
            rows[-1]["mask"] = ";".join(f"{label}/{mask.name}" for mask in masks)
        (own / label).symlink_to(MIRROR / label)
    with (own / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    labels = {label: label for label in ("benign", "malignant", "normal")}
    dataset = {"table": "table.csv", "case_id": "id", "patient_id": "each image", "image": "image", "mask": "mask"}
    dataset |= {"joiner": ";", "label": "label"}
    with (own / "dataset.yaml").open("w") as file:
        YAML().dump({**dataset, "labels": labels}, file)
    metrics, report = run(tmp_path, own, monkeypatch, ingest__max_side=128)
    assert set(metrics) == {"augmentation", "cnn", "lesion", "lesion_parts", "lesion_segment", "segment"}
    assert "the cohort has no column that a model may see" in report
