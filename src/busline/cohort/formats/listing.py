"""The pictures that lie in a folder, and the list of them that goes with its copy."""

from __future__ import annotations

import os
from pathlib import Path

from busline.base.artifacts import load_json, save_json
from busline.base.errors import DataError, list_problems, plain
from busline.cohort.formats.foreign import SUFFIXES
from busline.cohort.formats.suffixes import PICTURES, suffix_of

LISTING = "dataset.files.json"
"""File of a copied folder that lists all pictures of the folder itself, also those that were not copied."""
MOST_FILES = 2_000_000
"""Of any kind, in a folder with its subfolders."""


def list_pictures(folder: Path) -> list[str]:
    """Return the names of all files below a folder that a picture may be in, relative to it, sorted.

    Links to folders are not followed.

    Raises:
        DataError: if the folder holds too many files, or a name is no Unicode.
    """
    found: list[str] = []
    seen = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        seen += len(names) + len(folders)
        if seen > MOST_FILES:
            mend = "give data.folders the folder of the images"
            raise DataError(str(folder), f"holds more than {MOST_FILES:,} files", mend=mend)
        pictures = [name for name in names if suffix_of(name) in (*PICTURES, *SUFFIXES)]
        found += [Path(place, name).relative_to(folder).as_posix() for name in pictures]
    broken = sorted(name for name in found if any("\udc80" <= character <= "\udcff" for character in name))
    if broken:  # how Python shows bytes that are no text
        problems = [f"{plain(name)}: is no name in UTF-8" for name in broken]
        raise list_problems(str(folder), problems, mend="rename the files")
    return sorted(found)


def save_listing(pictures: list[str], folder: Path) -> None:
    """Write the list into a copy."""
    save_json({"pictures": pictures}, folder / LISTING)


def load_listing(folder: Path) -> list[str]:
    """Return the list of a copy, or what lies in a folder that is none."""
    path = folder / LISTING
    return [str(name) for name in load_json(path)["pictures"]] if path.is_file() else list_pictures(folder)
