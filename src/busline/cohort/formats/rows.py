"""Turn the rows of a source's table into cases; every bad row is found, not only the first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from busline.base.errors import DataError, list_problems, plain, shown
from busline.cohort.formats.cells import find_label, read_files, read_patient, read_value, refuse_doubt
from busline.cohort.formats.comparison import compare_rows
from busline.cohort.formats.layout import LEAVE_OUT, Layout
from busline.cohort.formats.table import Table, require_columns
from busline.cohort.formats.text import read_boolean
from busline.cohort.schema import RESERVED, Column, RawCase, RawCohort


def file_names(table: Table, layout: Layout) -> list[str]:
    """Return every file that the table names for a row that is read, sorted, each once.

    Raises:
        DataError: if a column is missing, or listing every name that cannot be trusted.
    """
    require_columns(table, layout.all_columns())
    names: set[str] = set()
    problems: list[str] = []
    for number, row in table.rows:
        if _left_out(row, layout):
            continue
        for column in layout.file_columns():
            try:
                names.update(read_files(_as_written(table, number, row, column), layout))
            except ValueError as error:
                problems.append(f"row {number}, column {shown(column)}: {error}")
    if problems:
        raise list_problems(table.name, problems, expected="names of files inside the source's folder")
    return sorted(names)


def read_cases(table: Table, layout: Layout, folder: Path) -> RawCohort:
    """Turn every row into a case.

    Args:
        table: the source's table.
        layout: which column plays which part.
        folder: the raw folder.

    Returns:
        The cases, a line for each row that is none, and what was decided in reading.

    Raises:
        DataError: if a column is missing or has a name the cohort needs for itself.
    """
    known = layout.all_columns()
    require_columns(table, known)
    for name in table.header:
        if name in RESERVED and name in known and layout.stored_as().get(name) != name:
            raise DataError(table.name, f"column {name!r} has a name the cohort needs", mend="rename the column")
    cases: list[RawCase] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    taken = [(number, row) for number, row in table.rows if not _left_out(row, layout)]
    for number, row in taken:
        found, case = _read_row(number, row, table, layout, folder)
        first = seen.setdefault(row[layout.case_id], number)
        if first != number:
            found.append(f"case id {shown(row[layout.case_id])} is that of row {first} too; expected unique ids")
        problems += [f"row {number} (case {plain(row[layout.case_id])}): {line}" for line in found]
        if case is not None and not found:
            cases.append(case)
    doubled, notes = compare_rows(table, layout, cases)
    undeclared = {name: Column(name=name, provenance=None, kind="categorical") for name in table.header}
    return RawCohort(
        columns=tuple((undeclared | known)[name] for name in table.header),
        cases=tuple(cases),
        problems=(*problems, *doubled),
        masks_required=bool(layout.masks),
        notes=(*(f"{table.name}: {note}" for note in table.notes), *notes),
        left_out=dict(Counter(row[layout.label] for _, row in table.rows if _left_out(row, layout))),
    )


def _left_out(row: dict[str, str], layout: Layout) -> bool:
    return layout.labels.get(read_boolean(row[layout.label])) == LEAVE_OUT


def _as_written(table: Table, number: int, row: dict[str, str], column: str) -> str:
    """Return a cell that names files: on some systems a name in another Unicode form is another file."""
    return table.written.get((number, column), row[column])


def _read_row(
    number: int, row: dict[str, str], table: Table, layout: Layout, folder: Path
) -> tuple[list[str], RawCase | None]:
    """Return what is wrong with a row, and the case if nothing is."""
    problems: list[str] = []
    read: dict[str, Any] = {}
    for name, column in layout.all_columns().items():
        try:
            read[name] = _read_cell(number, row, table, column, layout)
        except ValueError as error:
            problems.append(f"column {shown(name)}: {error}")
    images = read.get(layout.image or "", [])
    if layout.image and len(images) != 1 and not problems:
        problems.append(f"column {shown(layout.image)}: names {len(images)} images; expected one")
    if problems:
        return problems, None
    base = folder / layout.picture_folder
    size = read.get(layout.pixel_size or "")
    as_text = {name: None if row[name] in layout.missing | {""} else row[name] for name in layout.parts()}
    try:
        case = RawCase(
            row=number,
            case_id=row[layout.case_id],
            patient_id=row[layout.patient_id or layout.case_id],
            label=read[layout.label],
            pixel_mm=None if size is None else size * layout.pixel_mm,
            image=base / images[0] if images else None,
            masks=tuple(base / file for name in layout.masks for file in read[name]),
            other_masks=tuple(base / file for name in layout.other_masks for file in read[name]),
            cells={name: value for name, value in (read | as_text).items() if name not in RESERVED},
        )
    except ValidationError as error:
        return [_describe(dict(item)) for item in error.errors()], None
    return [], case


def _read_cell(number: int, row: dict[str, str], table: Table, column: Column, layout: Layout) -> Any:
    """Return what a cell says, in the type that its part wants."""
    name, text = column.name, row[column.name]
    refuse_doubt(table.doubts.get((number, name)), text, column, layout)
    if name in layout.file_columns():
        return read_files(_as_written(table, number, row, name), layout)
    if name == layout.patient_id:
        return read_patient(text, layout)
    if name == layout.label:
        return find_label(text, layout.labels)
    return text if name == layout.case_id else read_value(text, column, layout)


def _describe(item: dict[str, Any]) -> str:
    key, found = ".".join(str(part) for part in item["loc"]), shown(item["input"])
    if key == "pixel_mm":
        return f"pixel size is {found} mm; expected 0.001 to 1 mm a pixel: check the unit"
    if key == "case_id":
        return f"case id {found} cannot be used; expected 1 to 100 characters, no slash, no leading dot"
    return f"{key} is {found}: {item['msg']}"
