"""Which files a template names for each row, such that no case gets another one's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from busline.base.errors import shown
from busline.cohort.formats.shelf import Shelf
from busline.cohort.formats.templates import STAR, Placeholder, Template, split_at_star
from busline.fetch.names import safe_path

EXACT = -1


@dataclass(frozen=True)
class Claim:
    """A file that a row's template names.

    Attributes:
        name: the file, as the disk has it.
        slack: number of characters that the template's star stands for; :data:`EXACT` without one.
    """

    name: str
    slack: int


class NotThereError(ValueError):
    """A template names a file that the folder does not have."""


def locate(name: str, shelf: Shelf) -> Claim:
    """Return the file of a name that is not trusted.

    Raises:
        NotThereError: if there is no such file.
        ValueError: if the name may lead out of the folder.
    """
    safe_path(name, subfolders=True)
    found = shelf.find(name)
    if found is None:
        other = shelf.other_suffix(name)
        raise NotThereError(f"names {shown(name)}, which is not there" + (f"; {shown(other)} is" if other else ""))
    return Claim(found, EXACT)


def claim_files(template: Template, cells: Mapping[str, str], joiner: str | None, shelf: Shelf) -> list[Claim]:
    """Return the files that a template names for a row; none if one of its cells is empty.

    Args:
        template: of a file's name, with one star at most.
        cells: the row's cells by column.
        joiner: text between several file names in a cell: the template is then filled with each of them.
        shelf: the files there are.

    Raises:
        NotThereError: if there is no such file.
        ValueError: if a name may lead out of the folder.
    """
    halves = split_at_star(template)
    claims = []
    for filling in _fillings(template, cells, joiner):
        if halves is None:
            claims.append(locate(template.fill(filling), shelf))
        else:
            claims += _matching(halves, filling, shelf)
    return claims


def settle_claims(
    claims: Mapping[tuple[int, str], Sequence[Claim]], images: Collection[str]
) -> dict[tuple[int, str], tuple[str, ...]]:
    """Return the files of each row and column: one that several rows' stars match is the nearest one's.

    That is the row whose template says most of the file's name: ``a_mask_2_mask.png`` matches ``a_mask*.png`` and
    ``a_mask_2_mask*.png``, and belongs to the latter. An image is never a mask for a star's sake.

    Args:
        claims: by row number and column.
        images: every row's image.
    """
    nearest: dict[str, dict[int, int]] = defaultdict(dict)
    for (row, _), found in claims.items():
        for claim in found:
            nearest[claim.name][row] = min(claim.slack, nearest[claim.name].get(row, claim.slack))
    least = {name: min(rows.values()) for name, rows in nearest.items()}
    return {
        (row, column): tuple(
            claim.name
            for claim in found
            if claim.slack == EXACT or (nearest[claim.name][row] == least[claim.name] and claim.name not in images)
        )
        for (row, column), found in claims.items()
    }


def _matching(halves: tuple[Template, Template], cells: Mapping[str, str], shelf: Shelf) -> list[Claim]:
    head, tail = (half.fill(cells) for half in halves)
    wanted = f"{head}{STAR}{tail}"
    safe_path(wanted, subfolders=True)
    if "/" in tail:
        raise ValueError(f"is {shown(wanted)} here; expected {STAR} in the file's name only")
    after_cell = bool(halves[0].pieces) and isinstance(halves[0].pieces[-1], Placeholder)
    claims = [
        Claim(name, len(star))
        for name, star in shelf.matching(head, tail)
        if not (after_cell and _continues(head, star))
    ]
    if not claims:
        raise NotThereError(f"matches no file: there is no {shown(wanted)}")
    return claims


def _continues(head: str, star: str) -> bool:
    """Say whether a star goes on with the number, or the word, that a cell ends with: 10 is no file of case 1."""
    last, first = head[-1:], star[:1]
    return (last.isdigit() and first.isdigit()) or (last.isalpha() and first.isalpha())


def _fillings(template: Template, cells: Mapping[str, str], joiner: str | None) -> list[dict[str, str]]:
    """Return the row's cells once for each file that they name."""
    if not all(cells[column] for column in template.columns):
        return []
    parts = {
        column: [part.strip() for part in cells[column].split(joiner)] if joiner else [cells[column]]
        for column in template.columns
    }
    count = max(map(len, parts.values()), default=1)
    if any(len(part) not in (1, count) for part in parts.values()):
        raise ValueError("is made of cells that name different numbers of files")
    return [{column: part[place % len(part)] for column, part in parts.items()} for place in range(count)]
