"""What the files of annotation tools hold, in one form for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


def read_mark(
    names: frozenset[str],
    kind: str,
    item: dict[str, Any],
    what: str,
    readers: Mapping[str, Callable[[dict[str, Any], str], Shape]],
    others: Mapping[str, str],
) -> Mark:
    """Return a mark of some kind, with what is wrong with it.

    Args:
        names: its class.
        kind: the format's own name of what was drawn.
        item: what the file holds of it.
        what: what messages call it.
        readers: the function that reads a shape, by kind.
        others: what kinds that enclose nothing are called; a kind that is nowhere keeps its name.
    """
    if kind not in readers:
        return Mark(names, other=others.get(kind, plain(kind)))
    try:
        return Mark(names, readers[kind](item, what))
    except ValueError as error:
        return Mark(names, problem=str(error))


def name_classes(names: frozenset[str]) -> str:
    """Return a mark's class as messages show it."""
    return cut(" + ".join(sorted(plain(name) for name in names))) if names else "(no class)"
