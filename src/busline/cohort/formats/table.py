"""Read a source's table, CSV or xlsx, as text."""

from __future__ import annotations

import csv
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busline.base.errors import DataError, list_problems, near_matches
from busline.fetch.archive import BROKEN, check_archive

MAX_XLSX_BYTES = 512 << 20


@dataclass(frozen=True)
class Table:
    """A table as text: what a cell says, and an empty string where it says nothing.

    Attributes:
        name: file name, for messages.
        header: the columns in order, without repetition.
        rows: row number in the file (the header is row 1) and the cells by column.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def read_table(path: Path, *, delimiter: str = ",") -> Table:
    """Read a CSV (UTF-8) or the first sheet of an xlsx file.

    Raises:
        DataError: if the file is missing, is not what its name says, or has unusable headers or rows.
    """
    if not path.is_file():
        raise DataError(str(path), "is missing", expected="a table, .csv or .xlsx")
    if path.suffix.lower() == ".xlsx":
        lines = _read_xlsx(path)
    elif path.suffix.lower() == ".csv":
        lines = _read_csv(path, delimiter)
    else:
        raise DataError(str(path), "is no table", expected="a file name that ends in .csv or .xlsx")
    filled = [(number, cells) for number, cells in enumerate(lines, start=1) if any(cells)]
    if len(filled) < 2:
        raise DataError(str(path), "has no rows", expected="a header and at least one row")
    header = _header(path, filled[0][1])
    rows, problems = [], []
    for number, cells in filled[1:]:
        if any(cells[len(header) :]):
            problems.append(f"row {number}: has {len(cells)} cells, the header has {len(header)}")
        padded = cells + [""] * (len(header) - len(cells))
        rows.append((number, {name: cell for name, cell in zip(header, padded, strict=False) if name}))
    if problems:
        raise list_problems(str(path), problems, mend="check the delimiter, and quote cells that contain it")
    return Table(path.name, tuple(name for name in header if name), tuple(rows))


def require_columns(table: Table, names: Iterable[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        DataError: naming every missing column with its near matches.
    """
    problems = [
        f"column {name!r} is missing; {near_matches(name, table.header)}" for name in names if name not in table.header
    ]
    if problems:
        raise list_problems(table.name, problems, mend="rename the column in the table, spelling and case as shown")


def _header(path: Path, cells: list[str]) -> list[str]:
    doubled = sorted({name for name in cells if name and cells.count(name) > 1})
    if doubled:
        raise DataError(str(path), f"has several columns named {', '.join(doubled)}", mend="rename them")
    while cells and not cells[-1]:
        cells = cells[:-1]
    if "" in cells:
        raise DataError(str(path), f"column {cells.index('') + 1} has no name", mend="name it, or remove it")
    return cells


def _read_csv(path: Path, delimiter: str) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [[cell.strip() for cell in line] for line in csv.reader(file, delimiter=delimiter, strict=True)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(str(path), f"is no CSV table in UTF-8 ({error})", mend="save it as CSV UTF-8") from error


def _read_xlsx(path: Path) -> list[list[str]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive, as every .xlsx is")
        check_archive(path, max_bytes=MAX_XLSX_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops; only values are read
            book = load_workbook(path, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # a writer may have stored a wrong extent
            lines = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
            book.close()
    except (*BROKEN, InvalidFileException, LookupError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise DataError(str(path), f"is no xlsx table ({error})", mend="save it as .xlsx again, or as CSV") from error
    return lines


def _text(value: Any) -> str:
    """Return what a cell says: a whole number without its fraction, and nothing for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
