"""Turn the rows of a source's table into cases; every bad row is found, not only the first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from busline.base.errors import DataError, list_problems, near_matches, plain, shown
from busline.cohort.formats.cells import find_label, read_files, read_patient, read_value, refuse_doubt
from busline.cohort.formats.comparison import compare_rows
from busline.cohort.formats.layout import LEAVE_OUT, Layout
from busline.cohort.formats.table import Table, require_columns
from busline.cohort.formats.text import read_boolean
from busline.cohort.schema import RESERVED, UNLABELLED, Column, RawCase, RawCohort


def file_names(table: Table, layout: Layout) -> list[str]:
    """Return every file that the table names for a row that is read, sorted, each once.

    Raises:
        DataError: if a column or an excluded case is missing, or listing every name that cannot be trusted.
    """
    require_columns(table, layout.all_columns())
    _require_excluded(table, layout)
    names: set[str] = set()
    problems: list[str] = []
    for number, row in table.rows:
        if _left_out(table, number, row, layout):
            continue
        for column in layout.file_columns():
            try:
                names.update(_read_names(table, number, row, column, layout))
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
        DataError: if a column or an excluded case is missing, or a column has a name the cohort needs for itself.
    """
    known = layout.all_columns()
    require_columns(table, known)
    _require_excluded(table, layout)
    _require_own_names(table, layout)
    cases: list[RawCase] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    taken = [(number, row) for number, row in table.rows if not _left_out(table, number, row, layout)]
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
    not_stored = {name for name in RESERVED if name not in layout.stored_as()} & known.keys()
    return RawCohort(
        columns=tuple((undeclared | known)[name] for name in table.header if name not in not_stored),
        cases=tuple(cases),
        problems=(*problems, *doubled),
        masks_required=bool(layout.masks),
        notes=(*(f"{table.name}: {note}" for note in table.notes), *notes),
        left_out=dict(Counter(_labels_left_out(table, layout))),
        excluded=dict(layout.exclude),
    )


def _require_excluded(table: Table, layout: Layout) -> None:
    ids = {row[layout.case_id] for _, row in table.rows}
    problems = [
        f"exclude: {shown(case)} is no case; {near_matches(case, ids)}" for case in layout.exclude if case not in ids
    ]
    if problems:
        raise list_problems(table.name, problems, mend="correct the ids in dataset.yaml")


def _require_own_names(table: Table, layout: Layout) -> None:
    """Refuse columns that the cohort would hold under a name of its own; what parts are made of it need not hold."""
    declared = {column.name for column in layout.columns}
    made_of = {*layout.sources, *layout.label_sources} - declared
    for name in table.header:
        known = name in layout.all_columns() and name not in made_of
        if name in RESERVED and known and layout.stored_as().get(name) != name:
            raise DataError(table.name, f"column {name!r} has a name the cohort needs", mend="rename the column")


def _left_out(table: Table, number: int, row: dict[str, str], layout: Layout) -> bool:
    """Say whether a row is not read; a label that could not be made is not one that is left out."""
    if row[layout.case_id] in layout.exclude:
        return True
    if layout.label is None or (number, layout.label) in table.faults:
        return False
    return layout.labels.get(read_boolean(row[layout.label])) == LEAVE_OUT


def _labels_left_out(table: Table, layout: Layout) -> list[str]:
    if layout.label is None:
        return []
    rows = [row for number, row in table.rows if _left_out(table, number, row, layout)]
    return [row[layout.label] for row in rows if row[layout.case_id] not in layout.exclude]


def _read_names(table: Table, number: int, row: dict[str, str], column: str, layout: Layout) -> list[str]:
    """Return the files that a cell names.

    Raises:
        ValueError: if it cannot be read, or one of them cannot be trusted.
    """
    place = number, column
    if place in table.faults:
        raise ValueError(table.faults[place])
    if column in table.derived:
        return list(table.files.get(place, ()))
    return read_files(table.as_written(number, row, column), layout)


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
            label=read[layout.label] if layout.label else UNLABELLED,
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
    if (number, name) in table.faults:
        raise ValueError(table.faults[number, name])
    refuse_doubt(table.doubts.get((number, name)), text, column, layout)
    if name in layout.file_columns():
        return _read_names(table, number, row, name, layout)
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
