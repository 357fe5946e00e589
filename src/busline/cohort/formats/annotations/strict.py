"""Read what strangers wrote as JSON: small, shallow, without doubles, and every value of the kind that it should be."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from busline.base.errors import cut, shown

LARGEST = 200_000_000
"""Bytes of a file; a cohort's COCO file with runs has some dozen megabytes, a LabelMe file holds its image."""
DEEPEST = 40
"""Levels of nesting; a reader that descends by recursion ends at some hundreds."""
MOST_POINTS = 50_000
"""Points of one line; an outline traced pixel by pixel has some thousand."""
MOST_SHAPES = 1_000
"""Shapes of one image."""
LONGEST_SIDE = 65_535
_FARTHEST = 1e6
_MOST_DIGITS = 40
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


def read_text(path: Path) -> str:
    """Read a text file of a limited size, in UTF-8 with or without a byte order mark.

    Raises:
        ValueError: with the reason, if it is missing, too large, or no such text.
    """
    return _decode(_read_bytes(path))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: with the reason, if it is missing, too large, no JSON, nested too deep, names a key twice, or holds
            a number that is not finite.
    """
    content = _read_bytes(path)
    text = _decode(content)
    if not text.strip():
        raise ValueError("is empty; expected JSON")
    _refuse_depth(content)
    try:
        return json.loads(
            text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant, parse_int=_whole_number
        )
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON, or was cut ({cut(str(error))})") from error


def as_mapping(value: Any, what: str) -> dict[str, Any]:
    """Return a value that must be a mapping.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {shown(value)}; expected a mapping")
    return value


def as_list(value: Any, what: str) -> list[Any]:
    """Return a value that must be a list.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(value, list):
        raise ValueError(f"{what} is {shown(value)}; expected a list")
    return value


def as_shapes(value: Any, what: str) -> list[Any]:
    """Return a value that must be the list of an image's shapes.

    Raises:
        ValueError: if it is none, or far too long.
    """
    shapes = as_list(value, what)
    if len(shapes) > MOST_SHAPES:
        raise ValueError(f"has {len(shapes)} {what}; expected at most {MOST_SHAPES:,}")
    return shapes


def as_text(value: Any, what: str) -> str:
    """Return a value that must be a text, or the text of a whole number.

    Raises:
        ValueError: if it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return cut(str(value))
    if not isinstance(value, str):
        raise ValueError(f"{what} is {shown(value)}; expected a text")
    return value


def as_number(value: Any, what: str) -> float:
    """Return a value that must be a number that can be a coordinate.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _FARTHEST:
        raise ValueError(f"{what} is {shown(value)}; expected a number")
    return float(value)


def as_size(width: Any, height: Any) -> tuple[int, int] | None:
    """Return an image's width and height, None if neither is given.

    Raises:
        ValueError: if they are no sizes of an image.
    """
    if width is None and height is None:
        return None
    sides = [as_number(width, "width"), as_number(height, "height")]
    if any(side != math.floor(side) or not 1 <= side <= LONGEST_SIDE for side in sides):
        raise ValueError(f"width and height are {sides[0]:g} and {sides[1]:g}; expected those of an image in pixels")
    return int(sides[0]), int(sides[1])


def as_ring(points: Any, what: str) -> np.ndarray:
    """Return a closed line, float64 (n, 2), of a list of pairs [x, y].

    Raises:
        ValueError: if it is none, has fewer than 3 points or far too many.
    """
    pairs = as_list(points, what)
    if not 3 <= len(pairs) <= MOST_POINTS:
        raise ValueError(f"{what} has {len(pairs)} points; expected 3 to {MOST_POINTS:,}")
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise ValueError(f"{what} is no list of pairs [x, y]")
    return np.array([[as_number(value, what) for value in pair] for pair in pairs])


def pair_up(values: Any, what: str) -> list[list[Any]]:
    """Return a list x, y, x, y … as pairs.

    Raises:
        ValueError: if it is no list of an even length.
    """
    flat = as_list(values, what)
    if len(flat) % 2:
        raise ValueError(f"{what} has {len(flat)} numbers; expected x, y, x, y …")
    return [flat[place : place + 2] for place in range(0, len(flat), 2)]


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"is larger than {LARGEST:,} bytes")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError("is missing") from error
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is no text in UTF-8 ({error.reason})") from error


def _refuse_depth(content: bytes) -> None:
    """Refuse brackets nested too deep before anything descends into them."""
    depth = 0
    for token in _TOKENS.finditer(content):
        start = content[token.start()]
        depth += (start in b"[{") - (start in b"]}")
        if depth > DEEPEST:
            raise ValueError(f"is nested more than {DEEPEST} levels deep")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        doubled = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"has the key {shown(doubled)} twice in one mapping")
    return result


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"holds a number of {len(digits)} digits")
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is no number of JSON")
