"""Read a source's table, CSV or xlsx, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from busline.base.errors import DataError, list_problems, near_matches, shown
from busline.cohort.formats.delimited import DELIMITERS, read_csv
from busline.cohort.formats.grid import Grid
from busline.cohort.formats.text import Doubt, text_doubt, tidy
from busline.cohort.formats.workbook import read_xlsx

_LFS = b"version https://git-lfs.github.com/spec/"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""Beginning of a compound file (MS-CFB 2.2): an .xls, or an encrypted .xlsx."""

ABOVE = -1
"""Row of the header of a table that has none."""


@dataclass(frozen=True)
class Table:
    """A table as text: what a cell says, and an empty string where it says nothing.

    Attributes:
        name: file name, for messages.
        header: the columns in order, without repetition.
        rows: row number in the file (the header is row 1) and the cells by column, as
            :func:`busline.cohort.formats.text.tidy` returns them.
        written: cells as they are in the file, by row number and column, where `rows` has them otherwise.
        doubts: cells that may not say what they seem to say, by row number and column.
        notes: what was decided in reading.
        derived: columns that were made of others and are none of the file, see :func:`busline.cohort.formats.derive`.
        files: the files that a derived cell names, by row number and column.
        faults: why a derived cell could not be made, by row number and column.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    written: Mapping[tuple[int, str], str] = field(default_factory=dict)
    doubts: Mapping[tuple[int, str], Doubt] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    files: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def as_written(self, number: int, row: Mapping[str, str], column: str) -> str:
        """Return a cell that names files: on some systems a name in another Unicode form is another file."""
        return self.written.get((number, column), row[column])


def read_table(
    path: Path,
    *,
    delimiter: str | None = None,
    sheet: str | int | None = None,
    header: Sequence[str] | None = None,
) -> Table:
    """Read a CSV or one sheet of an xlsx file.

    Args:
        path: the file.
        delimiter: character between the cells of a CSV; None if it is to be found.
        sheet: name or place of the sheet; see :func:`busline.cohort.formats.workbook.read_xlsx`.
        header: names of the columns of a table whose first row is data; None if its first row names them.

    Raises:
        DataError: if the file is missing, is not what its name says, or has unusable headers or rows.
    """
    if not path.is_file():
        raise DataError(str(path), "is missing", expected="a table, .csv or .xlsx")
    _refuse_stand_ins(path)
    if path.suffix.lower() == ".xlsx":
        grid = read_xlsx(path, sheet)
    elif path.suffix.lower() in (".csv", ".tsv"):
        grid = read_csv(path, delimiter)
    else:
        raise DataError(str(path), "is no table", expected="a file name that ends in .csv or .xlsx")
    doubtful = {row for row, _ in grid.doubts}  # a formula without a value is no empty cell
    filled = [row for row, line in enumerate(grid.lines) if row in doubtful or any(tidy(cell) for cell in line)]
    if header is not None:
        filled = [ABOVE, *filled]
    if len(filled) < 2:
        raise DataError(str(path), "has no rows", expected="a header and at least one row")
    first = [tidy(cell) for cell in grid.lines[filled[1 if header else 0]]]
    if header is not None and _same_names(first, header):
        raise DataError(str(path), "names its columns in its first row", mend="remove `header` from dataset.yaml")
    columns = _header(path, first if header is None else [*header])
    _refuse_lengths(path, grid, filled[1:], len(columns))
    merges = _fill_merged(path, grid, filled, columns)
    return _assemble(path.name, grid, columns, filled[1:], merges)


def require_columns(table: Table, names: Iterable[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        DataError: naming every missing column with its near matches.
    """
    known = list(names)
    problems = [
        f"column {shown(name)} is missing; {near_matches(name, table.header)}"
        for name in known
        if name not in (*table.header, *table.derived)
    ]
    if problems:
        mend = "rename the column in the table, spelling and case as shown"
        others = [word for character, word in DELIMITERS.items() if character in table.header[0]]
        if len(table.header) == 1 and others:
            mend = f"is {' or '.join(others)} between its cells? leave `delimiter` out of dataset.yaml to have it found"
        elif len(problems) == len(known):
            mend = "the first row that is not empty must be the header; write one, or name the columns: key `header`"
        raise list_problems(table.name, problems, mend=mend)


def _refuse_stand_ins(path: Path) -> None:
    with path.open("rb") as file:
        begin = file.read(len(_LFS))
    if begin == _LFS:
        raise DataError(str(path), "is a pointer of Git LFS, not the table", mend="get the files with `git lfs pull`")
    if begin.startswith(_OLE):
        mend = "save it as .xlsx without a password"
        raise DataError(str(path), "is a workbook of Excel before 2007, or has a password", mend=mend)


def _same_names(cells: Sequence[str], names: Sequence[str]) -> bool:
    return [cell.casefold() for cell in cells if cell] == [name.casefold() for name in names]


def _header(path: Path, cells: list[str]) -> list[str]:
    doubled = sorted({name for name in cells if name and cells.count(name) > 1})
    if doubled:
        named = ", ".join(shown(name) for name in doubled[:20])
        raise DataError(str(path), f"has several columns named {named}", mend="rename them")
    if any(text_doubt(name) == "damage" for name in cells):
        raise DataError(str(path), "has a control character in its header", mend="save it again as CSV UTF-8 or .xlsx")
    while cells and not cells[-1]:
        cells = cells[:-1]
    if "" in cells:
        raise DataError(str(path), f"column {cells.index('') + 1} has no name", mend="name it, or remove it")
    return cells


def _refuse_lengths(path: Path, grid: Grid, rows: list[int], width: int) -> None:
    problems = [
        f"row {row + 1}: has {len(line)} cells, the header has {width}"
        for row in rows
        if any((line := grid.lines[row])[width:]) or (len(line) < width and not grid.ragged)
    ]
    if problems:
        mend = "check the delimiter, quote cells that contain it, see whether the file was cut or a title stands above"
        raise list_problems(str(path), problems, mend=mend)


def _fill_merged(path: Path, grid: Grid, filled: list[int], header: list[str]) -> list[str]:
    """Write the value of each merged range of one column into all of its rows; return a note a column.

    Raises:
        DataError: naming the ranges that lie across columns or take in the header.
    """
    problems, counts, spent = [], dict.fromkeys(header, 0), 0
    rows = set(filled)
    for left, top, right, bottom in grid.merged:
        value = grid.lines[top][left] if top < len(grid.lines) and left < len(grid.lines[top]) else ""
        if not value or bottom < filled[0] or left >= len(header):
            continue
        if left != right or top <= filled[0]:
            problems.append(f"row {top + 1}, column {shown(header[left])}: merged across columns or with the header")
            continue
        counts[header[left]] += 1
        spent += min(bottom, len(grid.lines)) - top
        if spent > len(grid.lines) * len(header):
            raise DataError(str(path), "has merged ranges that overlap", mend="split the merged cells")
        for row in rows.intersection(range(top + 1, min(bottom + 1, len(grid.lines)))):
            line = grid.lines[row]
            line += [""] * (left + 1 - len(line))
            line[left] = value
            if (top, left) in grid.doubts:
                grid.doubts[row, left] = grid.doubts[top, left]
    if problems:
        raise list_problems(str(path), problems, mend="split the cells, and write each value into every row it is of")
    merged = {name: count for name, count in counts.items() if count}
    return [f"column {shown(name)}: {n} merged ranges, read as their value in every row" for name, n in merged.items()]


def _assemble(name: str, grid: Grid, header: list[str], numbers: list[int], notes: list[str]) -> Table:
    rows: list[tuple[int, dict[str, str]]] = []
    written: dict[tuple[int, str], str] = {}
    doubts: dict[tuple[int, str], Doubt] = {}
    for row in numbers:
        line = grid.lines[row]
        cells = {}
        for place, column in enumerate(header):
            text = line[place] if place < len(line) else ""
            cells[column] = tidy(text)
            if cells[column] != text.strip():
                written[row + 1, column] = text.strip()
            doubt = grid.doubts.get((row, place)) or text_doubt(cells[column])
            if doubt:
                doubts[row + 1, column] = doubt
        rows.append((row + 1, cells))
    return Table(name, tuple(header), tuple(rows), written, doubts, (*grid.notes, *notes))
