"""Turn a source's raw files into the cohort, or say everything that is wrong with them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from busline.base.artifacts import atomic_folder
from busline.base.errors import DataError, list_problems
from busline.base.progress import ReportProgress, silent
from busline.base.settings.data import Ingest
from busline.cohort.card import describe_reading, make_card
from busline.cohort.copies import find_copies
from busline.cohort.duplicates.fingerprints import Fingerprints
from busline.cohort.duplicates.hashes import SIDE
from busline.cohort.duplicates.pairs import digest
from busline.cohort.formats.crops import unequal_sizes
from busline.cohort.formats.pixels import bits_in_use, without_warnings
from busline.cohort.pictures import Pictures, Reading, read_pictures
from busline.cohort.plausible import describe_doubts, equal_masks, shared_files
from busline.cohort.schema import DEVICE, Column, RawCase, RawCohort
from busline.cohort.store import keep_pixels, save_cohort, save_pixels
from busline.cohort.threads import map_in_order

log = logging.getLogger(__name__)


@dataclass
class _Findings:
    """What a pass over the images finds; it grows by some four kilobytes a case."""

    problems: list[str]
    raw: list[dict[str, Any]] = field(default_factory=list)
    with_image: list[str] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    thumbnails: list[np.ndarray] = field(default_factory=list)
    aspects: list[float] = field(default_factory=list)
    sizes: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    masks: list[bytes | None] = field(default_factory=list)
    notes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    brightest: list[int] = field(default_factory=list)
    devices: list[str | None] = field(default_factory=list)

    def fingerprints(self) -> Fingerprints:
        """Return what is compared of the images."""
        stack = np.stack(self.thumbnails) if self.thumbnails else np.empty((0, SIDE, SIDE), dtype=np.uint8)
        return Fingerprints(self.with_image, self.digests, stack, np.array(self.aspects, dtype=np.float64))

    def without(self, dropped: frozenset[str], stay: list[int]) -> _Findings:
        """Return what was found of the other cases, whose rows are ``stay``."""
        kept = [row for row, case in enumerate(self.with_image) if case not in dropped]
        per_image = ("with_image", "digests", "thumbnails", "aspects", "masks", "notes", "brightest")
        parts: dict[str, Any] = {name: [getattr(self, name)[row] for row in kept] for name in per_image}
        parts |= {name: [getattr(self, name)[row] for row in stay] for name in ("raw", "devices")}
        return replace(self, **parts)


def ingest(
    raw: RawCohort,
    source: str,
    target: Path,
    settings: Ingest,
    report_progress: ReportProgress = silent,
    *,
    workers: int = 1,
) -> None:
    """Check every case, pack images and masks, look for duplicates, and write the cohort.

    Args:
        raw: the source's rows.
        source: the source's name.
        target: folder of the cohort; it appears whole or not at all.
        settings: working size, limits, and what near-duplicates are.
        report_progress: called with the number of cases read.
        workers: cases read side by side; files and errors are the same whatever their number.

    Raises:
        DataError: listing every row, image and mask that is wrong, with its reason.
    """
    cases = sorted(raw.cases, key=lambda case: case.case_id)
    images = raw.images
    reading = Reading(settings, raw.masks_required, raw.masks, images.bits, raw.dicom, images.bits, images.crop)
    with atomic_folder(target) as part:
        found, places = _pack(part, cases, reading, report_progress, workers)
        bits = reading.bits or _common_bits(found)
        if bits != reading.bits and any(bits_in_use(highest) != bits for highest in found.brightest if highest):
            reading = replace(reading, bits=bits)
            found, places = _pack(part, cases, reading, report_progress, workers)
        found.problems[:0] = [*raw.problems, *shared_files(cases), *unequal_sizes(found.sizes, reading.crop)]
        if found.problems or not cases:
            mend = "correct the table or the files; nothing was written"
            problems = sorted(found.problems, key=_row_of) or ["has no cases"]
            raise list_problems(f"source {source!r}", problems, mend=mend)
        labels = {case.case_id: case.label for case in cases}
        copies = find_copies(part, found.fingerprints(), labels, places, settings, workers=workers)
        if copies.dropped:
            stay = [row for row, case in enumerate(cases) if case.case_id not in copies.dropped]
            cases, found = [cases[row] for row in stay], found.without(copies.dropped, stay)
            places = keep_pixels(part, places, stay)
        released = pd.DataFrame(found.raw)
        table = _table(cases, raw.columns, source, places, released)
        columns = _add_device(table, raw.columns, found.devices, source)
        doubts = _doubts(found, bits, declared=raw.images.bits is not None)
        for line in [*doubts["lines"], *copies.description["lines"]]:
            log.warning("warning: source %r: %s", source, line)
        card = make_card(table, columns, copies.description, released, doubts)
        save_cohort(part, table, columns, copies.pairs, card | describe_reading(raw))
    for note in raw.notes:
        log.warning("note: %s", note)


def _pack(
    part: Path, cases: list[RawCase], reading: Reading, report_progress: ReportProgress, workers: int
) -> tuple[_Findings, pd.DataFrame]:
    """Read every case's pictures once, write them, and return what was found and where each is stored."""
    found = _Findings([])
    results = map_in_order(partial(read_pictures, reading=reading), cases, workers)
    with without_warnings():
        return found, save_pixels(part, _frames(cases, results, found, report_progress))


def _common_bits(found: _Findings) -> int | None:
    """Return the bits that the brightest pixel of all 16-bit images needs, None without such images."""
    highest = max(found.brightest, default=0)
    return bits_in_use(highest) if highest else None


def _doubts(found: _Findings, bits: int | None, *, declared: bool) -> dict[str, Any]:
    deep = [highest for highest in found.brightest if highest]
    depth = {"images": len(deep), "bits": bits, "declared": declared, "brightest": max(deep)} if deep else None
    return describe_doubts(found.notes, equal_masks(found.with_image, found.digests, found.masks), depth)


def _row_of(problem: str) -> int:
    """Return the number of the row that a problem begins with, 0 for another."""
    found = re.match(r"row (\d+)", problem)
    return int(found[1]) if found else 0


def _frames(
    cases: list[RawCase], results: Iterable[Pictures | list[str]], found: _Findings, report_progress: ReportProgress
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the stored image and mask of each case that is in order, and note the problems of the others."""
    for done, (case, result) in enumerate(zip(cases, results, strict=True), start=1):
        report_progress("cases", done, len(cases))
        if isinstance(result, list):
            found.problems += result
            continue
        found.raw.append(
            {
                "width": result.width or np.nan,
                "height": result.height or np.nan,
                "pixel_mm": np.nan if result.pixel_mm is None else result.pixel_mm,
                "lesion_share": result.lesion_share,
                "other_masks": len(case.other_masks),
            }
        )
        found.devices.append(result.device)
        if result.digest is not None and result.thumbnail is not None:
            found.with_image.append(case.case_id)
            found.digests.append(result.digest)
            found.thumbnails.append(result.thumbnail)
            found.sizes.setdefault(result.released, []).append(case.case_id)
            found.aspects.append(result.image.shape[1] / result.image.shape[0])
            found.masks.append(digest(result.mask.view(np.uint8)) if result.mask.any() else None)
            found.notes.append((case.case_id, result.notes))
            found.brightest.append(result.brightest)
        yield result.image, result.mask


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


def _add_device(
    table: pd.DataFrame, columns: tuple[Column, ...], devices: list[str | None], source: str
) -> tuple[Column, ...]:
    """Add the devices to a table of cases if one has it, and return its columns."""
    if not any(devices):
        return columns
    if any(column.name == DEVICE.name for column in columns):
        raise DataError(f"source {source!r}", f"column {DEVICE.name!r} has a name the cohort needs", mend="rename it")
    table[DEVICE.name] = pd.Series(devices, index=table.index, dtype="str")
    return *columns, DEVICE
