"""A user's own data: a folder with a table, images, masks, and a dataset.yaml that says which column is what.

Format:
    ``dataset.yaml`` (YAML 1.2, :class:`Dataset`), the CSV or xlsx table it names, and PNG, JPEG or BMP files named in
    the table relative to the folder. docs/own-data.md explains it step by step with examples/folder.

Classes:
    benign, malignant and normal, from the labels the file translates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from busline.base.errors import DataError, list_problems
from busline.base.progress import ReportProgress, silent
from busline.base.settings.section import Provenance
from busline.base.validation import describe_errors
from busline.cohort.formats.rows import Layout, file_names, read_cases
from busline.cohort.formats.table import Table, read_table
from busline.cohort.schema import Column, Kind, Label, RawCohort
from busline.cohort.sources.order import Order
from busline.fetch.files import copy_files
from busline.fetch.names import safe_path

DATASET = "dataset.yaml"
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "um": 0.001}
AGE_RANGE = (0.0, 120.0)
"""Bounds of a numeric column called Age that declares none, in years."""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _keys_as_text(value: Any) -> Any:
    return {_as_text(key): item for key, item in value.items()} if isinstance(value, dict) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PixelSize(_Section):
    """Where the pixel size stands."""

    column: Text
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
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """Character between the cells of a CSV table."""
    case_id: Text
    """Column of the unique id of a case (one image)."""
    patient_id: Text | None = None
    """Column of the patient's id; cases of one patient never stand on two sides of a split."""
    image: Text | None = None
    """Column of the image's file name; left out by a table without images."""
    mask: Text | list[Text] | None = None
    """Column or columns of the mask's file name; needed for segmentation, empty for normal cases."""
    joiner: Text | None = None
    """Text between several file names in one cell, if a cell can hold several masks."""
    label: Text
    """Column of the label."""
    labels: Annotated[dict[str, Label], BeforeValidator(_keys_as_text), Field(min_length=1)]
    """Each label of the table, and what it means: benign, malignant or normal."""
    pixel_size: PixelSize | None = None
    """Column and unit of the size of a pixel, if known."""
    missing: list[Annotated[str, BeforeValidator(_as_text)]] = []
    """Texts that mean that a value is missing; an empty cell always does."""
    columns: Annotated[dict[str, Declaration], BeforeValidator(_keys_as_text)] = {}
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
    return read_cases(_read(folder, dataset), _layout(dataset), folder)


def load_dataset(folder: Path) -> Dataset:
    """Read and check dataset.yaml.

    Raises:
        DataError: listing every unknown key, missing key and wrong value.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = folder / DATASET
    if not path.is_file():
        raise DataError(str(path), "is missing", mend="write one; docs/own-data.md explains it")
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"is not valid YAML: {error}") from error
    try:
        dataset = Dataset.model_validate(content)
    except ValidationError as error:
        problems = describe_errors(error, Dataset)
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
    problems = [f"column {name!r} plays two parts" for name in sorted({n for n in named if named.count(n) > 1})]
    problems += [
        f"columns.{name}: plays a part above already; remove it here" for name in dataset.columns if name in named
    ]
    if layout.masks and not layout.image:
        problems.append("mask: needs image")
    try:
        safe_path(dataset.table, subfolders=False)
    except ValueError as error:
        problems.append(f"table: {error}")
    return problems


def _layout(dataset: Dataset) -> Layout:
    masks = [dataset.mask] if isinstance(dataset.mask, str) else dataset.mask or []
    return Layout(
        case_id=dataset.case_id,
        patient_id=dataset.patient_id,
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
    return read_table(folder / dataset.table, delimiter=dataset.delimiter)
