"""What is no picture, or one that is not read, is named with what to do."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from busline.cohort.formats.pixels import read_gray
from helpers_cohort import draw_image

GRAY = Image.fromarray(draw_image(0))
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def encoded(kind, **options):
    file = io.BytesIO()
    GRAY.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (POINTER, "Git LFS pointer, not the picture itself; run `git lfs pull`"),
        (b"/annex/objects/MD5E-s12--ab.png\n", "git-annex pointer"),
        (encoded("GIF"), "is a GIF; save it as PNG"),
        (encoded("TIFF"), "is a TIFF; save it as PNG"),
        (encoded("TIFF", compression="tiff_lzw"), "is a TIFF; save it as PNG"),
        (b"MM\x00*" + bytes(100), "is a TIFF; save it as PNG"),
        (encoded("WEBP"), "is a WebP; save it as PNG"),
        (encoded("JPEG2000"), "is a JPEG 2000; save it as PNG"),
        (bytes(128) + b"DICM" + bytes(50), "is DICOM"),
        (b"%PDF-1.7", "is a PDF"),
        (b"PK\x03\x04" + bytes(30), "is a zip archive"),
        (b"\x1f\x8b" + bytes(30), "is a gzip archive"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page"),
        (b"\n<HTML>", "is a web page"),
        (bytes(5000), "holds zeros only"),
        (b"", "is no image: it is empty"),
        (b"hello", "is no image; expected PNG, JPEG, BMP"),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_file_of_another_kind_is_named_with_the_mend(tmp_path, content, reason, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_gray(path, 100_000)


def test_a_picture_under_another_ones_suffix_is_read(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("BMP"))
    np.testing.assert_array_equal(read_gray(tmp_path / "a.png", 100_000), draw_image(0))


def test_an_animated_png_is_refused(tmp_path):
    GRAY.save(tmp_path / "a.png", save_all=True, append_images=[Image.fromarray(draw_image(1))])
    with pytest.raises(ValueError, match="is animated; expected one frame"):
        read_gray(tmp_path / "a.png", 100_000)


@pytest.mark.parametrize("colour_type", [2, 4, 6])
def test_sixteen_bits_with_colour_or_transparency_are_refused(tmp_path, colour_type):
    """Pillow would keep the upper byte of each channel without a word."""
    import zlib

    channels = {2: 3, 4: 2, 6: 4}[colour_type]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 20, 20, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\x00" + bytes(range(20)) * 2 * channels for _ in range(20))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="16 bits a channel in colour or with transparency"):
        read_gray(tmp_path / "a.png", 100_000)


def test_a_file_far_longer_than_its_pixels_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(ValueError, match="is 2,147,483,648 bytes long"):
        read_gray(tmp_path / "a.png", 100_000)
