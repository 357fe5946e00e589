"""The rasteriser agrees with matplotlib's paths pixel by pixel, and with formulas of areas."""

import numpy as np
import pytest
from matplotlib.path import Path

from busline.cohort.formats.annotations.curves import ellipse, require_closed
from busline.cohort.formats.annotations.draw import draw_outline, fill_ring
from busline.cohort.shapes import Bitmap, Outline, Polygon, Runs
from made_outlines import area_of, lesion, to_runs

SHAPE = (300, 400)
MANY = 10**6


def polygon(*outer, holes=()):
    return Polygon(tuple(np.array(ring, float) for ring in outer), tuple(np.array(ring, float) for ring in holes))


def draw(*shapes, shape=SHAPE, **what):
    return draw_outline(Outline("f.json", shapes, **what), shape, MANY)


@pytest.mark.parametrize("seed", range(20))
def test_a_polygon_is_what_matplotlib_says_it_is(seed):
    generator = np.random.default_rng(seed)
    ring = lesion(*generator.uniform(100, 200, 2), generator.uniform(30, 90), int(generator.integers(3, 200)))
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    expected = Path(np.vstack([ring, ring[:1]])).contains_points(centres).reshape(SHAPE)
    np.testing.assert_array_equal(draw(polygon(ring))[0], expected)
    np.testing.assert_array_equal(draw(polygon(ring[::-1]))[0], expected)


def test_areas_are_those_of_the_formula():
    errors = []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        ring = lesion(*generator.uniform(250, 350, 2), generator.uniform(100, 200))
        errors.append(draw(polygon(ring), shape=(600, 600))[0].sum() / area_of(ring) - 1)
    assert np.abs(errors).max() < 1e-3
    assert abs(np.mean(errors)) < 1e-4


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom"), [(3, 4, 10, 9), (2.4, 3.4, 10.4, 9.4), (2.6, 3.6, 9.6, 8.6)]
)
def test_a_pixel_belongs_to_a_polygon_if_its_centre_does(left, top, right, bottom):
    mask, notes = draw(polygon([[left, top], [right, top], [right, bottom], [left, bottom]]))
    expected = np.zeros(SHAPE, dtype=bool)
    expected[round(top) : round(bottom), round(left) : round(right)] = True
    np.testing.assert_array_equal(mask, expected)
    assert notes == ["rectangular_outline"]


def test_neighbours_share_an_edge_without_a_gap_or_an_overlap():
    one, other = [[10, 10], [60, 31], [22, 80]], [[10, 10], [60, 31], [70, 5]]
    both = draw(polygon(one))[0].astype(int) + draw(polygon(other))[0]
    whole = draw(polygon([[10, 10], [22, 80], [60, 31], [70, 5]]))[0]
    np.testing.assert_array_equal(both, whole)


def test_holes_are_taken_out_and_parts_united():
    outer, hole, far = ellipse(150, 150, 80, 60), ellipse(150, 150, 30, 20), ellipse(300, 100, 40, 40)
    mask, notes = draw(polygon(outer, far, holes=[hole]))
    areas = [np.pi * 80 * 60, np.pi * 40 * 40, -np.pi * 30 * 20]
    assert mask.sum() == pytest.approx(sum(areas), rel=1e-3)
    assert notes == []
    separate, _ = draw(polygon(outer, holes=[hole]), polygon(far))
    np.testing.assert_array_equal(separate, mask)


def test_a_line_that_crosses_itself_encloses_what_is_crossed_oddly():
    angles = np.arange(5) * 4 * np.pi / 5
    star = np.stack([200 + 100 * np.sin(angles), 150 - 100 * np.cos(angles)], axis=1)
    mask, notes = draw(polygon(star))
    assert notes == ["crossing_outline"]
    assert not mask[150, 200]
    assert mask[70, 200]
    assert np.count_nonzero(fill_ring(star, SHAPE)) > 1.2 * mask.sum()


def test_a_bow_tie_and_a_small_overlap_at_the_end_are_not_worth_a_note():
    assert draw(polygon([[20, 20], [130, 100], [130, 20], [20, 100]]))[1] == []
    ring = lesion()
    assert draw(polygon(np.concatenate([ring, ring[:1] + 0.4, ring[1:3] - 0.4])))[1] == []


def test_a_part_inside_another_is_united_and_named():
    outer, inner = ellipse(150, 150, 80, 60), ellipse(150, 150, 40, 30)
    mask, notes = draw(polygon(outer, inner))
    np.testing.assert_array_equal(mask, draw(polygon(outer))[0])
    assert notes == ["crossing_outline"]


def test_what_lies_a_little_outside_is_cut_off():
    mask, _ = draw(polygon(ellipse(380, 150, 39, 60)))
    seen = 20 / 39
    cut = np.arccos(seen) - seen * np.sqrt(1 - seen**2)
    assert mask[150, -1]
    assert mask.sum() == pytest.approx((np.pi - cut) * 39 * 60, rel=2e-3)


@pytest.mark.parametrize("ring", [lesion(380, 150), lesion(20, 150), lesion(200, 280), lesion(200, 10) * 2])
def test_what_lies_far_outside_is_refused(ring):
    with pytest.raises(ValueError, match="far outside of its image of 400 × 300 pixels"):
        draw(polygon(ring))


def test_nothing_enclosed_is_refused():
    with pytest.raises(ValueError, match="encloses no pixel"):
        draw(polygon([[10, 10], [10.2, 10], [10.2, 10.2]]))


def test_shares_are_of_the_image_sides():
    ring = lesion()
    expected, _ = draw(polygon(ring))
    found, _ = draw(polygon(ring / [400, 300]), relative=True)
    np.testing.assert_array_equal(found, expected)


def test_it_is_drawn_at_the_size_that_was_annotated():
    mask, _ = draw(polygon(lesion()), size=(600, 450))
    assert mask.shape == (450, 600)
    with pytest.raises(ValueError, match="was drawn on 5000 × 5000 pixels; expected at most 1,000,000"):
        draw(polygon(lesion()), size=(5000, 5000))


def test_runs_go_down_the_columns():
    expected, _ = draw(polygon(lesion()))
    found, _ = draw(Runs(400, 300, np.array(to_runs(expected))))
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="has runs of 3 × 2 pixels, its image 400 × 300"):
        draw(Runs(3, 2, np.array([1, 5])))


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (371, 0), (0, 281)])
def test_a_bitmap_lies_inside_of_its_image(place):
    part = np.eye(20, 30, dtype=bool)
    mask, _ = draw(Bitmap(part, 370, 280))
    np.testing.assert_array_equal(mask[280:, 370:], part)
    assert mask.sum() == 20
    with pytest.raises(ValueError, match="outside of its image"):
        draw(Bitmap(part, *place))


def test_many_points_are_drawn_in_parts(monkeypatch):
    ring = np.random.default_rng(0).uniform(0, 290, (1_000, 2))
    whole = fill_ring(ring, SHAPE)
    monkeypatch.setattr("busline.cohort.formats.annotations.draw.MOST_CROSSED", 500)
    np.testing.assert_array_equal(fill_ring(ring, SHAPE), whole)
    assert len(np.unique(whole)) > 10


def test_very_many_lines_or_points_are_refused():
    with pytest.raises(ValueError, match="has 1,001 lines of 3,003 points"):
        draw(polygon(*[[[1, 1], [9, 1], [9, 9]]] * 1_001))
    with pytest.raises(ValueError, match="has 3 lines of 120,000 points"):
        draw(*[polygon(np.tile(lesion(points=100), (400, 1)))] * 3)


def test_turned_ellipses():
    ring = ellipse(200, 150, 80, 20, np.pi / 6)
    assert area_of(ring) == pytest.approx(np.pi * 80 * 20, rel=1e-5)
    far = ring[np.argmax(np.hypot(*(ring - [200, 150]).T))]
    assert abs((far - [200, 150])[1] / (far - [200, 150])[0]) == pytest.approx(np.tan(np.pi / 6), rel=1e-3)
    assert (far[1] - 150) * (far[0] - 200) > 0
    with pytest.raises(ValueError, match="a radius of 0"):
        ellipse(1, 1, 5, 0)


def test_open_lines_are_refused():
    ring = lesion()
    assert require_closed(ring) is ring
    with pytest.raises(ValueError, match="gap of .* pixels between its ends"):
        require_closed(ring[:200])
