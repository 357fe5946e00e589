"""VGG Image Annotator (VIA) 1 and 2: one JSON file of all images, or one each; a saved project likewise.

A region is a polygon, a polyline (if it is closed), an ellipse or a circle; a rectangle or a point encloses nothing.
``regions`` is a mapping in version 1 and a list in version 2. Angles (``theta``) are in radians. Coordinates are those
of :mod:`busline.cohort.shapes`, rounded by the tool; the image's size is not kept. A region's class is any value
of its ``region_attributes``; of a checkbox, those that are ticked.
Source: https://gitlab.com/vgg/via, ``via-2.x.y/src/via.js``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from busline.cohort.formats.annotations.curves import ellipse, require_closed
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark, read_mark
from busline.cohort.formats.annotations.strict import (
    MOST_SHAPES,
    as_list,
    as_mapping,
    as_number,
    as_ring,
    as_text,
)
from busline.cohort.shapes import Polygon, Shape

_PROJECT = "_via_img_metadata"
_OTHERS = {"rect": BOX}


def read_via(content: Any) -> list[Entry]:
    """Return what a VIA file holds.

    Raises:
        ValueError: if it is no such file.
    """
    whole = as_mapping(content, "the file")
    if {"project", "config", "metadata"} <= set(whole):
        raise ValueError("is a project of VIA 3; export it in a format that is read, such as COCO")
    return [_entry(as_mapping(item, "an image")) for item in as_mapping(whole.get(_PROJECT, whole), "images").values()]


def _entry(image: dict[str, Any]) -> Entry:
    if "filename" not in image:
        raise ValueError("has an entry without `filename`; expected annotations of VIA 1 or 2 as JSON")
    name = as_text(image["filename"], "filename")
    found = image.get("regions") or []
    regions = list(found.values()) if isinstance(found, dict) else as_list(found, "regions")
    problem = f"has {len(regions)} regions; expected at most {MOST_SHAPES:,}" if len(regions) > MOST_SHAPES else ""
    marks = tuple(_mark(as_mapping(item, f"region {number}"), number) for number, item in enumerate(regions, start=1))
    return Entry(name, marks, problem=problem)


def _mark(region: dict[str, Any], number: int) -> Mark:
    what = f"region {number}"
    names = _names(as_mapping(region.get("region_attributes") or {}, f"region_attributes of {what}"))
    shape = as_mapping(region.get("shape_attributes"), f"shape_attributes of {what}")
    kind = as_text(shape.get("name"), f"name of the shape of {what}")
    readers = dict.fromkeys(("polygon", "polyline", "ellipse", "circle"), _polygon)
    return read_mark(names, kind, shape, what, readers, _OTHERS)


def _polygon(shape: dict[str, Any], what: str) -> Shape:
    return Polygon((_ring(shape, shape["name"], what),))


def _ring(shape: dict[str, Any], kind: str, what: str) -> np.ndarray:
    if kind in ("polygon", "polyline"):
        all_x, all_y = (as_list(shape.get(f"all_points_{axis}"), f"all_points_{axis} of {what}") for axis in "xy")
        if len(all_x) != len(all_y):
            raise ValueError(f"{what} has {len(all_x)} numbers x and {len(all_y)} numbers y")
        ring = as_ring([list(pair) for pair in zip(all_x, all_y, strict=True)], what)
        return ring if kind == "polygon" else require_closed(ring)
    keys = ("cx", "cy", "r", "r") if kind == "circle" else ("cx", "cy", "rx", "ry")
    x, y, radius_x, radius_y = (as_number(shape.get(key), f"{key} of {what}") for key in keys)
    return ellipse(x, y, radius_x, radius_y, as_number(shape.get("theta") or 0, f"theta of {what}"))


def _names(attributes: dict[str, Any]) -> frozenset[str]:
    """Return the values of attributes; a checkbox is a mapping of options to whether they are ticked."""
    names = set()
    for value in attributes.values():
        if isinstance(value, dict):
            names |= {name for name, ticked in value.items() if ticked is True}
        elif isinstance(value, str | int) and not isinstance(value, bool):
            names.add(as_text(value, "an attribute").strip())
    return frozenset(names - {"", "undefined"})
