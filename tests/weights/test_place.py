import hashlib

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from busline.base.artifacts import load_json
from busline.base.errors import DataError, DownloadError, ParameterError
from busline.base.params import load_params
from busline.base.settings.weights import WeightsFile
from busline.weights.place import save_weights, weights_name
from helpers_cohort import files_of, write_params

CONTENT = save({"conv.weight": np.arange(6, dtype=np.float32)})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:1/model.safetensors"


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror/weights").mkdir(parents=True)
    (tmp_path / "mirror/weights/net.a1.safetensors").write_bytes(CONTENT)
    return tmp_path / "mirror"


def put(tmp_path, mirror, name="net.a1", url=NOWHERE, sha256=None):
    files = {"net.a1": WeightsFile(url=url, sha256=sha256)}
    save_weights(tmp_path / "out", name, files, mirror=mirror, downloads=tmp_path / "downloads")
    return tmp_path / "out"


def test_random_weights_are_an_empty_marker(tmp_path):
    out = put(tmp_path, None, name=None)
    assert list(files_of(out)) == ["source.json"]
    assert load_json(out / "source.json") == {"name": None, "sha256": None}


@pytest.mark.parametrize("pinned", [SHA256, None])
def test_weights_come_from_the_mirror_and_their_checksum_is_recorded(tmp_path, mirror, pinned):
    out = put(tmp_path, mirror, sha256=pinned)
    assert list(files_of(out)) == ["source.json", "weights.safetensors"]
    assert load_json(out / "source.json") == {"name": "net.a1", "sha256": SHA256}
    np.testing.assert_array_equal(load_file(out / "weights.safetensors")["conv.weight"], np.arange(6))


def test_a_mirrored_file_with_another_checksum_is_refused(tmp_path, mirror):
    with pytest.raises(DownloadError, match=f"has SHA-256 {SHA256}"):
        put(tmp_path, mirror, sha256="0" * 64)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("empty_mirror", [True, False])
def test_else_they_are_downloaded(tmp_path, web, empty_mirror):
    (tmp_path / "empty").mkdir()
    web.files["model.safetensors"] = CONTENT
    out = put(tmp_path, tmp_path / "empty" if empty_mirror else None, url=web.address("model.safetensors"))
    assert load_json(out / "source.json") == {"name": "net.a1", "sha256": SHA256}
    assert (out / "weights.safetensors").read_bytes() == CONTENT


def test_offline_one_error_says_what_to_put_where(tmp_path, mirror):
    with pytest.raises(DownloadError) as error:
        put(tmp_path, None)
    message = str(error.value)
    assert NOWHERE in message
    assert "put the file at $BUSLINE_MIRROR/weights/net.a1.safetensors" in message
    assert "BUSLINE_MIRROR set to a folder" in message
    assert not (tmp_path / "out").exists()
    (mirror / "weights/net.a1.safetensors").unlink()
    with pytest.raises(DownloadError) as error:
        put(tmp_path, mirror)
    assert f"put the file at {mirror}/weights/net.a1.safetensors" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"<html>not found</html>", CONTENT[:-3]])
def test_what_is_no_safetensors_file_is_refused(tmp_path, mirror, content):
    (mirror / "weights/net.a1.safetensors").write_bytes(content)
    with pytest.raises(DataError, match="is no safetensors file"):
        put(tmp_path, mirror)
    assert not (tmp_path / "out").exists()


def test_a_wrong_download_is_not_taken_for_the_file_the_next_time(tmp_path, web):
    web.files["model.safetensors"] = b"<html>busy</html>"
    with pytest.raises(DataError, match="is no safetensors file"):
        put(tmp_path, None, url=web.address("model.safetensors"))
    web.files["model.safetensors"] = CONTENT
    assert put(tmp_path, None, url=web.address("model.safetensors")).is_dir()


def test_every_model_has_a_name_for_its_weights_or_none(tmp_path):
    params = load_params(write_params(tmp_path / "p.yaml", seg__weights="mobilenet_v2.imagenet"))
    assert weights_name(params, "custom_cnn") is None
    assert weights_name(params, "mobilenet_v2_imagenet") == "mobilenetv2_100.ra_in1k"
    assert weights_name(params, "seg") == "mobilenet_v2.imagenet"
    with pytest.raises(ParameterError, match="did you mean 'custom_cnn'"):
        weights_name(params, "custom_cn")
