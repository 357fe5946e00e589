"""Which files there are for a name, or for a beginning and an end of one."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path


def _key(name: str) -> str:
    """Return a name in Unicode form C, its suffix in small letters: two spellings of one file."""
    head, dot, suffix = unicodedata.normalize("NFC", name).rpartition(".")
    return f"{head}{dot}{suffix.lower()}" if dot else suffix


class Shelf:
    """The files of a folder, by their names relative to it.

    Args:
        names_in: returns the plain names of the files in a subfolder, ``""`` being the folder itself.
    """

    def __init__(self, names_in: Callable[[str], Iterable[str]]) -> None:
        self._sorted = cache(lambda parent: sorted((_key(name), name) for name in names_in(parent)))

    def find(self, path: str) -> str | None:
        """Return a file's name as the disk has it, where its suffix may be in other letters; None if none, or two."""
        parent, slash, name = path.rpartition("/")
        key, entries = _key(name), self._sorted(parent)
        place = bisect_left(entries, (key,))
        names = []
        while place < len(entries) and entries[place][0] == key:
            names.append(entries[place][1])
            place += 1
        if name in names:
            return path
        return f"{parent}{slash}{names[0]}" if len(names) == 1 else None

    def other_suffix(self, path: str) -> str | None:
        """Return the first file that has a name's folder and stem, but another suffix or one at all; None if none."""
        parent, slash, name = path.rpartition("/")
        head, dot, _ = name.rpartition(".")
        begin = unicodedata.normalize("NFC", f"{head if dot else name}.")
        entries = self._sorted(parent)
        place = bisect_left(entries, (begin,))
        if place < len(entries) and entries[place][0].startswith(begin):
            return f"{parent}{slash}{entries[place][1]}"
        return None

    def matching(self, head: str, tail: str) -> list[tuple[str, str]]:
        """Return the files of one subfolder whose names begin and end so, with what stands between."""
        parent, slash, name = head.rpartition("/")
        begin = unicodedata.normalize("NFC", name)
        end = _key(tail) if "." in tail else unicodedata.normalize("NFC", tail)
        entries = self._sorted(parent)
        found = []
        for place in range(bisect_left(entries, (begin,)), len(entries)):
            key, real = entries[place]
            if not key.startswith(begin):
                break
            if key.endswith(end) and len(key) >= len(begin) + len(end):
                found.append((f"{parent}{slash}{real}", key[len(begin) : len(key) - len(end)]))
        return found


def shelf_on_disk(folder: Path) -> Shelf:
    """Return the files of a folder."""

    def names_in(parent: str) -> list[str]:
        place = folder / parent
        return [path.name for path in place.iterdir() if path.is_file()] if place.is_dir() else []

    return Shelf(names_in)


def shelf_of(paths: Iterable[str]) -> Shelf:
    """Return the files of a list."""
    by_parent: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        parent, _, name = path.rpartition("/")
        by_parent[parent].append(name)
    return Shelf(lambda parent: by_parent.get(parent, []))
