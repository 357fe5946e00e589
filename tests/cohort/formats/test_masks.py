import numpy as np
import pytest
from PIL import Image

from busline.cohort.formats.masks import read_mask
from helpers_cohort import draw_mask


@pytest.mark.parametrize("value", [1, 50, 255])
def test_a_mask_of_two_values_is_taken_as_it_stands(tmp_path, value):
    Image.fromarray(draw_mask().astype(np.uint8) * value).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", 100_000), draw_mask())


def test_a_mask_with_soft_edges_is_cut_at_half(tmp_path):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (20, 1))
    Image.fromarray(ramp).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", 100_000), ramp >= 128)


def test_a_jpeg_mask_is_not_frayed(tmp_path):
    Image.fromarray(draw_mask((160, 120)).astype(np.uint8) * 255).save(tmp_path / "m.jpg", quality=60)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.jpg", 100_000), draw_mask((160, 120)))


def test_a_mask_of_one_gray_value_is_black_or_all_white(tmp_path):
    Image.new("L", (20, 20), 100).save(tmp_path / "m.png")
    assert not read_mask(tmp_path / "m.png", 100_000).any()


def test_a_mask_that_marks_everything_is_refused(tmp_path):
    Image.new("L", (20, 20), 255).save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="marks the whole image"):
        read_mask(tmp_path / "m.png", 100_000)
