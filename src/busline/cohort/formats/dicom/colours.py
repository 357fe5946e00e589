"""The colours that a viewer shows of a DICOM file's values."""

from __future__ import annotations

import numpy as np
from PIL import Image

from busline.cohort.formats.dicom.header import DicomError, Header
from busline.cohort.formats.dicom.tables import read_palette

_NEAR = 2
"""Levels by which the channels of a gray pixel may differ: what rounding and JPEG leave."""


def show_palette(values: np.ndarray, header: Header) -> Image.Image:
    """Return the colours that a palette gives integers (rows, columns)."""
    channels = [table.look_up(values) for table in read_palette(header)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def show_colours(values: np.ndarray, colours: str) -> tuple[Image.Image, bool]:
    """Return three channels as RGB, and whether they are of another kind than the file says.

    Many files say the one and hold the other. An ultrasound image is mostly gray, and gray is told apart: in RGB its
    channels are equal, in YBR the second and third are 128. Where more than half of the pixels are gray in the other
    kind and not in the one that is said, the other it is.

    Args:
        values: integers (rows, columns, 3) of 8 bits.
        colours: ``RGB`` or ``YBR_FULL``.

    Raises:
        DicomError: if the colours are of another kind.
    """
    if colours not in ("RGB", "YBR_FULL"):
        raise DicomError("is DICOM whose colours are of JPEG 2000 and whose pixels are not; save it as RGB")
    channels = values.astype(np.uint8)
    gray = {"RGB": _gray_share(channels, channels[..., :1]), "YBR_FULL": _gray_share(channels, 128)}
    other = "YBR_FULL" if colours == "RGB" else "RGB"
    contradicts = gray[other] > 0.5 > gray[colours]
    if (other if contradicts else colours) == "RGB":
        return Image.fromarray(channels), contradicts
    return Image.fromarray(channels, mode="YCbCr").convert("RGB"), contradicts


def _gray_share(channels: np.ndarray, neutral: np.ndarray | int) -> float:
    """Return the share of pixels whose second and third channel are next to a neutral value."""
    distance = np.abs(channels[..., 1:].astype(np.int16) - neutral)
    return float((distance <= _NEAR).all(axis=-1).mean())
