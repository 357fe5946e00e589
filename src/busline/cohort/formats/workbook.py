"""Read one sheet of an xlsx file: what its cells say, and what openpyxl passes over in silence."""

from __future__ import annotations

import re
import warnings
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from busline.base.errors import DataError, list_problems, near_matches, shown
from busline.cohort.formats.grid import Grid
from busline.cohort.formats.text import Doubt
from busline.fetch.archive import BROKEN, check_archive

MAX_XLSX_BYTES = 512 << 20
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Of a sheet (Excel's specifications and limits)."""
MOST_CELLS = 20_000_000
"""Cells up to the last one of each row, the empty ones among them."""
EXACT = 1e15
"""A spreadsheet keeps 15 digits of a number; longer ones, accession numbers for example, have lost their end."""


def read_xlsx(path: Path, sheet: str | int | None) -> Grid:
    """Read one sheet.

    Args:
        path: the file.
        sheet: name of the sheet, or its place from 0; None for the only one that is visible and not empty.

    Raises:
        DataError: if the file is no workbook, the sheet is not there or not the only one, or rows are hidden.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive, as every .xlsx is")
        check_archive(path, max_bytes=MAX_XLSX_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops; only values are read
            book = load_workbook(path, read_only=True, data_only=True)
            chosen, notes = _choose(path, book.worksheets, sheet)
            structure = _examine(chosen)
            _refuse_hidden_rows(path, structure.hidden)
            grid = _read(chosen, structure)
            book.close()
    except (*BROKEN, InvalidFileException, LookupError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise DataError(str(path), f"is no xlsx table ({error})", mend="save it as .xlsx again, or as CSV") from error
    grid.notes += notes
    return grid


def _choose(path: Path, sheets: list[Any], wanted: str | int | None) -> tuple[Any, list[str]]:
    """Return the sheet to read, and a note of hidden ones that are not."""
    names = [sheet.title for sheet in sheets]
    if isinstance(wanted, int):
        return sheets[wanted], []
    if wanted is not None:
        if wanted not in names:
            raise DataError(str(path), f"has no sheet {shown(wanted)}", mend=near_matches(wanted, names))
        return sheets[names.index(wanted)], []
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    filled = [sheet for sheet in visible if _has_content(sheet)]
    if len(filled) > 1:
        listed = ", ".join(shown(sheet.title) for sheet in filled[:20])
        mend = f"say which one is the table in dataset.yaml, for example `sheet: {shown(filled[0].title)}`"
        raise DataError(str(path), f"has {len(filled)} sheets: {listed}", expected="one, or the key `sheet`", mend=mend)
    hidden = [shown(sheet.title) for sheet in sheets if sheet.sheet_state != "visible"]
    notes = [f"its hidden sheets are not read: {', '.join(hidden[:20])}"] if hidden else []
    return (filled or visible or sheets)[0], notes


def _has_content(sheet: Any) -> bool:
    _examine(sheet)
    sheet.reset_dimensions()  # a writer may have stored a wrong extent
    return any(value is not None for row in sheet.iter_rows(values_only=True) for value in row)


@dataclass
class _Structure:
    """What a sheet's XML says besides the values of its cells; rows and columns count from 0."""

    hidden: list[int] = field(default_factory=list)
    without_value: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def _examine(sheet: Any) -> _Structure:
    """Read the structure of a sheet, and refuse places that openpyxl drops in silence or runs up to for hours."""
    from openpyxl.utils import range_boundaries
    from openpyxl.xml.constants import SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    found = _Structure()
    last, cells = 0, 0
    with sheet._get_source() as source:  # openpyxl tells neither hidden rows nor merged ranges of a sheet it streams
        for _, element in iterparse(source):
            if element.tag == f"{{{SHEET_MAIN_NS}}}row":
                last, width = _examine_row(element, last, SHEET_MAIN_NS, found)
                cells += width
                if cells > MOST_CELLS:
                    raise ValueError(f"its rows reach over more than {MOST_CELLS:,} cells, most of them empty")
                element.clear()
            elif element.tag == f"{{{SHEET_MAIN_NS}}}mergeCell":
                left, top, right, bottom = range_boundaries(element.get("ref"))
                found.merged.append((left - 1, top - 1, right - 1, bottom - 1))
    return found


def _examine_row(row: Any, last: int, namespace: str, found: _Structure) -> tuple[int, int]:
    """Note what is hidden or without a value in a row; return its number and width, both from 1."""
    from openpyxl.utils.cell import coordinate_to_tuple

    number = int(row.get("r", last + 1))
    if not last < number <= LAST_ROW:
        raise ValueError(f"row {number} stands after row {last}; expected rows in order, {LAST_ROW:,} at most")
    column, filled = 0, False
    for cell in row.iterfind(f"{{{namespace}}}c"):
        place, after = cell.get("r"), column
        own, column = coordinate_to_tuple(place) if place else (number, column + 1)
        if own != number or not after < column <= LAST_COLUMN:
            raise ValueError(f"cell {place} stands after column {after} of row {number}; expected cells in order")
        value = cell.find(f"{{{namespace}}}v")
        filled = filled or len(cell) > 0
        empty = value is None or (not value.text and cell.get("t") != "str")
        if empty and cell.find(f"{{{namespace}}}f") is not None:
            found.without_value.append((number - 1, column - 1))
    if filled and row.get("hidden") in ("1", "true"):
        found.hidden.append(number - 1)
    return number, column


def _refuse_hidden_rows(path: Path, hidden: list[int]) -> None:
    if hidden:
        problems = [f"row {number + 1}: is hidden" for number in hidden]
        raise list_problems(str(path), problems, mend="show the rows (a filter hides some), or delete them")


def _read(sheet: Any, structure: _Structure) -> Grid:
    sheet.reset_dimensions()
    grid = Grid([], merged=structure.merged, ragged=True)
    for row, cells in enumerate(sheet.iter_rows()):
        grid.lines.append([_text(cell.value) for cell in cells])
        for column, cell in enumerate(cells):
            doubt = None if cell.value is None else _doubt(cell)
            if doubt:
                grid.doubts[row, column] = doubt
    for row, column in structure.without_value:
        line = grid.lines[row]
        line += [""] * (column + 1 - len(line))
        grid.doubts[row, column] = "formula"
    return grid


def _text(value: Any) -> str:
    """Return what a cell says: a whole number without its fraction, and nothing for an empty cell."""
    from openpyxl.utils.escape import unescape

    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return str(unescape(value)) if isinstance(value, str) else str(value)


def _doubt(cell: Any) -> Doubt | None:
    """Return what is doubtful in a cell because of its type."""
    if isinstance(cell.value, date | time | timedelta):
        return "date"
    if isinstance(cell.value, str | bool):
        return None
    if abs(cell.value) >= EXACT:
        return "digits"
    shown_as = re.sub(r'"[^"]*"|\\.', "", str(cell.number_format))  # without text that stands there as it is
    return "percent" if "%" in shown_as else None
