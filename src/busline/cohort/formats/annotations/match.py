"""Find the entry of each image by names that nobody vouches for: they are compared, never opened."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from busline.base.errors import shown
from busline.cohort.formats.annotations.entry import Entry
from busline.cohort.formats.suffixes import stem_of

Item = TypeVar("Item")


def as_path(name: str) -> str:
    """Return a name as it is compared: with forward slashes, in one Unicode form."""
    return str(PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")))


def last_part(name: str) -> str:
    """Return a name without its folders."""
    return PurePosixPath(name).name


def _without_folders(name: str) -> str:
    return last_part(as_path(name))


def _stem(name: str) -> str:
    return stem_of(as_path(name))


LEVELS: tuple[Callable[[str], str], ...] = (as_path, _without_folders, _stem)
"""What of two names must be equal, tried one after the other: all, all but folders, all but folders and ending."""


def match_entries(entries: Sequence[Entry], images: Iterable[str]) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the entry of each image that has one, and what is wrong with the others' names.

    At each level only what found no partner before is compared, and only a name that both sides have once counts.

    Args:
        entries: of one file.
        images: paths of the images relative to the folder.
    """
    found: dict[str, Entry] = {}
    problems: dict[str, str] = {}
    left_images, left = sorted(set(images)), [entry for entry in entries if entry.image is not None]
    for level in LEVELS:
        rows = _group((level(name), name) for name in left_images)
        groups = _group((level(entry.image or ""), entry) for entry in left)
        taken = rows.keys() & groups.keys()
        for key in taken:
            names, same = rows[key], groups[key]
            if len(names) == len(same) == 1:
                found[names[0]] = same[0]
            elif len(same) > 1:
                reason = f"is in doubt: {len(same)} entries are called {shown(key)}; expected one, of one annotator"
                problems |= dict.fromkeys(names, reason)
            else:
                problems |= dict.fromkeys(names, f"is in doubt: {shown(key)} may be the name of several images")
        left_images = [name for name in left_images if level(name) not in taken]
        left = [entry for entry in left if level(entry.image or "") not in taken]
    return found, problems


def _group(items: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for key, item in items:
        groups[key].append(item)
    return groups
