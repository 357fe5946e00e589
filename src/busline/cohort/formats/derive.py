"""Make the parts that no column of a table plays by itself, by templates, patterns and the files there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from busline.base.errors import DataError, list_problems, near_matches, shown
from busline.cohort.formats.cells import read_files
from busline.cohort.formats.companions import Claim, NotThereError, claim_files, settle_claims
from busline.cohort.formats.filenames import (
    FILE,
    FilePattern,
    describe_mask_names,
    describe_unread,
    tabulate_files,
    without_masks,
)
from busline.cohort.formats.layout import Layout
from busline.cohort.formats.patterns import search_all
from busline.cohort.formats.shelf import Shelf, shelf_of
from busline.cohort.formats.table import Table
from busline.cohort.formats.templates import FIND, WHOLE_FIND, Template
from busline.cohort.formats.text import Doubt, is_missing, read_boolean, tidy

Place = tuple[int, str]
"""Row number and column."""


@dataclass(frozen=True)
class Derived:
    """A part that is made of other columns.

    Attributes:
        name: of the column that is made; no column of the table has it.
        template: what is made of a row's cells.
        pattern: regular expression whose find in that is taken; None for the whole.
        around: what is made of the find.
    """

    name: str
    template: Template
    pattern: str | None = None
    around: Template = WHOLE_FIND


def derive(table: Table, parts: Sequence[Derived], layout: Layout, shelf: Shelf) -> Table:
    """Return a table with a further column for each part, outside its header, so that no part becomes a feature.

    A file that a template names must be there, but the mask of a normal case. Where something is wrong with a row, its
    cell is empty and the reason stands in ``faults``; rows that are left out may have faults.

    Args:
        table: the source's table.
        parts: what to make.
        layout: which column, made or not, plays which part.
        shelf: the files there are.

    Raises:
        DataError: if a template names a column that is not there, or a pattern takes too long.
    """
    _require(table, parts)
    files = [part for part in parts if part.name in layout.file_columns()]
    table = _with_texts(table, [part for part in parts if part not in files], layout)
    return _with_files(table, files, layout, shelf) if files else table


def tabulate_folder(
    pictures: Sequence[str], patterns: Sequence[FilePattern], parts: Sequence[Derived], layout: Layout
) -> Table:
    """Return a row for every image of a folder without a table, and the parts that are made of its name.

    A file that is the mask of another is no image; a note counts what is neither.

    Args:
        pictures: names of all pictures, relative to the folder.
        patterns: of the images' names.
        parts: what to make.
        layout: which column, made or not, plays which part.

    Raises:
        DataError: if a pattern matches nothing, or nobody can tell what is an image and what a mask.
    """
    shelf = shelf_of(pictures)
    table = tabulate_files(pictures, patterns)
    _require(table, parts)
    masks = [part for part in parts if part.name in layout.masks]
    claims, _ = claim_rows(table, masks, layout, shelf)
    table = derive(without_masks(table, claims), parts, layout, shelf)
    images = [table.as_written(number, row, FILE) for number, row in table.rows]
    read = {*images, *(name for names in table.files.values() for name in names)}
    notes = describe_unread(pictures, read), describe_mask_names(images)
    return replace(table, notes=tuple(note for note in notes if note))


def _require(table: Table, parts: Sequence[Derived]) -> None:
    problems = [
        f"{shown(part.template.text)}: column {shown(column)} is missing; {near_matches(column, table.header)}"
        for part in parts
        for column in part.template.columns
        if column not in table.header
    ]
    if problems:
        mend = "correct the names between braces in dataset.yaml, or write {{ and }} for braces that are part of a name"
        raise list_problems(table.name, problems, mend=mend)
    taken = sorted({part.name for part in parts} & set(table.header))
    if taken:
        raise DataError(table.name, f"has a column named {shown(taken[0])}, as a template is", mend="rename the column")


def _with_texts(table: Table, parts: Sequence[Derived], layout: Layout) -> Table:
    found, faults = _fill(table, parts, layout)
    around = {part.name: part.around for part in parts if part.pattern is not None}
    cells = {
        place: around[place[1]].fill({FIND: text}) if place[1] in around else text for place, text in found.items()
    }
    return _extend(table, parts, {place: tidy(text) for place, text in cells.items()}, faults)


def _with_files(table: Table, parts: Sequence[Derived], layout: Layout, shelf: Shelf) -> Table:
    claims, faults = claim_rows(table, parts, layout, shelf)
    images = {claim.name for (_, column), found in claims.items() if column == layout.image for claim in found}
    if layout.image in table.header:
        images |= {table.as_written(number, row, layout.image) for number, row in table.rows}
    files = settle_claims(claims, images)
    for part in parts:
        for number, row in table.rows:
            place = number, part.name
            if claims.get(place) and not files[place] and not _is_mask_of_normal(part, row, layout):
                faults[place] = "matches files of other cases only"
    table = _extend(table, parts, {place: ", ".join(names) for place, names in files.items()}, faults)
    return replace(table, files=files)


def claim_rows(
    table: Table, parts: Sequence[Derived], layout: Layout, shelf: Shelf
) -> tuple[dict[Place, list[Claim]], dict[Place, str]]:
    """Return the files that each row's templates name, and what is wrong with the rows that name none as they should.

    Args:
        table: the source's table.
        parts: those that name files.
        layout: which column plays which part.
        shelf: the files there are.
    """
    plain = replace(layout, joiner=None, missing=frozenset())
    claims: dict[Place, list[Claim]] = {}
    faults: dict[Place, str] = {}
    for part in parts:
        finds, wrong = ({}, {}) if part.pattern is None else _fill(table, [part], layout)
        faults |= wrong
        for number, row in table.rows:
            place = number, part.name
            try:
                if part.pattern is None:
                    cells = _cells(table, number, row, part, layout)
                    found = claim_files(part.template, cells, layout.joiner, shelf)
                else:
                    found = claim_files(part.around, {FIND: finds.get(place, "")}, layout.joiner, shelf)
                for claim in found:
                    read_files(claim.name, plain)
                claims[place] = found
            except NotThereError as error:
                if not _is_mask_of_normal(part, row, layout):
                    faults[place] = str(error)
            except ValueError as error:
                faults[place] = str(error)
    return claims, faults


def _fill(table: Table, parts: Sequence[Derived], layout: Layout) -> tuple[dict[Place, str], dict[Place, str]]:
    """Return each row's text of each part, or what its pattern finds in it, and what is wrong with rows without one."""
    found: dict[Place, str] = {}
    faults: dict[Place, str] = {}
    for part in parts:
        for number, row in table.rows:
            try:
                text = part.template.fill(_cells(table, number, row, part, layout))
            except ValueError as error:
                faults[number, part.name] = str(error)
                continue
            if text:
                found[number, part.name] = text
        if part.pattern is not None:
            faults |= _search(table, part, part.pattern, found)
    return found, faults


def _search(table: Table, part: Derived, pattern: str, found: dict[Place, str]) -> dict[Place, str]:
    """Put what a pattern finds in place of a part's texts; return the places where it finds nothing."""
    places = [place for place in found if place[1] == part.name]
    texts = [found.pop(place) for place in places]
    try:
        finds = search_all(pattern, texts)
    except ValueError as error:
        raise DataError(table.name, f"pattern {shown(pattern)} {error}") from error
    found |= {place: find for place, find in zip(places, finds, strict=True) if find}
    return {
        place: f"{shown(text)} does not match {shown(pattern)}"
        for place, text, find in zip(places, texts, finds, strict=True)
        if not find
    }


def _cells(table: Table, number: int, row: Mapping[str, str], part: Derived, layout: Layout) -> dict[str, str]:
    """Return the cells that a part is made of, as they are written if it names files; a missing one is empty."""
    names_files = part.name in layout.file_columns()
    return {
        column: ""
        if is_missing(row[column], layout.missing)
        else table.as_written(number, row, column)
        if names_files
        else row[column]
        for column in part.template.columns
    }


def _is_mask_of_normal(part: Derived, row: Mapping[str, str], layout: Layout) -> bool:
    label = row.get(layout.label, "") if layout.label else ""
    return part.name in layout.masks and layout.labels.get(read_boolean(label)) == "normal"


def _extend(table: Table, parts: Sequence[Derived], cells: Mapping[Place, str], faults: Mapping[Place, str]) -> Table:
    rows = tuple(
        (number, row | {part.name: cells.get((number, part.name), "") for part in parts}) for number, row in table.rows
    )
    return replace(
        table,
        rows=rows,
        derived=(*table.derived, *(part.name for part in parts)),
        doubts={**table.doubts, **_inherited(table, parts)},
        faults={**table.faults, **faults},
    )


def _inherited(table: Table, parts: Sequence[Derived]) -> dict[Place, Doubt]:
    """Return the doubts of cells that something is made of."""
    return {
        (number, part.name): table.doubts[number, column]
        for part in parts
        for number, _ in table.rows
        for column in part.template.columns
        if (number, column) in table.doubts
    }
