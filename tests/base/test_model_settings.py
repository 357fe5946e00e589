"""The settings of models: each model's file holds all that decides it alone, resolved, and nothing of another's."""

import json

import pytest

from busline.base.errors import DataError, ParameterError
from busline.base.settings.images import ImageSettings
from busline.base.settings.models import encoder_start, image_settings, segmenter_settings
from busline.base.settings.reading import load_model_settings
from busline.base.settings.segmentation import SegmenterSettings
from busline.base.settings.tabular import LogReg
from busline.base.settings.weights import find_weights
from helpers_cohort import files_of, load_stage, write_params
from made_inputs import small_params

TWO = {"seg__active": ["unet", "small"], "seg__models": {"unet": {}, "small": {"encoder": "resnet18", "epochs": 3}}}
CNN = ["cnn/custom_cnn.json", "merged/custom_cnn.json"]
LEVELS = ["augmentation/mild.json", "augmentation/none.json"]
ACTIVE = {
    "cnn__active": ["custom_cnn", "mobilenet_v2_random"],
    "merged__active": ["custom_cnn"],
    "augmentation__active": ["none", "mild"],
    "tabular__active": ["logreg", "dnn"],
}


def written(folder, **changes):
    """The files of the stage, by name."""
    params = write_params(folder / "params.yaml", **{**ACTIVE, **TWO, **changes})
    load_stage("settings")(params, folder)
    return files_of(folder / "data/settings")


def test_every_active_model_has_a_file(tmp_path):
    images, outlines = ["cnn/custom_cnn.json", "cnn/mobilenet_v2_random.json"], ["seg/unet.json", "seg/small.json"]
    own = [*images, *outlines, "tabular/logreg.json", "tabular/dnn.json", "merged/custom_cnn.json"]
    weights = [f"weights/{name}" for name in (*images, *outlines)]
    lesion = ["lesion/lesion.json", "weights/lesion/lesion.json"]
    assert sorted(written(tmp_path)) == sorted([*own, *LEVELS, *weights, *lesion])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tabular__models__logreg__C", 0.5, ["tabular/logreg.json"]),
        ("tabular__models__dnn__dropout", 0.1, ["merged/custom_cnn.json", "tabular/dnn.json"]),
        ("cnn__models__custom_cnn__epochs", 7, [*LEVELS, *CNN]),
        ("cnn__models__mobilenet_v2_random__epochs", 7, ["cnn/mobilenet_v2_random.json"]),
        ("cnn__models__mobilenet_v2_imagenet__epochs", 7, []),
        ("cnn__image_size", 96, [*LEVELS, *CNN, "cnn/mobilenet_v2_random.json"]),
        ("cnn__augmentation", "none", [*CNN, "cnn/mobilenet_v2_random.json"]),
        ("augmentation__levels__none__flip", True, ["augmentation/none.json"]),
        ("augmentation__levels__aggressive__flip", False, []),
        ("merged__hidden", 8, ["merged/custom_cnn.json"]),
        ("seg__encoder", "resnet34", ["seg/unet.json"]),
        ("seg__epochs", 9, ["seg/unet.json"]),
        ("seg__batch_size", 9, ["seg/small.json", "seg/unet.json"]),
        ("seg__augmentation", "none", ["seg/small.json", "seg/unet.json"]),
        ("seg__models__unet__weights", "imagenet", ["seg/unet.json", "weights/seg/unet.json"]),
        ("train__stop_patience", 3, []),
        ("seed__train", 1, []),
    ],
)
def test_a_setting_changes_the_files_of_the_models_that_it_decides(tmp_path, key, value, expected):
    before = written(tmp_path)
    after = written(tmp_path, **{key: value})
    assert sorted(name for name in before if before[name] != after[name]) == sorted(expected)


def test_what_is_read_is_what_was_written_to_the_last_digit(tmp_path):
    """No number is rounded, as those of reports are."""
    change = {"cnn__models__custom_cnn__learning_rate": 3e-8, "tabular__models__logreg__C": 1 / 3}
    written(tmp_path, **change)
    params = small_params(**change)
    image = load_model_settings(ImageSettings, tmp_path / "data/settings/cnn/custom_cnn.json")
    assert image.model.learning_rate == 3e-8
    assert load_model_settings(LogReg, tmp_path / "data/settings/tabular/logreg.json") == params.tabular.models.logreg
    segmenter = load_model_settings(SegmenterSettings, tmp_path / "data/settings/seg/small.json")
    assert (segmenter.encoder, segmenter.epochs, segmenter.start) == ("resnet18", 3, None)
    assert segmenter.augmentation == params.augmentation.levels["mild"]


def test_keys_are_sorted(tmp_path):
    text = written(tmp_path)["merged/custom_cnn.json"].decode()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_a_file_of_another_kind_is_refused_and_one_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"tabular/logreg.json: is missing"):
        load_model_settings(LogReg, tmp_path / "data/settings/tabular/logreg.json")
    written(tmp_path)
    folder = tmp_path / "data/settings"
    with pytest.raises(ParameterError, match=r"(?s)tabular/dnn.json.*hidden: unknown key"):
        load_model_settings(LogReg, folder / "tabular/dnn.json")
    with pytest.raises(ParameterError, match=r"(?s)tabular 'logregg': is unknown or not active.*did you mean 'logreg'"):
        load_model_settings(LogReg, folder / "tabular/logregg.json")


def test_weights_go_with_the_encoder_they_were_made_for():
    models = {"a": {"encoder": "resnet18"}, "b": {"weights": "none"}, "c": {"encoder": "tu-tf_efficientnet_lite0"}}
    params = small_params(seg__weights="imagenet", seg__models={**models, "d": {}}, seg__active=["a"])
    found = {name: encoder_start(params, name) for name in params.seg.models}
    names = {name: start and start.name for name, start in found.items()}
    assert names == {"a": "resnet18", "b": None, "c": "efficientnet_lite0", "d": "mobilenet_v2"}
    assert found["c"].mean == (0.5, 0.5, 0.5)


def test_two_files_for_one_network_must_be_told_apart():
    params = small_params()
    files = {**params.weights.files, "mine": params.weights.files["resnet18"]}
    with pytest.raises(ParameterError, match="imagenet may be resnet18 or mine for 'resnet18'"):
        find_weights(files, "imagenet", "resnet18", "seg.weights")
    assert find_weights(files, "mine", "tu-resnet18", "seg.weights") == "mine"
    assert find_weights(files, "none", "resnet18", "seg.weights") is None
    only = {"mine": files["mine"].model_copy(update={"trained_on": "ultrasound"})}
    with pytest.raises(ParameterError, match="no ImageNet weights are known"):
        find_weights(only, "imagenet", "resnet18", "seg.weights")


def test_an_unknown_name_is_met_with_near_matches():
    params = small_params()
    with pytest.raises(ParameterError, match="did you mean 'custom_cnn'"):
        image_settings(params.cnn, params.augmentation, "custom_cn")
    with pytest.raises(ParameterError, match="did you mean 'mild'"):
        image_settings(params.cnn, params.augmentation, "custom_cnn", level="mid")
    with pytest.raises(ParameterError, match="did you mean 'unet'"):
        segmenter_settings(params.seg, params.augmentation, "unett")
