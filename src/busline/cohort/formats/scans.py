"""Read the picture of a case, of whatever format, with what its file says of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from busline.cohort.formats import pixels
from busline.cohort.formats.nifti import PIXEL_MM
from busline.cohort.schema import DicomForm

AGREEMENT = 0.01
"""Two pixel sizes that differ by a smaller share are one."""


@dataclass(frozen=True)
class Scan:
    """A picture and what its file says of it.

    Attributes:
        picture: of 8 bits a channel, or of one channel of 16; cut to the region that is read.
        whole: height and width of the file's picture.
        box: left, top, right and bottom of the region in it.
        pixel_mm: millimetres per pixel, None if the file does not say.
        device: manufacturer and model, None if the file does not say.
        notes: keys of :data:`busline.cohort.plausible.NOTES`.
    """

    picture: Image.Image
    whole: tuple[int, int]
    box: tuple[int, int, int, int]
    pixel_mm: float | None = None
    device: str | None = None
    notes: tuple[str, ...] = ()

    def cut_mask(self, mask: np.ndarray) -> np.ndarray:
        """Return the region's part of a mask, bool, of the whole picture; any other mask as it is."""
        left, top, right, bottom = self.box
        if mask.shape != self.whole or self.whole == (bottom - top, right - left):
            return mask
        return mask[top:bottom, left:right]


def same_size(one: float, other: float) -> bool:
    """Say whether two pixel sizes agree."""
    return math.isclose(one, other, rel_tol=AGREEMENT)


def read_scan(path: Path, max_pixels: int, form: DicomForm, bits: int | None = None) -> Scan:
    """Read a case's picture.

    Args:
        path: a PNG, JPEG, BMP, NIfTI or DICOM file, told apart by its content.
        max_pixels: a picture with more pixels is refused before it is unpacked.
        form: which picture of a DICOM file it is.
        bits: how many bits of 16-bit DICOM pixels are in use, where it is declared.

    Raises:
        ValueError: with the reason, if there is no such picture.
    """
    content = _dicom(path, max_pixels)
    if content is not None:
        from busline.cohort.formats.dicom.reading import read_dicom

        return read_dicom(content, max_pixels, form, bits)
    picture = pixels.read_picture(path, max_pixels)
    width, height = picture.size
    return Scan(picture, (height, width), (0, 0, width, height), picture.info.get(PIXEL_MM))


def read_mask_picture(path: Path, max_pixels: int) -> Image.Image:
    """Read the picture of a mask, of any format that a case's picture may have.

    Raises:
        ValueError: with the reason, if there is none.
    """
    content = _dicom(path, max_pixels)
    if content is None:
        return pixels.read_picture(path, max_pixels)
    from busline.cohort.formats.dicom.reading import read_dicom_mask

    return read_dicom_mask(content, max_pixels)


def _dicom(path: Path, max_pixels: int) -> bytes | None:
    """Return what a file holds if it is DICOM, by its mark or, where it has none, by its first element."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return None
    bare = start[:2] in (b"\x02\x00", b"\x08\x00") and (start[4:6].isalpha() or start[6:8] == b"\x00\x00")
    return pixels.read_bytes(path, max_pixels) if start[128:] == b"DICM" or bare else None
