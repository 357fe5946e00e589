"""A user's own data: a folder with a table, images, masks, and a dataset.yaml that says which column is what.

Format:
    ``dataset.yaml`` (YAML 1.2, :class:`Dataset`), the CSV or xlsx table it names, and PNG, JPEG, BMP, DICOM or NIfTI
    files named in the table relative to the folder, or files of an annotation tool in place of masks.
    docs/own-data.md explains it step by step with examples/folder.

Classes:
    benign, malignant and normal, from the labels the file translates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from busline.base.progress import ReportProgress, silent
from busline.cohort.formats.annotations.files import outline_file_names
from busline.cohort.formats.annotations.join import add_outlines
from busline.cohort.formats.derive import derive, tabulate_folder
from busline.cohort.formats.filenames import parse_pattern
from busline.cohort.formats.listing import list_pictures, load_listing, save_listing
from busline.cohort.formats.rows import file_names, read_cases
from busline.cohort.formats.shelf import shelf_on_disk
from busline.cohort.formats.table import Table, read_table
from busline.cohort.schema import WHITE_AREAS, RawCohort
from busline.cohort.sources.dataset import DATASET, Dataset, layout_of, load_dataset, parts_of
from busline.cohort.sources.finding_keys import map_findings
from busline.cohort.sources.order import Order
from busline.fetch.files import copy_files


def acquire_folder(folder: Path, order: Order) -> None:
    """Take what :func:`copy_own` left in ``order.own``; see there."""
    _copy(order.own, folder, load_listing, order.report_progress)


def copy_own(own: Path, folder: Path, report_progress: ReportProgress = silent) -> None:
    """Copy dataset.yaml, the table and the files the table names into ``folder``; nothing else is copied.

    Where there is no table, a list of the names of all pictures goes with the files.

    Args:
        own: the user's folder.
        folder: existing empty folder to write into.
        report_progress: called with the number of files copied.

    Raises:
        DataError: if dataset.yaml or the table is wrong, or a file is missing.
    """
    _copy(own, folder, list_pictures, report_progress)


def _copy(own: Path, folder: Path, find: Callable[[Path], list[str]], report_progress: ReportProgress) -> None:
    dataset = load_dataset(own)
    pictures = find(own) if dataset.files else []
    table, layout = _tabulate(own, dataset, pictures), layout_of(dataset)
    names = file_names(table, layout)
    if dataset.outlines:
        names += outline_file_names(dataset.outlines, read_cases(table, layout, own).cases, own)
    copy_files([DATASET, *([dataset.table] if dataset.table else []), *names], own, folder, report_progress)
    if dataset.files:
        save_listing(pictures, folder)


def read_folder(folder: Path) -> RawCohort:
    """Read the rows of a raw folder that :func:`acquire_folder` made.

    Raises:
        DataError: if dataset.yaml or the table is wrong.
    """
    dataset = load_dataset(folder)
    cohort = map_findings(read_cases(_read(folder, dataset), layout_of(dataset), folder), dataset.findings)
    cohort = replace(cohort, masks=dataset.masks or WHITE_AREAS, images=dataset.images, dicom=dataset.dicom)
    return add_outlines(cohort, dataset.outlines, folder) if dataset.outlines else cohort


def _read(folder: Path, dataset: Dataset) -> Table:
    return _tabulate(folder, dataset, load_listing(folder) if dataset.files else [])


def _tabulate(folder: Path, dataset: Dataset, pictures: Sequence[str]) -> Table:
    """Return the rows of a folder with the parts that its columns do not play by themselves.

    Args:
        folder: the user's, or a copy.
        dataset: its dataset.yaml.
        pictures: the pictures of the user's folder, where no table says what they are.
    """
    layout = layout_of(dataset)
    parts = list({part.column: made for part in parts_of(dataset) if (made := part.derived())}.values())
    if dataset.table is not None:
        table = read_table(
            folder / dataset.table, delimiter=dataset.delimiter, sheet=dataset.sheet, header=dataset.header
        )
        return derive(table, parts, layout, shelf_on_disk(folder))
    return tabulate_folder(pictures, [parse_pattern(text) for text in dataset.files], parts, layout)
