"""What an annotation tool's file says is the lesion of one image, before it is drawn at the image's size.

A pixel in column c and row r covers the square from (c, r) to (c + 1, r + 1), so its centre is (c + 0.5, r + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Polygon:
    """An area within closed lines.

    Attributes:
        outer: lines, float64 (n, 2) of x and y each; the areas within them are united.
        holes: lines round what is not part of it.
    """

    outer: tuple[np.ndarray, ...]
    holes: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Runs:
    """A mask as lengths of runs, column by column, of no lesion and lesion in turn.

    Attributes:
        width: in pixels.
        height: in pixels.
        lengths: int64 (n,), the first of pixels outside the lesion; their sum is the number of pixels.
    """

    width: int
    height: int
    lengths: np.ndarray


@dataclass(frozen=True)
class Bitmap:
    """A mask of a part of an image.

    Attributes:
        mask: bool (height, width) of the part.
        left: column of its first pixel in the image.
        top: row of its first pixel.
    """

    mask: np.ndarray
    left: int
    top: int


Shape = Polygon | Runs | Bitmap


@dataclass(frozen=True)
class Outline:
    """The shapes of the lesion in one image.

    Attributes:
        file: name of the file they stand in, for messages.
        shapes: at least one; they are united.
        size: width and height of the image when it was annotated, None if the file does not say.
        relative: whether coordinates are shares of the image's sides.
    """

    file: str
    shapes: tuple[Shape, ...]
    size: tuple[int, int] | None = None
    relative: bool = False
