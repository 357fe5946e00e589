"""A table's cells by place, before its header is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from busline.cohort.formats.text import Doubt


@dataclass
class Grid:
    """The cells of a CSV file or of one sheet.

    Attributes:
        lines: the texts of each row, the file's first row first; rows may differ in length.
        doubts: what is doubtful in a cell, by row and column, both from 0.
        notes: what was decided in reading, for the reader of the data card.
        merged: merged ranges as (first column, first row, last column, last row), from 0.
        ragged: whether empty cells at a row's end may be left out, as in xlsx.
    """

    lines: list[list[str]]
    doubts: dict[tuple[int, int], Doubt] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    ragged: bool = False
