"""The sources of cases: a new one is a file with an ``acquire`` and a ``read``, and a row in :data:`SOURCES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from busline.base.artifacts import atomic_folder
from busline.base.errors import ParameterError, near_matches
from busline.cohort.schema import RawCohort
from busline.cohort.sources.breast import acquire_breast, read_breast
from busline.cohort.sources.folder import acquire_folder, read_folder
from busline.cohort.sources.order import Order
from busline.cohort.sources.phantom import acquire_phantom


@dataclass(frozen=True)
class Source:
    """Where cases come from.

    Attributes:
        summary: what it is, in one line.
        acquire: writes the raw files into an existing empty folder.
        read: reads the rows of such a folder; labels may be any of benign, malignant and normal, a case may have any
            number of masks, and there may be no clinical column at all.
    """

    summary: str
    acquire: Callable[[Path, Order], None]
    read: Callable[[Path], RawCohort]


SOURCES: dict[str, Source] = {
    "phantom": Source(
        "synthetic scans in the layout of BrEaST; nothing is downloaded",
        acquire_phantom,
        read_breast,
    ),
    "breast": Source(
        "BrEaST-Lesions-USG, 256 cases, from a local copy or The Cancer Imaging Archive",
        acquire_breast,
        read_breast,
    ),
    "folder": Source(
        "your own images, masks and table, described by a dataset.yaml",
        acquire_folder,
        read_folder,
    ),
}


def find_source(name: str) -> Source:
    """Return a source by its name.

    Raises:
        ParameterError: if there is none, with near matches.
    """
    if name not in SOURCES:
        raise ParameterError("data.cohorts", f"unknown source {name!r}", mend=near_matches(name, SOURCES))
    return SOURCES[name]


def acquire(order: Order, raw: Path) -> None:
    """Get the files of the source that ``order.cohort.source`` names into ``raw``; they appear whole or not at all.

    Raises:
        ParameterError: if there is no such source.
        DataError: if the source's files are missing or broken.
        DownloadError: if they cannot be downloaded.
    """
    source = find_source(order.cohort.source)
    with atomic_folder(raw) as part:
        source.acquire(part, order)
