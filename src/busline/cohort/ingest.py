"""Turn a source's raw files into the cohort, or say everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from busline.base.artifacts import atomic_folder
from busline.base.errors import list_problems
from busline.base.sections import Ingest
from busline.cohort import duplicates, imaging
from busline.cohort.card import make_card
from busline.cohort.progress import Report, silent
from busline.cohort.schema import Column, RawCase, RawCohort
from busline.cohort.store import save_cohort, save_pixels


@dataclass
class _Findings:
    """What the one pass over the images finds; it grows by some four kilobytes a case."""

    problems: list[str]
    raw: list[dict[str, Any]] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    thumbnails: list[np.ndarray] = field(default_factory=list)


def ingest(raw: RawCohort, source: str, target: Path, settings: Ingest, report: Report = silent) -> None:
    """Check every case, pack images and masks, look for duplicates, and write the cohort.

    Args:
        raw: the source's rows.
        source: the source's name.
        target: folder of the cohort; it appears whole or not at all.
        settings: working size, limits, and what near-duplicates are.
        report: called with the number of cases read.

    Raises:
        DataError: listing every row, image and mask that is wrong, with its reason.
    """
    cases = sorted(raw.cases, key=lambda case: case.case_id)
    found = _Findings(list(raw.problems))
    with atomic_folder(target) as part:
        places = save_pixels(part, _frames(cases, raw.masks_required, settings, found, report))
        if found.problems or not cases:
            mend = "correct the table or the files; nothing was written"
            raise list_problems(f"source {source!r}", found.problems or ["has no cases"], mend=mend)
        released = pd.DataFrame(found.raw)
        table = _table(cases, raw.columns, source, places, released)
        case_ids = [case.case_id for case in cases]
        limits = settings.duplicate_bits, settings.duplicate_correlation
        pairs = duplicates.find_duplicates(case_ids, found.digests, found.thumbnails, *limits)
        save_cohort(part, table, raw.columns, pairs, make_card(table, raw.columns, pairs, released))


def _frames(
    cases: list[RawCase], masks_required: bool, settings: Ingest, found: _Findings, report: Report
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the stored image and mask of each case that is in order, and note the problems of the others."""
    for done, case in enumerate(cases, start=1):
        read = _read_pictures(case, masks_required, settings.max_pixels, found.problems)
        report("cases", done, len(cases))
        if read is None:
            continue
        image, mask = read
        height, width = image.shape
        size = imaging.fit_size(width, height, settings.max_side)
        small = imaging.resize_image(image, *size)
        found.raw.append(
            {
                "width": width,
                "height": height,
                "pixel_mm": np.nan if case.pixel_mm is None else case.pixel_mm,
                "lesion_share": mask.mean() if mask.any() else np.nan,
                "other_masks": len(case.other_masks),
            }
        )
        found.digests.append(duplicates.digest(small))
        found.thumbnails.append(duplicates.thumbnail(small))
        yield small, imaging.resize_mask(mask, *size)


def _read_pictures(
    case: RawCase, masks_required: bool, max_pixels: int, problems: list[str]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a case's image and the union of its main masks, or note what is wrong with them."""
    place = f"row {case.row} (case {case.case_id})"
    try:
        image = imaging.read_gray(case.image, max_pixels)
    except ValueError as error:
        problems.append(f"{place}: image {case.image.name} {error}")
        return None
    before = len(problems)
    union = np.zeros(image.shape, dtype=bool)
    for path in (*case.masks, *case.other_masks):
        mask = _read_mask(path, image.shape, max_pixels, place, problems)
        if mask is not None and path in case.masks:
            union |= mask
    if len(problems) == before:
        problems += [f"{place}: {line}" for line in _contradictions(case, masks_required, union)]
    return (image, union) if len(problems) == before else None


def _read_mask(
    path: Path, shape: tuple[int, ...], max_pixels: int, place: str, problems: list[str]
) -> np.ndarray | None:
    try:
        mask = imaging.read_mask(path, max_pixels)
    except ValueError as error:
        problems.append(f"{place}: mask {path.name} {error}")
        return None
    if mask.shape != shape:
        sizes = f"{mask.shape[1]} × {mask.shape[0]} pixels, its image {shape[1]} × {shape[0]}"
        problems.append(f"{place}: mask {path.name} has {sizes}; expected the same size")
        return None
    return mask


def _contradictions(case: RawCase, masks_required: bool, union: np.ndarray) -> list[str]:
    """Return what a case's label and its masks have against each other."""
    if case.label == "normal":
        return [f"is normal, but mask {case.masks[0].name} marks a lesion"] if union.any() else []
    if case.masks and not union.any():
        return [f"mask {case.masks[0].name} is all black; expected the {case.label} lesion in white"]
    if masks_required and not case.masks:
        return [f"names no mask; expected one, because the case is {case.label}"]
    return []


def _table(
    cases: list[RawCase], columns: tuple[Column, ...], source: str, places: pd.DataFrame, released: pd.DataFrame
) -> pd.DataFrame:
    """Return the table of cases; the pixel size is that of the stored image (its area in mm² is the released one's)."""
    scale = np.sqrt((released["width"] * released["height"]) / (places["width"] * places["height"]))
    table = pd.DataFrame(
        {
            "case_id": pd.Series([case.case_id for case in cases], dtype="str"),
            "patient_id": pd.Series([case.patient_id for case in cases], dtype="str"),
            "source": pd.Series([source] * len(cases), dtype="str"),
            "label": pd.Series([case.label for case in cases], dtype="str"),
            "pixel_mm": released["pixel_mm"].astype("float64") * scale,
        }
    ).join(places)
    own = {
        column.name: pd.Series(
            [case.cells[column.name] for case in cases], dtype="float64" if column.kind == "numeric" else "str"
        )
        for column in columns
        if column.name in cases[0].cells
    }
    return pd.concat([table, pd.DataFrame(own, index=table.index)], axis=1)
