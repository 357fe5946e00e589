"""The sources of cases: a new one is a file with an ``acquire`` and a ``read``, and a row in :data:`SOURCES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from busline.base.artifacts import atomic_folder
from busline.base.errors import ParameterError, near_matches
from busline.base.progress import Report, silent
from busline.base.settings.data import Data
from busline.cohort.phantom.cohort import make_phantom_cohort
from busline.cohort.schema import RawCohort
from busline.cohort.sources.breast import acquire_breast, read_breast
from busline.cohort.sources.folder import acquire_folder, read_folder


@dataclass(frozen=True)
class Order:
    """What a source may use to get its raw files.

    Attributes:
        data: the parameters of the sources.
        seed: root of every random draw.
        mirror: folder with local copies, or None.
        downloads: folder that keeps finished and unfinished downloads.
        report: called with the progress.
    """

    data: Data
    seed: int
    mirror: Path | None
    downloads: Path
    report: Report = silent


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


def _make_phantoms(folder: Path, order: Order) -> None:
    phantom = order.data.phantom
    total = phantom.cases + phantom.normal
    make_phantom_cohort(
        folder,
        cases=phantom.cases,
        normal=phantom.normal,
        width=phantom.width,
        height=phantom.height,
        seed=order.seed,
        progress=lambda done: order.report("phantoms", done, total),
    )


SOURCES: dict[str, Source] = {
    "phantom": Source(
        "synthetic scans in the layout of BrEaST; nothing is downloaded",
        _make_phantoms,
        read_breast,
    ),
    "breast": Source(
        "BrEaST-Lesions-USG, 256 cases, from a local copy or The Cancer Imaging Archive",
        lambda folder, order: acquire_breast(folder, order.mirror, order.downloads, order.report),
        read_breast,
    ),
    "folder": Source(
        "your own images, masks and table, described by a dataset.yaml",
        lambda folder, order: acquire_folder(folder, Path(order.data.folder.path), order.report),
        read_folder,
    ),
}


def find_source(name: str) -> Source:
    """Return a source by its name.

    Raises:
        ParameterError: if there is none, with near matches.
    """
    if name not in SOURCES:
        raise ParameterError("data.source", f"unknown source {name!r}", mend=near_matches(name, SOURCES))
    return SOURCES[name]


def acquire(order: Order, raw: Path) -> None:
    """Get the files of the source that ``order.data.source`` names into ``raw``; they appear whole or not at all.

    Raises:
        ParameterError: if there is no such source.
        DataError: if the source's files are missing or broken.
        DownloadError: if they cannot be downloaded.
    """
    source = find_source(order.data.source)
    with atomic_folder(raw) as part:
        source.acquire(part, order)
