"""Sections `data`, `ingest` and `prune`: where the cases come from and which columns a model may see."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from busline.base.settings.section import Name, Provenance, Section, Side


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


class Folder(Section):
    """A user's own data."""

    path: str
    """Folder with dataset.yaml, the images, the masks and the table."""


class Data(Section):
    """Where the cases come from."""

    source: Name
    """Name of a source: a row of busline.cohort.sources.SOURCES."""
    phantom: Phantom
    folder: Folder


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


class Prune(Section):
    """Which columns a model may see."""

    allowed_provenance: Annotated[list[Provenance], Field(min_length=1)]
    """Kinds of origin a feature may have."""
    max_missing: Annotated[float, Field(ge=0.0, le=1.0)]
    """Columns with a larger share of missing values are dropped."""
