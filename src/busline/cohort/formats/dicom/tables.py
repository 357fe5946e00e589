"""Lookup tables of DICOM files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from busline.cohort.formats.dicom.header import DicomError, Header

_MOST = 1 << 16
"""Entries a table may have; their number is written as 0."""


@dataclass(frozen=True)
class Table:
    """A lookup table (PS3.3, C.11.1.1.1).

    Attributes:
        first: the value that the first entry is for; lower ones have the first, higher ones the last entry.
        bits: bits of an entry.
        entries: integers (n,).
    """

    first: int
    bits: int
    entries: np.ndarray

    def look_up(self, values: np.ndarray) -> np.ndarray:
        """Return the entry of each value, integers of the values' shape."""
        places = np.clip(values.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        found: np.ndarray = self.entries[places]
        return found


def read_table(item: Any, header: Header) -> Table:
    """Read the table of an item of a ModalityLUTSequence or VOILUTSequence.

    Raises:
        DicomError: if it is not whole.
    """
    count, first, bits = _descriptor(item.get("LUTDescriptor"), header)
    return Table(first, bits, _entries(item.get("LUTData"), count, bits, header))


def read_palette(header: Header) -> list[Table]:
    """Read the tables of red, green and blue, with entries of 8 bits.

    Raises:
        DicomError: if one is missing or not whole.
    """
    tables = []
    for colour in ("Red", "Green", "Blue"):
        count, first, bits = _descriptor(header.data.get(f"{colour}PaletteColorLookupTableDescriptor"), header)
        content = header.data.get(f"{colour}PaletteColorLookupTableData")
        if content:
            entries = _entries(content, count, bits, header)
        else:
            segments = header.data.get(f"Segmented{colour}PaletteColorLookupTableData")
            entries = _expand(_words(segments or b"", header).tolist(), count)
        tables.append(Table(first, bits, entries))
    highest = max(int(table.entries.max()) for table in tables)
    shift = 8 if highest > 255 else 0  # 16 bits, but for the files that say so and hold 8
    return [Table(table.first, 8, table.entries >> shift) for table in tables]


def _descriptor(values: Any, header: Header) -> tuple[int, int, int]:
    """Return the number of entries, the first value and the bits of a table."""
    if values is None or len(values) != 3:
        raise DicomError("is DICOM whose lookup table is not described")
    count, first, bits = (int(value) for value in values)
    if header.signed and first >= 1 << 15:
        first -= 1 << 16
    if not 1 <= bits <= 16 or not 0 <= count <= _MOST:
        raise DicomError("is DICOM whose lookup table cannot be as it is described")
    return count or _MOST, first, bits


def _entries(content: Any, count: int, bits: int, header: Header) -> np.ndarray:
    """Return a table's entries: words, or bytes two in a word."""
    entries: np.ndarray
    if not isinstance(content, bytes):
        entries = np.atleast_1d(np.asarray(content, dtype=np.int64)) & 0xFFFF
    elif len(content) in (count, count + 1):
        entries = _words(content + b"\x00" * (len(content) % 2), header).astype("<u2").view(np.uint8)[:count]
    else:
        entries = _words(content, header)
    if len(entries) < count:
        raise DicomError("is DICOM whose lookup table is cut off")
    return entries[:count].astype(np.int64) & ((1 << bits) - 1)


def _words(content: bytes, header: Header) -> np.ndarray:
    little = header.data.original_encoding[1]
    return np.frombuffer(content[: len(content) // 2 * 2], dtype="<u2" if little else ">u2")


def _expand(words: list[int], count: int) -> np.ndarray:
    """Return the entries of a segmented table (PS3.3, C.7.9.2): runs of entries, and straight lines to an entry."""
    entries: list[int] = []
    place = 0
    while place + 2 < len(words) and len(entries) < count:
        kind, length = words[place], words[place + 1]
        if kind == 0:
            entries += words[place + 2 : place + 2 + length]
            place += 2 + length
        elif kind == 1 and entries and length:
            start, end = entries[-1], words[place + 2]
            entries += np.rint(np.linspace(start, end, length + 1)[1:]).astype(int).tolist()
            place += 3
        else:
            raise DicomError("is DICOM whose segmented palette has segments that are not read; save it uncompressed")
    if len(entries) < count:
        raise DicomError("is DICOM whose palette is missing or cut off")
    return np.array(entries[:count], dtype=np.int64)
