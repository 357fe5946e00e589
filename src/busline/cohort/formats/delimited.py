"""Read a CSV file: its encoding and the character between its cells are found, and said where they are unusual."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path

from busline.base.errors import DataError, shown
from busline.cohort.formats.grid import Grid

MAX_CSV_BYTES = 512 << 20
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, and the encoding that each begins."""

_ODD_LETTERS = re.compile(r"[^\x00-\x7f]{4}|[ƒ†‡ˆ˜‰]|(?<=[^\W\d])[‚„“”‹›](?=[^\W\d])")
"""No language that Windows-1252 is for has four accented letters in a row, or these signs in its words; Cyrillic,
Greek, Chinese or Japanese read so has."""


def read_csv(path: Path, delimiter: str | None) -> Grid:
    """Read a CSV file in UTF-8, in UTF-16 or UTF-32 with a byte order mark, or in Windows-1252.

    Args:
        path: the file.
        delimiter: character between the cells; None if it is to be found.

    Raises:
        DataError: if the file is in another encoding, breaks the rules of quoting, or may be separated in two ways.
    """
    if path.stat().st_size > MAX_CSV_BYTES:
        raise DataError(str(path), f"is larger than {MAX_CSV_BYTES:,} bytes")
    notes: list[str] = []
    text = _decode(path, notes)
    declared = re.match(r"sep=(.)\r?\n", text)  # how Excel is told
    if declared:
        delimiter = delimiter or declared[1]
        text = text[declared.end() - 1 :]
    found = delimiter or _find_delimiter(path, text)
    if delimiter is None and found != ",":
        notes.append(f"its cells are separated by {DELIMITERS[found]}")
    if text and text[-1] not in "\r\n":
        notes.append("its last line has no end; if the file was cut there, its last cell was too")
    try:
        return Grid(_parse(text, found), notes=notes)
    except csv.Error as error:
        raise DataError(str(path), f"is no CSV table ({error})", mend="save it as CSV UTF-8") from error


def _decode(path: Path, notes: list[str]) -> str:
    content = path.read_bytes()
    marked = [encoding for mark, encoding in MARKS if content.startswith(mark)]
    mend = "save it as CSV UTF-8"
    try:
        if marked:
            return content.decode(marked[0])
        if b"\x00" in content:
            raise DataError(str(path), "is no CSV table in UTF-8 (it holds NUL characters)", mend=mend)
        return content.decode()
    except UnicodeDecodeError as error:
        text = "" if marked else _decode_western(content)
        if not text:
            raise DataError(str(path), f"is no CSV table in UTF-8 ({error})", mend=mend) from error
        example = re.search(r"\w*[^\x00-\x7f]\w*", text)
        word = shown(example[0]) if example else ""
        notes.append(f"it is no UTF-8 and was read as Windows-1252, for example {word}; if that is misspelt, {mend}")
        return text


def _decode_western(content: bytes) -> str:
    """Return the text, empty if it is no plausible Windows-1252."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "" if _ODD_LETTERS.search(text) else text


def _parse(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _find_delimiter(path: Path, text: str) -> str:
    """Return the character that gives the header most columns and every row as many."""
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        try:
            lines = [line for line in _parse(text, delimiter) if any(cell.strip() for cell in line)]
        except csv.Error:
            continue
        if lines and len(lines[0]) > 1:
            fitting = sum(len(line) == len(lines[0]) for line in lines)
            scores[delimiter] = fitting / len(lines), len(lines[0])
    best = [delimiter for delimiter, score in scores.items() if score == max(scores.values())]
    if len(best) > 1:
        names = " or ".join(DELIMITERS[delimiter] for delimiter in best)
        raise DataError(str(path), f"may be separated by {names}", mend="say which: `delimiter` in dataset.yaml")
    return best[0] if best else ","
