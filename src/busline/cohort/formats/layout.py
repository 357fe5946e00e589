"""Which column of a table plays which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from busline.cohort.schema import Column

Meaning = Literal["benign", "malignant", "normal", "leave out"]
"""What a label of a table may mean."""
LEAVE_OUT: Meaning = "leave out"


@dataclass(frozen=True)
class Layout:
    """Which column of a table plays which part.

    Attributes:
        case_id: column of the unique id.
        image: column of the image's file name, None in a table without images.
        label: column of the label; None in a cohort without labels.
        labels: the table's labels and what they mean; rows of a label that means "leave out" are not read.
        patient_id: column of the patient's id; None where each image is of another patient.
        exact_patients: whether ids that differ in spelling alone are of different patients.
        masks: columns of the main lesion's masks.
        other_masks: columns of masks of further lesions.
        joiner: text between several file names in one cell, if a cell can hold several.
        pixel_size: column of the pixel size, if there is one.
        pixel_mm: millimetres in the pixel size's unit.
        missing: texts that mean that a value is missing, besides the empty one.
        columns: provenance and kind of all other columns.
        picture_folder: folder of the files the table names, relative to the raw folder; empty for the raw folder.
        subfolders: whether the table may name files in subfolders.
        sources: columns that a part other than the label is made of (:mod:`busline.cohort.formats.derive`).
        label_sources: columns that the label is made of.
        exclude: ids of cases that are left out, and why.
    """

    case_id: str
    image: str | None
    label: str | None
    labels: Mapping[str, Meaning]
    patient_id: str | None = None
    exact_patients: bool = False
    masks: tuple[str, ...] = ()
    other_masks: tuple[str, ...] = ()
    joiner: str | None = None
    pixel_size: str | None = None
    pixel_mm: float = 1.0
    missing: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    picture_folder: str = ""
    subfolders: bool = False
    sources: tuple[str, ...] = ()
    label_sources: tuple[str, ...] = ()
    exclude: Mapping[str, str] = field(default_factory=dict)

    def stored_as(self) -> dict[str, str]:
        """Return the columns that the cohort holds under a name of its own."""
        parts = {self.case_id: "case_id"}
        if self.label:
            parts[self.label] = "label"
        if self.patient_id:
            parts[self.patient_id] = "patient_id"
        if self.pixel_size:
            parts[self.pixel_size] = "pixel_mm"
        return parts

    def file_columns(self) -> tuple[str, ...]:
        """Return the columns that name files."""
        return tuple(name for name in (self.image, *self.masks, *self.other_masks) if name)

    def parts(self) -> tuple[str, ...]:
        """Return the columns that name cases, patients, labels and files."""
        return tuple(name for name in (self.case_id, self.patient_id, self.label, *self.file_columns()) if name)

    def all_columns(self) -> dict[str, Column]:
        """Return the provenance and kind of every column the layout knows, those that play a part included."""
        names = [*self.sources, self.case_id, self.patient_id, *self.file_columns()]
        known = {name: Column(name=name, provenance="identifier", kind="categorical") for name in names if name}
        for name in (*self.label_sources, *([self.label] if self.label else [])):
            known[name] = Column(name=name, provenance="label", kind="categorical")
        if self.pixel_size:
            known[self.pixel_size] = Column(name=self.pixel_size, provenance="acquisition", kind="numeric", minimum=0.0)
        return known | {column.name: column for column in self.columns}
