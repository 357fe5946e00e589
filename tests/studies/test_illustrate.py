import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from busline.base.artifacts import load_json, save_table
from busline.base.params import Params, load_params
from busline.base.settings.models import image_settings
from busline.base.settings.reading import parse_settings
from busline.cohort.outlines import outline_rows
from busline.cohort.store import DUPLICATE_COLUMNS, load_cohort, save_cohort, save_pixels
from busline.models.images import build_image_model
from busline.predictors.cnn import ImageFile
from busline.predictors.files import save_networks
from busline.report.provenance import show_params
from busline.studies.illustrate import (
    PREDICTED_COLOUR,
    TRUE_COLOUR,
    choose_by_dice,
    choose_by_score,
    draw_saliency,
    draw_segmentations,
    occlusion,
    outline,
    write_png,
)
from made_inputs import PARAMS_FILE

ROOT = Path(__file__).parents[2]
CASES = 8
SIDE = 32
FOLDS = 2
HOSTILE = "../<b>case 7"


@pytest.fixture
def cohort_folder(tmp_path):
    """Eight cases of differing size; case i has its lesion, and only there gray 200, in rows 4 to 11."""
    folder = tmp_path / "data/cohort/phantom"
    folder.mkdir(parents=True)
    frames = []
    for index in range(CASES):
        image = np.full((40 + index, 60), 50, dtype=np.uint8)
        mask = np.zeros(image.shape, dtype=bool)
        mask[4:12, 10 : 20 + index] = True
        image[mask] = 200
        frames.append((image, mask))
    ids = [f"c{index}" for index in range(CASES - 1)] + [HOSTILE]
    labels = ["benign", "malignant"] * (CASES // 2)
    cases = save_pixels(folder, frames).assign(
        case_id=ids, patient_id=ids, source="test", label=labels, pixel_mm=float("nan")
    )
    save_cohort(folder, cases, [], pd.DataFrame(columns=list(DUPLICATE_COLUMNS)), {})
    return folder


@pytest.fixture
def cohort(cohort_folder):
    return load_cohort(cohort_folder)


def scores_of(cohort, dice):
    frame = cohort.cases[["case_id"]].assign(
        scheme="cv", repeat=0, fold=np.arange(CASES) % FOLDS, split="test", dice=dice
    )
    return frame.assign(iou=0.5, sensitivity=np.nan, specificity=0.9, hd95_px=3.25)


def outlines_of(cohort, found=None):
    """Masks of repeat 0; by default, of case i all but the rightmost i columns of the lesion are found."""
    truth = [cohort.mask(place) > 0 for place in range(CASES)]
    less = [mask & (np.arange(mask.shape[1]) < 20) for mask in truth]
    return outline_rows(list(cohort.cases["case_id"]), "cv", 0, np.arange(CASES) % FOLDS, found or less, truth)


def predictions_of(cohort, scores):
    frame = cohort.cases[["case_id", "label"]].assign(
        scheme="cv", repeat=0, fold=np.arange(CASES) % FOLDS, split="test"
    )
    return frame.assign(p_benign=1.0 - np.array(scores), p_malignant=scores)


def chosen_ids(rows):
    return [row["case_id"] for row in rows]


def test_best_median_and_worst_are_those_of_repeat_0(cohort):
    scores = scores_of(cohort, [0.5, 0.9, 0.1, 0.7, 0.6, np.nan, 0.3, 0.2])
    later = scores.assign(repeat=1, dice=0.99)
    master = scores.assign(scheme="master", repeat=-1, dice=0.0)
    chosen = choose_by_dice(pd.concat([later, master, scores]))
    assert [(rank, row["case_id"]) for rank, row in chosen] == [("best", "c1"), ("median", "c0"), ("worst", "c2")]


def test_ties_of_dice_go_by_case_id(cohort):
    scores = scores_of(cohort, 0.5).sample(frac=1.0, random_state=3)
    ordered = sorted(cohort.cases["case_id"])
    assert [row["case_id"] for _, row in choose_by_dice(scores)] == [ordered[0], ordered[4], ordered[-1]]


@pytest.mark.parametrize(("count", "ranks"), [(0, []), (1, ["best"]), (2, ["best", "median"])])
def test_few_cases_are_drawn_once_each(cohort, count, ranks):
    dice = [0.1 * (index + 1) if index < count else np.nan for index in range(CASES)]
    assert [rank for rank, _ in choose_by_dice(scores_of(cohort, dice))] == ranks


def test_scores_are_spread_from_highest_to_lowest_in_each_class(cohort):
    table = predictions_of(cohort, [0.4, 0.3, 0.1, 0.9, 0.8, 0.6, 0.7, 0.5])
    foreign = pd.concat([table.assign(repeat=1), table.assign(split="tune")]).assign(p_malignant=1.0)
    rows = choose_by_score(pd.concat([foreign, table]), ("benign", "malignant"), 5)
    assert chosen_ids(rows) == ["c4", "c0", "c2", "c3", "c1"]  # benign 0.8, 0.4, 0.1; malignant 0.9, 0.3
    assert chosen_ids(choose_by_score(table, ("benign", "malignant"), 2)) == ["c4", "c3"]
    assert len(choose_by_score(table, ("benign", "malignant"), 99)) == CASES


class Pixel:
    """Its logit is one pixel."""

    side = SIDE

    def log_odds(self, images):
        return images[:, 5, 9]


def test_occlusion_is_what_the_logit_loses_where_the_pixel_is_covered():
    image = np.random.default_rng(1).integers(0, 256, size=(SIDE, SIDE)).astype(np.uint8)
    change = occlusion(Pixel().log_odds, image)
    lost = image[5, 9] - image.mean()
    square = SIDE // 4
    assert change[5, 9] == pytest.approx(lost, abs=1e-4)  # every square over this pixel covers it
    far = np.ones(change.shape, dtype=bool)
    far[max(0, 5 - square + 1) : 5 + square, max(0, 9 - square + 1) : 9 + square] = False
    assert not change[far].any()
    assert np.abs(change).max() == pytest.approx(abs(lost), abs=1e-4)


def test_occlusion_equals_brute_force():
    weights = np.random.default_rng(0).normal(size=(SIDE, SIDE)) / 127.5

    def linear(images):
        return (images * weights).sum(axis=(1, 2))

    image = np.random.default_rng(2).integers(0, 256, size=(SIDE, SIDE)).astype(np.uint8)
    effect = weights * (image - image.mean())
    for row, column in ((0, 0), (10, 17), (31, 31)):
        tops = [top for top in range(0, 25, 2) if top <= row < top + 8]
        lefts = [left for left in range(0, 25, 2) if left <= column < left + 8]
        expected = np.mean([effect[t : t + 8, left : left + 8].sum() for t in tops for left in lefts])
        assert occlusion(linear, image)[row, column] == pytest.approx(expected, abs=1e-3)


def test_a_network_that_sees_nothing_leaves_the_image_as_it_is(cohort):
    class Blind(Pixel):
        def log_odds(self, images):
            return np.zeros(len(images))

    table = predictions_of(cohort, np.full(CASES, 0.5))
    (picture,) = draw_saliency(cohort, table, lambda fold: Blind(), classes=("benign", "malignant"), cases=1)
    half = picture.pixels.shape[1] // 2
    np.testing.assert_array_equal(picture.pixels[:, :half], picture.pixels[:, half:])


def test_each_case_is_drawn_by_the_network_of_its_own_fold(cohort):
    asked = []

    def model_of_fold(fold):
        asked.append(fold)
        return Pixel()

    table = predictions_of(cohort, np.linspace(0.1, 0.9, CASES))
    pictures = draw_saliency(cohort, table, model_of_fold, classes=("benign", "malignant"), cases=CASES)
    fold_of = dict(zip(table["case_id"], table["fold"], strict=True))
    assert asked == [fold_of[picture.facts["case_id"]] for picture in pictures]
    assert set(asked) == {0, 1}
    score_of = dict(zip(table["case_id"], table["p_malignant"], strict=True))
    assert all(picture.facts["score"] == score_of[picture.facts["case_id"]] for picture in pictures)


def test_a_segmentation_shows_the_true_and_the_predicted_outline_of_its_own_case(cohort):
    found = [np.zeros(cohort.mask(place).shape, dtype=bool) for place in range(CASES)]
    found[1][20:] = True  # case c1: the lower half
    outlines = outlines_of(cohort, found)
    later = outlines_of(cohort).assign(repeat=1)
    shuffled = pd.concat([outlines.iloc[::-1], later])  # the outlines' order is not that of the cohort
    scores = scores_of(cohort, [0.1, 0.9, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    picture = draw_segmentations(cohort, shuffled, scores)[0]
    assert (picture.facts["case_id"], picture.facts["rank"], picture.facts["dice"]) == ("c1", "best", 0.9)
    assert (picture.facts["label"], picture.facts["hd95_px"]) == ("malignant", 3.25)
    assert picture.facts["sensitivity"] is None
    factor = picture.pixels.shape[0] // 41
    width = 60 * factor
    left, middle, right = (picture.pixels[:, start : start + width] for start in (0, width + 4, 2 * width + 8))
    np.testing.assert_array_equal(left[..., 0], left[..., 2])
    assert tuple(middle[4 * factor, 15 * factor]) == TRUE_COLOUR
    assert not (middle == PREDICTED_COLOUR).all(axis=-1).any()
    assert tuple(right[-1, width // 2]) == PREDICTED_COLOUR
    assert tuple(right[4 * factor, 15 * factor]) == TRUE_COLOUR
    assert tuple(right[30 * factor, 30 * factor]) not in {tuple(left[30 * factor, 30 * factor]), PREDICTED_COLOUR}
    np.testing.assert_array_equal(right[2 * factor, 2 * factor], left[2 * factor, 2 * factor])


def test_an_outline_is_two_pixels_inside_the_mask():
    mask = np.zeros((9, 9), dtype=bool)
    mask[1:8, 1:8] = True
    edge = outline(mask)
    assert edge[1, 1]
    assert edge[2, 4]
    assert not edge[4, 4]
    assert not edge[0].any()
    assert edge.sum() == 49 - 9


def test_a_png_depends_on_its_pixels_alone(tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write_png(pixels, tmp_path / "a.png")
    write_png(pixels, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


@pytest.fixture
def stage():
    spec = importlib.util.spec_from_file_location("illustrate_stage", ROOT / "stages/illustrate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.mark.parametrize("saliency", ["custom_cnn", None])
def test_the_stage_writes_pictures_and_their_captions_facts(tmp_path, cohort, stage, saliency):
    content = load_params(PARAMS_FILE).model_dump(mode="json")
    content["split"]["classes"] = ["benign", "malignant"]
    content["cnn"]["active"], content["merged"]["active"] = ["custom_cnn"], []
    content["illustrate"] = {"cases": 4, "saliency": saliency}
    params = parse_settings(Params, content)
    params_file = tmp_path / "params.yaml"
    params_file.write_text(show_params(params))
    data = tmp_path / "data"
    settings = image_settings(params.cnn, params.augmentation, "custom_cnn")
    state = {
        name: value.numpy()
        for name, value in build_image_model(settings.model, settings.image_size).state_dict().items()
    }
    file = ImageFile(
        family="cnn", model="custom_cnn", classes=["benign", "malignant"], settings=settings, precision="fp32"
    )
    save_networks(data / "models/cnn/custom_cnn", file, {f"r0_f{fold}": state for fold in range(FOLDS)})
    save_table(predictions_of(cohort, np.linspace(0, 1, CASES)), data / "predictions/cnn/custom_cnn.parquet")
    later = outlines_of(cohort, [cohort.mask(place) > 0 for place in range(CASES)]).assign(repeat=1)
    save_table(pd.concat([later, outlines_of(cohort)]), data / "predictions/segment/unet.parquet")
    stale = tmp_path / "reports/pictures/old.png"
    stale.parent.mkdir(parents=True)
    stale.touch()

    stage(params_file, tmp_path)

    folder = tmp_path / "reports/pictures"
    facts = load_json(folder / "pictures.json")
    assert [picture["rank"] for picture in facts["segmentation"]] == ["best", "median", "worst"]
    best, _, worst = facts["segmentation"]
    assert (best["case_id"], worst["case_id"]) == ("c0", HOSTILE)  # 10 of 10 columns, and 10 of 17
    assert (best["dice"], worst["dice"]) == (1.0, pytest.approx(20 / 27))
    assert (best["hd95_px"], worst["hd95_px"]) == (0.0, 7.0)
    assert facts["saliency"]["model"] == saliency
    assert len(facts["saliency"]["pictures"]) == (params.illustrate.cases if saliency else 0)
    named = {picture["file"] for picture in facts["segmentation"] + facts["saliency"]["pictures"]}
    assert {path.name for path in folder.iterdir()} == named | {"pictures.json"}
