"""Names of files that say what their cases are: ``{label}/images/{case}.png`` makes a row of every file it matches."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from busline.base.errors import list_problems, plain, shown
from busline.cohort.formats.companions import Claim
from busline.cohort.formats.table import Table
from busline.cohort.formats.templates import ASPECTS, STAR, Placeholder, parse_template
from busline.cohort.formats.text import tidy
from busline.fetch.names import safe_path

FILE = "file"
"""Column with the whole name of a row's file."""
TABLE_NAME = "files"
"""What messages call the table that is made of names."""
MASK_WORDS = frozenset(("mask", "masks", "seg", "segmentation", "segmentations", "gt", "groundtruth"))
"""Words in the names of masks."""


@dataclass(frozen=True)
class FilePattern:
    """A pattern of file names; a placeholder is one or more characters within one level of folders.

    Attributes:
        text: as it was written.
        levels: of each level, its placeholders' names and the texts around them: one text more than there are names.
    """

    text: str
    levels: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The placeholders, each once."""
        return tuple(dict.fromkeys(name for names, _ in self.levels for name in names))

    def match(self, path: str) -> dict[str, str] | None:
        """Return what the placeholders stand for in a file's name, None if it does not match.

        Where several readings are possible, an earlier placeholder takes as much as it can. A suffix may be in other
        letters (``.JPG``).
        """
        parts = path.split("/")
        if len(parts) != len(self.levels) or any(part.startswith(".") for part in parts):
            return None
        found: dict[str, str] = {}
        for place, ((names, texts), part) in enumerate(zip(self.levels, parts, strict=True), start=1):
            values = _split(part, texts, is_file=place == len(parts))
            if values is None:
                return None
            for name, value in zip(names, values, strict=True):
                if found.setdefault(name, value) != value:
                    return None
        return found


def parse_pattern(text: str) -> FilePattern:
    """Return a pattern of file names.

    Raises:
        ValueError: if it has no placeholder, two without a text between them, or leads out of the folder.
    """
    template = parse_template(text)
    if not template.columns:
        raise ValueError("has no placeholder; expected one, for example {label}/{case}.png")
    if STAR in template.literal:
        raise ValueError(f"has {STAR}; give what it stands for a name, for example {{folder}}, and declare it")
    levels: list[tuple[list[str], list[str]]] = [([], [""])]
    for piece in template.pieces:
        if isinstance(piece, Placeholder):
            if piece.aspect or piece.column == FILE or "/" in piece.column:
                raise ValueError(f"has a placeholder {_describe(piece)}; expected a name without {sorted(ASPECTS)}")
            if levels[-1][0] and not levels[-1][1][-1]:
                raise ValueError(f"has nothing between two placeholders, the second of which is {{{piece.column}}}")
            levels[-1][0].append(piece.column)
            levels[-1][1].append("")
            continue
        first, *others = piece.split("/")
        levels[-1][1][-1] += first
        levels += [([], [other]) for other in others]
    safe_path("/".join("x".join(texts) for _, texts in levels), subfolders=True)
    return FilePattern(text, tuple((tuple(names), tuple(texts)) for names, texts in levels))


def tabulate_files(paths: Sequence[str], patterns: Sequence[FilePattern]) -> Table:
    """Return a row for every file that a pattern matches, the first one that does, with the file's name in ``file``.

    Args:
        paths: names of files, relative to the folder.
        patterns: with the same placeholders each.

    Raises:
        DataError: naming every pattern that matches no file.
    """
    rows: list[dict[str, str]] = []
    unused = {pattern.text for pattern in patterns}
    for path in sorted(paths):
        for pattern in patterns:
            found = pattern.match(path)
            if found is None:
                continue
            unused.discard(pattern.text)
            rows.append({**found, FILE: path})
            break
    if unused:
        problems = [f"{shown(text)} matches no picture" for text in sorted(unused)]
        raise list_problems(TABLE_NAME, problems, expected="names as they are in the folder, with forward slashes")
    return _number((*patterns[0].columns, FILE), rows)


def without_masks(table: Table, claims: Mapping[tuple[int, str], Sequence[Claim]]) -> Table:
    """Return the table without rows of files that are the masks of another row.

    Args:
        table: see :func:`tabulate_files`.
        claims: the masks that each row's templates name, were it a case.

    Raises:
        DataError: naming every file that may be a mask, or an image with a mask of its own.
    """
    own = {number: table.as_written(number, row, FILE) for number, row in table.rows}
    with_masks = {own[row] for (row, _), found in claims.items() if any(claim.name != own[row] for claim in found)}
    owners = {claim.name: own[row] for (row, _), found in claims.items() for claim in found if claim.name != own[row]}
    doubtful = sorted(owners.keys() & with_masks)
    if doubtful:
        problems = [f"{plain(name)}: is a mask of {plain(owners[name])}, or an image with a mask" for name in doubtful]
        raise list_problems(TABLE_NAME, problems, mend="write a template of `mask` that matches the masks only")
    return _number(
        table.header, [_written(table, number, row) for number, row in table.rows if own[number] not in owners]
    )


def describe_unread(paths: Sequence[str], read: Collection[str]) -> str:
    """Return a note on the pictures of a folder that are neither an image nor a mask, empty if there is none."""
    unread = sorted(set(paths) - set(read))
    if not unread:
        return ""
    count = "1 picture matches" if len(unread) == 1 else f"{len(unread)} pictures match"
    return f"{count} neither `files` nor `mask`, and nothing is read of them, for example {plain(unread[0])}"


def describe_mask_names(names: Sequence[str]) -> str:
    """Return a note on images whose names, or folders, say that they are masks, empty if there is none."""
    found = [name for name in names if MASK_WORDS & set(re.split(r"[\W_\d]+", name.casefold()))]
    if not found:
        return ""
    count = "1 image is" if len(found) == 1 else f"{len(found)} images are"
    return f"{count} named as masks are, for example {plain(found[0])}; if they are masks, say so: key `mask`"


def _number(header: tuple[str, ...], rows: Sequence[Mapping[str, str]]) -> Table:
    """Return a table of rows as they are written, numbered from 1."""
    numbered = list(enumerate(rows, start=1))
    return Table(
        TABLE_NAME,
        header,
        tuple((number, {column: tidy(text) for column, text in row.items()}) for number, row in numbered),
        {(number, column): text for number, row in numbered for column, text in row.items() if tidy(text) != text},
    )


def _written(table: Table, number: int, row: Mapping[str, str]) -> dict[str, str]:
    return {column: table.as_written(number, row, column) for column in table.header}


def _describe(piece: Placeholder) -> str:
    return f"{{{piece.column}{'.' * bool(piece.aspect)}{piece.aspect}}}"


def _split(text: str, texts: Sequence[str], *, is_file: bool) -> list[str] | None:
    """Return what stands between texts that follow one another in a text and fill it, None if they do not."""
    first, *others = texts
    if not others:
        return [] if _same_end(text, first, is_file=is_file) and len(text) == len(first) else None
    last = others.pop()
    if not text.startswith(first) or not _same_end(text, last, is_file=is_file):
        return None
    end = len(text) - len(last)
    values: list[str] = []
    for between in reversed(others):  # from the right, so that what is left of the text is as long as can be
        place = text.rfind(between, len(first), end - 1)
        if place < 0:
            return None
        values.append(text[place + len(between) : end])
        end = place
    values.append(text[len(first) : end])
    return values[::-1] if all(values) and end > len(first) else None


def _same_end(text: str, end: str, *, is_file: bool) -> bool:
    """Say whether a text ends so; of a file's name the suffix may be in other letters."""
    if text.endswith(end):
        return True
    dot = end.rfind(".") if is_file else -1
    if dot < 0 or len(text) < len(end):
        return False
    tail = text[len(text) - len(end) :]
    return tail[:dot] == end[:dot] and tail[dot:].casefold() == end[dot:].casefold()
