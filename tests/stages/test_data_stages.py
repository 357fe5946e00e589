"""The stages that get, check and prune the data."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from busline.base.artifacts import load_json, load_table
from busline.base.errors import DataError, DownloadError, ParameterError
from busline.cohort.sources.breast import TABLE
from helpers_cohort import BREAST, ROOT, files_of, load_stage, own_data, run_stage, write_params, write_release
from made_weights import entry

acquire, folder, ingest, prune, weights = (
    load_stage(name) for name in ("acquire", "folder", "ingest", "prune", "weights")
)


def test_from_raw_files_to_features(tmp_path, monkeypatch):
    write_release(tmp_path / "mirror/breast", 12)
    params = write_params(tmp_path / "params.yaml", **BREAST)
    monkeypatch.setenv("BUSLINE_MIRROR", str(tmp_path / "mirror"))
    acquire("breast", params, tmp_path)
    ingest("breast", params, tmp_path)
    prune(params, tmp_path)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"raw", "cohort", "features"}
    features = tmp_path / "data/features"
    assert sorted(files_of(features)) == ["columns.json", "features.parquet", "verdicts.json"]
    table = load_table(features / "features.parquet")
    assert list(table.columns) == ["case_id", "Age", "Signs"]
    assert len(table) == 12
    assert load_json(features / "columns.json") == [
        {"name": "Age", "provenance": "patient", "kind": "numeric"},
        {"name": "Signs", "provenance": "patient", "kind": "categorical"},
    ]
    verdicts = {verdict["name"]: verdict for verdict in load_json(features / "verdicts.json")}
    assert len(verdicts) == 21
    assert set(verdicts["Symptoms"]) == {"name", "provenance", "kind", "kept", "missing", "reason", "auc_alone"}
    assert not verdicts["Symptoms"]["kept"]


def test_the_example_folder_becomes_features(tmp_path, monkeypatch):
    monkeypatch.delenv("BUSLINE_MIRROR", raising=False)
    params = write_params(tmp_path / "params.yaml", **own_data(ROOT / "examples/folder"))
    for stage in (folder, acquire, ingest):
        stage("own", params, tmp_path)
    prune(params, tmp_path)
    assert list(load_table(tmp_path / "data/features/features.parquet").columns) == ["case_id", "Age", "palpable"]


def test_an_undeclared_column_passes_ingest_and_stops_prune(tmp_path):
    write_release(tmp_path / "data/raw/breast", 6, change=lambda rows: [row.update(Hospital="A") for row in rows])
    params = write_params(tmp_path / "params.yaml", **BREAST)
    ingest("breast", params, tmp_path)
    assert load_json(tmp_path / "data/cohort/breast/card.json")["undeclared"] == ["Hospital"]
    with pytest.raises(DataError, match="column 'Hospital': has no declared provenance"):
        prune(params, tmp_path)
    assert not (tmp_path / "data/features").exists()


def test_bad_input_ends_with_one_error_and_exit_code_1(tmp_path):
    write_release(tmp_path / "mirror/breast")
    (tmp_path / "mirror/breast" / TABLE).write_bytes(b"CaseID,Age\n1,2\n")
    params = write_params(tmp_path / "params.yaml", **BREAST)
    result = run_stage(
        "acquire", "breast", "--params", params, "--root", tmp_path, BUSLINE_MIRROR=str(tmp_path / "mirror")
    )
    assert result.returncode == 1
    assert f"{TABLE}: is no xlsx table" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error:") == 1
    assert files_of(tmp_path / "data") == {}


def test_an_unknown_source_is_refused(tmp_path):
    params = write_params(tmp_path / "params.yaml", data__cohorts__breast={"source": "brest"})
    for stage in (acquire, ingest):
        with pytest.raises(ParameterError, match="unknown source 'brest'"):
            stage("breast", params, tmp_path)


def test_a_cohort_that_is_no_entry_is_refused(tmp_path):
    params = write_params(tmp_path / "params.yaml")
    for stage in (folder, acquire, ingest):
        with pytest.raises(ParameterError, match="is unknown"):
            stage("../x", params, tmp_path)
    assert not (tmp_path / "data").exists()


def test_weights_offline_are_one_error_until_the_file_is_in_the_mirror(tmp_path, monkeypatch):
    files = {"tiny": entry({"url": "http://127.0.0.1:1/tiny.safetensors"}, "unverified").model_dump(mode="json")}
    files["tiny"]["networks"] = ["mobilenet_v2"]
    params = write_params(
        tmp_path / "params.yaml",
        weights__files=files,
        seg__weights="tiny",
        cnn__active=["custom_cnn"],
        merged__active=[],
    )
    load_stage("settings")(params, tmp_path)
    monkeypatch.delenv("BUSLINE_MIRROR", raising=False)
    with pytest.raises(DownloadError) as error:
        weights("seg", "unet", tmp_path)
    assert "http://127.0.0.1:1/tiny.safetensors" in str(error.value)
    assert "$BUSLINE_MIRROR/weights/tiny.safetensors" in str(error.value)
    (tmp_path / "mirror/weights").mkdir(parents=True)
    save_file({"a": np.zeros(3, dtype=np.float32)}, tmp_path / "mirror/weights/tiny.safetensors")
    monkeypatch.setenv("BUSLINE_MIRROR", str(tmp_path / "mirror"))
    weights("seg", "unet", tmp_path)
    assert sorted(files_of(tmp_path / "data/weights/seg/unet")) == ["source.json", "weights.safetensors"]
    weights("cnn", "custom_cnn", tmp_path)
    assert load_json(tmp_path / "data/weights/cnn/custom_cnn/source.json") == {"name": "none", "sha256": None}
    with pytest.raises(ParameterError, match="seg 'unett': is unknown or not active"):
        weights("seg", "unett", tmp_path)
