"""BrEaST-Lesions-USG: 256 breast-ultrasound images of 256 patients, with masks and a clinical table.

Format:
    ``BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx`` (first sheet, 21 columns, one row a case) and the folder
    ``BrEaST-Lesions_USG-images_and_masks`` with ``caseNNN.png``, ``caseNNN_tumor.png`` (main lesion) and
    ``caseNNN_otherK.png`` (further lesions, 7 cases), all RGBA. Pixel sizes are in centimetres. ``not available`` is a
    missing value. ``not applicable`` is kept as a value: it says that the question does not arise (no lesion to
    describe, no biopsy to report), which is known, not missing. Several values or file names in a cell are joined
    by ``&``.

Classes:
    154 benign, 98 malignant, 4 normal (without a mask).

Split:
    none is published.

Checksums:
    :data:`IMAGES_SHA256` and :data:`TABLE_SHA256`, of the files released on 15 December 2023.

Licence:
    CC BY 4.0.

Citation:
    A. Pawłowska, A. Ćwierz-Pieńkowska, A. Domalik, D. Jaguś, P. Kasprzak, R. Matkowski, Ł. Fura, A. Nowicki, N. Żołek:
    Curated benchmark dataset for ultrasound based breast lesion analysis. Scientific Data 11, 148 (2024),
    doi:10.1038/s41597-024-02984-z. Data: The Cancer Imaging Archive, doi:10.7937/9WKK-Q141.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from busline.base.artifacts import save_json
from busline.base.errors import DataError
from busline.base.settings.section import Provenance
from busline.cohort.formats.layout import Layout
from busline.cohort.formats.rows import file_names, read_cases
from busline.cohort.formats.table import read_table
from busline.cohort.schema import LABELS, Column, RawCohort
from busline.cohort.sources.order import Order
from busline.fetch.archive import extract_files
from busline.fetch.download import fetch, sha256_of
from busline.fetch.files import copy_files

ADDRESS = "https://www.cancerimagingarchive.net/wp-content/uploads/"
IMAGES = "BrEaST-Lesions_USG-images_and_masks"
IMAGES_ZIP = "BrEaST-Lesions_USG-images_and_masks-Dec-15-2023.zip"
IMAGES_SHA256 = "c32e49cdfa54042e065582d0cb35978b5fc5e5b5e461b33bf773fb50cfdad355"
TABLE = "BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx"
TABLE_SHEET = 0
"""Place of the table's sheet; the release has a second one that explains the columns."""
TABLE_SHA256 = "89a8874496a6f1f93960390b963f7369b90f7e72ee08a738f2d17e37f5eff8bf"

PATIENT_COLUMNS = ("Signs", "Symptoms")
"""What the patient reports, or what is seen and felt before the scan."""
RADIOLOGIST_COLUMNS = (
    "Tissue_composition",
    "Shape",
    "Margin",
    "Echogenicity",
    "Posterior_features",
    "Halo",
    "Calcifications",
    "Skin_thickening",
    "Interpretation",
    "BIRADS",
)
"""Read off the scan in the BI-RADS lexicon; of a radiologist rather than a sonographer, because the publication says
that "each scan was manually annotated and labeled by a radiologist experienced in breast ultrasound examination"."""
PATHOLOGY_COLUMNS = ("Verification", "Diagnosis")
"""Known only after biopsy or follow-up."""


def _categorical(names: Sequence[str], provenance: Provenance) -> list[Column]:
    return [Column(name=name, provenance=provenance, kind="categorical") for name in names]


LAYOUT = Layout(
    case_id="CaseID",
    image="Image_filename",
    masks=("Mask_tumor_filename",),
    other_masks=("Mask_other_filename",),
    joiner="&",
    label="Classification",
    labels={label: label for label in LABELS},
    pixel_size="Pixel_size",
    pixel_mm=10.0,
    missing=frozenset({"not available"}),
    columns=(
        Column(name="Age", provenance="patient", kind="numeric", minimum=0, maximum=120),
        *_categorical(PATIENT_COLUMNS, "patient"),
        *_categorical(RADIOLOGIST_COLUMNS, "radiologist"),
        *_categorical(PATHOLOGY_COLUMNS, "pathology"),
    ),
    picture_folder=IMAGES,
)

log = logging.getLogger(__name__)


def acquire_breast(folder: Path, order: Order) -> None:
    """Copy the table and the files it names into ``folder``, from a local copy or from the archive's site.

    Args:
        folder: existing empty folder to write into.
        order: its mirror's ``breast/`` holds the table and the images, zipped or unpacked; without one they are
            downloaded. The progress is called with bytes or files.

    Raises:
        DataError: if the local copy lacks a file or is broken.
        DownloadError: if the official files cannot be had or have another checksum.
    """
    local = order.mirror / "breast" if order.mirror else None
    if local and local.is_dir():
        table, images = _find(local)
    else:
        mend = f"or put {TABLE} and {IMAGES_ZIP} into $BUSLINE_MIRROR/breast/ and set BUSLINE_MIRROR"
        table, images = order.downloads / TABLE, order.downloads / IMAGES_ZIP
        for path, checksum in ((table, TABLE_SHA256), (images, IMAGES_SHA256)):
            fetch(
                ADDRESS + path.name,
                path,
                checksum,
                order.report_progress,
                mend=f"check the network and run again, {mend}",
            )
    names = file_names(read_table(table, sheet=TABLE_SHEET), LAYOUT)
    copy_files([table.name], table.parent, folder)
    (folder / IMAGES).mkdir()
    if images.is_dir():
        copy_files(names, images, folder / IMAGES, order.report_progress)
    else:
        extract_files(images, names, folder / IMAGES)
    save_json(_describe(folder / table.name, images, folder / IMAGES, names), folder / "source.json")


def read_breast(folder: Path) -> RawCohort:
    """Read the rows of a raw folder in the release's layout.

    Raises:
        DataError: if the table is missing, is no xlsx, or lacks a column.
    """
    return read_cases(read_table(_one_table(folder), sheet=TABLE_SHEET), LAYOUT, folder)


def _find(local: Path) -> tuple[Path, Path]:
    """Return the table and the images of a local copy, a folder or a zip file; the released names go first."""
    candidates = [local / IMAGES_ZIP, local / IMAGES, *sorted(local.glob("*.zip"))]
    found = [path for path in candidates if path.exists()]
    if not found:
        raise DataError(str(local), "has no images", expected=f"{IMAGES}/ or {IMAGES_ZIP}")
    return _one_table(local), found[0]


def _one_table(folder: Path) -> Path:
    tables = [folder / TABLE] if (folder / TABLE).is_file() else sorted(folder.glob("*.xlsx"))
    if len(tables) != 1:
        raise DataError(str(folder), "has several tables" if tables else "has no table", expected=TABLE)
    return tables[0]


def _describe(table: Path, images: Path, copied: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return which files these are, and warn where they are not the released ones."""
    content = hashlib.sha256()
    for name in names:
        content.update(f"{name} {sha256_of(copied / name)}\n".encode())
    result: dict[str, Any] = {
        "source": "breast",
        "table": _identify(table, TABLE_SHA256),
        "archive": None if images.is_dir() else _identify(images, IMAGES_SHA256),
        "images": {"files": len(names), "sha256": content.hexdigest()},
    }
    return result


def _identify(path: Path, official: str) -> dict[str, Any]:
    found = sha256_of(path)
    if found != official:
        log.warning("warning: %s is not the released file: SHA-256 %s, released %s", path.name, found, official)
    return {"file": path.name, "sha256": found, "released": found == official}
