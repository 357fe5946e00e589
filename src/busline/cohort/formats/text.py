"""What a cell's text says, told apart from how it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Literal

Doubt = Literal["damage", "error", "formula", "date", "percent", "digits"]
"""Why a cell may not say what it seems to say."""

SPREADSHEET_ERRORS = frozenset(
    ("#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
"""What a spreadsheet shows where a formula has no result (ECMA-376 part 1, 18.17.3, and Excel's later ones)."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,}")
"""A number of many digits as a spreadsheet writes it into a CSV."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\ufffe\uffff]")
_LATIN = str.maketrans("авекмнорстухіјѕԁԛԝһαβεικνορτυχ", "abekmhopctyxijsdqwhabeiknoptux")
_BLANKS = " \t\r\n"
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters of other categories than Cf that show nothing (Unicode's Default_Ignorable_Code_Point, and the empty
Braille pattern)."""


def tidy(text: str) -> str:
    """Return a text in Unicode form C, without invisible characters, with plain blanks, and none at its ends."""
    if text.isascii():
        return text.strip(_BLANKS)
    kinds = ((c, unicodedata.category(c)) for c in _UNSEEN.sub("", text))
    visible = "".join(" " if kind in ("Zs", "Zl", "Zp") else c for c, kind in kinds if kind != "Cf")
    return unicodedata.normalize("NFC", visible).strip(_BLANKS)


def text_doubt(text: str) -> Doubt | None:
    """Return what is doubtful in a tidy text of any table."""
    if _CONTROL.search(text):
        return "damage"
    if text.upper() in SPREADSHEET_ERRORS:
        return "error"
    if _ROUNDED.fullmatch(text):
        return "digits"
    return "formula" if text.startswith("=") and len(text) > 1 else None


def look_alike(text: str) -> str:
    """Return a text in small letters of one width; Greek and Cyrillic ones that look like Latin ones are these."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_LATIN)


def read_number(text: str) -> float | None:
    """Return the number that a text is in plain digits, or None; ``1_5``, ``nan`` and ``infinity`` are none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def read_boolean(text: str) -> str:
    """Return ``True`` or ``False`` in one spelling, whoever wrote it, and any other text as it is."""
    folded = text.casefold()
    return folded.capitalize() if folded in ("true", "false") else text


def is_missing(text: str, missing: Collection[str]) -> bool:
    """Return whether a cell is empty or one of the texts for a missing value; numbers are compared as numbers."""
    if not text or text in missing:
        return True
    number = read_number(text)
    return number is not None and any(read_number(word) == number for word in missing)
