import numpy as np
import pytest
from PIL import Image

from busline.cohort.formats.pixels import fit_size, read_gray, read_mask, resize_image, resize_mask
from helpers_cohort import draw_image, draw_mask

GRAY = draw_image(0)


def read(picture, path, **options):
    picture.save(path, **options)
    return read_gray(path, 100_000)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1"])
def test_every_png_mode_becomes_gray(tmp_path, mode):
    source = np.where(draw_mask(), 255, 0).astype(np.uint8)
    found = read(Image.fromarray(source).convert(mode), tmp_path / "a.png")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, source)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_mode_becomes_gray(tmp_path, mode):
    found = read(Image.fromarray(GRAY).convert(mode), tmp_path / "a.jpg", quality=95)
    assert np.abs(found.astype(int) - GRAY).mean() < 3


def test_sixteen_bits_keep_their_upper_half(tmp_path):
    found = read(Image.fromarray(GRAY.astype(np.uint16) * 257), tmp_path / "a.png")
    np.testing.assert_array_equal(found, GRAY)


def test_colours_become_luminance(tmp_path):
    found = read(Image.new("RGB", (20, 20), (255, 0, 0)), tmp_path / "a.png")
    assert (found == 76).all()  # ITU-R 601: 0.299 · 255


def test_what_is_transparent_is_black_whatever_its_colour(tmp_path):
    pixels = np.full((20, 20, 4), 255, dtype=np.uint8)
    pixels[:10, :, 3] = 0
    found = read(Image.fromarray(pixels), tmp_path / "a.png")
    assert (found[:10] == 0).all()
    assert (found[10:] == 255).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_single_pixel_that_is_not_quite_opaque_counts(tmp_path, mode):
    picture = Image.new(mode, (20, 20), "white")
    alpha = Image.new("L", (20, 20), 255)
    alpha.putpixel((7, 5), 200)
    picture.putalpha(alpha)
    found = read(picture, tmp_path / "a.png")
    assert found[5, 7] == 200
    assert (np.delete(found.ravel(), 5 * 20 + 7) == 255).all()


def test_a_photograph_on_its_side_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(GRAY)
    assert read(picture, tmp_path / "a.jpg", exif=exif).shape == (GRAY.shape[1], GRAY.shape[0])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        (b"", "is no image"),
        (b"hello", "is no image"),
        (b"GIF89a\x20\x00\x20\x00\x00\x00\x00;", "is no image"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, content, reason):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_gray(path, 100_000)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_image_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(draw_image(1, (200, 150))).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_gray(path, 100_000)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ValueError, match="is no image"):
        read_gray(tmp_path, 100_000)


@pytest.mark.parametrize(
    ("side", "reason"), [(7_000, "7000 × 7000 pixels; expected at most 40,000,000"), (14_000, "far too many pixels")]
)
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path, side, reason):
    Image.new("1", (side, side)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=reason):
        read_gray(tmp_path / "a.png", 40_000_000)


def test_an_image_too_small_to_show_anything_is_refused(tmp_path):
    Image.new("L", (100, 15)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="100 × 15 pixels; expected 16 × 16"):
        read_gray(tmp_path / "a.png", 100_000)


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


def test_sizes_shrink_in_proportion_and_never_grow():
    assert fit_size(1024, 618, 256) == (256, 154)
    assert fit_size(300, 600, 256) == (128, 256)
    assert fit_size(200, 100, 256) == (200, 100)
    assert fit_size(10_000, 16, 256) == (256, 1)


def test_a_shrunk_image_is_averaged_not_sampled():
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(resize_image(stripes, 16, 16).astype(int)[:, 1:-1] - 100).max() <= 8


def test_a_shrunk_mask_keeps_its_area_and_a_tiny_lesion_stays():
    mask = draw_mask((256, 192))
    assert resize_mask(mask, 64, 48).mean() == pytest.approx(mask.mean(), abs=0.02)
    tiny = np.zeros((100, 100), dtype=bool)
    tiny[99, 42] = True
    small = resize_mask(tiny, 10, 10)
    assert small.sum() == 1
    assert small[9, 4]
    assert not resize_mask(np.zeros((100, 100), dtype=bool), 10, 10).any()
