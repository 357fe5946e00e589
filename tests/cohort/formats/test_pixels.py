import numpy as np
import pytest
from PIL import Image

from busline.cohort.formats.pixels import read_gray
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
