"""The parts of an ultrasound picture that show tissue, and the size of their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydicom.uid import UID

from busline.cohort.formats.dicom.header import Header
from busline.cohort.formats.scans import same_size
from busline.cohort.schema import PIXEL_MM_RANGE

_TISSUE_2D = (1, 1)
"""RegionSpatialFormat 2D and RegionDataType Tissue (PS3.3, C.8.5.5.1)."""
_CENTIMETRES = 3
_ROUNDING = 1
"""Pixels by which a region may reach out of its picture: machines write its end for its last pixel."""


@dataclass(frozen=True)
class Region:
    """A 2-D region of tissue.

    Attributes:
        box: left, top, right and bottom in pixels, the latter two not in it.
        pixel_mm: millimetres per pixel, None if unknown.
        odd_size: whether it says a pixel size that cannot be used.
    """

    box: tuple[int, int, int, int]
    pixel_mm: float | None
    odd_size: bool

    @property
    def area(self) -> int:
        """Number of pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def read_regions(header: Header) -> tuple[list[Region], bool]:
    """Return the 2-D regions of tissue in the file's order, and whether one is there that cannot be used.

    A region that reaches out of the picture is of a picture of another size, and so is its pixel size.
    """
    regions, unusable = [], False
    for item in header.data.get("SequenceOfUltrasoundRegions") or []:
        if (item.get("RegionSpatialFormat"), item.get("RegionDataType")) != _TISSUE_2D:
            continue
        box = _box(item, header)
        if box is None:
            unusable = True
        else:
            size, odd = _region_size(item)
            regions.append(Region(box, size, odd))
    return regions, unusable


def shared_size(regions: list[Region]) -> float | None:
    """Return the pixel size of all regions, None if it is unknown or they differ."""
    sizes = [region.pixel_mm for region in regions]
    first = sizes[0] if sizes else None
    if first is None or any(size is None or not same_size(size, first) for size in sizes):
        return None
    return first


def spacing(header: Header) -> tuple[float | None, bool]:
    """Return the pixel size of a picture without regions, and whether it has one that cannot be used.

    That of a secondary capture is not taken: it is a size on paper or film, or a placeholder.
    """
    values = header.data.get("PixelSpacing")
    if not values or "Secondary Capture" in UID(str(header.data.get("SOPClassUID", ""))).name:
        return None, False
    return _usable([float(value) for value in values] if len(values) == 2 else [])


def _box(item: Any, header: Header) -> tuple[int, int, int, int] | None:
    names = ("MinX0", "MinY0", "MaxX1", "MaxY1")
    ends = [item.get(f"RegionLocation{name}") for name in names]
    if not all(isinstance(end, int) for end in ends):
        return None
    left, top, right, bottom = ends[0], ends[1], ends[2] + 1, ends[3] + 1
    fits = 0 <= left < right <= header.columns + _ROUNDING and 0 <= top < bottom <= header.rows + _ROUNDING
    box = left, top, min(right, header.columns), min(bottom, header.rows)
    return box if fits and box[0] < box[2] and box[1] < box[3] else None


def _region_size(item: Any) -> tuple[float | None, bool]:
    deltas = [item.get(name) for name in ("PhysicalDeltaX", "PhysicalDeltaY")]
    units = [item.get(f"PhysicalUnits{axis}Direction") for axis in "XY"]
    if not any(deltas):
        return None, False
    if units != [_CENTIMETRES, _CENTIMETRES]:
        return None, True
    return _usable([10 * abs(float(delta)) for delta in deltas if delta is not None])


def _usable(sizes: list[float]) -> tuple[float | None, bool]:
    """Return the size in mm of a pixel that is as high as it is wide, and whether there is none of a plausible size."""
    low, high = PIXEL_MM_RANGE
    if len(sizes) == 2 and all(low <= size <= high for size in sizes) and same_size(*sizes):
        return math.sqrt(sizes[0] * sizes[1]), False
    return None, True
