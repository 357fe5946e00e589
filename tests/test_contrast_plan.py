"""Files of contrasts/: the committed ones can be run, runs are shared, and what cannot be is refused."""

import copy
import shutil

import pytest
from ruamel.yaml import YAML

from busline.base.errors import BuslineError, ParameterError
from busline.contrast_plan import read_plan
from imports import REPOSITORY
from made_inputs import PARAMS_FILE

ASKED = {
    "study": None,
    "settings": {"cv.folds": 4},
    "seeds": 3,
    "pairs": [
        {
            "what": "a longer training",
            "metrics": ["roc_auc"],
            "model": {"name": "cnn/custom_cnn", "settings": {"cnn.models.custom_cnn.epochs": 9}},
            "against": {"name": "cnn/custom_cnn", "settings": {}},
        },
        {
            "what": "against the table",
            "metrics": ["roc_auc"],
            "model": {"name": "cnn/custom_cnn", "settings": {}},
            "against": {"name": "tabular/logreg", "settings": {"cv.folds": 4}},
        },
    ],
}


def plan(root, change=lambda asked: None):
    """Return the plan of ASKED after ``change`` changed it."""
    asked = copy.deepcopy(ASKED)
    change(asked)
    (root / "contrasts").mkdir(exist_ok=True)
    YAML().dump(asked, root / "contrasts/x.yaml")
    shutil.copy(PARAMS_FILE, root / "params.yaml")
    return read_plan("x", root)


@pytest.mark.parametrize("name", [path.stem for path in (REPOSITORY / "contrasts").glob("*.yaml")])
def test_a_committed_contrast_can_be_run(name):
    found = read_plan(name, REPOSITORY)
    assert found.seeds == list(range(2026, 2026 + found.asked.seeds))


@pytest.mark.parametrize("name", [path.stem for path in (REPOSITORY / "contrasts").glob("*.yaml")])
def test_a_committed_file_asks_for_what_params_yaml_has(name):
    found = read_plan(name, REPOSITORY)
    assert found.seeds[0] == found.arms[0][0].params.seed.train
    assert len(found.arms) == len(found.asked.pairs)


def test_the_lesion_network_of_best_is_trained_with_and_without_phantoms():
    found = read_plan("phantoms", REPOSITORY)
    assert [{f"{arm.family.key}/{arm.model}" for arm in arms} for arms in found.runs] == [
        {"lesion_segment/lesion", "lesion/image"}
    ] * 2
    lesions = [arms[0].params.lesion for arms in found.runs]
    assert [lesion.pretrain.phantoms for lesion in lesions] == [4000, 0]
    assert {(lesion.networks, lesion.epochs) for lesion in lesions} == {(1, 40)}


def test_settings_are_the_studys_then_those_of_all_runs_then_the_arms(tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/s.yaml").write_text("cv.folds: 3\nseg.epochs: 7\ncnn.image_size: 48\n")

    def change(asked):
        asked["study"] = "s"
        asked["settings"]["seg.epochs"] = 8
        asked["pairs"][0]["model"]["settings"]["cnn.image_size"] = 40

    first, second = plan(tmp_path, change).arms[0]
    own = {"cnn.models.custom_cnn.epochs": 9}
    assert first.settings == {"cv.folds": 4, "seg.epochs": 8, "cnn.image_size": 40, **own}
    assert second.settings == {"cv.folds": 4, "seg.epochs": 8, "cnn.image_size": 48}
    assert (second.params.cv.folds, second.params.seg.epochs, second.params.cnn.image_size) == (4, 8, 48)
    with pytest.raises(BuslineError, match="did you mean 's'"):
        plan(tmp_path, lambda asked: asked.update(study="ss"))


def test_arms_with_the_same_parameters_share_their_runs(tmp_path):
    found = plan(tmp_path)
    shared = [[f"{arm.family.key}/{arm.model}" for arm in arms] for arms in found.runs]
    assert shared == [["cnn/custom_cnn"], ["cnn/custom_cnn", "tabular/logreg"]]
    default = found.arms[0][1].params.cnn.image_size  # set to what it is already
    again = plan(tmp_path, lambda asked: asked["pairs"][0]["against"].update(settings={"cnn.image_size": default}))
    assert len(again.runs) == 2


def of(place, part, **change):
    """Return a change of one arm of ASKED."""
    return lambda asked: asked["pairs"][place][part].update(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda asked: asked.update(seeds=1), "seeds: Input should be greater than or equal to 2, found 1"),
        (lambda asked: asked.pop("seeds"), "seeds: is missing"),
        (lambda asked: asked.update(sedes=3), "sedes: unknown key; did you mean 'seeds'"),
        (lambda asked: asked.update(pairs=[]), "pairs: List should have at least 1 item"),
        (lambda asked: asked["pairs"][0].update(metrics=["f1"]), "Input should be 'roc_auc', 'dice' or 'iou'"),
        (lambda asked: asked["pairs"][0].update(metrics=["dice"]), "cnn has no dice\n  expected: roc_auc"),
        (lambda asked: asked["pairs"][0].update(what="a | b"), "what: String should match"),
        (lambda asked: asked["settings"].update({"seed.train": 1}), "seed.train is set, the seed that is varied here"),
        (lambda asked: asked["settings"].update({"seed": 1}), "seed is set"),
        (of(0, "model", settings={"seed.train": 1}), "pair 'a longer training', model: seed.train is set"),
        (of(0, "model", settings={"cnn.imagesize": 1}), "cnn.imagesize is no key .*\n.*did you mean 'image_size'"),
        (of(0, "model", settings={"cnn.image_size.x": 1}), "cnn.image_size.x is no key of params.yaml$"),
        (of(0, "model", settings={"cnn.image_size": "big"}), "model: .* cnn.image_size: Input should be a valid int"),
        (of(0, "model", settings={"lesion.pretrain": {"phantoms": 0}}), "lesion.pretrain is set to a mapping"),
        (of(0, "model", name="cn/custom_cnn"), "there is no family 'cn'\n.*did you mean 'cnn'"),
        (of(0, "model", name="dnn_search/dnn"), "there is no family 'dnn_search'"),
        (of(0, "model", name="custom_cnn"), "pairs.0.model.name: String should match"),
        (of(0, "model", name="cnn/custom"), "cnn has no active model 'custom'\n.*did you mean 'custom_cnn'"),
        (of(1, "against", name="segment/unet"), "segment has no roc_auc\n  expected: dice or iou"),
        (of(0, "model", settings={}), "compares a model with itself"),
        (of(0, "model", settings={"cv.folds": 4}), "compares a model with itself"),
        (of(1, "model", settings={"seed.split": 1}), "pair 'against the table': sets seed\n  expected: the same"),
        (of(1, "model", settings={"split.positive": "benign"}), "sets split"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path, change, message):
    with pytest.raises(ParameterError, match=message) as error:
        plan(tmp_path, change)
    assert str(error.value).startswith(str(tmp_path / "contrasts/x.yaml"))


def test_an_unknown_contrast_is_met_with_near_matches():
    with pytest.raises(ParameterError, match="did you mean 'phantoms'"):
        read_plan("phantom", REPOSITORY)
