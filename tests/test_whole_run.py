"""The whole pipeline on a dozen phantoms, stage by stage as dvc.yaml runs them, with a pretrained model on top."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from busline.base.artifacts import load_array, load_json, load_table, load_tensors, save_array, save_table, save_tensors
from busline.base.errors import DataError, DownloadError, ParameterError
from busline.cohort.resize import resize_image
from busline.families import FAMILIES
from busline.models.diagnosis import MODELS, PARTS
from busline.models.images import build_image_model
from helpers_cohort import load_stage
from imports import REPOSITORY
from made_inputs import small_params
from read_models import read_in_a_fresh_process
from whole_pipeline import contents, run_all, write

PRETRAINED = "mobilenet_v2_imagenet"
FILE = "mobilenetv2_100"
"""Key in weights.files of what it starts from."""
SETTINGS = {
    "data__cohorts__phantom__phantom": {"cases": 18, "normal": 1, "width": 96, "height": 80},
    "dnn_search": {"hidden": [16], "dropout": [0.2]},
    "augmentation__active": ["none"],
    "cnn__active": ["custom_cnn", PRETRAINED],
    "merged__active": ["custom_cnn"],
    "tabular__active": ["logreg", "random_forest", "dnn"],
    "illustrate__cases": 2,
    "audit__planted_cases": 3,
    "audit__master_splits": 4,
    "audit__tabular_models": ["logreg", "dnn", "xgboost"],
    "audit__tabular_permutations": 2,
    "audit__image_permutations": 1,
    "audit__image_epochs": 1,
    "cv__folds": 3,
    "lesion__image_size": 32,
    "lesion__epochs": 1,
    "lesion__pretrain": {"phantoms": 8, "batch_size": 4, "epochs": 1, "learning_rate": 0.001},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A whole run; the pretrained model's weights are made here and lie in the mirror."""
    folder = tmp_path_factory.mktemp("whole")
    params = small_params(**SETTINGS)
    spec = params.cnn.models[PRETRAINED]
    torch.manual_seed(0)
    made = build_image_model(spec, 64).body.state_dict()
    save_tensors({**made, "classifier.weight": torch.zeros(1000, 1280)}, folder / f"mirror/weights/{FILE}.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUSLINE_WORKERS", "1")
        patch.setenv("BUSLINE_MIRROR", str(folder / "mirror"))
        patch.chdir(REPOSITORY)
        run_all(folder / "one", write(folder / "params.yaml", params), params)
        run_all(folder / "two", folder / "params.yaml", params)
    return params, folder


def test_a_second_run_gives_the_same_bytes(run):
    _, folder = run
    one, two = contents(folder / "one"), contents(folder / "two")
    assert list(one) == list(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_every_output_of_dvc_yaml_is_there_at_the_end(run):
    """A stage that removed what another one wrote would make a pulled clone run again."""
    params, folder = run
    lists = {"data": params.data, "tabular": params.tabular, "cnn": params.cnn, "merged": params.merged}
    lists |= {"augmentation": params.augmentation, "seg": params.seg}
    stages = YAML(typ="safe").load(REPOSITORY / "dvc.yaml")["stages"].values()
    for stage in [stage for stage in stages if "foreach" not in stage]:  # there is no user's folder here
        key, source = next(iter(stage.get("matrix", {"": ""}).items()))
        names = lists[source[2:-1].partition(".")[0]].active if key else [""]
        for out in [next(iter(out)) if isinstance(out, dict) else out for out in stage.get("outs", [])]:
            paths = [out.replace(f"${{item.{key}}}", name) for name in names]
            assert [path for path in paths if not (folder / "one" / path).exists()] == []


def test_no_output_is_a_pickle_or_left_half(run):
    suffixes = {Path(name).suffix for name in contents(run[1] / "one")}
    assert suffixes <= {
        "",
        ".txt",
        ".csv",
        ".html",
        ".json",
        ".md",
        ".npy",
        ".parquet",
        ".png",
        ".safetensors",
        ".skops",
        ".xlsx",
    }


def test_every_model_is_measured(run):
    params, folder = run
    metrics = load_json(folder / "one/reports/metrics.json")
    assert set(metrics["tabular"]) == set(params.tabular.active)
    assert set(metrics["cnn"]) == set(params.cnn.active)
    assert set(metrics["vote"]) == {f"{t}+{i}" for t in params.tabular.active for i in params.cnn.active}
    assert set(metrics["lesion"]) == set(MODELS)
    assert set(metrics["lesion_parts"]) == set(PARTS)
    outlines = [metrics["segment"]["unet"], metrics["lesion_segment"]["lesion"]]
    assert set(outlines[0]) == set(outlines[1]) == {"dice", "iou", "sensitivity", "specificity", "hd95", "assd"}
    assert 0.0 <= metrics["tabular"]["logreg"]["roc_auc"]["mean"] <= 1.0


def test_every_reported_model_read_in_a_fresh_process_gives_its_table_to_the_last_bit(run):
    found = read_in_a_fresh_process(run[1] / "one/data", "phantom")
    assert [one for one in found if one["differing"]] == []
    counts = {(key.split("/")[0], count) for key, count in Counter(one["model"] for one in found).items()}
    families = [family for family in FAMILIES.values() if not family.search]
    assert counts == {(family.key, 3 if family.left_out == 2 else 4) for family in families}  # pairs: no master split


def test_normal_cases_stay_in_the_cohort_and_out_of_the_study(run):
    _, folder = run
    cases = load_table(folder / "one/data/cohort/phantom/cases.parquet")
    assert cases["label"].value_counts()["normal"] == 1
    normal = cases.loc[cases["label"] == "normal", "case_id"].item()
    assert normal not in set(load_table(folder / "one/data/splits/splits.parquet")["case_id"])


def test_the_audit_looks_at_every_model_and_pair(run):
    params, folder = run
    leakage = load_json(folder / "one/reports/leakage.json")
    audited = {(row["family"], row["model"]) for row in leakage["protocol"]["rows"]}
    tabular, cnn = params.tabular.active, params.cnn.active
    assert audited == {
        *(("tabular", name) for name in tabular),
        *(("cnn", name) for name in cnn),
        *(("vote", f"{one}+{other}") for one in tabular for other in cnn),
    }
    assert {row["name"] for row in leakage["permutation"]} == {"logreg", "dnn", "custom_cnn"}
    assert leakage["splits"]["pairs_on_two_sides"] == {"duplicates": 0, "patients": 0}
    assert "## Leakage audit" in (folder / "one/reports/report.md").read_text(encoding="utf-8")


def copy_the_label(root):
    cases = load_table(root / "data/cohort/phantom/cases.parquet")
    cases["Signs"] = cases["label"].where(cases["label"] == "malignant", "no")
    save_table(cases, root / "data/cohort/phantom/cases.parquet")


def copy_a_scan(root):
    cases, images = (
        load_table(root / "data/cohort/phantom/cases.parquet"),
        load_array(root / "data/cohort/phantom/images.npy").copy(),
    )
    splits = load_table(root / "data/splits/splits.parquet")
    fold = splits[(splits["repeat"] == 0) & (splits["fold"] == 0)].set_index("case_id")["role"]
    first, second = ((fold.index[fold == role]).tolist()[0] for role in ("train", "test"))
    source, target = (cases.set_index("case_id").loc[case] for case in (first, second))
    scan = images[source["offset"] :][: source["height"] * source["width"]].reshape(source["height"], source["width"])
    again = resize_image(
        np.clip(scan[5:-4, ::-1] * 0.8 + 10, 0, 255).astype(np.uint8), target["width"], target["height"]
    )
    images[target["offset"] :][: again.size] = again.ravel()
    save_array(images, root / "data/cohort/phantom/images.npy")


def give_a_patient_two_sides(root):
    cases = load_table(root / "data/cohort/phantom/cases.parquet")
    cases.loc[cases["case_id"].isin(["1", "2"]), "patient_id"] = "patient7"
    save_table(cases, root / "data/cohort/phantom/cases.parquet")
    splits = load_table(root / "data/splits/splits.parquet")
    here = (splits["repeat"] == 0) & (splits["fold"] == 1)
    splits.loc[here & (splits["case_id"] == "1"), "role"] = "test"
    splits.loc[here & (splits["case_id"] == "2"), "role"] = "train"
    save_table(splits, root / "data/splits/splits.parquet")


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (copy_the_label, r"column 'Signs' \(patient\): alone it has a ROC AUC of 1.000"),
        (copy_a_scan, r"cases \d+ and \d+, \(near-\)duplicate images, stand on two sides: repeat"),
        (give_a_patient_two_sides, r"cases 1 and 2, cases of patient patient7, stand on two sides: repeat"),
    ],
    ids=["a label copied into a column", "a scan saved twice", "a patient on two sides"],
)
def test_a_planted_leak_fails_the_audit_by_name_and_writes_nothing(run, plant, message, tmp_path):
    """Planted behind the back of ingest and split, in a finished run."""
    _, folder = run
    shutil.copytree(folder / "one/data", tmp_path / "data", copy_function=os.link)
    plant(tmp_path)
    changes = {**SETTINGS, "audit__tabular_models": [], "audit__image_permutations": 0}
    settings = write(tmp_path / "params.yaml", small_params(**changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUSLINE_WORKERS", "1")
        with pytest.raises(DataError, match=message):
            load_stage("audit")(params_file=settings, root=tmp_path)
    assert not (tmp_path / "reports/leakage.json").exists()


def test_only_columns_of_the_patient_reach_a_model(run):
    _, folder = run
    columns = pd.read_parquet(folder / "one/data/features/features.parquet").columns
    assert set(columns) <= {"case_id", "Age", "Signs", "Symptoms"}
    encoder = load_json(folder / "one/data/models/tabular/logreg/master_all.json")
    known = {column["name"] for column in (*encoder["numeric"], *encoder["categorical"])}
    assert known == set(columns) - {"case_id"}


def test_a_pretrained_body_is_kept_but_for_its_last_layers(run):
    _, folder = run
    source = load_tensors(folder / f"mirror/weights/{FILE}.safetensors")
    trained = load_tensors(folder / f"one/data/models/cnn/{PRETRAINED}/r0_f0.safetensors")
    assert torch.equal(trained["body.conv_stem.weight"], source["conv_stem.weight"])
    assert torch.equal(trained["body.blocks.5.0.bn1.running_mean"], source["blocks.5.0.bn1.running_mean"])
    assert not torch.equal(trained["body.conv_head.weight"], source["conv_head.weight"])
    pinned = json.loads((folder / f"one/data/weights/cnn/{PRETRAINED}/source.json").read_text())
    assert len(pinned["sha256"]) == 64


def test_a_stage_that_was_killed_goes_on_where_it_was_and_writes_the_same_bytes(run, tmp_path):
    _, folder = run
    longer = small_params(**SETTINGS, cnn__models__custom_cnn__epochs=30)
    file = write(tmp_path / "params.yaml", longer)
    for name in ("whole", "killed"):
        for part in ("cohort", "features", "splits", "weights"):
            shutil.copytree(folder / "one/data" / part, tmp_path / name / "data" / part)
        load_stage("settings")(params_file=file, root=tmp_path / name)
    settings = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "BUSLINE_WORKERS": "2"}
    cache, log = tmp_path / "cache", tmp_path / "runs.jsonl"

    def start(name, **more):
        command = [
            sys.executable,
            REPOSITORY / "stages/cnn.py",
            "custom_cnn",
            "--params",
            file,
            "--root",
            tmp_path / name,
        ]
        return subprocess.Popen(command, env={**settings, **more}, stderr=subprocess.DEVNULL)

    killed = start("killed", BUSLINE_CACHE=str(cache), BUSLINE_LOG=str(log))
    while not list(cache.glob("folds/*.safetensors")):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed/data/predictions").exists()
    assert start("killed", BUSLINE_CACHE=str(cache), BUSLINE_LOG=str(log)).wait() == 0
    assert json.loads(log.read_text())["units_from_cache"] in (1, 2, 3)
    assert start("whole").wait() == 0
    one, other = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert list(one) == list(other)
    assert [name for name in one if one[name] != other[name]] == []


def test_an_image_models_name_that_does_not_exist_is_refused(run, tmp_path, monkeypatch):
    params, folder = run
    for part in ("cohort", "features", "splits", "weights"):
        shutil.copytree(folder / "one/data" / part, tmp_path / "data" / part)
    content = params.model_dump()
    content["cnn"]["models"]["custom_cnn"]["network"] = "resnet18x"
    wrong = tmp_path / "wrong.yaml"
    with wrong.open("w") as file:
        YAML().dump(content, file)
    monkeypatch.setenv("BUSLINE_WORKERS", "1")
    load_stage("settings")(params_file=wrong, root=tmp_path)
    with pytest.raises(ParameterError, match="resnet18"):
        load_stage("cnn")("custom_cnn", params_file=wrong, root=tmp_path)
    with pytest.raises(ParameterError, match="custom_cnn"):
        load_stage("cnn")("custom_cn", params_file=wrong, root=tmp_path)


def test_imagenet_weights_without_mirror_or_network_say_what_to_put_where(run, tmp_path, monkeypatch):
    params, _ = run
    content = params.model_dump(mode="json")
    content["weights"]["files"][FILE]["origin"]["url"] = "http://127.0.0.1:9/weights.safetensors"
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump(content, file)
    monkeypatch.setenv("BUSLINE_MIRROR", str(tmp_path))
    with pytest.raises(DownloadError, match=rf"weights/{FILE}\.safetensors"):
        load_stage("settings")(params_file=tmp_path / "params.yaml", root=tmp_path)
        load_stage("weights")("cnn", PRETRAINED, root=tmp_path)
    assert not [path for path in (tmp_path / "data/weights").rglob("*") if path.is_file()]
