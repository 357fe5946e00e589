"""Read a picture in NIfTI-1, ``.nii`` or ``.nii.gz``: one plane of pixels, as nnU-Net's layout has them.

The first axis that is longer than 1 is x, the next y, from the top down, as SimpleITK (so nnU-Net) writes a picture.
What the header says of directions in the patient turns nothing, but an image and its mask must agree in it. The reader
is small, and its own, because a header is checked here before anything is unpacked.
Source: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from busline.cohort.formats.foreign import describe_foreign
from busline.cohort.formats.suffixes import is_nifti
from busline.cohort.schema import PIXEL_MM_RANGE

PIXEL_MM = "busline_pixel_mm"
"""Key in the info of a picture whose file says how large a pixel is, in millimetres."""
_HEADER, _FIRST_PIXEL, _FARTHEST_PIXEL = 348, 352, 1 << 20
"""Bytes of the header, where pixels begin at the earliest, and after extensions at the latest."""
_KINDS = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    128: "u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_RGB = 128
_PACKED = b"\x1f\x8b"
_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Of a unit of length; code 0 is an unknown one."""
_DEFAULT_SIZE = 1.0
"""What programs write where nobody said how large a pixel is; no scan has pixels of a millimetre."""
_DARK = 16
"""Values below it that are no whole numbers are shares or standard scores, no gray levels."""


@dataclass(frozen=True)
class Header:
    """What the header says.

    Attributes:
        width: of the picture in pixels.
        height: of the picture.
        kind: of a number.
        channels: 3 of a picture in colour, else 1.
        start: where pixels begin, in bytes.
        slope: a pixel's value is ``slope`` times its number, plus ``intercept``.
        intercept: see there.
        pixel_mm: millimetres per pixel, None if they are unknown or differ along the two axes.
        directions: axis of the patient (0, 1, 2) and sign of x and of y, None if unknown.
    """

    width: int
    height: int
    kind: np.dtype
    channels: int
    start: int
    slope: float
    intercept: float
    pixel_mm: float | None
    directions: tuple[tuple[int, bool], ...] | None


def read_nifti(content: bytes, max_pixels: int) -> Image.Image:
    """Return the picture in a file.

    Args:
        content: of the file, packed or not.
        max_pixels: a picture with more pixels is refused before it is unpacked.

    Returns:
        A picture of mode ``L``, ``RGB``, or, if its numbers are of any other kind than bytes, ``I;16``.

    Raises:
        ValueError: with the reason, if it is no such file, is truncated, a volume, or has no gray levels.
    """
    try:
        with _open(content) as stream:
            header = read_header(stream.read(_FIRST_PIXEL))
            if header.width * header.height > max_pixels:
                sizes = f"{header.width} × {header.height}"
                raise ValueError(f"has {sizes} pixels; expected at most {max_pixels:,} in all")
            length = header.start - _FIRST_PIXEL + header.width * header.height * header.channels * header.kind.itemsize
            rest = stream.read(length + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"is truncated or damaged ({error})") from error
    if len(rest) != length:
        than = "less" if len(rest) < length else "more"
        raise ValueError(f"is truncated or damaged (it holds {than} than the {header.width} × {header.height} pixels)")
    picture = _to_picture(np.frombuffer(rest, header.kind, offset=header.start - _FIRST_PIXEL), header)
    picture.format = "NIFTI"
    if header.pixel_mm is not None:
        picture.info[PIXEL_MM] = header.pixel_mm
    return picture


def require_same_axes(image: Path, mask: Path) -> None:
    """Refuse a mask whose header says that its axes run otherwise in the patient than those of its image.

    Raises:
        ValueError: if so, or as :func:`read_nifti`.
    """
    if not (is_nifti(image.name) and is_nifti(mask.name)):
        return
    one, other = (_directions_in(path) for path in (image, mask))
    if one and other and one != other:
        raise ValueError("has axes that run otherwise than its image's; save both in one orientation")


def read_header(content: bytes) -> Header:
    """Return what a header says, :data:`_FIRST_PIXEL` bytes with the first of what follows it.

    Raises:
        ValueError: if it is none, or that of a volume or of a kind of pixel that is not read.
    """
    order = _byte_order(content)
    dimensions = struct.unpack_from(order + "8h", content, 40)
    number = dimensions[0]
    if not 1 <= number <= 7 or min(dimensions[1 : number + 1]) < 1:
        raise ValueError("is truncated or damaged (its header names no size)")
    long = [axis for axis in range(number) if dimensions[axis + 1] > 1]
    sizes = " × ".join(str(dimensions[axis + 1]) for axis in long)
    if len(long) != 2:
        what = "a volume or a film" if len(long) > 2 else "no picture"
        raise ValueError(f"is {what} ({sizes or 1}); expected one plane: save the one that shows the lesion as PNG")
    code = struct.unpack_from(order + "h", content, 70)[0]
    start, slope, intercept = struct.unpack_from(order + "3f", content, 108)
    if code not in _KINDS:
        raise ValueError(f"has pixels of NIfTI's kind {code}; save it with 8 or 16 bits a pixel")
    if not (_FIRST_PIXEL <= start <= _FARTHEST_PIXEL and start == int(start)):
        raise ValueError(f"is truncated or damaged (its pixels begin at byte {start:g})")
    scaled = math.isfinite(slope) and slope != 0
    return Header(
        width=dimensions[long[0] + 1],
        height=dimensions[long[1] + 1],
        kind=np.dtype(_KINDS[code]).newbyteorder("<" if order == "<" else ">"),
        channels=3 if code == _RGB else 1,
        start=int(start),
        slope=slope if scaled else 1.0,
        intercept=intercept if scaled else 0.0,
        pixel_mm=_pixel_size(content, order, long),
        directions=_directions(content, order, long),
    )


def _open(content: bytes) -> io.BufferedIOBase:
    """Return what reads a file, unpacked if it is packed, whatever its name says."""
    stream = io.BytesIO(content)
    return gzip.GzipFile(fileobj=stream) if content.startswith(_PACKED) else stream


def _directions_in(path: Path) -> tuple[tuple[int, bool], ...] | None:
    try:
        with path.open("rb") as file, _open(file.read(_FARTHEST_PIXEL)) as stream:
            return read_header(stream.read(_FIRST_PIXEL)).directions
    except (OSError, EOFError, zlib.error):
        return None  # whoever reads the whole file says what is wrong with it


def _byte_order(content: bytes) -> str:
    """Return how numbers are written, by the header's own length, which is its first one."""
    if len(content) < _FIRST_PIXEL:
        raise ValueError(describe_foreign(content) or "is truncated or damaged (its header was cut)")
    for order in "<>":
        length = struct.unpack_from(order + "i", content, 0)[0]
        if length == 540:
            raise ValueError("is NIfTI-2; save it as NIfTI-1, or as PNG")
        if length == _HEADER and content[344:348] in (b"ni1\x00", b"\x00\x00\x00\x00"):
            raise ValueError("is a header without pixels, which stand in a file .img; save both in one file .nii")
        if length == _HEADER and content[344:348] == b"n+1\x00":
            return order
    raise ValueError(describe_foreign(content) or "is no NIfTI")


def _pixel_size(content: bytes, order: str, long: list[int]) -> float | None:
    unit = _MILLIMETRES.get(content[123] & 7)
    sizes = struct.unpack_from(order + "8f", content, 76)
    one, other = sizes[long[0] + 1], sizes[long[1] + 1]
    if unit is None or one == _DEFAULT_SIZE or not math.isclose(one, other, rel_tol=0.01):
        return None
    size = (one + other) / 2 * unit
    low, high = PIXEL_MM_RANGE
    return size if low <= size <= high else None


def _directions(content: bytes, order: str, long: list[int]) -> tuple[tuple[int, bool], ...] | None:
    """Return along which axis of the patient, and which way, x and y run."""
    by_quaternion, by_matrix = struct.unpack_from(order + "2h", content, 252)
    if by_matrix > 0:
        matrix = np.array(struct.unpack_from(order + "12f", content, 280)).reshape(3, 4)[:, :3]
    elif by_quaternion > 0:
        handed = struct.unpack_from(order + "f", content, 76)[0]
        matrix = _rotation(*struct.unpack_from(order + "3f", content, 256), mirrored=handed < 0)
    else:
        return None
    if not np.isfinite(matrix).all() or max(long) > 2:
        return None
    strongest = [int(np.abs(matrix[:, axis]).argmax()) for axis in long]
    return tuple((place, bool(matrix[place, axis] > 0)) for place, axis in zip(strongest, long, strict=True))


def _rotation(b: float, c: float, d: float, *, mirrored: bool) -> np.ndarray:
    """Return the matrix of a unit quaternion a + bi + cj + dk, its last column turned round if it is mirrored."""
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    matrix = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    matrix[:, 2] *= -1 if mirrored else 1
    return matrix


def _to_picture(numbers: np.ndarray, header: Header) -> Image.Image:
    shape = (header.height, header.width)
    scaled = (header.slope, header.intercept) != (1.0, 0.0)
    if header.channels == 3:
        return Image.fromarray(numbers.reshape(*shape, 3))
    if header.kind == np.uint8 and not scaled:
        return Image.fromarray(numbers.reshape(shape))
    with np.errstate(over="ignore", invalid="ignore"):
        values = numbers.reshape(shape).astype(np.float64) * header.slope + header.intercept
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("has pixels that are no numbers (NaN or infinite)")
    if low < 0 or high > 65535:
        raise ValueError(f"has pixels from {low:g} to {high:g}; expected 0 to 65535: save it as 8 or 16 bits")
    whole = np.rint(values)
    if high < _DARK and (whole != values).any():
        raise ValueError(f"has pixels from {low:g} to {high:g} that are no whole numbers; save gray levels, 0 to 255")
    return Image.fromarray(whole.astype(np.uint16))
