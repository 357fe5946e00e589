"""Whether two patients may be one: ids spelt two ways, and names of images that share their beginning."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from busline.base.errors import cut, shown
from busline.cohort.formats.text import look_alike

NOBODY = frozenset(("na", "n/a", "n.a.", "nan", "none", "null", "unknown", "?", "-", ".", "not available", "missing"))
"""Texts that stand where nobody knows the patient: as an id, all such images would be of one person."""

DEEPEST = 8
"""Parts of a name that are looked at from either end."""
MOST_OF_ONE_END = 10
"""Mean number of names with one end; years and machines at a name's end have more."""

_AROUND_NUMBER = re.compile(r"(?<=[^\W\d])[-_./]+(?=\d)|(?<=\d)[-_./]+(?=[^\W\d])")
_SIMPLE = re.compile(r"([^\W\d_]+)?(\d+)([^\W\d_]+)?")


def patient_key(patient: str) -> str:
    """Return an id without what spreadsheets and typists change.

    That is case, blanks, leading zeros, a trailing ``.0``, points between thousands, quotes, the width and alphabet of
    letters that look alike, and a hyphen, underscore, slash or point between letters and digits.
    """
    text = re.sub(r"[\s\"'`´‘’“”#]+", "", look_alike(patient)).removeprefix("+") or patient
    text = re.sub(r"^(\d{1,3})((?:,\d{3})+)$", lambda found: found[1] + found[2].replace(",", ""), text)
    text = re.sub(r"^(\d+)(?:\.0+|,00?)$", r"\1", text)
    return re.sub(r"(?<!\d)0+(?=\d)", "", _AROUND_NUMBER.sub("", text))


def spelt_two_ways(patients: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return row and reason of each spelling that may be that of an earlier row's patient.

    Args:
        patients: row number and id of each case.
    """
    first: dict[str, tuple[int, str]] = {}
    told: set[str] = set()
    problems = []
    for row, patient in patients:
        earlier, spelling = first.setdefault(patient_key(patient), (row, patient))
        if patient != spelling and patient not in told:
            told.add(patient)
            problems.append((row, f"{shown(patient)} may be {shown(spelling)} of row {earlier}"))
    return problems


def shared_names(names: Sequence[str], labels: Sequence[str]) -> str:
    """Return a note where images that are said to be of different patients have names as if they were not.

    Args:
        names: the images' names with their folders and without their suffixes, or the case ids.
        labels: label of each; parts of names that are no more than the labels are taken for labels, and an end that
            comes once a label for a number that begins anew with each.

    Returns:
        The note, or an empty string.
    """
    paths = [PurePosixPath(name) for name in names]
    tokens = [_tokens(path.name) for path in paths]
    depths = range(1, min(max((len(parts) for parts in tokens), default=0), DEEPEST))
    candidates = [("folder", [str(path.parent) for path in paths])]
    candidates += [("beginning of the name", _ends(tokens, slice(depth))) for depth in depths]
    endings = [("end of the name", _ends(tokens, slice(-depth, None), labels)) for depth in depths]
    for what, keys in candidates + endings:
        counts = Counter(keys)
        shared = [count for count in counts.values() if count > 1]
        told = shared and len(counts) > max(len(set(labels)), 2) and max(shared) <= len(names) / 2
        if told and (what != "end of the name" or len(names) / len(counts) <= MOST_OF_ONE_END):
            return _describe(what, keys, names, sum(shared))
    return ""


def _ends(tokens: Sequence[Sequence[str]], part: slice, labels: Sequence[str] | None = None) -> list[str]:
    """Return a part of each name, with its label where these are given, and the whole of names that are no longer."""
    ends = [" ".join(parts[part] if len(parts[part]) < len(parts) else ("whole", *parts)) for parts in tokens]
    return [f"{label} {end}" for label, end in zip(labels, ends, strict=True)] if labels else ends


def _tokens(stem: str) -> list[str]:
    """Return the parts of a name: what separators divide, and a number apart from the letters before or behind it."""
    parts: list[str] = []
    for chunk in re.split(r"[\W_]+", stem.casefold()):
        simple = _SIMPLE.fullmatch(chunk)
        parts += [part for part in simple.groups() if part] if simple else [chunk] if chunk else []
    return parts


def _describe(what: str, keys: Sequence[str], names: Sequence[str], together: int) -> str:
    members = defaultdict(list)
    for key, name in zip(keys, names, strict=True):
        members[key].append(name)
    example = next(group for group in members.values() if len(group) > 1)
    listed = ", ".join(cut(name) for name in example[:3])
    return (
        f"patient_id is `each image`, but {together} of {len(names)} cases share the {what} with another "
        f"(for example {listed}); if that is the patient, write it into a column and name that as patient_id"
    )
