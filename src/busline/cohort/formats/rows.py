"""Turn the rows of a source's table into cases; every bad row is found, not only the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from busline.base.errors import DataError, list_problems, near_matches
from busline.cohort.formats.table import Table, require_columns
from busline.cohort.schema import RESERVED, Column, Label, RawCase, RawCohort
from busline.fetch.names import safe_path

Result = TypeVar("Result")

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class Layout:
    """Which column of a table plays which part.

    Attributes:
        case_id: column of the unique id.
        image: column of the image's file name, None in a table without images.
        label: column of the label.
        labels: the table's labels and what they mean.
        patient_id: column of the patient's id, if there is one.
        masks: columns of the main lesion's masks.
        other_masks: columns of masks of further lesions.
        joiner: text between several file names in one cell, if a cell can hold several.
        pixel_size: column of the pixel size, if there is one.
        pixel_mm: millimetres in the pixel size's unit.
        missing: texts that mean that a value is missing, besides the empty one.
        columns: provenance and kind of all other columns.
        picture_folder: folder of the files the table names, relative to the raw folder; empty for the raw folder.
        subfolders: whether the table may name files in subfolders.
    """

    case_id: str
    image: str | None
    label: str
    labels: Mapping[str, Label]
    patient_id: str | None = None
    masks: tuple[str, ...] = ()
    other_masks: tuple[str, ...] = ()
    joiner: str | None = None
    pixel_size: str | None = None
    pixel_mm: float = 1.0
    missing: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    picture_folder: str = ""
    subfolders: bool = False

    def stored_as(self) -> dict[str, str]:
        """Return the columns that the cohort holds under a name of its own."""
        parts = {self.case_id: "case_id", self.label: "label"}
        if self.patient_id:
            parts[self.patient_id] = "patient_id"
        if self.pixel_size:
            parts[self.pixel_size] = "pixel_mm"
        return parts

    def file_columns(self) -> tuple[str, ...]:
        """Return the columns that name files."""
        return tuple(name for name in (self.image, *self.masks, *self.other_masks) if name)

    def all_columns(self) -> dict[str, Column]:
        """Return the provenance and kind of every column the layout knows, those that play a part included."""
        names = [self.case_id, self.patient_id, *self.file_columns()]
        known = {name: Column(name=name, provenance="identifier", kind="categorical") for name in names if name}
        known[self.label] = Column(name=self.label, provenance="label", kind="categorical")
        if self.pixel_size:
            known[self.pixel_size] = Column(name=self.pixel_size, provenance="acquisition", kind="numeric", minimum=0.0)
        return known | {column.name: column for column in self.columns}


def file_names(table: Table, layout: Layout) -> list[str]:
    """Return every file the table names, sorted, each once.

    Raises:
        DataError: if a column is missing, or listing every name that cannot be trusted.
    """
    require_columns(table, layout.all_columns())
    names: set[str] = set()
    problems: list[str] = []
    for number, row in table.rows:
        for column in layout.file_columns():
            try:
                names.update(_files(row[column], layout))
            except ValueError as error:
                problems.append(f"row {number}, column {column!r}: {error}")
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
        The cases, and a line for each row that is none.

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
    for number, row in table.rows:
        found, case = _read_row(number, row, layout, known, folder)
        first = seen.setdefault(row[layout.case_id], number)
        if first != number:
            found.append(f"case id {row[layout.case_id]!r} is that of row {first} too; expected unique ids")
        problems += [f"row {number} (case {row[layout.case_id]}): {line}" for line in found]
        if case is not None and not found:
            cases.append(case)
    undeclared = {name: Column(name=name, provenance=None, kind="categorical") for name in table.header}
    columns = tuple((undeclared | known)[name] for name in table.header)
    return RawCohort(columns, tuple(cases), tuple(problems), masks_required=bool(layout.masks))


def _read_row(
    number: int, row: dict[str, str], layout: Layout, known: dict[str, Column], folder: Path
) -> tuple[list[str], RawCase | None]:
    """Return what is wrong with a row, and the case if nothing is."""
    problems: list[str] = []

    def attempt(column: str, read: Callable[..., Result], *arguments: Any) -> Result | None:
        try:
            return read(*arguments)
        except ValueError as error:
            problems.append(f"column {column!r}: {error}")
            return None

    values = {name: attempt(name, _value, row[name], column, layout.missing) for name, column in known.items()}
    files = {name: attempt(name, _files, row[name], layout) or [] for name in layout.file_columns()}
    label = attempt(layout.label, _label, row[layout.label], layout.labels)
    images = files[layout.image] if layout.image else []
    if layout.image and len(images) != 1 and not problems:
        problems.append(f"column {layout.image!r}: names {len(images)} images; expected one")
    if problems or label is None:
        return problems, None
    base = folder / layout.picture_folder
    size = values.get(layout.pixel_size or "")
    try:
        case = RawCase(
            row=number,
            case_id=row[layout.case_id],
            patient_id=str(values.get(layout.patient_id or "") or row[layout.case_id]),
            label=label,
            pixel_mm=size * layout.pixel_mm if isinstance(size, float) else None,
            image=base / images[0] if images else None,
            masks=tuple(base / file for name in layout.masks for file in files[name]),
            other_masks=tuple(base / file for name in layout.other_masks for file in files[name]),
            cells={name: value for name, value in values.items() if name not in RESERVED},
        )
    except ValidationError as error:
        return [_describe(dict(item)) for item in error.errors()], None
    return [], case


def _value(text: str, column: Column, missing: frozenset[str]) -> str | float | None:
    if not text or text in missing:
        return None
    if column.kind == "categorical":
        return text
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or not low <= number <= high:
        bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
        raise ValueError(f"{text!r} is no number{bounds}; expected one, or {_either(missing)} where it is missing")
    return number


def _label(text: str, labels: Mapping[str, Label]) -> Label:
    if text not in labels:
        raise ValueError(f"unknown label {text!r}; {near_matches(text, labels)}")
    return labels[text]


def _files(text: str, layout: Layout) -> list[str]:
    if not text or text in layout.missing:
        return []
    names = []
    for name in text.split(layout.joiner) if layout.joiner else [text]:
        path = safe_path(name.strip(), subfolders=layout.subfolders)
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            raise ValueError(f"file name {name!r} is none of a picture; expected {', '.join(PICTURE_SUFFIXES)}")
        names.append(str(path))
    return names


def _describe(item: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if key == "pixel_mm":
        return f"pixel size is {item['input']!r} mm; expected 0.001 to 1 mm a pixel: check the unit"
    if key == "case_id":
        return f"case id {item['input']!r} cannot be used; expected 1 to 100 characters, no slash, no leading dot"
    return f"{key} is {item['input']!r}: {item['msg']}"


def _either(missing: frozenset[str]) -> str:
    return " or ".join(repr(text) for text in sorted(missing | {""}))
