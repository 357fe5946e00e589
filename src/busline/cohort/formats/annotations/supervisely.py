"""Supervisely: a JSON file an image, ``ann/NAME.png.json``, with ``size`` and ``objects``.

An object is a polygon with an exterior and interiors (holes), several of them, or a bitmap: a PNG, packed by zlib, in
base 64, and where its first pixel stands. Whole numbers are numbers of pixels, so a line runs through their centres;
the tool's own coordinates, with fractions, are those of :mod:`busline.cohort.shapes`.
Source: https://docs.supervisely.com, "Supervisely annotation format", and the SDK's ``Geometry``, which adds the half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from busline.cohort.formats.annotations.bitmap import decode_bitmap
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark, read_mark
from busline.cohort.formats.annotations.strict import (
    MOST_SHAPES,
    as_list,
    as_mapping,
    as_number,
    as_ring,
    as_shapes,
    as_size,
    as_text,
)
from busline.cohort.shapes import Bitmap, Polygon, Shape

_OTHERS = {"rectangle": BOX, "oriented_bbox": BOX}


def read_supervisely(content: Any) -> list[Entry]:
    """Return what a Supervisely file holds: one image, whose name only the file's own name says.

    Raises:
        ValueError: if it is no such file.
    """
    whole = as_mapping(content, "the file")
    if "objects" not in whole:
        raise ValueError("has no `objects`; expected a Supervisely file of one image")
    objects = as_shapes(whole["objects"], "objects")
    size = as_mapping(whole.get("size") or {}, "size")
    marks = tuple(_mark(as_mapping(item, f"object {number}"), number) for number, item in enumerate(objects, start=1))
    return [Entry(None, marks, as_size(size.get("width"), size.get("height")))]


def _mark(item: dict[str, Any], number: int) -> Mark:
    what = f"object {number}"
    title = item.get("classTitle")
    names = frozenset() if title is None else frozenset([as_text(title, f"classTitle of {what}")])
    kind = as_text(
        item.get("geometryType") or ("bitmap" if item.get("bitmap") else "polygon"), f"geometryType of {what}"
    )
    readers = {"polygon": _polygon, "multipolygon": _polygon, "bitmap": _bitmap}
    return read_mark(names, kind, item, what, readers, _OTHERS)


def _polygon(item: dict[str, Any], what: str) -> Shape:
    parts = as_list(item["parts"], f"parts of {what}") if "parts" in item else [item.get("points")]
    areas = [as_mapping(part, f"points of {what}") for part in parts[: MOST_SHAPES + 1]]
    outer = [as_ring(area.get("exterior"), what) for area in areas]
    holes = [as_ring(hole, what) for area in areas for hole in as_list(area.get("interior") or [], what)]
    if not 1 <= len(outer) <= MOST_SHAPES or len(holes) > MOST_SHAPES:
        raise ValueError(f"{what} has {len(outer)} parts and {len(holes)} holes; expected 1 to {MOST_SHAPES:,}")
    whole = all((ring == np.floor(ring)).all() for ring in (*outer, *holes))
    half = 0.5 if whole else 0.0
    return Polygon(tuple(ring + half for ring in outer), tuple(ring + half for ring in holes))


def _bitmap(item: dict[str, Any], what: str) -> Shape:
    bitmap = as_mapping(item.get("bitmap"), f"bitmap of {what}")
    origin = as_list(bitmap.get("origin"), f"origin of {what}")
    if len(origin) != 2:
        raise ValueError(f"origin of {what} is no pair [x, y]")
    left, top = (int(np.floor(as_number(value, f"origin of {what}"))) for value in origin)
    return Bitmap(decode_bitmap(as_text(bitmap.get("data"), f"data of {what}"), packed=True), left, top)
