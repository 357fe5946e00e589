"""Whether two categories of a column may be one: written in two ways, or a missing value that nobody declared."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from busline.base.errors import shown
from busline.cohort.formats.text import look_alike, read_number

SYNONYMS = {
    "y": "yes", "true": "yes", "n": "no", "false": "no", "m": "male", "f": "female", "l": "left", "r": "right",
    "pos": "positive", "neg": "negative",
}  # fmt: skip
_BITS = {"1": "yes", "0": "no"}
_SAYS_NOTHING = frozenset(("na", "n/a", "n.a.", "nan", "null", "nd", "not available", "missing", "unknown", "?"))


def category_key(category: str) -> str:
    """Return a category without case, width and alphabet of letters, kinds of blanks and hyphens; numbers as such."""
    text = look_alike(category)
    number = read_number(text)
    if number is not None:
        return f"{number:.15g}"
    return re.sub(r"[\s_-]+", " ", text).strip() or text


def doubled_categories(cells: Sequence[tuple[int, str]], missing: Collection[str]) -> list[tuple[int, str]]:
    """Return row and reason of each spelling that may be that of a category of an earlier row, or of a missing value.

    ``Yes`` beside ``Y`` is one, ``Y`` alone is none; ``1`` is "yes" only in a column that says yes or no in words.

    Args:
        cells: row number and category of each case that has one.
        missing: texts that mean that a value is missing.
    """
    keys = {category: category_key(category) for _, category in cells}
    in_words = {SYNONYMS.get(key, key) for key in keys.values()} & {"yes", "no"}
    words = SYNONYMS | (_BITS if in_words else {})
    nothing = {category_key(word): word for word in missing if word}
    first: dict[str, tuple[int, str]] = {}
    problems: list[tuple[int, str]] = []
    told: set[str] = set()
    for row, category in cells:
        key = words.get(keys[category], keys[category])
        earlier, spelling = first.setdefault(key, (row, category))
        if category in told:
            continue
        if keys[category] in nothing:
            problems.append((row, f"{shown(category)} may be the missing value {shown(nothing[keys[category]])}"))
        elif category != spelling:
            problems.append((row, f"{shown(category)} may be {shown(spelling)} of row {earlier}"))
        told.add(category)
    return problems


def says_nothing(categories: Collection[str]) -> list[str]:
    """Return the categories that most tables use for a missing value, sorted."""
    return sorted(category for category in set(categories) if category.casefold() in _SAYS_NOTHING)
