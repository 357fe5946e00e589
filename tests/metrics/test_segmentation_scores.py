"""Segmentation scores against scikit-learn, pixel by pixel, and by hand on empty and full masks."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from busline.metrics.segmentation import dice, iou, score_masks, sensitivity, specificity

THEIRS = {
    "dice": sklearn_metrics.f1_score,
    "iou": sklearn_metrics.jaccard_score,
    "sensitivity": sklearn_metrics.recall_score,
    "specificity": lambda truth, found: sklearn_metrics.recall_score(truth, found, pos_label=0),
}
EMPTY, FULL = np.zeros((1, 4, 5), dtype=bool), np.ones((1, 4, 5), dtype=bool)


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("kind", [bool, np.uint8, np.float32])
def test_scores_equal_scikit_learn(name, kind):
    generator = np.random.default_rng(3)
    share = generator.uniform(0.1, 0.9, (12, 1, 1))
    truth, found = (generator.random((12, 9, 7)) < share for _ in range(2))
    expected = [THEIRS[name](t.ravel(), f.ravel()) for t, f in zip(truth, found, strict=True)]
    assert score_masks(found.astype(kind), truth.astype(kind))[name] == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    """Four lesion pixels, three found, one false alarm, twelve pixels of background."""
    truth, found = np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    truth[0, 0], found[0, 0, :3], found[0, 1, 0] = 255, 1, 1
    truth[1] = found[1] = np.eye(4)
    assert dice(found, truth).tolist() == [6 / 8, 1.0]
    assert iou(found, truth).tolist() == [3 / 5, 1.0]
    assert sensitivity(found, truth).tolist() == [3 / 4, 1.0]
    assert specificity(found, truth).tolist() == [11 / 12, 1.0]


def test_order_of_arguments_is_predicted_then_truth():
    found, truth = EMPTY.copy(), FULL
    found[0, 0, 0] = True
    assert sensitivity(found, truth) == [1 / 20]


def test_both_empty_is_undefined_but_specific():
    scores = score_masks(EMPTY, EMPTY)
    assert all(np.isnan(scores[name]).all() for name in ("dice", "iou", "sensitivity", "hd95_px", "assd_px"))
    assert scores["specificity"] == [1.0]


def test_a_prediction_without_a_lesion_scores_nothing():
    found = EMPTY.copy()
    found[0, 0, 0] = True
    scores = score_masks(found, EMPTY)
    assert (scores["dice"], scores["iou"]) == ([0.0], [0.0])
    assert np.isnan(scores["sensitivity"]).all()
    assert scores["specificity"] == [19 / 20]


def test_a_missed_lesion_scores_nothing():
    truth = ~EMPTY
    truth[0, 0, 0] = False
    scores = score_masks(EMPTY, truth)
    assert [scores[name].item() for name in ("dice", "iou", "sensitivity", "specificity")] == [0.0, 0.0, 0.0, 1.0]


def test_a_full_mask_has_no_specificity():
    assert np.isnan(specificity(FULL, FULL)).all()


def test_many_pixels_do_not_overflow():
    found, truth = np.zeros((1, 300, 300), np.uint8), np.ones((1, 300, 300), np.uint8)
    found[0, 0] = 1
    assert sensitivity(found, truth) == [1 / 300]


@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5), (1, 5, 4)])
def test_shapes_must_agree(shape):
    with pytest.raises(ValueError, match="one shape"):
        dice(np.zeros(shape), EMPTY)


def test_no_cases():
    assert dice(np.zeros((0, 4, 4)), np.zeros((0, 4, 4))).shape == (0,)
