"""dataset.yaml: what a user says of a folder (YAML 1.2; docs/own-data.md explains every key)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from busline.base.errors import DataError, cut, list_problems, shown
from busline.base.validation import describe_errors
from busline.base.yaml import read_mapping
from busline.cohort.formats.annotations.files import OutlineFiles
from busline.cohort.formats.filenames import FILE, parse_pattern
from busline.cohort.formats.layout import Layout, Meaning
from busline.cohort.formats.templates import STAR, split_at_star
from busline.cohort.schema import EIGHT_BITS, LARGEST_REGION, Column, DicomForm, ImageForm, MaskForm
from busline.cohort.sources.finding_keys import FindingKeys, contradictions
from busline.cohort.sources.keys import (
    EACH_IMAGE,
    NO_LABELS,
    STRICT,
    ALabel,
    APart,
    APartOrNone,
    APatient,
    AsList,
    Cell,
    CellKeys,
    Declaration,
    FileNames,
    LabelKeys,
    Name,
    Part,
    PixelSize,
    Text,
)
from busline.fetch.names import safe_path

DATASET = "dataset.yaml"
MILLIMETRES = {"mm": 1.0, "cm": 10.0, "um": 0.001}
AGE_RANGE = (0.0, 120.0)
"""Bounds of a numeric column called Age that declares none, in years."""


_MISSING = {
    "patient_id: is missing": f"name the column of the patient, or say `patient_id: {EACH_IMAGE}` if every image is of "
    "another patient; images of one patient must not stand on two sides of a split"
}
"""What to do about a key whose absence alone says too little."""


class Dataset(BaseModel):
    """The content of dataset.yaml."""

    model_config = STRICT

    table: Text | None = None
    """File name of the table, .csv or .xlsx, beside dataset.yaml."""
    files: Annotated[list[FileNames], AsList] = []
    """Instead of a table: patterns of the images' names, whose placeholders are columns."""
    header: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns' names in a table whose first row is data."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r"[^\"\r\n\x00]")] | None = None
    """Character between the cells of a CSV table; left out, it is found."""
    sheet: Text | None = None
    """Sheet of an xlsx table; needed where several are filled."""
    case_id: APart
    """The unique id of a case (one image)."""
    patient_id: APatient
    """The patient's id, or :data:`EACH_IMAGE`; cases of one patient never stand on two sides of a split."""
    image: APartOrNone = None
    """The image's file name; left out by a table without images, and where ``files`` says what the images are."""
    mask: Annotated[list[APart], AsList] = []
    """File names of the masks; needed for segmentation, empty for normal cases."""
    outlines: OutlineFiles | None = None
    """Files of an annotation tool, in place of ``mask``."""
    joiner: Text | None = None
    """Text between several file names in one cell, if a cell can hold several masks."""
    label: ALabel
    """The label, or :data:`NO_LABELS`: such a cohort can be segmented."""
    labels: Annotated[dict[str, Meaning], LabelKeys] = {}
    """Each label of the table, and what it means: benign, malignant, normal, or that its rows are left out."""
    pixel_size: PixelSize | None = None
    """Column and unit of the size of a pixel, if known."""
    exclude: Annotated[dict[str, Text], CellKeys] = {}
    """Ids of cases that are left out, and why."""
    missing: list[Cell] = []
    """Texts that mean that a value is missing; an empty cell always does."""
    masks: MaskForm | None = None
    """What the masks are, where they are not white areas on black of their image's size."""
    images: ImageForm = EIGHT_BITS
    """How many bits of 16-bit images are in use, and where the scan is in a screenshot."""
    dicom: DicomForm = LARGEST_REGION
    """Which frame and which region of a DICOM file is the image."""
    columns: Annotated[dict[str, Declaration], CellKeys] = {}
    """Provenance and kind of every other column."""
    folds: Annotated[list[Name], AsList] = []
    """Columns of a release's own folds, or of sites; `split.folds_from` chooses one. They are identifiers."""
    findings: FindingKeys = {}
    """Columns that note a radiologist's findings, and what their values mean."""


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


def parts_of(dataset: Dataset) -> list[Part]:
    """Return the parts that columns play, or something made of them."""
    parts = [dataset.case_id, dataset.patient_id, dataset.label, dataset.image, *dataset.mask]
    return [part for part in parts if part is not None]


def _contradictions(dataset: Dataset) -> list[str]:
    """Return where the keys of dataset.yaml do not go together, or it names an unsafe table."""
    problems = [*_contradictions_of_sources(dataset), *_contradictions_of_columns(dataset)]
    if dataset.sheet and not (dataset.table or "").lower().endswith(".xlsx"):
        problems.append("sheet: is for an .xlsx table; a CSV has one sheet")
    if dataset.label and not dataset.labels:
        problems.append("labels: is missing; say what each label means")
    if dataset.labels and not dataset.label:
        problems.append(f"labels: does not go with `label: {NO_LABELS}`; to take a column of that name, {{from: none}}")
    if dataset.mask and not (dataset.image or dataset.files):
        problems.append("mask: needs image")
    if dataset.masks and not (dataset.mask or dataset.outlines):
        problems.append("masks: needs mask, the column of their file names")
    if dataset.outlines:
        problems += _contradictions_of_outlines(dataset)
    problems += contradictions(dataset.findings, dataset.columns)
    return problems + _contradictions_of_stars(dataset)


def _contradictions_of_outlines(dataset: Dataset) -> list[str]:
    """Return what stands against outlines in dataset.yaml."""
    found = {
        "outlines: stands in place of mask; remove one of the two": bool(dataset.mask),
        "outlines: needs image": not (dataset.image or dataset.files),
        "masks.values: is for masks; say outlines.classes": bool(dataset.masks and dataset.masks.values),
    }
    return [line for line, holds in found.items() if holds]


def _contradictions_of_stars(dataset: Dataset) -> list[str]:
    """Return where a star stands that cannot be one for the files of a case's masks."""
    problems = []
    for part in dataset.mask:
        try:
            if not part.is_column:
                split_at_star(part.names)
        except ValueError as error:
            problems.append(f"mask: {shown(part.source)} {error}")
    if dataset.image and not dataset.image.is_column and STAR in dataset.image.names.literal:
        problems.append(
            f"image: {shown(dataset.image.source)} has {STAR}; a case has one image, so only mask may have it"
        )
    return problems


def _contradictions_of_sources(dataset: Dataset) -> list[str]:
    """Return what is wrong with where the rows come from."""
    problems = []
    if dataset.table is None and not dataset.files:
        problems.append("table: is missing; name the table, or say what the files' names mean: `files`")
    if dataset.files:
        others = ("table", "header", "delimiter", "sheet", "image")
        problems += [f"{key}: does not go with files" for key in others if getattr(dataset, key) is not None]
        names = [parse_pattern(text).columns for text in dataset.files]
        if len({frozenset(columns) for columns in names}) > 1:
            problems.append("files: has patterns with different placeholders; expected the same in each")
    if dataset.table is not None:
        try:
            safe_path(dataset.table, subfolders=False)
        except ValueError as error:
            problems.append(f"table: {error}")
    return problems


def _contradictions_of_columns(dataset: Dataset) -> list[str]:
    """Return where a column plays two parts, or one that is not its own."""
    layout = layout_of(dataset)
    parts = [layout.case_id, layout.patient_id, layout.label, layout.pixel_size]
    parts += [*layout.file_columns(), *dataset.folds]
    named = [part for part in parts if part]
    doubled = sorted({name for name in named if named.count(name) > 1})
    problems = [
        f"column {shown(name)} plays two parts; one of them may be a template, for example {shown(f'{{{name}}}')}"
        for name in doubled
    ]
    if dataset.patient_id and dataset.case_id.alone and dataset.patient_id.alone == dataset.case_id.alone:
        problems.append(f"patient_id: is the case's id; say `patient_id: {EACH_IMAGE}` if every image is of another")
    for name, declared in dataset.columns.items():
        if name in named:
            problems.append(f"columns.{cut(name)}: plays a part above already; remove it here")
        elif name in layout.label_sources and declared.provenance != "label":
            problems.append(
                f"columns.{cut(name)}.provenance: the label is made of it; expected label, or remove it here"
            )
    return problems


def layout_of(dataset: Dataset) -> Layout:
    """Return which column plays which part."""
    patient = dataset.patient_id
    image = dataset.image.column if dataset.image else FILE if dataset.files else None
    return Layout(
        case_id=dataset.case_id.column,
        patient_id=patient.column if patient else None,
        exact_patients=bool(patient and patient.exact),
        image=image,
        masks=tuple(part.column for part in dataset.mask),
        joiner=dataset.joiner,
        label=dataset.label.column if dataset.label else None,
        labels=dataset.labels,
        pixel_size=dataset.pixel_size.column if dataset.pixel_size else None,
        pixel_mm=MILLIMETRES[dataset.pixel_size.unit] if dataset.pixel_size else 1.0,
        missing=frozenset(dataset.missing),
        columns=(
            *(_column(name, declared) for name, declared in dataset.columns.items()),
            *(Column(name=name, provenance="identifier", kind="categorical") for name in dataset.folds),
        ),
        subfolders=True,
        sources=tuple(column for part in parts_of(dataset) if part is not dataset.label for column in part.columns),
        label_sources=dataset.label.columns if dataset.label else (),
        exclude=dataset.exclude,
    )


def _column(name: str, declared: Declaration) -> Column:
    minimum, maximum = declared.minimum, declared.maximum
    if name.casefold() == "age" and declared.kind == "numeric" and minimum is None and maximum is None:
        minimum, maximum = AGE_RANGE
    return Column(name=name, provenance=declared.provenance, kind=declared.kind, minimum=minimum, maximum=maximum)
