"""Templates over a row's cells: ``masks/{Image.stem}.png`` is made of the cell in the column ``Image``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from busline.base.errors import shown
from busline.cohort.formats.suffixes import stem_of
from busline.cohort.formats.text import tidy

STAR = "*"
"""Stands for any characters of a file name in the template of a mask; no other character is special there."""

FIND = ""
"""Name of the column in which what a pattern found stands; no table has it."""


def _parent(path: PurePosixPath) -> str:
    if len(path.parts) < 2:
        raise ValueError(f"{shown(str(path))} has no folder in it")
    return str(path.parent)


ASPECTS: dict[str, Callable[[PurePosixPath], str]] = {
    "name": lambda path: path.name,
    "parent": _parent,
    "stem": lambda path: stem_of(path.name),
    "suffix": lambda path: path.name[len(stem_of(path.name)) :],
}
"""What a template may take of a cell that names a file."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True)
class Placeholder:
    """A cell, or what :data:`ASPECTS` takes of it."""

    column: str
    aspect: str = ""

    def read(self, text: str) -> str:
        """Return what the placeholder stands for in a row.

        Raises:
            ValueError: if the cell has no such aspect.
        """
        return ASPECTS[self.aspect](PurePosixPath(text)) if self.aspect else text


@dataclass(frozen=True)
class Template:
    """A text with placeholders.

    Attributes:
        text: as it was written.
        pieces: what it is made of, in order.
    """

    text: str
    pieces: tuple[str | Placeholder, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made of, each once."""
        return tuple(dict.fromkeys(piece.column for piece in self.pieces if isinstance(piece, Placeholder)))

    @property
    def literal(self) -> str:
        """The text between the placeholders."""
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    def fill(self, cells: Mapping[str, str]) -> str:
        """Return the text with the row's cells in it; empty if one of them is.

        Raises:
            ValueError: if a cell has not what is taken of it.
        """
        if not all(cells[column] for column in self.columns):
            return ""
        return "".join(piece if isinstance(piece, str) else piece.read(cells[piece.column]) for piece in self.pieces)


def parse_template(text: str, *, of_find: bool = False) -> Template:
    """Return a text's pieces; one without placeholders is a single piece. ``{{`` and ``}}`` are braces themselves.

    Args:
        text: the template.
        of_find: whether ``{}`` stands for what a pattern found, the column :data:`FIND`.

    Raises:
        ValueError: if a brace has no partner, or nothing stands between two.
    """
    pieces: list[str | Placeholder] = []
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "}"):
            raise ValueError(f"has a lone {token[0]}; write {{column}}, or {token[0] * 2} for the character itself")
        if token[1] is not None:
            pieces.append(Placeholder(FIND) if of_find and not token[1] else _placeholder(token[1]))
        else:
            piece = {"{{": "{", "}}": "}"}.get(token[0], token[0])
            if pieces and isinstance(pieces[-1], str):
                piece = f"{pieces.pop()}{piece}"
            pieces.append(piece)
    return Template(text, tuple(pieces))


WHOLE_FIND = Template("{}", (Placeholder(FIND),))
"""What a pattern found, as it is."""


def split_at_star(template: Template) -> tuple[Template, Template] | None:
    """Return what stands before and behind the star of a template, None if it has none.

    Raises:
        ValueError: if it has several, or one in the name of a folder.
    """
    places = [place for place, piece in enumerate(template.pieces) if isinstance(piece, str) and STAR in piece]
    if not places:
        return None
    if template.literal.count(STAR) > 1:
        raise ValueError(f"has several {STAR}; expected one, or a list of templates")
    before, after = str(template.pieces[places[0]]).split(STAR)
    head = Template(template.text, (*template.pieces[: places[0]], *([before] if before else [])))
    tail = Template(template.text, (*([after] if after else []), *template.pieces[places[0] + 1 :]))
    if "/" in tail.literal:
        raise ValueError(f"has {STAR} in the name of a folder; it may stand in the file's name only")
    return head, tail


def _placeholder(text: str) -> Placeholder:
    whole = tidy(text)
    if not whole:
        raise ValueError(f"has {{{text}}}; expected the name of a column between the braces")
    column, _, aspect = whole.rpartition(".")
    return Placeholder(tidy(column), aspect) if column and aspect in ASPECTS else Placeholder(whole)
