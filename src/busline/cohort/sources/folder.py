"""A user's own data: a folder with a table, images, masks, and a dataset.yaml that says which column is what.

Format:
    ``dataset.yaml`` (YAML 1.2, :class:`Dataset`), the CSV or xlsx table it names, and PNG, JPEG or BMP files named in
    the table relative to the folder. docs/own-data.md explains it step by step with examples/folder.

Classes:
    benign, malignant and normal, from the labels the file translates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from busline.base.errors import DataError, cut, list_problems, shown
from busline.base.progress import ReportProgress, silent
from busline.base.settings.section import Provenance
from busline.base.validation import describe_errors
from busline.base.yaml import read_mapping
from busline.cohort.formats.layout import Layout, Meaning
from busline.cohort.formats.rows import file_names, read_cases
from busline.cohort.formats.table import Table, read_table
from busline.cohort.formats.text import read_boolean, tidy
from busline.cohort.schema import EIGHT_BITS, WHITE_AREAS, Column, ImageForm, Kind, MaskForm, RawCohort
from busline.cohort.sources.order import Order
from busline.fetch.files import copy_files
from busline.fetch.names import safe_path

DATASET = "dataset.yaml"
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "um": 0.001}
AGE_RANGE = (0.0, 120.0)
"""Bounds of a numeric column called Age that declares none, in years."""


EACH_IMAGE = "each image"
_MISSING = {
    "patient_id: is missing": f"name the column of the patient, or say `patient_id: {EACH_IMAGE}` if every image is of "
    "another patient; images of one patient must not stand on two sides of a split"
}
"""What to do about a key whose absence alone says too little."""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


def _as_cell(value: Any) -> Any:
    """Return a text of dataset.yaml as the table's cells are read."""
    text = _as_text(value)
    return tidy(text) if isinstance(text, str) else text


def _keys_as_cells(value: Any, read: Callable[[str], str] = str) -> Any:
    if not isinstance(value, dict):
        return value
    cells = [_as_cell(key) for key in value]
    keys = [read(cell) if isinstance(cell, str) else cell for cell in cells]
    doubled = sorted({str(key) for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"has {shown(doubled[0])} twice, in two spellings of one text")
    return dict(zip(keys, value.values(), strict=True))


def _as_labels(value: Any) -> Any:
    return _keys_as_cells(value, read_boolean)


def _as_patient(value: Any) -> Any:
    """Return what PatientId validates, or None for images that are each of another patient."""
    if value is None:
        raise ValueError(f"is empty; name a column, or say `{EACH_IMAGE}`")
    text = _as_cell(value)
    if isinstance(text, str):
        return None if text.casefold() == EACH_IMAGE else {"from": text}
    return value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
Name = Annotated[str, BeforeValidator(_as_cell), Field(min_length=1)]
"""Name of a column."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PatientId(_Section):
    """Where the patient stands."""

    column: Annotated[Name, Field(alias="from")]
    exact: bool = False
    """Whether ids that differ only in case, blanks, zeros before or ``.0`` behind them are of different patients."""


class PixelSize(_Section):
    """Where the pixel size stands."""

    column: Name
    unit: Literal["mm", "cm", "um"]


class Declaration(_Section):
    """What a clinical column is."""

    provenance: Provenance
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None


class Dataset(_Section):
    """The content of dataset.yaml."""

    table: Text
    """File name of the table, .csv or .xlsx, beside dataset.yaml."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r"[^\"\r\n\x00]")] | None = None
    """Character between the cells of a CSV table; left out, it is found."""
    sheet: Text | None = None
    """Sheet of an xlsx table; needed where several are filled."""
    case_id: Name
    """Column of the unique id of a case (one image)."""
    patient_id: Annotated[PatientId | None, BeforeValidator(_as_patient)]
    """Column of the patient's id, or :data:`EACH_IMAGE`; cases of one patient never stand on two sides of a split."""
    image: Name | None = None
    """Column of the image's file name; left out by a table without images."""
    mask: Name | list[Name] | None = None
    """Column or columns of the mask's file name; needed for segmentation, empty for normal cases."""
    joiner: Text | None = None
    """Text between several file names in one cell, if a cell can hold several masks."""
    label: Name
    """Column of the label."""
    labels: Annotated[dict[str, Meaning], BeforeValidator(_as_labels), Field(min_length=1)]
    """Each label of the table, and what it means: benign, malignant, normal, or that its rows are left out."""
    pixel_size: PixelSize | None = None
    """Column and unit of the size of a pixel, if known."""
    missing: list[Annotated[str, BeforeValidator(_as_cell)]] = []
    """Texts that mean that a value is missing; an empty cell always does."""
    masks: MaskForm | None = None
    """What the masks are, where they are not white areas on black of their image's size."""
    images: ImageForm = EIGHT_BITS
    """How many bits of 16-bit images are in use."""
    columns: Annotated[dict[str, Declaration], BeforeValidator(_keys_as_cells)] = {}
    """Provenance and kind of every other column."""


def acquire_folder(folder: Path, order: Order) -> None:
    """Take what :func:`copy_own` left in ``order.own``; see there."""
    copy_own(order.own, folder, order.report_progress)


def copy_own(own: Path, folder: Path, report_progress: ReportProgress = silent) -> None:
    """Copy dataset.yaml, the table and the files the table names into ``folder``; nothing else is copied.

    Args:
        own: the user's folder.
        folder: existing empty folder to write into.
        report_progress: called with the number of files copied.

    Raises:
        DataError: if dataset.yaml or the table is wrong, or a file is missing.
    """
    dataset = load_dataset(own)
    table = _read(own, dataset)
    names = file_names(table, _layout(dataset))
    copy_files([DATASET, dataset.table, *names], own, folder, report_progress)


def read_folder(folder: Path) -> RawCohort:
    """Read the rows of a raw folder that :func:`acquire_folder` made.

    Raises:
        DataError: if dataset.yaml or the table is wrong.
    """
    dataset = load_dataset(folder)
    cohort = read_cases(_read(folder, dataset), _layout(dataset), folder)
    return replace(cohort, masks=dataset.masks or WHITE_AREAS, images=dataset.images)


def load_dataset(folder: Path) -> Dataset:
    """Read and check dataset.yaml.

    Raises:
        DataError: listing every unknown key, missing key and wrong value.
    """
    path = folder / DATASET
    if not path.is_file():
        raise DataError(str(path), "is missing", mend="write one; docs/own-data.md explains it")
    content = read_mapping(path, DataError)
    try:
        dataset = Dataset.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{line}; {_MISSING[line]}" if line in _MISSING else line for line in describe_errors(error, Dataset)
        ]
        raise list_problems(str(path), problems, mend="docs/own-data.md explains every key") from error
    problems = _contradictions(dataset)
    if problems:
        raise list_problems(str(path), problems, mend="docs/own-data.md explains every key")
    return dataset


def _contradictions(dataset: Dataset) -> list[str]:
    """Return where dataset.yaml gives one column two parts, or an unsafe table."""
    layout = _layout(dataset)
    parts = [layout.case_id, layout.patient_id, layout.label, layout.pixel_size, *layout.file_columns()]
    named = [part for part in parts if part]
    doubled = sorted({name for name in named if named.count(name) > 1})
    problems = [f"column {shown(name)} plays two parts" for name in doubled]
    if layout.patient_id == layout.case_id:
        problems.append(f"patient_id: is the case's id; say `patient_id: {EACH_IMAGE}` if every image is of another")
    problems += [
        f"columns.{cut(name)}: plays a part above already; remove it here" for name in dataset.columns if name in named
    ]
    if dataset.sheet and not dataset.table.lower().endswith(".xlsx"):
        problems.append("sheet: is for an .xlsx table; a CSV has one sheet")
    if layout.masks and not layout.image:
        problems.append("mask: needs image")
    if dataset.masks and not layout.masks:
        problems.append("masks: needs mask, the column of their file names")
    try:
        safe_path(dataset.table, subfolders=False)
    except ValueError as error:
        problems.append(f"table: {error}")
    return problems


def _layout(dataset: Dataset) -> Layout:
    masks = [dataset.mask] if isinstance(dataset.mask, str) else dataset.mask or []
    return Layout(
        case_id=dataset.case_id,
        patient_id=dataset.patient_id.column if dataset.patient_id else None,
        exact_patients=bool(dataset.patient_id and dataset.patient_id.exact),
        image=dataset.image,
        masks=tuple(masks),
        joiner=dataset.joiner,
        label=dataset.label,
        labels=dataset.labels,
        pixel_size=dataset.pixel_size.column if dataset.pixel_size else None,
        pixel_mm=MILLIMETRES[dataset.pixel_size.unit] if dataset.pixel_size else 1.0,
        missing=frozenset(dataset.missing),
        columns=tuple(_column(name, declared) for name, declared in dataset.columns.items()),
        subfolders=True,
    )


def _column(name: str, declared: Declaration) -> Column:
    minimum, maximum = declared.minimum, declared.maximum
    if name.casefold() == "age" and declared.kind == "numeric" and minimum is None and maximum is None:
        minimum, maximum = AGE_RANGE
    return Column(name=name, provenance=declared.provenance, kind=declared.kind, minimum=minimum, maximum=maximum)


def _read(folder: Path, dataset: Dataset) -> Table:
    return read_table(folder / dataset.table, delimiter=dataset.delimiter, sheet=dataset.sheet)
