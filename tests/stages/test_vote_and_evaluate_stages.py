"""The vote and evaluate stages on a folder of made predictions."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from busline.base.artifacts import load_table, save_table
from busline.base.errors import DataError
from busline.cohort.outlines import outline_rows
from busline.families import FAMILIES
from made_inputs import PARAMS_FILE
from made_predictions import CLASSES, make_labels, make_predictions, make_splits

REPOSITORY = Path(__file__).parents[2]
TABULAR, CNN, LEVELS = ["logreg", "dnn"], ["custom_cnn"], ["none", "mild"]


def run(stage, root):
    spec = importlib.util.spec_from_file_location(f"{stage}_stage", REPOSITORY / "stages" / f"{stage}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(root / "params.yaml", root)


def write_params(root, **active):
    params = YAML(typ="safe").load(PARAMS_FILE)
    params["evaluate"]["bootstrap"] = 200
    params["illustrate"]["saliency"] = None
    for family, names in {"tabular": TABULAR, "cnn": CNN, "merged": CNN, "augmentation": LEVELS, **active}.items():
        params[family]["active"] = names
    YAML(typ="safe").dump(params, root / "params.yaml")


@pytest.fixture
def root(tmp_path):
    """A folder with everything the two stages read, for two tabular models and one image model."""
    write_params(tmp_path)
    splits = make_splits(cases=40, folds=3, repeats=1)
    labels = make_labels(splits)
    predictions, curves = tmp_path / "data" / "predictions", tmp_path / "data" / "curves"
    save_table(splits, tmp_path / "data" / "splits" / "splits.parquet")
    whose = pd.DataFrame({"case_id": labels.index, "patient_id": labels.index, "pixel_mm": 0.2})
    save_table(whose, tmp_path / "data" / "cohort" / "phantom" / "cases.parquet")
    save_table(make_duplicates([]), tmp_path / "data" / "cohort" / "phantom" / "duplicates.parquet")
    for seed, name in enumerate(TABULAR):
        save_table(make_predictions(splits, labels, seed=seed, tabular=True), predictions / f"tabular/{name}.parquet")
    for seed, name in enumerate(["cnn/custom_cnn", "merged/custom_cnn", "augmentation/none", "augmentation/mild"]):
        save_table(make_predictions(splits, labels, seed=9 + seed), predictions / f"{name}.parquet")
    searched = [make_predictions(splits[splits["scheme"] == "cv"], labels, seed=20 + hidden) for hidden in (16, 32)]
    searched = [table.assign(hidden=16 * (place + 1), dropout=0.2) for place, table in enumerate(searched)]
    save_table(pd.concat(searched), predictions / "dnn_search" / "dnn.parquet")
    test = splits[splits["role"] == "test"].drop(columns="role").assign(split="test")
    outlines = make_outlines(test)
    save_table(outlines, predictions / "segment" / "unet.parquet")
    save_table(outlines[outlines["scheme"] == "cv"], predictions / "lesion_segment" / "lesion.parquet")
    folds = splits[splits["scheme"] == "cv"]
    lesion = [f"{family}/{name}" for family in ("lesion", "lesion_parts") for name in FAMILIES[family].files]
    for seed, name in enumerate(lesion):
        table = make_predictions(folds, labels, seed=30 + seed)
        save_table(table[table["split"] == "test"], predictions / f"{name}.parquet")
    curve = pd.DataFrame(
        {"scheme": "cv", "repeat": 0, "fold": 0, "phase": "train", "epoch": [1, 2], "train_loss": 0.5, "val_loss": 0.7}
    )
    for name in ("tabular/dnn", "cnn/custom_cnn", "merged/custom_cnn", "augmentation/none", "augmentation/mild"):
        save_table(curve.assign(model="its own name"), curves / f"{name}.parquet")
    save_table(curve.iloc[:0], curves / "tabular" / "logreg.parquet")
    save_table(curve.assign(model="U-Net"), curves / "segment" / "unet.parquet")
    save_table(curve.assign(model="lesion", val_loss=float("nan")), curves / "lesion" / "lesion.parquet")
    both = [curve.assign(model=name) for name in ("h16_d0.2", "h32_d0.2")]
    save_table(pd.concat(both), curves / "dnn_search" / "dnn.parquet")
    return tmp_path


def make_duplicates(pairs):
    """A table of pairs of near-duplicates."""
    return pd.DataFrame(pairs, columns=["case_a", "case_b"]).astype("str")


def make_outlines(test):
    """A true square of two rows and four columns, of which the left half is found."""
    truth, found = np.zeros((6, 9), dtype=bool), np.zeros((6, 9), dtype=bool)
    truth[2:4, 2:6], found[2:4, 2:4] = True, True
    keys = test.reset_index(drop=True)
    masks = outline_rows(keys["case_id"], "cv", 0, keys["fold"], [found] * len(keys), [truth] * len(keys))
    return masks.assign(scheme=keys["scheme"], repeat=keys["repeat"])


def contents(root):
    files = [path for folder in ("data", "reports") for path in (root / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_vote_writes_a_table_a_pair_and_the_weights(root):
    run("vote", root)
    found = sorted(path.name for path in (root / "data/predictions/vote").iterdir())
    assert found == ["dnn+custom_cnn.parquet", "logreg+custom_cnn.parquet"]
    voted = load_table(root / "data/predictions/vote/logreg+custom_cnn.parquet")
    assert list(voted) == [
        "case_id",
        "scheme",
        "repeat",
        "fold",
        "split",
        "label",
        "p_benign",
        "p_malignant",
        "p_half_malignant",
    ]
    assert set(voted["split"]) == {"test"}
    weights = load_table(root / "data/vote/weights.parquet")
    assert list(weights) == [
        "tabular",
        "image",
        "scheme",
        "repeat",
        "fold",
        "weight",
        "low",
        "high",
        "tune_auc",
        "n_tune",
    ]
    assert len(weights) == 2 * 4


def test_evaluate_writes_metrics_tables_and_plots(root):
    run("vote", root)
    run("evaluate", root)
    metrics, tables = (json.loads((root / "reports" / name).read_text()) for name in ("metrics.json", "tables.json"))
    families = {"tabular", "cnn", "merged", "augmentation", "dnn_search", "vote", "segment"}
    families |= {"lesion", "lesion_parts", "lesion_segment"}
    assert (set(metrics), set(tables)) == (
        families,
        families | {"protocol", "comparisons", "headline", "described", "skipped"},
    )
    assert set(tables["dnn_search"]) == {"h16_d0.2", "h32_d0.2"}
    assert tables["dnn_search"]["h32_d0.2"]["hidden"] == 32
    assert {name: row["mean"] for name, row in metrics["segment"]["unet"].items()} == pytest.approx(
        {"dice": 2 / 3, "iou": 0.5, "sensitivity": 0.5, "specificity": 1.0, "hd95": 0.4, "assd": 0.1},
    )
    assert metrics["lesion_segment"]["lesion"]["hd95"]["undefined_cases"] == 0
    assert tables["segment"]["unet"]["cases"]["assd"]["count"] == 40
    plots = {path.stem: pd.read_csv(path) for path in (root / "reports/plots").iterdir()}
    drawn = {("tabular", "dnn"), ("tabular", "logreg"), ("cnn", "custom_cnn"), ("merged", "custom_cnn")}
    drawn |= {("vote", "logreg+custom_cnn"), ("vote", "dnn+custom_cnn")}
    drawn |= {("lesion", name) for name in FAMILIES["lesion"].files}
    for name in ("roc", "pr", "calibration", "confusion"):
        assert set(zip(plots[name]["family"], plots[name]["model"], strict=True)) == drawn
    assert set(plots["confusion"]["actual"]) <= set(CLASSES)
    curves = {("tabular", "dnn"), ("cnn", "custom_cnn"), ("merged", "custom_cnn"), ("segment", "unet")}
    curves |= {("lesion", "lesion")}
    curves |= {("augmentation", "none"), ("augmentation", "mild")}
    curves |= {("dnn_search", "h16_d0.2"), ("dnn_search", "h32_d0.2")}
    assert set(zip(plots["curves"]["family"], plots["curves"]["model"], strict=True)) == curves


def test_both_stages_write_the_same_bytes_again(root):
    run("vote", root)
    run("evaluate", root)
    first = contents(root)
    run("vote", root)
    run("evaluate", root)
    assert contents(root) == first


def test_near_duplicates_of_the_cohort_are_drawn_together(root):
    run("vote", root)

    def pooled():
        run("evaluate", root)
        return json.loads((root / "reports/tables.json").read_text())["cnn"]["custom_cnn"]["pooled"]

    apart, cases = pooled(), load_table(root / "data/cohort/phantom/cases.parquet")["case_id"]
    pairs = list(zip(cases[::2], cases[1::2], strict=True))
    save_table(make_duplicates(pairs), root / "data/cohort/phantom/duplicates.parquet")
    together = pooled()
    assert together["roc_auc"] == apart["roc_auc"]
    assert together["roc_auc_low"] != apart["roc_auc_low"]
    assert together["by_patient"] is None


def test_files_of_inactive_models_are_removed_and_do_not_vote(root):
    run("vote", root)
    write_params(root, tabular=["dnn"], augmentation=["mild"])
    run("vote", root)
    predictions = root / "data" / "predictions"
    assert [path.name for path in (predictions / "tabular").iterdir()] == ["dnn.parquet"]
    run("evaluate", root)
    assert [path.name for path in (predictions / "vote").iterdir()] == ["dnn+custom_cnn.parquet"]
    assert [path.name for path in (predictions / "augmentation").iterdir()] == ["mild.parquet"]
    assert [path.name for path in (root / "data/curves/augmentation").iterdir()] == ["mild.parquet"]
    tables = json.loads((root / "reports/tables.json").read_text())
    assert (set(tables["tabular"]), set(tables["augmentation"])) == ({"dnn"}, {"mild"})
    assert set(load_table(root / "data/vote/weights.parquet")["tabular"]) == {"dnn"}


def test_families_without_active_models_are_left_out(root):
    write_params(root, merged=[], augmentation=[])
    run("vote", root)
    run("evaluate", root)
    tables, metrics = (json.loads((root / "reports" / name).read_text()) for name in ("tables.json", "metrics.json"))
    lesion = {"lesion", "lesion_parts", "lesion_segment"}
    assert set(metrics) == {"tabular", "cnn", "dnn_search", "vote", "segment"} | lesion
    assert set(tables) == {*metrics, "protocol", "comparisons", "headline", "described", "skipped"}
    assert "merged" not in set(pd.read_csv(root / "reports/plots/roc.csv")["family"])
    assert list((root / "data/predictions/merged").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["predictions/cnn/custom_cnn", "predictions/dnn_search/dnn", "predictions/segment/unet", "splits/splits",
     "curves/merged/custom_cnn", "vote/weights", "cohort/phantom/cases", "cohort/phantom/duplicates"],
)  # fmt: skip
def test_a_missing_input_is_named_and_leaves_the_reports_alone(root, name):
    run("vote", root)
    run("evaluate", root)
    (root / "data" / f"{name}.parquet").unlink()
    before = contents(root)
    with pytest.raises(DataError, match=f"{name}.parquet: is missing"):
        run("evaluate", root)
    assert contents(root) == before


def test_broken_predictions_leave_the_votes_alone(root):
    run("vote", root)
    path = root / "data" / "predictions" / "cnn" / "custom_cnn.parquet"
    save_table(load_table(path).iloc[1:], path)
    before = contents(root)
    with pytest.raises(DataError, match="one member alone"):
        run("vote", root)
    assert contents(root) == before
