"""Take named files out of a zip archive that nobody vouches for."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from busline.base.errors import DataError, list_problems
from busline.fetch.names import safe_path

MAX_BYTES = 4 << 30
"""Largest sum of the unpacked sizes; the BrEaST release has 0.2 GB."""
MAX_RATIO = 200.0
"""Largest ratio of unpacked to packed size of an entry over a megabyte; that of images is near 1, of bombs 1000."""
SMALL_BYTES = 1 << 20

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What zipfile raises for a damaged, encrypted or unknown entry."""


def check_archive(path: Path, *, max_bytes: int = MAX_BYTES) -> list[zipfile.ZipInfo]:
    """Return the entries of an archive in which nothing is dangerous.

    Raises:
        DataError: if the file is no zip archive, or listing the entries that are absolute, leave the folder, are links,
            or unpack to far more than an archive of images would.
    """
    if not path.is_file():
        raise DataError(str(path), "is missing")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (*BROKEN, OSError, ValueError) as error:
        raise DataError(str(path), f"is no whole zip archive ({error})", mend="get the file again") from error
    problems = [problem for entry in entries if (problem := _danger(entry))]
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes:
        problems.append(f"unpacks to {total:,} bytes; expected at most {max_bytes:,}")
    if problems:
        raise list_problems(str(path), problems, mend="do not use this archive; get the file from its official source")
    return entries


def extract_files(path: Path, names: Collection[str], target: Path) -> None:
    """Write the named files of an archive into a folder, whatever folder of the archive they are in.

    Args:
        path: the zip archive.
        names: plain file names; other entries are left alone.
        target: existing folder to write into.

    Raises:
        DataError: if the archive is broken or dangerous, or lacks a name or has it twice.
    """
    found: dict[str, list[zipfile.ZipInfo]] = {name: [] for name in names}
    for entry in check_archive(path):
        name = PurePosixPath(entry.filename).name
        if name in found and not entry.is_dir() and not entry.filename.startswith("__MACOSX/"):
            found[name].append(entry)
    problems = [
        f"{name}: is {'not there' if not entries else 'there more than once'}"
        for name, entries in sorted(found.items())
        if len(entries) != 1
    ]
    if problems:
        raise list_problems(str(path), problems, expected="every file that the table names, once")
    with zipfile.ZipFile(path) as archive:
        for name, (entry,) in found.items():
            try:
                with archive.open(entry) as source, (target / name).open("wb") as file:
                    shutil.copyfileobj(source, file)
            except BROKEN as error:
                raise DataError(
                    f"{path}: {entry.filename}", f"is damaged ({error})", mend="get the file again"
                ) from error


def _danger(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is refused, or an empty string."""
    try:
        safe_path(entry.filename.removesuffix("/"), subfolders=True)
    except ValueError as error:
        return str(error)
    if "\\" in entry.orig_filename or "\x00" in entry.orig_filename:
        return f"file name {entry.orig_filename!r} has a backslash or a control character"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return f"{entry.filename!r} is a symbolic link"
    if entry.file_size > SMALL_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"{entry.filename!r} unpacks from {entry.compress_size:,} to {entry.file_size:,} bytes"
    return ""
