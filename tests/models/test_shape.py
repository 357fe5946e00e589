"""Shape and echo features, against figures known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from busline.models.shape import FEATURES, feature_table, lesion_mask, measure_lesion

SIDE = 120
ROWS, COLUMNS = np.indices((SIDE, SIDE)).astype(float)


def ellipse(height: float, width: float, row: float = 50.0, column: float = 60.0) -> np.ndarray:
    return ((ROWS - row) / height) ** 2 + ((COLUMNS - column) / width) ** 2 <= 1.0


def measure(mask: np.ndarray, image: np.ndarray | None = None, pixel_mm: float | None = 0.2):
    gray = np.full((SIDE, SIDE), 128.0) if image is None else image
    return measure_lesion(mask.astype(float), gray, pixel_mm)


def test_a_disc_is_round_whole_and_measured_in_millimetres():
    found = measure(ellipse(20, 20))
    assert found.depth_width == pytest.approx(0.0, abs=1e-9)
    assert found.solidity > 0.95
    assert found.circularity == pytest.approx(1.0, abs=0.05)
    assert found.ellipse_misfit < 0.02
    assert np.exp(found.log_area) == pytest.approx(np.pi * 4.0**2, rel=0.01)
    assert found.uncertainty == 0.0


@pytest.mark.parametrize(("height", "width"), [(30, 15), (15, 30), (10, 24)])
def test_height_over_width(height, width):
    expected = np.log((2 * height + 1) / (2 * width + 1))
    assert measure(ellipse(height, width)).depth_width == pytest.approx(expected)


def test_circularity_of_a_square_is_a_quarter_of_pi():
    square = (np.abs(ROWS - 50) <= 20) & (np.abs(COLUMNS - 60) <= 20)
    assert measure(square).circularity == pytest.approx(np.pi / 4, abs=0.04)


def test_solidity_of_a_cross_is_known():
    # Arms 3 long, 1 wide in units of 12 pixels: area 5, hull area 7.
    down, across = np.abs(ROWS - 59.5) / 12, np.abs(COLUMNS - 59.5) / 12
    cross = ((down < 1.5) & (across < 0.5)) | ((down < 0.5) & (across < 1.5))
    found = measure(cross)
    assert found.solidity == pytest.approx(5 / 7)
    assert found.ellipse_misfit > 0.2


def test_features_do_not_change_when_the_lesion_moves():
    here, there = measure(ellipse(15, 22)), measure(ellipse(15, 22, row=60, column=50))
    for name in ("depth_width", "solidity", "circularity", "ellipse_misfit", "log_area"):
        assert getattr(here, name) == pytest.approx(getattr(there, name))


def test_echo_inside_around_and_at_the_edge():
    mask = ellipse(20, 20)
    hard = np.where(mask, 51.0, 153.0)
    found = measure(mask, hard)
    assert found.contrast == pytest.approx(0.4)
    assert found.heterogeneity < measure(mask, hard + 60.0 * (COLUMNS > 60)).heterogeneity
    distance = np.hypot(ROWS - 50, COLUMNS - 60) - 20.0
    soft = 102.0 + 51.0 * np.tanh(distance / 8.0)
    assert found.sharpness > 2 * measure(mask, soft).sharpness > 0
    assert measure(mask, 255.0 - hard).sharpness == pytest.approx(-found.sharpness)


@pytest.mark.parametrize(("level", "expected"), [(25.5, -0.3), (204.0, 0.4), (102.0, 0.0)])
def test_posterior_echo_is_the_difference_to_the_sides(level, expected):
    mask = ellipse(15, 20)
    image = np.full((SIDE, SIDE), 102.0)
    image[66:, 41:80] = level
    assert measure(mask, image).posterior == pytest.approx(expected)


def test_nothing_behind_a_lesion_at_the_lower_edge():
    found = measure(ellipse(15, 20, row=104))
    assert np.isnan(found.posterior)
    assert np.isfinite(found.sharpness)


def test_a_blurred_border_is_uncertain():
    distance = np.hypot(ROWS - 50, COLUMNS - 60) - 20.0
    # The integral of p (1 - p) of a logistic edge of width w is w: 4 w / radius.
    found = measure_lesion(1.0 / (1.0 + np.exp(distance / 2.0)), np.zeros((SIDE, SIDE)), None)
    assert found.uncertainty == pytest.approx(4.0 * 2.0 / 20.0, rel=0.06)


def test_without_a_pixel_size_only_the_area_is_missing():
    found = measure(ellipse(20, 20), pixel_mm=None)
    assert np.isnan(found.log_area)
    assert np.isfinite(found.solidity)


def test_a_lesion_of_a_few_pixels_has_an_area_only():
    found = measure(ellipse(1, 1))
    assert np.exp(found.log_area) == pytest.approx(5 * 0.04)
    assert np.isnan(found.solidity)


def test_main_lesion_is_the_component_of_largest_summed_probability():
    chances = 0.6 * ellipse(20, 20) + 0.99 * ellipse(4, 4, row=110, column=10)
    np.testing.assert_array_equal(lesion_mask(chances), ellipse(20, 20))


def test_holes_are_filled():
    ring = ellipse(20, 20) & ~ellipse(5, 5)
    np.testing.assert_array_equal(lesion_mask(ring.astype(float)), ellipse(20, 20))


def test_a_faint_lesion_is_found_and_an_empty_map_is_empty():
    np.testing.assert_array_equal(lesion_mask(0.1 * ellipse(20, 20)), ellipse(20, 20))
    assert not lesion_mask(np.zeros((8, 8))).any()
    found = measure_lesion(np.zeros((8, 8)), np.zeros((8, 8)), 0.2)
    assert np.isnan(found.log_area)


def test_a_lesion_that_fills_the_picture_has_no_surroundings():
    found = measure(np.ones((SIDE, SIDE), bool))
    assert np.isnan(found.contrast)
    assert found.solidity == pytest.approx(1.0)


def test_table_has_a_row_a_case():
    masks = [ellipse(20, 20), ellipse(10, 24)]
    table = feature_table([mask.astype(float) for mask in masks], [np.zeros((SIDE, SIDE))] * 2, [0.2, np.nan])
    assert table.shape == (2, len(FEATURES))
    assert table[1, FEATURES.index("depth_width")] < 0
    assert np.isnan(table[1, FEATURES.index("log_area")])


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one shape"):
        measure_lesion(np.zeros((8, 8)), np.zeros((8, 9)), 0.2)
