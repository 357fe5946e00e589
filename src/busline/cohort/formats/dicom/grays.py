"""The gray levels that a viewer shows of a DICOM file's values."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from busline.cohort.formats.dicom.header import DicomError, Header
from busline.cohort.formats.dicom.tables import read_table
from busline.cohort.formats.pixels import BITS, LEAST_BITS

_SIGNED = "is DICOM of values below 0, and no window says which are black and white; save it anew"
SHAPES = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
"""Forms of a window; without one it is the first."""


def show_gray(values: np.ndarray, header: Header, bits: int | None) -> Image.Image:
    """Return values as a gray picture by PS3.4, N.2: modality table or rescaling, then VOI table or window.

    Where the file has none of them, its stored bits are the scale, or ``bits`` of them.

    Args:
        values: integers (rows, columns).
        header: of the file.
        bits: bits in use, if they are declared.

    Returns:
        A picture of 8 bits, or of 16 that says itself how many are in use.

    Raises:
        DicomError: if nothing says which values are black and white.
    """
    levels, low, high = _modality(values, header)
    shares = _voi(levels, header)
    inverted = header.colours == "MONOCHROME1"
    if shares is None and levels is values and header.stored > LEAST_BITS:
        return _keep_depth(values, header, bits, inverted=inverted)
    if shares is None:
        if low < 0:
            raise DicomError(_SIGNED)
        shares = (levels - low) / (high - low)
    gray = np.floor(np.clip(1 - shares if inverted else shares, 0, 1) * 255 + 0.5)
    return Image.fromarray(gray.astype(np.uint8))


def _keep_depth(values: np.ndarray, header: Header, bits: int | None, *, inverted: bool) -> Image.Image:
    """Return values of more than 8 bits as they are, in a picture that says how many bits are in use."""
    if header.signed and values.min() < 0:
        raise DicomError(_SIGNED)
    used = bits or header.stored - header.signed
    white = (1 << used) - 1
    if values.max() > white:
        raise DicomError(f"has a pixel of {values.max()}; images.bits: {used} allows {white}")
    picture = Image.fromarray((white - values if inverted else values).astype(np.uint16))
    picture.info[BITS] = used
    return picture


def _modality(values: np.ndarray, header: Header) -> tuple[np.ndarray, float, float]:
    """Return values after the modality table or rescaling, and the least and most there can be."""
    least = -(1 << (header.stored - 1)) if header.signed else 0
    ends = np.array([least, least + (1 << header.stored) - 1], dtype=np.float64)
    tables = header.data.get("ModalityLUTSequence")
    if tables:
        table = read_table(tables[0], header)
        return table.look_up(values), 0.0, float((1 << table.bits) - 1)
    slope, intercept = _number(header, "RescaleSlope", 1.0), _number(header, "RescaleIntercept", 0.0)
    if slope == 0 or (slope == 1 and intercept == 0):
        return values, *ends.tolist()
    low, high = sorted((ends * slope + intercept).tolist())
    return values * slope + intercept, low, high


def _voi(levels: np.ndarray, header: Header) -> np.ndarray | None:
    """Return levels as shares of white by the file's first VOI table or window, None without one (PS3.3, C.11.2)."""
    tables = header.data.get("VOILUTSequence")
    if tables:
        table = read_table(tables[0], header)
        return table.look_up(np.rint(levels)) / ((1 << table.bits) - 1)
    shape = str(header.data.get("VOILUTFunction") or SHAPES[0])
    if shape not in SHAPES:
        raise DicomError("is DICOM with a window of an unknown form (VOILUTFunction)")
    width, centre = _number(header, "WindowWidth", 0.0), _number(header, "WindowCenter", 0.0)
    if width <= 0 or (width < 1 and shape == "LINEAR"):
        return None
    if shape == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (levels - centre) / width, -700, 700)))
    if shape == "LINEAR_EXACT":
        return (levels - centre) / width + 0.5
    if width == 1:
        return (levels > centre - 0.5).astype(np.float64)
    return (levels - (centre - 0.5)) / (width - 1) + 0.5


def _number(header: Header, keyword: str, default: float) -> float:
    """Return an element's first number."""
    value: Any = header.data.get(keyword)
    if value is None or value == "":
        return default
    number = float(value[0] if isinstance(value, list | tuple) or hasattr(value, "insert") else value)
    if not np.isfinite(number):
        raise DicomError(f"is DICOM whose {keyword} is no number that it can be")
    return number
