"""Masks of one shape are read as they were drawn, whatever their value, colour, depth and losses."""

import numpy as np
import pytest
from made_masks import dice, disc, label_map, paint, read, soften
from PIL import Image

from busline.cohort.formats.masks import fit_mask
from helpers_cohort import draw_mask

A, B = disc(), disc(150, 120, 20)


@pytest.mark.parametrize("value", [1, 50, 255])
@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_a_mask_of_two_values_is_taken_as_it_stands(tmp_path, value, suffix):
    np.testing.assert_array_equal(read(tmp_path, label_map((A, value)), suffix), A)


@pytest.mark.parametrize("value", [1, 255, 256, 4095, 65535])
def test_a_mask_of_sixteen_bits_is_taken_as_it_stands(tmp_path, value):
    np.testing.assert_array_equal(read(tmp_path, label_map((A, value), kind=np.uint16)), A)


@pytest.mark.parametrize("colour", [(0, 0, 1), (0, 0, 64), (255, 0, 0), (0, 128, 0), (128, 0, 128), (255, 255, 255)])
@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_a_mask_of_one_colour_is_taken_as_it_stands(tmp_path, colour, mode):
    picture = paint((A, colour))
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    np.testing.assert_array_equal(read(tmp_path, picture), A)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 0)])
@pytest.mark.parametrize("opacity", [1, 128, 255])
def test_a_mask_may_be_drawn_in_its_opacity(tmp_path, colour, opacity):
    pixels = np.full((*A.shape, 4), (*colour, 0), dtype=np.uint8)
    pixels[A, 3] = opacity
    np.testing.assert_array_equal(read(tmp_path, Image.fromarray(pixels)), A)


def test_a_jpeg_in_the_colours_of_print_is_read(tmp_path):
    assert dice(read(tmp_path, label_map((A, 255)).convert("RGB").convert("CMYK"), "jpg"), A) > 0.97


def test_an_opaque_black_mask_is_empty(tmp_path):
    assert not read(tmp_path, Image.new("RGBA", (40, 40), (0, 0, 0, 255))).any()


@pytest.mark.parametrize("value", [40, 127, 255])
@pytest.mark.parametrize("colour", [(1, 1, 1), (0, 0, 1), (1, 0, 0)])
def test_a_jpeg_is_cut_at_half_of_its_own_highest(tmp_path, value, colour):
    picture = paint((A | B, tuple(value * part for part in colour)))
    assert dice(read(tmp_path, picture, "jpg"), A | B) > 0.97


def test_a_gray_jpeg_mask_is_not_frayed(tmp_path):
    mask = draw_mask((160, 120))
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "raw.jpg", quality=60)
    np.testing.assert_array_equal(read(tmp_path, Image.open(tmp_path / "raw.jpg").convert("L")), mask)


def test_a_black_jpeg_is_empty_though_its_losses_are_not(tmp_path):
    noise = np.random.default_rng(0).integers(0, 6, (80, 80), dtype=np.uint8)
    assert not read(tmp_path, Image.fromarray(noise), "jpg").any()


@pytest.mark.parametrize("value", [100, 255])
@pytest.mark.parametrize("sigma", [1, 3, 6, 12])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_soft_mask_is_cut_at_half(tmp_path, value, sigma, suffix):
    levels = np.asarray(soften(A, sigma, value)).astype(int)
    found = read(tmp_path, soften(A, sigma, value), suffix)
    assert dice(found, levels >= levels.max() / 2) > 0.98
    assert dice(found, A) > (0.97 if sigma < 12 else 0.94)  # half of a disc blurred so far is a smaller one


def test_a_soft_blue_mask_is_cut_at_half(tmp_path):
    black = Image.new("L", (A.shape[1], A.shape[0]))
    assert dice(read(tmp_path, Image.merge("RGB", (black, black, soften(A, 2)))), A) > 0.98


@pytest.mark.parametrize("resample", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("factor", [2, 4, 6])
def test_a_mask_that_was_enlarged_is_cut_at_half(tmp_path, resample, factor):
    small = disc(20, 18, 10, (50, 40))
    large = label_map((small, 255)).resize((50 * factor, 40 * factor), resample)
    shape = disc(20.5 * factor, 18.5 * factor, 10 * factor, (50 * factor, 40 * factor))
    assert dice(read(tmp_path, large), shape) > 0.95


def test_a_mask_that_was_reduced_is_cut_at_half(tmp_path):
    large = disc(320, 280, 160, (800, 640))
    reduced = label_map((large, 255)).resize((200, 160), Image.Resampling.BOX)
    assert dice(read(tmp_path, reduced), A) > 0.98


@pytest.mark.parametrize("value", [100, 255])
def test_a_mask_of_one_value_marks_everything(tmp_path, value):
    with pytest.raises(ValueError, match="marks the whole image"):
        read(tmp_path, Image.new("L", (20, 20), value))


@pytest.mark.parametrize("factor", [0.5, 1.37, 2, 3])
def test_a_mask_of_another_size_is_fitted_only_when_told(factor):
    small = disc(80 * factor, 70 * factor, 40 * factor, (round(200 * factor), round(160 * factor)))
    with pytest.raises(ValueError, match=r"expected the same size, or masks.resize: true"):
        fit_mask(small, A.shape, resize=False)
    assert dice(fit_mask(small, A.shape, resize=True), A) > 0.97


@pytest.mark.parametrize("size", [(160, 200), (200, 164), (150, 160), (400, 310)])
def test_a_mask_of_another_aspect_is_never_fitted(size):
    with pytest.raises(ValueError, match="pixels, its image 200 × 160; expected the same size$"):
        fit_mask(np.zeros(size[::-1], dtype=bool), A.shape, resize=True)
