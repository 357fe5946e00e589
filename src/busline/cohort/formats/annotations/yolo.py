"""YOLO: a text file an image, with a line a shape: the class's number, then x and y as shares of the image's sides.

A line of five numbers is a box: its class, centre, width and height. Source: https://docs.ultralytics.com/datasets/segment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from busline.base.errors import DataError, shown
from busline.base.yaml import read_mapping
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark
from busline.cohort.formats.annotations.strict import MOST_SHAPES, as_list, as_ring, as_text, pair_up, read_text
from busline.cohort.shapes import Polygon

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_OF_A_BOX = 4
_MARGIN = 1.0
"""How far from the image a share can lie; farther, it is a number of pixels."""


def read_yolo(text: str, classes: Sequence[str] = ()) -> list[Entry]:
    """Return what a YOLO file holds: one image.

    Args:
        text: the file.
        classes: names of the classes by their number; without them a class is called by its number.

    Raises:
        ValueError: if it is no such file.
    """
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > MOST_SHAPES:
        raise ValueError(f"has {len(lines)} lines; expected at most {MOST_SHAPES:,}")
    return [Entry(None, tuple(_mark(words, f"line {number}", classes) for number, words in lines), relative=True)]


def read_class_names(path: Path) -> list[str]:
    """Return the names of a data.yaml (``names``: a list, or a mapping of numbers) or of a text file, one a line.

    Raises:
        ValueError: if it is neither.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    try:
        found = read_mapping(path, DataError).get("names")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    if isinstance(found, dict):
        if sorted(found) != list(range(len(found))):
            raise ValueError("has `names` that are not numbered 0, 1, 2 …")
        found = [found[number] for number in range(len(found))]
    return [as_text(name, "a class's name") for name in as_list(found, "names")]


def _mark(words: list[str], what: str, classes: Sequence[str]) -> Mark:
    if not words[0].isdecimal() or len(words[0]) > 6:
        raise ValueError(f"{what} begins with {shown(words[0])}; expected the number of a class")
    number = int(words[0])
    if classes and number >= len(classes):
        raise ValueError(f"{what} is of class {number}; there are names of {len(classes)}")
    names = frozenset([classes[number] if classes else str(number)])
    try:
        shares = [_share(word, what) for word in words[1:]]
        if len(shares) == _OF_A_BOX:
            return Mark(names, other=BOX)
        return Mark(names, Polygon((as_ring(pair_up(shares, what), what),)))
    except ValueError as error:
        return Mark(names, problem=str(error))


def _share(word: str, what: str) -> float:
    share = float(word) if _NUMBER.fullmatch(word) else None
    if share is None or not -_MARGIN <= share <= 1 + _MARGIN:
        raise ValueError(f"{what} holds {shown(word)}; expected shares of the image's sides, from 0 to 1")
    return share
