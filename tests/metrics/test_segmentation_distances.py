"""Surface distances by hand, against brute force over all pairs of surface pixels, and against MONAI's numbers."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from busline.metrics.segmentation import IN_PIXELS, KNOWN, MEASURES, assd, hd95, score_masks

ONE = (1.0, 1.0)


def square(top, left, side, shape=(20, 24)):
    mask = np.zeros((1, *shape), dtype=bool)
    mask[0, top : top + side, left : left + side] = True
    return mask


def ellipse(centre, axes, shape=(60, 80)):
    rows, columns = np.indices(shape)
    return ((rows - centre[0]) / axes[0]) ** 2 + ((columns - centre[1]) / axes[1]) ** 2 <= 1


def made_pairs():
    """Lesions a little apart, a second object, two cut by the picture's edge, and scattered pixels."""
    generator = np.random.default_rng(5)
    return [
        (ellipse((30, 40), (12, 20)), ellipse((33, 36), (14, 17))),
        (ellipse((20, 20), (9, 9)) | ellipse((50, 70), (4, 5)), ellipse((22, 24), (9, 12))),
        (ellipse((5, 5), (12, 14)), ellipse((55, 75), (9, 9))),
        (generator.random((60, 80)) < 0.02, generator.random((60, 80)) < 0.03),
    ]


def surface(mask):
    """Pixels with a neighbour above, below, left or right that is outside, or lies beyond the picture."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inner)


def brute_force(found, true, spacing):
    one, other = surface(found) * spacing, surface(true) * spacing
    return cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.2, 0.12), (0.05, 0.3)])
@pytest.mark.parametrize("pair", range(4))
def test_against_brute_force(pair, spacing):
    found, true = made_pairs()[pair]
    one, other = brute_force(found, true, np.array(spacing))
    expected = max(np.percentile(one, 95), np.percentile(other, 95))
    assert hd95(found[None], true[None], spacing) == pytest.approx([expected], abs=1e-12)
    assert assd(found[None], true[None], spacing) == pytest.approx([np.concatenate([one, other]).mean()], abs=1e-12)


def test_against_monai():
    """What compute_hausdorff_distance and compute_average_surface_distance (symmetric) of MONAI 1.6.1 give.

    MedPy 0.5.2's surface distances give the same.
    """
    found, true = (np.stack(masks) for masks in zip(*made_pairs(), strict=True))
    assert hd95(found, true, ONE) == pytest.approx([6.83951, 46.61271, 83.00603, 7.2111], abs=1e-5)
    assert assd(found, true, ONE) == pytest.approx([2.93175, 10.2008, 72.58255, 3.18694], abs=1e-5)
    spacing = (0.2, 0.12)
    assert hd95(found, true, spacing) == pytest.approx([1.0, 6.81536, 12.52671, 1.22376], abs=1e-5)
    assert assd(found, true, spacing) == pytest.approx([0.46485, 1.49858, 10.88077, 0.4926], abs=1e-5)


def test_a_square_beside_itself_by_hand():
    """A 2 × 2 square moved right by 3: half of its pixels are 2 columns away, half 3; each way."""
    found, true = square(5, 5, 2), square(5, 8, 2)
    assert assd(found, true, ONE).tolist() == [2.5]
    assert hd95(found, true, ONE).tolist() == [3.0]
    assert hd95(found, true, (7.0, 0.5)).tolist() == [1.5]
    down = square(8, 5, 2)
    assert hd95(found, down, (7.0, 0.5)).tolist() == [21.0]


def test_a_square_within_another_by_hand():
    """Sides of 5 and 3 about one centre: 8 inner pixels at 1, and 16 outer, of which 4 corners at the root of 2."""
    found, true = square(4, 4, 5), square(5, 5, 3)
    corner = np.sqrt(2.0)
    assert assd(found, true, ONE) == pytest.approx([(8 + 12 + 4 * corner) / 24])
    assert hd95(found, true, ONE) == pytest.approx([corner])


def test_the_percentile_leaves_a_few_outliers_out():
    """Of 100 surface pixels, a lone one of the prediction lies 30 away: the 95th percentile does not see it."""
    true = np.zeros((1, 3, 140), dtype=bool)
    true[0, 1, :99] = True
    found = true.copy()
    found[0, 1, 128] = True
    assert hd95(found, true, ONE).tolist() == [0.0]
    assert assd(found, true, ONE) == pytest.approx([30 / 199])


def test_equal_masks_are_no_distance_apart_and_the_order_does_not_matter():
    for found, true in made_pairs():
        assert hd95(true[None], true[None], ONE).tolist() == assd(true[None], true[None], ONE).tolist() == [0.0]
        for metric in (hd95, assd):
            assert metric(found[None], true[None], ONE) == pytest.approx(metric(true[None], found[None], ONE))


def test_what_lies_around_changes_nothing():
    found, true = (mask[None] for mask in made_pairs()[0])
    wider = [np.pad(mask, ((0, 0), (40, 3), (7, 30))) for mask in (found, true)]
    assert hd95(*wider, ONE) == hd95(found, true, ONE)
    assert assd(*wider, ONE) == assd(found, true, ONE)


def test_an_empty_mask_has_no_distance_and_spoils_no_other_case():
    lesion, empty = square(5, 5, 3), np.zeros((1, 20, 24), dtype=bool)
    found, true = np.concatenate([empty, lesion, empty, lesion]), np.concatenate([lesion, empty, empty, lesion])
    for metric in (hd95, assd):
        np.testing.assert_array_equal(metric(found, true, ONE), [np.nan, np.nan, np.nan, 0.0])


def test_a_pixel_of_unknown_size_has_no_distance():
    found, true = np.concatenate([square(5, 5, 2)] * 2), np.concatenate([square(5, 8, 2)] * 2)
    np.testing.assert_allclose(hd95(found, true, [(0.1, 0.1), (np.nan, 0.1)]), [0.3, np.nan])
    with pytest.raises(ValueError, match="above 0"):
        assd(found, true, (0.0, 1.0))


def test_the_table_is_the_one_place_of_a_metric():
    assert list(score_masks(square(5, 5, 2), square(5, 8, 2))) == list(IN_PIXELS)
    in_mm = score_masks(square(5, 5, 2), square(5, 8, 2), (0.1, 0.1), MEASURES)
    assert list(in_mm) == ["dice", "iou", "sensitivity", "specificity", "hd95", "assd"]
    assert in_mm["hd95"] == pytest.approx([0.3])
    assert set(KNOWN) - set(MEASURES) == {"hd95_px", "assd_px"}
    assert (KNOWN["hd95"].heading, KNOWN["hd95_px"].heading, KNOWN["dice"].heading) == (
        "HD95 (mm)",
        "HD95 (px)",
        "Dice",
    )
    assert {name for name, measure in KNOWN.items() if measure.better == "lower"} == {
        *("hd95", "assd", "hd95_px", "assd_px")
    }
