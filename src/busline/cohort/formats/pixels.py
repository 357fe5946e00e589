"""Read picture files as gray 8-bit arrays."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from busline.cohort.formats.foreign import describe_foreign
from busline.cohort.formats.nifti import read_nifti
from busline.cohort.formats.suffixes import is_nifti

FORMATS = ("PNG", "JPEG", "BMP")
LEAST_SIDE = 16
LEAST_BITS = 8
"""A scan of 16-bit pixels has at least so many bits in use: the darkest cohort is no reason to brighten it further."""

TURNED = "busline_turned"
"""Key in the info of a picture that was turned upright."""
_ORIENTATION = 0x0112
_SHORT = 3
_UPRIGHT: dict[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its Exif orientation (Exif 2.32, tag 274)."""
_DAMAGE = (OSError, SyntaxError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What Pillow raises of a damaged file."""
HEADER_BYTES = 1 << 20
"""Bytes a file may have besides its pixels."""
BITS = "busline_bits"
"""Key in the info of a 16-bit picture that says itself how many bits are in use."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence Pillow's warnings, of large images and of odd metadata, while files are read inside the block.

    It stands around the reading of all files, not in :func:`read_picture`, because the filters of warnings belong to
    the whole process: threads that set and reset them would get into each other's way.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_picture(path: Path, max_pixels: int) -> Image.Image:
    """Read a picture file once, check that it is whole, and turn it upright.

    Args:
        path: a PNG, JPEG, BMP or NIfTI file.
        max_pixels: an image with more pixels is refused before it is unpacked.

    Returns:
        The picture, unpacked, of any mode with 8 bits a channel or of one channel of 16.

    Raises:
        ValueError: with the reason, if the file is missing, is no image, is truncated, has a refused size, several
            frames, or pixels that Pillow cannot read without loss.
    """
    content = read_bytes(path, max_pixels)
    if is_nifti(path.name):
        picture = read_nifti(content, max_pixels)
        _require_readable(picture, max_pixels)
        return picture
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        expected = f"is no image; expected {', '.join(FORMATS)} or DICOM"
        raise ValueError(describe_foreign(content) or expected) from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"has far too many pixels; expected at most {max_pixels:,} in all") from error
    except (*_DAMAGE, struct.error, zlib.error) as error:
        raise ValueError(f"is truncated or damaged ({error})") from error
    _require_readable(picture, max_pixels)
    try:
        picture.load()
    except (*_DAMAGE, struct.error, zlib.error) as error:
        raise ValueError(f"is truncated or damaged ({error})") from error
    if picture.format == "JPEG" and not jpeg_ends(content):
        raise ValueError("is truncated or damaged (the JPEG has no end)")
    return _turn_upright(picture)


def read_gray(path: Path, max_pixels: int, bits: int | None = None) -> np.ndarray:
    """Read an image of any mode as luminance; see :func:`read_picture` and :func:`to_gray`.

    Returns:
        uint8 (height, width).
    """
    return to_gray(read_picture(path, max_pixels), bits)


def to_gray(picture: Image.Image, bits: int | None = None) -> np.ndarray:
    """Return a picture as luminance, composed over black where it is transparent.

    The transparent parts of a scan are where its publisher blanked something out (in 31 BrEaST images, some of it with
    text left in the invisible colours), so they are black, as a viewer shows them.

    Args:
        picture: of 8 bits a channel, or of one channel of 16.
        bits: how many of the 16 are in use, where the picture does not say it itself (:data:`BITS`): 2^bits − 1 becomes
            255; None for as many as this picture needs.

    Returns:
        uint8 (height, width).

    Raises:
        ValueError: if a pixel needs more than ``bits``.
    """
    if is_deep(picture):
        values = np.asarray(picture).astype(np.uint32)
        white = (1 << (picture.info.get(BITS) or bits or bits_in_use(int(values.max())))) - 1
        if values.max() > white:
            raise ValueError(f"has a pixel of {values.max()}; images.bits: {bits} allows {white}")
        return ((values * 255 + white // 2) // white).astype(np.uint8)
    return np.asarray(over_black(picture).convert("L"))


def jpeg_ends(content: bytes) -> bool:
    """Say whether an end follows the last scan of a JPEG; Pillow may fill one that is cut off up with gray."""
    return content.find(b"\xff\xd9", content.rfind(b"\xff\xda")) >= 0


def is_deep(picture: Image.Image) -> bool:
    """Say whether a picture has 16 bits a pixel."""
    return picture.mode.startswith("I;16")


def brightest(picture: Image.Image) -> int:
    """Return the highest pixel of a 16-bit picture that does not say how many bits are in use, 0 of any other."""
    return int(np.asarray(picture).max()) if is_deep(picture) and BITS not in picture.info else 0


def bits_in_use(highest: int) -> int:
    """Return the least number of bits, 8 or more, that holds a 16-bit picture's highest pixel."""
    return max(LEAST_BITS, highest.bit_length())


def over_black(picture: Image.Image) -> Image.Image:
    """Return a picture without transparency: what shows through is black."""
    if not picture.has_transparency_data or _is_opaque(picture):
        return picture
    clear = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)


def read_bytes(path: Path, max_pixels: int) -> bytes:
    """Return what a file holds.

    Raises:
        ValueError: if it is missing, cannot be read, or is longer than a picture of ``max_pixels`` can be.
    """
    try:
        size = path.stat().st_size
        if size > 8 * max_pixels + HEADER_BYTES:
            raise ValueError(f"is {size:,} bytes long; expected at most {max_pixels:,} pixels")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError("is missing") from error
    except IsADirectoryError as error:
        raise ValueError("is no image but a folder") from error
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error


def describe_size(width: int, height: int, max_pixels: int) -> str:
    """Return what is wrong with a picture's size; nothing where it is empty."""
    if width * height > max_pixels:
        return f"has {width} × {height} pixels; expected at most {max_pixels:,} in all"
    if min(width, height) < LEAST_SIDE:
        return f"has {width} × {height} pixels; expected {LEAST_SIDE} × {LEAST_SIDE} or more"
    return ""


def _require_readable(picture: Image.Image, max_pixels: int) -> None:
    wrong = describe_size(*picture.size, max_pixels)
    if wrong:
        raise ValueError(wrong)
    if picture.format == "PNG" and getattr(picture, "n_frames", 1) > 1:
        raise ValueError("is animated; expected one frame: save that frame alone")
    if not is_deep(picture) and any(";16" in str(tile.args) for tile in getattr(picture, "tile", ())):
        raise ValueError("has 16 bits a channel in colour or with transparency; save it as 16-bit gray or with 8 bits")
    if picture.mode in ("I", "F"):
        raise ValueError(f"has pixels of mode {picture.mode}; expected 8 or 16 bits a channel")


def _turn_upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its Exif orientation says; all else in its metadata, odd or broken, is ignored."""
    try:
        orientation = _orientation(picture.info.get("exif", b"")) or picture.getexif().get(_ORIENTATION, 1)
        method = _UPRIGHT.get(orientation)
    except (*_DAMAGE, struct.error, zlib.error):
        method = None
    if method is None:
        return picture
    turned = picture.transpose(method)
    turned.format = picture.format
    turned.info[TURNED] = True
    return turned


def _orientation(exif: bytes) -> int | None:
    """Return the orientation in Exif data, None if it has none.

    Pillow, which also knows the other places where an orientation may stand, stops at the first broken tag, and a
    camera's make and model come before the orientation.
    """
    data = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return None
    start = struct.unpack_from(order + "I", data, 4)[0]
    for place in range(start + 2, start + 2 + 12 * struct.unpack_from(order + "H", data, start)[0], 12):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", data, place)
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
            return int(value)
    return None


def _is_opaque(picture: Image.Image) -> bool:
    """Say whether an image with an alpha channel, as every file of BrEaST has one, makes no use of it."""
    return picture.mode in ("RGBA", "LA") and bool(np.asarray(picture.getchannel("A")).min() == 255)
