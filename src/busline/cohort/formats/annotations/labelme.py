"""LabelMe: a JSON file an image, with ``shapes``; ``imageData``, the image itself, is ignored.

A shape is a polygon, a circle (its centre and a point on it), or a mask (a PNG and the box it fills, corners included).
Coordinates are those of :mod:`busline.cohort.shapes`. All other shapes enclose nothing.
Source: https://github.com/wkentaro/labelme, ``labelme/utils/shape.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from busline.cohort.formats.annotations.bitmap import decode_bitmap
from busline.cohort.formats.annotations.curves import ellipse
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark, read_mark
from busline.cohort.formats.annotations.strict import (
    as_list,
    as_mapping,
    as_number,
    as_ring,
    as_shapes,
    as_size,
    as_text,
)
from busline.cohort.shapes import Bitmap, Polygon, Shape

_OTHERS = {"rectangle": BOX, "oriented_rectangle": BOX, "linestrip": "line", "points": "point"}


def read_labelme(content: Any) -> list[Entry]:
    """Return what a LabelMe file holds: one image.

    Raises:
        ValueError: if it is no such file.
    """
    whole = as_mapping(content, "the file")
    if "shapes" not in whole:
        raise ValueError("has no `shapes`; expected a LabelMe file")
    shapes = as_shapes(whole["shapes"], "shapes")
    marks = tuple(_mark(as_mapping(item, f"shape {number}"), number) for number, item in enumerate(shapes, start=1))
    name = whole.get("imagePath")
    size = as_size(whole.get("imageWidth"), whole.get("imageHeight"))
    return [Entry(as_text(name, "imagePath") if name else None, marks, size)]


def _mark(shape: dict[str, Any], number: int) -> Mark:
    what = f"shape {number}"
    names = frozenset([as_text(shape["label"], f"label of {what}")]) if shape.get("label") is not None else frozenset()
    kind = as_text(shape.get("shape_type") or "polygon", f"shape_type of {what}")
    return read_mark(names, kind, shape, what, {"polygon": _polygon, "circle": _circle, "mask": _mask}, _OTHERS)


def _polygon(shape: dict[str, Any], what: str) -> Shape:
    return Polygon((as_ring(shape.get("points"), what),))


def _circle(shape: dict[str, Any], what: str) -> Shape:
    (x, y), (other_x, other_y) = _corners(shape, what)
    radius = float(np.hypot(other_x - x, other_y - y))
    return Polygon((ellipse(x, y, radius, radius),))


def _mask(shape: dict[str, Any], what: str) -> Shape:
    corners = np.rint(_corners(shape, what)).astype(int)
    left, top = (int(value) for value in corners.min(axis=0))
    columns, rows = corners.max(axis=0) - corners.min(axis=0) + 1
    mask = decode_bitmap(as_text(shape.get("mask"), f"mask of {what}"), packed=False)
    if mask.shape != (rows, columns):
        raise ValueError(f"{what} has a mask of another size than its box")
    return Bitmap(mask, left, top)


def _corners(shape: dict[str, Any], what: str) -> np.ndarray:
    points = as_list(shape.get("points"), f"points of {what}")
    if len(points) != 2 or any(not isinstance(point, list) or len(point) != 2 for point in points):
        raise ValueError(f"points of {what} are not two pairs [x, y]")
    return np.array([[as_number(value, what) for value in point] for point in points])
