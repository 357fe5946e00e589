"""COCO: one file of ``images``, ``categories`` and ``annotations``, joined by numbers.

A ``segmentation`` is a list of polygons ``[x, y, x, y, …]``, parts that are united, or runs (RLE): ``size`` as height
and width, and ``counts`` column by column, as numbers or packed in a text as pycocotools writes it. Coordinates are
those of :mod:`busline.cohort.shapes`. Without ``segmentation`` an annotation is a box.
Source: https://cocodataset.org/#format-data and cocoapi's ``common/maskApi.c``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from busline.base.errors import shown
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark
from busline.cohort.formats.annotations.strict import (
    LONGEST_SIDE,
    MOST_SHAPES,
    as_list,
    as_mapping,
    as_ring,
    as_size,
    as_text,
    pair_up,
)
from busline.cohort.shapes import Polygon, Runs, Shape

MOST_RUNS = 1_000_000
_FIRST, _DIGIT, _MORE, _NEGATIVE, _BITS = 48, 0x1F, 0x20, 0x10, 5
"""Of a packed number: the character of 0; the bits of a digit; whether another follows; the sign; the bits' number."""
_LONGEST_NUMBER = 7
"""Digits of 5 bits that hold any length a mask can have."""


def read_coco(content: Any) -> list[Entry]:
    """Return what a COCO file holds.

    Raises:
        ValueError: if it is no such file, or its numbers refer to nothing.
    """
    whole = as_mapping(content, "the file")
    if "images" not in whole or "annotations" not in whole:
        raise ValueError("has no `images` or no `annotations`; expected a COCO file of object segmentation")
    classes = _by_number(whole.get("categories", []), "categories")
    images = _by_number(whole["images"], "images")
    marks: dict[str, list[Mark]] = defaultdict(list)
    for number, item in enumerate(as_list(whole["annotations"], "annotations"), start=1):
        annotation = as_mapping(item, f"annotation {number}")
        image = as_text(annotation.get("image_id"), f"image_id of annotation {number}")
        if image not in images:
            raise ValueError(f"annotation {number} is of image {shown(image)}, which is not among `images`")
        marks[image].append(_mark(annotation, classes, number))
    return [_entry(image, marks[number]) for number, image in images.items()]


def unpack_counts(text: str) -> list[int]:
    """Return the lengths of runs that pycocotools packed in a text: digits of 5 bits, differences to the last but one.

    Raises:
        ValueError: if the text is none of its.
    """
    lengths: list[int] = []
    number = digits = 0
    for character in text:
        code = ord(character) - _FIRST
        if not 0 <= code < 64 or digits == _LONGEST_NUMBER:
            raise ValueError("counts are no packed runs")
        number |= (code & _DIGIT) << (_BITS * digits)
        digits += 1
        if code & _MORE:
            continue
        if code & _NEGATIVE:
            number -= 1 << (_BITS * digits)
        lengths.append(number + (lengths[-2] if len(lengths) > 2 else 0))
        number = digits = 0
    if digits:
        raise ValueError("counts were cut")
    return lengths


def _by_number(items: Any, what: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for place, item in enumerate(as_list(items, what), start=1):
        entry = as_mapping(item, f"item {place} of {what}")
        number = as_text(entry.get("id"), f"id of item {place} of {what}")
        if number in found:
            raise ValueError(f"has the id {shown(number)} twice in `{what}`")
        found[number] = entry
    return found


def _entry(image: dict[str, Any], marks: list[Mark]) -> Entry:
    name = as_text(image.get("file_name"), "file_name of an image")
    try:
        size = as_size(image.get("width"), image.get("height"))
    except ValueError as error:
        return Entry(name, tuple(marks), problem=str(error))
    problem = f"has {len(marks)} shapes; expected at most {MOST_SHAPES:,}" if len(marks) > MOST_SHAPES else ""
    return Entry(name, tuple(marks), size, problem=problem)


def _mark(annotation: dict[str, Any], classes: dict[str, dict[str, Any]], number: int) -> Mark:
    what = f"annotation {number}"
    names: frozenset[str] = frozenset()
    if annotation.get("category_id") is not None:
        category = as_text(annotation["category_id"], f"category_id of {what}")
        if classes and category not in classes:
            raise ValueError(f"{what} is of category {shown(category)}, which is not among `categories`")
        names = frozenset([as_text(classes.get(category, {}).get("name", category), f"name of category {category}")])
    segmentation = annotation.get("segmentation")
    if not segmentation:
        return Mark(names, other=BOX)
    try:
        return Mark(names, _shape(segmentation, what))
    except ValueError as error:
        return Mark(names, problem=str(error))


def _shape(segmentation: Any, what: str) -> Shape:
    if isinstance(segmentation, dict):
        return _runs(segmentation, what)
    parts = as_list(segmentation, f"segmentation of {what}")
    if len(parts) > MOST_SHAPES:
        raise ValueError(f"{what} has {len(parts)} parts; expected at most {MOST_SHAPES:,}")
    return Polygon(tuple(as_ring(pair_up(part, what), what) for part in parts))


def _runs(segmentation: dict[str, Any], what: str) -> Runs:
    sides = as_list(segmentation.get("size"), f"size of {what}")
    size = as_size(*sides[::-1]) if len(sides) == 2 else None
    if size is None:
        raise ValueError(f"size of {what} is {shown(sides)}; expected height and width")
    counts = segmentation.get("counts")
    lengths = unpack_counts(counts) if isinstance(counts, str) else as_list(counts, f"counts of {what}")
    if len(lengths) > MOST_RUNS:
        raise ValueError(f"{what} has {len(lengths):,} runs; expected at most {MOST_RUNS:,}")
    if any(type(length) is not int or not 0 <= length <= LONGEST_SIDE**2 for length in lengths):
        raise ValueError(f"counts of {what} are no lengths of runs")
    width, height = size
    if sum(lengths) != width * height:
        raise ValueError(f"{what} has runs of {sum(lengths):,} pixels in all; its size says {width} × {height}")
    return Runs(width, height, np.array(lengths, dtype=np.int64))
