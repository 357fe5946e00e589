"""Sections `data`, `ingest` and `prune`: which cohorts there are, and which columns a model may see."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from busline.base.settings.section import Name, Provenance, Section, Side, WholePath

Conflicts = Literal["refuse", "drop", "keep"]


class Phantom(Section):
    """The synthetic cohort."""

    cases: Annotated[int, Field(ge=12, le=1_000_000)]
    """Number of lesion cases; about 39 in 100 are malignant, as in BrEaST."""
    normal: Annotated[int, Field(ge=0, le=1_000_000)]
    """Number of further cases without a lesion."""
    width: Annotated[int, Field(ge=64, le=1024)]
    """Mean image width in pixels (each image differs a little)."""
    height: Annotated[int, Field(ge=64, le=1024)]
    """Mean image height in pixels."""


class Cohort(Section):
    """Where the cases of one cohort come from."""

    source: Name
    """Name of a source: a row of busline.cohort.sources.table.SOURCES."""
    phantom: Phantom | None = None
    """What the source ``phantom`` makes; null for any other."""

    @model_validator(mode="after")
    def _phantom_fits(self) -> Cohort:
        if (self.source == "phantom") != (self.phantom is not None):
            raise ValueError("must have `phantom` settings if its source is phantom, and only then")
        return self


class Data(Section):
    """The cohorts that lie side by side, and the one that a study is about."""

    main: Name
    """The cohort that is split, trained on, scored and reported."""
    active: Annotated[list[Name], Field(min_length=1)]
    """The cohorts that are acquired, ingested, and compared for (near-)duplicates; the main one among them."""
    cohorts: Annotated[dict[Name, Cohort], Field(min_length=1)]
    folders: dict[Name, WholePath]
    """Path of a user's folder (dataset.yaml, table, images, masks) by the cohort whose source ``folder`` reads it."""

    @property
    def main_source(self) -> str:
        """Name of the main cohort's source."""
        return self.cohorts[self.main].source


class DataSettings(Section):
    """What a stage reads that needs to know which cohort is the main one."""

    data: Data


class Ingest(Section):
    """How raw files become the cohort."""

    max_side: Side
    """Longest side of a stored image in pixels; larger ones are reduced."""
    max_pixels: PositiveInt
    """An image with more pixels than this is refused (decompression bombs)."""
    duplicate_bits: Annotated[int, Field(ge=0, le=16)]
    """Images whose 64-bit perceptual hashes differ in at most this many bits, cropped or mirrored, are compared."""
    duplicate_correlation: Annotated[float, Field(gt=0.0, le=1.0)]
    """Compared images that correlate at least so much, once aligned, are near-duplicates."""
    duplicate_group: Annotated[float, Field(gt=0.0, le=1.0)]
    """A group of near-duplicates with a larger share of the cases is doubted: named on the data card, never dropped."""
    conflicts: Conflicts
    """What is done with a group of near-duplicates that has different labels: refuse it, drop its cases, keep them."""
    mask_hollow: Annotated[float, Field(gt=1.0)]
    """A mask whose filled area is so many times its own, or more, is an outline and refused."""
    mask_extent: Annotated[float, Field(ge=0.0, lt=1.0)]
    """A mask that covers less of the box round it is an open outline and refused."""
    mask_holes: Annotated[float, Field(ge=0.0)]
    """A case whose lesion encloses holes of more than this share of its own area is named on the data card."""
    mask_border: Annotated[float, Field(gt=0.0, le=1.0)]
    """A mask of more than half of an image that covers more of its border pixels than this is inverted and refused."""
    lesion_share_min: Annotated[float, Field(ge=0.0, lt=1.0)]
    """A case whose lesion has a smaller share of its image is named on the data card."""
    lesion_share_max: Annotated[float, Field(gt=0.0, le=1.0)]
    """A case whose lesion has a larger share of its image is named on the data card."""
    image_contrast: Annotated[int, Field(ge=0, le=255)]
    """An image whose gray levels, the outer 1 % at both ends left out, span fewer is named on the data card."""


class Prune(Section):
    """Which columns a model may see."""

    allowed_provenance: Annotated[list[Provenance], Field(min_length=1)]
    """Kinds of origin a feature may have."""
    max_missing: Annotated[float, Field(ge=0.0, le=1.0)]
    """Columns with a larger share of missing values are dropped."""
    max_auc_alone: Annotated[float, Field(gt=0.5, le=1.0)]
    """A column that would be kept, of any provenance but pathology, stops the stage if its ROC AUC alone is higher: it
    is hardly known before the diagnosis. 1 lets everything pass."""
