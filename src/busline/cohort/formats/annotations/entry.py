"""What the files of annotation tools hold, in one form for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from busline.base.errors import cut, plain
from busline.cohort.shapes import Shape

BOX = "box"
"""What boxes are called in every format."""


@dataclass(frozen=True)
class Mark:
    """One thing that was drawn on an image.

    Attributes:
        names: its class; several where a tool gives several attributes, none where nobody named it.
        shape: what it encloses.
        other: what it is if it encloses nothing: a box, a point, a line.
        problem: what is wrong with it otherwise.
    """

    names: frozenset[str] = frozenset()
    shape: Shape | None = None
    other: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Entry:
    """What a file holds of one image.

    Attributes:
        image: the image's name as the file has it, never to be opened; None if it has none.
        marks: in the file's order.
        size: width and height of the image when it was annotated, None if the file does not say.
        relative: whether coordinates are shares of the image's sides.
        problem: what is wrong with the entry as a whole.
    """

    image: str | None
    marks: tuple[Mark, ...] = ()
    size: tuple[int, int] | None = None
    relative: bool = False
    problem: str = ""


def name_classes(names: frozenset[str]) -> str:
    """Return a mark's class as messages show it."""
    return cut(" + ".join(sorted(plain(name) for name in names))) if names else "(no class)"
