"""A mask whose values do not say what the lesion is, is refused with them, and read as it is told."""

import numpy as np
import pytest
from made_masks import dice, disc, label_map, paint, read, soften
from PIL import Image

from helpers_cohort import draw_image

A, B, C = disc(), disc(150, 120, 20), disc(165, 30, 14)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((1, 2), "0, 1, 2"),
        ((2, 1), "0, 1, 2"),
        ((127, 255), "0, 127, 255"),
        ((85, 170), "0, 85, 170"),
        ((20, 255), "0, 20, 255"),
        ((240, 255), "0, 240, 255"),
        ((1, 40), "0, 1, 40"),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_a_label_map_is_refused_with_its_values(tmp_path, values, found, mode):
    with pytest.raises(ValueError, match=rf"several gray values \({found}\).*masks\.values"):
        read(tmp_path, label_map((A, values[0]), (B, values[1])).convert(mode))


@pytest.mark.parametrize("values", [(1, 2), (300, 4000), (127, 65535)])
def test_a_label_map_of_sixteen_bits_is_refused_with_its_values(tmp_path, values):
    with pytest.raises(ValueError, match=f"{values[0]}, {values[1]}"):
        read(tmp_path, label_map((A, values[0]), (B, values[1]), kind=np.uint16))


def test_an_index_mask_of_three_labels_is_refused(tmp_path):
    with pytest.raises(ValueError, match="0, 1, 2, 3"):
        read(tmp_path, label_map((A, 1), (B, 2), (C, 3)))


def test_a_map_of_many_labels_is_refused(tmp_path):
    areas = [(disc(20 * n, 30 * row, 8), 60 * row + 6 * n) for n in range(1, 10) for row in (1, 2, 3)]
    with pytest.raises(ValueError, match="several gray values"):
        read(tmp_path, label_map(*areas))


def test_a_background_that_is_not_black_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(1, 2\)"):
        read(tmp_path, Image.fromarray(np.where(A, 2, 1).astype(np.uint8)))


def test_a_background_of_the_narrow_range_is_none(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, Image.fromarray(np.where(A, 235, 16).astype(np.uint8))), A)


@pytest.mark.parametrize("values", [(127, 255), (64, 255), (100, 180)])
@pytest.mark.parametrize("areas", [(A, B), (B, A), (C, A)])
def test_a_label_map_as_jpeg_is_refused(tmp_path, values, areas):
    with pytest.raises(ValueError, match=r"several gray values \(0, .*masks\.values"):
        read(tmp_path, label_map((areas[0], values[0]), (areas[1], values[1])), "jpg")


def test_a_lesion_inside_another_one_is_a_label_map(tmp_path):
    with pytest.raises(ValueError, match=r"0, 128, 255"):
        read(tmp_path, label_map((A, 128), (disc(80, 70, 15), 255)))


def test_soft_shapes_of_two_heights_are_refused(tmp_path):
    both = np.maximum(np.asarray(soften(A, 3, 120)), np.asarray(soften(B, 3, 255)))
    with pytest.raises(ValueError, match="several gray values"):
        read(tmp_path, Image.fromarray(both))


@pytest.mark.parametrize("colours", [(RED, GREEN), (GREEN, RED), (RED, BLUE), (RED, WHITE), ((128, 0, 0), (0, 128, 0))])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_two_colours_in_one_file_are_refused(tmp_path, colours, suffix):
    with pytest.raises(ValueError, match=r"several colours \(#.*masks\.values"):
        read(tmp_path, paint((A, colours[0]), (B, colours[1])), suffix)


@pytest.mark.parametrize("colour", [RED, BLUE])
def test_a_jpeg_in_one_colour_has_no_second_at_its_edges(tmp_path, colour):
    rough = np.random.default_rng(0).random((160, 200)) < 0.5
    lesion = disc() & (disc(radius=37) | rough)
    assert dice(read(tmp_path, paint((lesion, colour)), "jpg"), lesion) > 0.93


def test_the_colours_are_named(tmp_path):
    with pytest.raises(ValueError, match="#000000, #00ff00, #ff0000"):
        read(tmp_path, paint((A, RED), (B, GREEN)).convert("P"))


def test_a_lesion_on_white_is_no_lesion_on_black(tmp_path):
    picture = Image.fromarray(np.where(A[..., None], RED, WHITE).astype(np.uint8))
    with pytest.raises(ValueError, match="several colours"):
        read(tmp_path, picture)
    np.testing.assert_array_equal(read(tmp_path, picture, values=["#ff0000"]), A)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_scan_is_no_mask(tmp_path, suffix):
    with pytest.raises(ValueError, match="no mask|several"):
        read(tmp_path, Image.fromarray(draw_image(3, (200, 160))), suffix)
    speckle = np.random.default_rng(0).gamma(2, 30, (160, 200)).clip(0, 255).astype(np.uint8)
    with pytest.raises(ValueError, match="no mask"):
        read(tmp_path, Image.fromarray(speckle), suffix)


def test_a_scan_with_an_outline_drawn_in_it_is_no_mask(tmp_path):
    scan = np.repeat(draw_image(3, (200, 160))[..., None], 3, axis=2)
    scan[disc() & ~disc(radius=37)] = GREEN
    with pytest.raises(ValueError, match="several colours"):
        read(tmp_path, Image.fromarray(scan))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(("values", "expected"), [([1], A), ([2, 3], B | C), ([1, 3], A | C), ([1, 2, 3], A | B | C)])
def test_values_say_which_labels_are_the_lesion(tmp_path, values, expected, kind):
    picture = label_map((A, 1), (B, 2), (C, 3), kind=kind)
    np.testing.assert_array_equal(read(tmp_path, picture, values=values), expected)


def test_values_are_the_indices_of_a_palette_with_colours(tmp_path):
    picture = label_map((A, 1), (B, 2)).convert("P")
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    np.testing.assert_array_equal(read(tmp_path, picture, values=[2]), B)
    np.testing.assert_array_equal(read(tmp_path, picture, values=["#800000"]), A)


def test_values_are_the_grays_of_a_palette_without(tmp_path):
    picture = label_map((A, 1), (B, 2)).convert("P")
    picture.putpalette([0, 0, 0, 127, 127, 127, 255, 255, 255])
    np.testing.assert_array_equal(read(tmp_path, picture, values=[127]), A)


def test_black_may_be_the_lesion(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, label_map((~A, 255)), values=[0]), A)


def test_a_mask_with_none_of_the_values_is_refused_with_those_found(tmp_path):
    with pytest.raises(ValueError, match=r"none of masks.values; found 0, 255"):
        read(tmp_path, label_map((A, 255)), values=[1])
    with pytest.raises(ValueError, match="none of masks.values; found #000000, #00ff00"):
        read(tmp_path, paint((A, GREEN)), values=["#ff0000"])


def test_values_of_a_jpeg_are_never_exact(tmp_path):
    square = np.zeros((160, 200), dtype=bool)
    square[40:80, 40:80] = True  # whole blocks of the JPEG, so that there is hardly any loss
    with pytest.raises(ValueError, match=r"masks\.values needs exact ones"):
        read(tmp_path, label_map((square, 255)), "jpg", values=[255])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_values_need_exact_ones(tmp_path, suffix):
    with pytest.raises(ValueError, match="soft edges or losses; masks.values needs exact ones"):
        read(tmp_path, soften(A, 4), suffix, values=[255])
