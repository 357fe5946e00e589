import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from busline.cohort.formats import pixels
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


@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
def test_sixteen_bits_are_scaled_by_those_in_use(tmp_path, bits):
    values = (GRAY.astype(np.uint32) * ((1 << bits) - 1) // 255).astype(np.uint16)
    path = tmp_path / "a.png"
    Image.fromarray(values).save(path)
    for found in (read_gray(path, 100_000, bits), read_gray(path, 100_000)):
        assert np.abs(found.astype(int) - GRAY).max() <= 1
    assert read_gray(path, 100_000, 16).max() == round(int(values.max()) * 255 / 65535)


def test_a_pixel_beyond_the_bits_is_refused(tmp_path):
    Image.fromarray(np.full((20, 20), 4096, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="has a pixel of 4096; images.bits: 12 allows 4095"):
        read_gray(tmp_path / "a.png", 100_000, 12)


def test_a_dark_picture_of_sixteen_bits_is_not_brightened_beyond_eight(tmp_path):
    Image.fromarray(np.full((20, 20), 13, np.uint16)).save(tmp_path / "a.png")
    assert (read_gray(tmp_path / "a.png", 100_000) == 13).all()


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


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(tmp_path, suffix, orientation):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(GRAY).save(path, exif=exif_of(orientation))
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read_gray(path, 100_000), expected)


ODD_TAGS = [
    *((0x829A, *odd) for odd in [(2, 1, 65), (99, 1, 1), (5, 1, 9999), (5, 2**31, 8), (7, 2**32 - 1, 1), (4, 0, 0)]),
    (0x0100, 2, 1, 65),
    (0x010F, 3, 3, 9999),
    (0x0100, 3, 3, 9999),
    (0x010F, 5, 1, 8),
    (0x0110, 7, 2**31, 8),
    (0x011A, 2, 1, 65),
    (0x02BC, 11, 1, 65),
]
"""Tag, type, number of values, and the value or its place in the file."""


def odd_exif(tag, kind, count, value, order):
    """Exif with orientation 6 and one tag whose type, count or value is none of that tag, in the order of tags."""
    upright = struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0)
    odd = struct.pack(order + "HHII", tag, kind, count, value)
    entries = odd + upright if tag < 0x0112 else upright + odd
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    return b"Exif\x00\x00" + head + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize("odd", ODD_TAGS)
@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_odd_tag_beside_a_sound_orientation_is_ignored(tmp_path, odd, suffix, order):
    with pixels.without_warnings():
        found = read(Image.fromarray(GRAY), tmp_path / f"a.{suffix}", exif=odd_exif(*odd, order))
    assert found.shape == GRAY.T.shape


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(tmp_path, orientation):
    assert read(Image.fromarray(GRAY), tmp_path / "a.jpg", exif=exif_of(orientation)).shape == GRAY.shape


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00hello", b"hello"]
)
def test_broken_exif_turns_nothing(tmp_path, exif):
    with pixels.without_warnings():
        assert read(Image.fromarray(GRAY), tmp_path / "a.jpg", exif=exif).shape == GRAY.shape


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        (b"", "is no image"),
        (b"hello", "is no image"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, content, reason):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_gray(path, 100_000)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_image_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(draw_image(1, (200, 150))).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match="truncated or damaged|is no image"):
        read_gray(path, 100_000)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_file_that_ends_in_zeros_is_refused(tmp_path, suffix, share):
    """What a download leaves that reserved the space and stopped."""
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(draw_image(1, (200, 150))).save(path)
    content = path.read_bytes()
    kept = int(len(content) * share)
    path.write_bytes(content[:kept] + bytes(len(content) - kept))
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_gray(path, 100_000)


def test_a_jpeg_without_its_end_is_refused(tmp_path):
    """Pillow decodes what is there and says nothing where the last bytes are others."""
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300), dtype=np.uint8)).save(path)
    content = path.read_bytes()
    for lost in range(2, 40):
        path.write_bytes(content[:-lost] + b"U" * lost)
        with pytest.raises(ValueError, match="truncated or damaged"):
            read_gray(path, 100_000)


def test_a_flipped_bit_of_a_png_is_refused(tmp_path):
    Image.fromarray(draw_image(1, (200, 150))).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    generator = np.random.default_rng(0)
    for place in generator.integers(45, len(content) - 20, 60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(generator.integers(8))
        (tmp_path / "a.png").write_bytes(damaged)
        with pytest.raises(ValueError, match="truncated or damaged"):
            read_gray(tmp_path / "a.png", 100_000)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_damage_anywhere_in_a_header_is_an_error_or_none(tmp_path, suffix):
    """No other exception gets out than the one with a reason."""
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(GRAY).save(path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    with pixels.without_warnings():
        for _ in range(150):
            damaged = bytearray(content)
            damaged[int(generator.integers(min(len(content), 160)))] = int(generator.integers(256))
            path.write_bytes(damaged)
            try:
                assert read_gray(path, 100_000).ndim == 2
            except ValueError:
                refused += 1
    assert refused > 10


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ValueError, match="is no image but a folder"):
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
