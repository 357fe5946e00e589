"""Read one cell of a table as what its column is declared to be, or say why it cannot be."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import PurePath

from busline.base.errors import near_matches, shown
from busline.cohort.formats.foreign import SUFFIXES
from busline.cohort.formats.layout import LEAVE_OUT, Layout, Meaning
from busline.cohort.formats.patients import NOBODY
from busline.cohort.formats.suffixes import PICTURES, suffix_of
from busline.cohort.formats.text import Doubt, is_missing, read_boolean, read_number
from busline.cohort.schema import Column
from busline.fetch.names import safe_path

LARGEST = 3.4e38
"""The largest number of 32 bits, near enough."""

_REASONS: dict[Doubt, str] = {
    "damage": "holds a character that no text has; save the table again as CSV UTF-8 or .xlsx",
    "error": "is a spreadsheet's error; expected a value, or list it under missing",
    "formula": "is a formula without a stored value; open and save the table in a spreadsheet, or paste the values",
    "date": "is a date or a time; expected text: format the column as text (10-19 becomes a date while it is typed)",
    "percent": "is a percent cell; format the column as number or as text",
    "digits": "has more digits than a spreadsheet keeps; format the column as text and enter the ids again",
}


def refuse_doubt(doubt: Doubt | None, text: str, column: Column, layout: Layout) -> None:
    """Refuse a cell that may not say what it seems to say.

    A date may stand in an identifier that plays no part, such as the day of the scan; a percent cell and a number of
    many digits are numbers like others.

    Raises:
        ValueError: with the reason.
    """
    if doubt is None or (doubt == "error" and text in layout.missing):
        return
    plain = column in layout.columns and column.provenance == "identifier"
    if (doubt == "date" and plain) or (doubt in ("percent", "digits") and column.kind == "numeric"):
        return
    raise ValueError(f"{shown(text) if text else 'the cell'} {_REASONS[doubt]}")


def read_value(text: str, column: Column, layout: Layout) -> str | float | None:
    """Return a clinical value: a number within the column's bounds, a category, or None where it is missing.

    Raises:
        ValueError: if a numeric cell holds no such number.
    """
    if is_missing(text, layout.missing):
        return None
    if column.kind == "categorical":
        return read_boolean(text)
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    number = read_number(text)
    if number is None or not math.isfinite(number) or not low <= number <= high:
        bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
        missing = " or ".join(shown(word) for word in sorted(layout.missing | {""})[:20])
        raise ValueError(f"{shown(text)} is no number{bounds}; expected one, or {missing} where it is missing")
    if abs(number) > LARGEST:
        raise ValueError(f"{shown(text)} is beyond ±{LARGEST:.1e}, the largest number that a model can be given")
    return number


def read_patient(text: str, layout: Layout) -> str:
    """Return the patient's id.

    Raises:
        ValueError: if there is none; were it the case's own, images of one patient would be on two sides of a split.
    """
    if not text or text in layout.missing or text.casefold() in NOBODY:
        raise ValueError(f"{shown(text)} names no patient; expected one in every row (merged cells leave others empty)")
    if re.search(r"[\x00-\x1f]", text):
        raise ValueError(f"patient {shown(text)} has a line break or a tab in it")
    return text


def find_label(text: str, labels: Mapping[str, Meaning]) -> Meaning:
    """Return what a label means.

    Raises:
        ValueError: if it is not known.
    """
    label = read_boolean(text)
    if label not in labels:
        advice = "" if text else f'; `labels: {{"": {LEAVE_OUT}}}` leaves rows without one out'
        raise ValueError(f"unknown label {shown(text)}; {near_matches(text, labels)}{advice}")
    return labels[label]


def read_files(text: str, layout: Layout) -> list[str]:
    """Return the names of pictures in a cell.

    Raises:
        ValueError: if one cannot be trusted or is that of no picture.
    """
    if not text or text in layout.missing:
        return []
    names = []
    for name in text.split(layout.joiner) if layout.joiner else [text]:
        path = safe_path(name.strip(), subfolders=layout.subfolders)
        suffix = suffix_of(path.name)
        if suffix not in PICTURES and not _has_no_suffix(path):
            foreign = SUFFIXES.get(suffix, f"is none of a picture; expected {', '.join(PICTURES)}")
            raise ValueError(f"file name {shown(name)} {foreign}")
        names.append(str(path))
    return names


def _has_no_suffix(path: PurePath) -> bool:
    """Say whether a file has no suffix, as those of DICOM: also one named by numbers with points between."""
    return not path.suffix.strip(".0123456789")
