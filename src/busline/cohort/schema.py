"""What a source hands to the pipeline: columns with declared provenance, and cases with their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf

from busline.base.settings.section import Provenance
from busline.cohort.shapes import Outline

Known = Literal["benign", "malignant", "normal"]
Label = Known | Literal["unlabelled"]
Kind = Literal["numeric", "categorical"]
FindingName = Literal["shape", "margin", "posterior_features", "halo", "echogenicity", "birads"]

MaskValue = Annotated[int, Field(ge=0, le=65535, strict=True)] | Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
"""A gray value or palette index of a mask, or a colour."""

LABELS: tuple[Known, ...] = ("benign", "malignant", "normal")
"""What a case of a cohort with labels can be."""

UNLABELLED: Label = "unlabelled"
"""What every case of a cohort without labels is."""

PIXEL_MM_RANGE = (0.001, 1.0)
"""Plausible millimetres per pixel; a value outside it is nearly always given in another unit."""

RESERVED = (
    "case_id",
    "patient_id",
    "source",
    "label",
    "pixel_mm",
    "width",
    "height",
    "offset",
    "has_mask",
)
"""The cohort's own columns, in their order in cases.parquet, before the source's columns."""


class Finding(BaseModel):
    """Which finding a column notes, and what its cells mean.

    Attributes:
        name: the finding, a key of :data:`busline.cohort.findings.LEVELS`.
        levels: by cell, the levels that it means, none where nothing is known; a cell that is not there is a level's
            own word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: FindingName
    levels: dict[str, tuple[str, ...]] = {}


class Column(BaseModel):
    """One column of a source's table.

    Attributes:
        name: header in the table.
        provenance: who or what the values come from; None if nobody declared it, which the pruning refuses.
        kind: how the values are read.
        minimum: smallest value a numeric column may have.
        maximum: largest value a numeric column may have.
        finding: which finding it notes, where dataset.yaml says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    provenance: Provenance | None
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    finding: Finding | None = None

    def describe(self) -> dict[str, Any]:
        """Return what columns.json holds of the column."""
        noted = {"finding": self.finding.model_dump(mode="json")} if self.finding else {}
        return {"name": self.name, "provenance": self.provenance, "kind": self.kind} | noted


class RawCase(BaseModel):
    """One row of a source's table: a lesion's image, or a normal one, with its files not yet read.

    Attributes:
        row: row number in the source's table, the header being 1, for messages.
        case_id: unique id.
        patient_id: id of the patient, or the case's own id where the source gives none.
        label: what the case is.
        pixel_mm: millimetres per pixel of the raw image, or None if unknown.
        image: the image file; None in a cohort without images.
        masks: files of the main lesion's masks; several are united.
        other_masks: masks of further lesions; checked, not stored.
        outline: shapes that an annotation tool wrote down, in place of masks.
        cells: the table's values by column: float or None for numeric columns, str or None for categorical ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    case_id: Annotated[str, Field(pattern=r"^[^\x00-\x1f/\\.][^\x00-\x1f/\\]{0,99}$")]
    patient_id: str
    label: Label
    pixel_mm: Annotated[float, Field(ge=PIXEL_MM_RANGE[0], le=PIXEL_MM_RANGE[1], allow_inf_nan=False)] | None
    image: Path | None
    masks: tuple[Path, ...] = ()
    other_masks: tuple[Path, ...] = ()
    outline: InstanceOf[Outline] | None = None
    cells: dict[str, str | float | None] = {}


class MaskForm(BaseModel):
    """What the masks of a source are, where they are not white areas on black of their image's size."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["area", "outline"] = "area"
    """Whether a mask marks the lesion's area, or the line round it, which is then filled."""
    values: Annotated[tuple[MaskValue, ...], Field(min_length=1)] | None = None
    """The gray values, palette indices or colours (``"#ff0000"``) that are the lesion; all others are not."""
    resize: bool = False
    """Whether a mask may have another size than its image, at the same aspect."""
    of_normal: Literal["refuse", "ignore"] = "refuse"
    """What happens to the mask of a normal case that marks something."""


Edge = Annotated[float, Field(ge=0.0, strict=True, allow_inf_nan=False)]
Crop = tuple[Edge, Edge, Edge, Edge]


def _whole_or_shares(crop: Crop) -> Crop:
    left, top, right, low = crop
    if left >= right or top >= low:
        raise ValueError("is empty; expected [left, upper, right, lower edge]")
    if max(crop) > 1 and any(edge != int(edge) for edge in crop):
        raise ValueError("mixes pixels and shares; expected whole numbers of pixels, or shares from 0 to 1")
    return crop


class ImageForm(BaseModel):
    """What the images of a source are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bits: Annotated[int, Field(ge=8, le=16, strict=True)] | None = None
    """How many bits of 16-bit pixels are in use; if not given, as many as the brightest of all images needs."""
    crop: Annotated[Crop, AfterValidator(_whole_or_shares)] | None = None
    """Left, upper, right and lower edge of the scan in every image, in pixels, or in shares of the sides (0 to 1)."""


class DicomForm(BaseModel):
    """Which picture of a DICOM file is a case's image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame: Literal["first", "middle"] | Annotated[int, Field(ge=1, strict=True)] | None = None
    """Frame of a file with several, numbers from 1; a file with one frame needs none."""
    region: Literal["largest", "whole"] | Annotated[int, Field(ge=1, strict=True)] = "largest"
    """Which 2-D region of tissue is cut out, numbers from 1 in the file's order, or that none is."""


WHITE_AREAS = MaskForm()
EIGHT_BITS = ImageForm()
LARGEST_REGION = DicomForm()
DEVICE = Column(name="dicom_device", provenance="acquisition", kind="categorical")
"""Manufacturer and model, where a case's image is DICOM."""


@dataclass(frozen=True)
class RawCohort:
    """All rows of a source.

    Attributes:
        columns: every column of the table in its order, undeclared ones included.
        cases: the rows that could be read.
        problems: a line for each thing that is wrong with a row, which begins with ``row`` and its number; the
            ingestion reports them with those of the images, in the order of the rows.
        masks_required: whether a lesion case must have a mask.
        notes: what was decided in reading, and what may be wrong; printed, and on the data card.
        left_out: number of rows left out, by their label.
        excluded: why single cases were left out, by their id.
        masks: what the masks are.
        images: what the images are.
        dicom: which picture of a DICOM file is the image.
    """

    columns: tuple[Column, ...]
    cases: tuple[RawCase, ...]
    problems: tuple[str, ...] = field(default=())
    masks_required: bool = True
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    masks: MaskForm = WHITE_AREAS
    images: ImageForm = EIGHT_BITS
    dicom: DicomForm = LARGEST_REGION
