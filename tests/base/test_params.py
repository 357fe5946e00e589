"""params.yaml: typed, complete, and every mistake met with one clear message."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from busline.base.errors import ParameterError
from busline.base.params import Params, load_params
from busline.base.settings.reading import parse_settings
from imports import REPOSITORY
from made_inputs import PARAMS_FILE

NAMED = ("data.cohorts", "data.folders", "weights.files", "augmentation.levels", "cnn.models", "seg.models")
"""Sections whose keys are names that a user gives."""


@pytest.fixture
def content():
    return YAML(typ="safe", pure=True).load(PARAMS_FILE.read_text())


def change(content, key, value):
    *parents, last = key.split(".")
    for parent in parents:
        content = content[parent]
    content[last] = value


def keys(node, prefix=""):
    if not isinstance(node, dict) or prefix in NAMED:
        return {prefix}
    return {key for name, child in node.items() for key in keys(child, f"{prefix}.{name}".lstrip("."))}


def test_the_shipped_file_is_valid_and_the_tests_have_its_keys():
    """The tests start from a file of their own, so that a changed value of params.yaml breaks none of them."""
    shipped = REPOSITORY / "params.yaml"
    load_params(shipped)
    one, other = (YAML(typ="safe", pure=True).load(path.read_text()) for path in (shipped, PARAMS_FILE))
    assert keys(one) == keys(other), "tests/params.yaml must have the keys of params.yaml"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seg.encodr", "resnet18", "seg.encodr: unknown key; did you mean 'encoder'"),
        ("tabular.models.xgbost", {}, "did you mean 'xgboost'"),
        ("cnn.models.custom_cnn.epohcs", 3, "did you mean 'epochs'"),
        ("cnn.models.mobilenet_v2_imagenet.fine_tune.layer", 3, "did you mean 'layers'"),
        ("seed.train", "7", "seed.train: Input should be a valid integer"),
        ("seed.trian", 7, "seed.trian: unknown key; did you mean 'train'"),
        ("cv.folds", 1, "cv.folds: Input should be greater than or equal to 2"),
        ("cv.folds", 5.0, "cv.folds"),
        ("train.precision", "fp16", "'fp32' or 'bf16'"),
        ("prune.allowed_provenance", ["patients"], "prune.allowed_provenance.0"),
        ("tabular.active", ["logreg", "svm"], "tabular.active.1"),
        ("tabular.active", ["logreg"], "merged.active: needs dnn"),
        ("tabular.active", ["logreg", "logreg", "dnn"], "tabular.active: has logreg twice"),
        ("cnn.active", ["custom_cn"], "cnn.active: unknown name 'custom_cn'; did you mean 'custom_cnn'?"),
        ("cnn.active", ["custom_cnn", "custom_cnn"], "cnn.active: has custom_cnn twice"),
        ("merged.active", ["mobilenet_v2_imagenet"], "merged.active: unknown name"),
        ("cnn.augmentation", "mid", "did you mean 'mild'"),
        ("seg.weights", "nothing", "seg.weights: unknown weights 'nothing'"),
        ("seg.active", ["unett"], "seg.active: unknown name 'unett'; did you mean 'unet'?"),
        ("seg.active", ["unet", "unet"], "seg.active: has unet twice"),
        ("seg.active", ["../../x"], "seg.active.0: String should match pattern"),
        ("seg.models", {"unet": {}, "x; touch pwned #": {}}, "String should match pattern"),
        ("seg.models.unet", {"encodr": "resnet18"}, "did you mean 'encoder'"),
        ("seg.models.unet", {"weights": "resnet18"}, "seg.models.unet.weights: 'resnet18' was made for resnet18, not"),
        (
            "seg.models.unet",
            {"encoder": "resnet34", "weights": "imagenet"},
            "no ImageNet weights are known for 'resnet34'",
        ),
        ("cnn.models.custom_cnn.weights", "imagenet", "no ImageNet weights are known for 'custom_cnn'"),
        ("cnn.models.custom_cnn.weights", "imagnet", "did you mean 'imagenet'?"),
        ("seg.models.unet", {"augmentation": "mid"}, "seg.models.unet.augmentation: unknown name 'mid'"),
        ("seg.models.unet", {"image_size": 40}, "seg.models.unet.image_size: Input should be a multiple of 32"),
        ("seg.learning_rate", float("inf"), "seg.learning_rate: Input should be a finite number"),
        ("cnn.models.mobilenet_v2_imagenet.weights", "none", "fine_tune: needs weights"),
        ("split.test_fraction", 0.95, "val_fraction + test_fraction"),
        ("cv.val_fraction", 0.9, "val_fraction + tune_fraction"),
        ("cv.image_repeats", 2, "image_repeats must not exceed repeats"),
        ("cnn.active", ["x; touch pwned #"], "cnn.active.0: String should match pattern"),
        ("cnn.active", ["../../x"], "cnn.active.0: String should match pattern"),
        ("data.main", "../x", "data.main: String should match pattern"),
        ("data.main", "fantom", "data.main: unknown name 'fantom'; did you mean 'phantom'?"),
        ("data.main", "breast", "data.active: must have the main cohort 'breast'"),
        ("data.active", ["phantom", "../x"], "data.active.1: String should match pattern"),
        ("data.active", ["phantom", "brest"], "data.active: unknown name 'brest'; did you mean 'breast'?"),
        ("data.active", ["phantom", "phantom"], "data.active: has phantom twice"),
        ("data.active", [], "data.active: List should have at least 1 item"),
        ("data.cohorts", {"../x": {"source": "breast"}}, "String should match pattern"),
        ("data.cohorts.phantom.source", "../x", "data.cohorts.phantom.source: String should match pattern"),
        ("data.cohorts.phantom.phantm", None, "data.cohorts.phantom.phantm: unknown key; did you mean 'phantom'?"),
        ("data.cohorts.phantom.phantom", None, "data.cohorts.phantom: must have `phantom` settings"),
        ("data.cohorts.phantom.source", "breast", "data.cohorts.phantom: must have `phantom` settings"),
        ("data.cohorts.phantom", {"source": "folder"}, "data.folders.phantom: is missing"),
        ("data.folders", {"breast": "x"}, "data.folders.breast: the source of data.cohorts.breast is breast"),
        ("data.folders", {"own": "x"}, "data.folders: unknown name 'own'"),
        ("data.folders", {"breast": "~/scans"}, f"home folder; write the path out: {Path.home()}/scans"),
        ("data.folders", {"breast": "~other"}, "data.folders.breast: begins with ~"),
        ("data.folders", {"../x": "x"}, "String should match pattern"),
        ("split.classes", ["benign", "benign"], "split.classes: has benign twice"),
        ("split.classes", ["benign", "malgnant", "malignant"], "split.classes: unknown name 'malgnant'"),
        ("split.positive", "malignnt", "split.positive: unknown name 'malignnt'; did you mean 'malignant'?"),
        ("split.positive", "normal", "split.positive: unknown name 'normal'"),
        ("split.classes", ["benign", "normal"], "split.positive: unknown name 'malignant'"),
        ("dnn_search.hidden", [-5], "dnn_search.hidden.0"),
        ("dnn_search.dropout", [0.2, 0.2], "dnn_search.dropout: has 0.2 twice"),
        (
            "tabular.models.dnn.batch_size",
            1,
            "tabular.models.dnn.batch_size: Input should be greater than or equal to 2",
        ),
        ("cnn.image_size", 100_000, "cnn.image_size: Input should be less than or equal to 4096"),
        (
            "data.cohorts.phantom.phantom.cases",
            10**9,
            "data.cohorts.phantom.phantom.cases: Input should be less than or equal to",
        ),
        ("audit.planted_cases", 0, "audit.planted_cases: Input should be greater than or equal to 1"),
        ("cv.folds", 2, "cv.folds: must be 3 or more for the lesion network"),
        ("weights.files.resnet18.sha256", "12", "weights.files.resnet18.sha256"),
        ("weights.files.resnet18.mean", [0.5], "weights.files.resnet18.mean"),
        ("weights.files.resnet18.mean", [124.0, 0.5, 0.5], "mean.0: Input should be less than or equal to 1"),
        ("weights.files.resnet18.std", [0, 0.5, 0.5], "std.0: Input should be greater than or equal to 0.001"),
        ("weights.files.resnet18.networks", ["tu-resnet18"], "networks.0: is no name of a network"),
        ("weights.files.resnet18.networks", [""], "networks.0: is no name of a network"),
    ],
)
def test_a_mistake_is_named(content, key, value, message):
    change(content, key, value)
    with pytest.raises(ParameterError) as error:
        parse_settings(Params, content)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        ({"url": "https://a.b/c.pth", "mirror": "b"}, "origin: must have either package and file, or mirror, or url"),
        ({"miror": "b"}, "origin: must have either package and file, or mirror, or url"),
        ("https://a.b/c.pth", "origin: must have either package and file, or mirror, or url"),
        (None, "origin: must have either package and file, or mirror, or url"),
        ({"package": "a"}, "origin.file: is missing"),
        ({"mirror": "a", "flie": "b"}, "origin.flie: unknown key; did you mean 'file'?"),
        ({"package": "", "file": "a"}, "origin.package: String should have at least 1 character"),
        ({"url": "ftp://a.b/c.pth"}, "origin.url: is no address of a file on the web"),
        ({"url": "https://[a/c.pth"}, "origin.url: is no address of a file on the web"),
        ({"url": "https://a.b:c/d.pth"}, "origin.url: is no address of a file on the web"),
        ({"url": "https://a.b/\u00f6.pth"}, "origin.url: is no address of a file on the web"),
        ({"url": f"https://{'a' * 64}.b/c.pth"}, "origin.url: is no address of a file on the web"),
    ],
)
def test_a_mistake_in_an_origin_is_one_line(content, origin, line):
    content["weights"]["files"]["resnet18"]["origin"] = origin
    with pytest.raises(ParameterError) as error:
        parse_settings(Params, content)
    assert line in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("key", ["none", "imagenet", "", "../x", "a/b", "a b", "..", "\x00", "x" * 101])
def test_a_weights_file_has_a_key_that_can_be_chosen_and_be_a_files_name(content, key):
    content["weights"]["files"][key] = content["weights"]["files"]["resnet18"] | {"trained_on": "other"}
    with pytest.raises(ParameterError, match=r"\[key\]: (String should|means something else)"):
        parse_settings(Params, content)


@pytest.mark.parametrize(
    ("place", "network", "where"),
    [
        ("lesion.weights", "own", "lesion.weights"),
        ("cnn.models.custom_cnn.weights", "custom_cnn", "cnn.models.custom_cnn.weights"),
    ],
)
def test_the_packages_own_networks_start_from_random_weights(content, place, network, where):
    mine = content["weights"]["files"]["resnet18"] | {"networks": [network], "trained_on": "other"}
    content["weights"]["files"]["mine"] = mine
    change(content, place, "mine")
    with pytest.raises(ParameterError, match=rf"{where}: '{network}' starts from random weights only"):
        parse_settings(Params, content)


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("source", "breast", "data.source: has moved to data.main, data.active and data.cohorts.<name>.source"),
        ("folder", {"path": "x"}, "data.folder.path: has moved to data.folders.<name>"),
        ("phantom", {"cases": 36}, "data.phantom: has moved to data.cohorts.phantom.phantom"),
    ],
)
def test_a_key_that_has_moved_is_said_to_have(content, tmp_path, old, value, new):
    content["data"][old] = value
    content["unknwon"] = 1
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML().dump(content, file)
    with pytest.raises(ParameterError) as error:
        load_params(path)
    assert new in str(error.value)
    assert "unknown" not in str(error.value)


@pytest.mark.parametrize("value", [2027, "2027", None, [1, 2, 3]])
def test_a_seed_that_is_no_section_is_met_with_the_new_keys_and_beside_all_that_moved(content, tmp_path, value):
    """A file of 0.1, and `-S seed=2027` out of habit."""
    content["seed"] = value
    content["cv"]["stop_fraction"] = 0.15
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML().dump(content, file)
    with pytest.raises(ParameterError) as error:
        load_params(path)
    assert "seed: is a section now: seed.data, seed.split and seed.train" in str(error.value)
    assert "cv.stop_fraction: has moved to cv.val_fraction" in str(error.value)


def test_all_mistakes_are_listed_at_once(content):
    change(content, "seg.encodr", 1)
    change(content, "seed.split", -1)
    del content["report"]
    with pytest.raises(ParameterError) as error:
        parse_settings(Params, content)
    assert all(part in str(error.value) for part in ("seg.encodr", "seed.split:", "report: is missing"))


def test_numbers_are_read_as_yaml_1_2(tmp_path):
    """`-S` writes 0.00003 as 3e-05, which YAML 1.1 takes for a string."""
    text = PARAMS_FILE.read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("min_learning_rate: 0.00001", "min_learning_rate: 3e-05"))
    assert load_params(path).train.min_learning_rate == 3e-05


@pytest.mark.parametrize("text", ["seed: [1", "seed: 1\nseed: 2\n", "just words"])
def test_what_is_no_parameter_file_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match="params.yaml"):
        load_params(path)


def test_a_bomb_of_aliases_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "params.yaml"
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    path.write_text("\n".join(lines))
    with pytest.raises(ParameterError, match="aliases"):
        load_params(path)


def test_a_huge_file_is_refused(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 1\n" + "#" * 1_000_001)
    with pytest.raises(ParameterError, match="is larger than"):
        load_params(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="is missing"):
        load_params(tmp_path / "params.yaml")
