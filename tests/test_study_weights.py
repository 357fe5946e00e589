"""A study without its weights files: what is left out, and that it is said."""

import pytest

from busline.base.errors import DownloadError, ParameterError
from busline.base.params import load_params
from busline.base.settings.reading import read_parameters
from busline.report.provenance import list_weights, missing_weights
from busline.study import apply_settings, leave_out, parse_setting, read_study
from busline.study_weights import missing_files, without
from imports import REPOSITORY

OFFLINE = {
    f"weights.files.{name}.origin.url": f"http://127.0.0.1:1/{name}.safetensors"
    for name in ("mobilenetv2_100", "mobilenet_v2")
}


def params_of(**settings):
    return apply_settings(read_parameters(REPOSITORY / "params.yaml"), {**OFFLINE, **settings})


STUDY = read_study(REPOSITORY / "studies", "chowdhary2026")


def test_models_of_files_that_are_nowhere_are_left_out_and_named(capsys, monkeypatch):
    monkeypatch.delenv("BUSLINE_MIRROR", raising=False)
    settings = leave_out(params_of(**STUDY))
    assert settings == {
        "weights.missing": ["mobilenet_v2", "mobilenetv2_100"],
        "cnn.active": ["custom_cnn", "mobilenet_v2_random", "lite0_imagenet"],
        "merged.active": ["custom_cnn", "mobilenet_v2_random"],
        "seg.weights": "none",
    }
    said = capsys.readouterr().out
    assert "mobilenetv2_100 of weights.files is neither here nor to be downloaded; cnn/mobilenet_v2_imagenet" in said
    run = params_of(**{**STUDY, **settings})
    assert missing_weights(run) == {"mobilenet_v2_imagenet": "mobilenetv2_100"}
    assert [row["model"] for row in list_weights(run)] == ["cnn/lite0_imagenet"]


def test_with_the_files_in_the_mirror_nothing_is_left_out(tmp_path):
    (tmp_path / "weights").mkdir()
    for name in ("mobilenetv2_100", "mobilenet_v2"):
        (tmp_path / f"weights/{name}.safetensors").touch()
    params = params_of(**STUDY)
    assert missing_files(params, tmp_path) == {}
    assert without(params, {}) == {}


def test_a_file_that_a_server_would_send_is_at_hand(web):
    web.files["net.safetensors"] = b"anything"
    key = "weights.files.mobilenetv2_100.origin.url"
    active = {"cnn.active": ["custom_cnn", "mobilenet_v2_imagenet"], "merged.active": []}
    assert missing_files(params_of(**active, **{key: web.address("net.safetensors")}), None) == {}
    gone = missing_files(params_of(**active, **{key: web.address("none.safetensors")}), None)
    assert gone == {"mobilenetv2_100": ["cnn/mobilenet_v2_imagenet"]}


def test_a_model_of_its_own_weights_loses_its_own_and_the_lesion_network_is_no_study_without(tmp_path):
    params = params_of(
        **{"+seg.models.unet.weights": "mobilenet_v2", "cnn.active": ["custom_cnn"], "merged.active": []}
    )
    missing = missing_files(params, tmp_path)
    assert without(params, missing)["seg.models.unet.weights"] == "none"
    lesion = params_of(**{"lesion.encoder": "mobilenetv2_100", "lesion.weights": "imagenet"})
    with pytest.raises(DownloadError, match=r"mobilenetv2_100: is neither here nor to be downloaded"):
        without(lesion, missing_files(lesion, tmp_path))


def test_a_network_that_has_its_file_keeps_it_where_another_of_the_same_setting_has_not(tmp_path):
    given = {"seg.weights": "imagenet", "seg.active": ["unet", "lite"], "cnn.active": ["custom_cnn"]}
    given |= {"+seg.models.lite.encoder": "tu-tf_efficientnet_lite0", "merged.active": []}
    params = params_of(**given)
    settings = without(params, missing_files(params, tmp_path))
    run = params_of(**(given | settings))
    assert [run.seg.of_model(name).weights for name in ("unet", "lite")] == ["none", "imagenet"]
    assert list(settings)[-1] == "++seg.models.unet.weights"  # which dvc takes whether the key is there or not


def test_what_is_left_out_leaves_parameters_that_can_be(tmp_path):
    given = {"cnn.active": ["mobilenet_v2_imagenet"], "illustrate.saliency": "mobilenet_v2_imagenet"}
    params = params_of(**given, **{"merged.active": []})
    run = params_of(**(given | without(params, missing_files(params, tmp_path))))
    assert (run.cnn.active, run.illustrate.saliency) == ([], None)


def test_a_lesion_network_that_is_not_trained_wants_no_file(tmp_path):
    lesion = {"lesion.encoder": "mobilenetv2_100", "lesion.weights": "imagenet", "lesion.networks": 0}
    params = params_of(**lesion)
    assert missing_files(params, tmp_path) == {}
    assert "lesion/lesion" not in [row["model"] for row in list_weights(params)]


@pytest.mark.parametrize("value", ["[unet", "'", "*x", "!!python/name:os.system ''", "1\n---\n2"])
def test_a_setting_that_is_no_yaml_is_one_error(value):
    with pytest.raises(ParameterError, match="is no YAML"):
        parse_setting(f"seg.active={value}")


def test_a_setting_of_the_command_line_is_read_as_dvc_reads_it():
    assert parse_setting("cv.repeats=1") == ("cv.repeats", 1)
    assert parse_setting("+seg.models.x.encoder=resnet18") == ("+seg.models.x.encoder", "resnet18")
    assert parse_setting("cnn.active=[custom_cnn]") == ("cnn.active", ["custom_cnn"])
    with pytest.raises(ParameterError, match="has no value"):
        parse_setting("cv.repeats")


def test_the_default_run_wants_no_file_that_does_not_come_with_the_environment():
    assert missing_files(load_params(REPOSITORY / "params.yaml"), None) == {}


def test_a_new_key_is_added_where_it_says_so_and_refused_otherwise():
    content = read_parameters(REPOSITORY / "params.yaml")
    added = apply_settings(content, {"+seg.models.x.encoder": "resnet18", "seg.epochs": 3})
    assert (added.seg.models["x"].encoder, added.seg.epochs) == ("resnet18", 3)
    assert "x" not in content["seg"]["models"]
    with pytest.raises(ParameterError, match=r"(?s)seg.epoch is no key of params.yaml.*did you mean 'epochs'"):
        apply_settings(content, {"seg.epoch": 3})
    with pytest.raises(ParameterError, match="is no key of params.yaml"):
        apply_settings(content, {"+seg.epochs.x": 3})
    with pytest.raises(ParameterError, match="set to a mapping"):
        apply_settings(content, {"seg.models.unet": {}})
