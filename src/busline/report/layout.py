"""The parts a report's dict is made of: sections, tables and columns, the same for both of its forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def column(key: str, head: str, kind: str, *, ours: bool = False) -> Row:
    """Describe a column of a table.

    Args:
        key: where a row holds its value.
        head: what stands above it.
        kind: how :func:`busline.report.render.show_cell` writes it.
        ours: whether it is a result of this run, which can be undefined or not run.
    """
    return {"key": key, "head": head, "kind": kind, "ours": ours}


def text_column(key: str, head: str, *, ours: bool = False) -> Row:
    """Describe a column of words."""
    return column(key, head, "text", ours=ours)


def table(
    identity: str,
    columns: Sequence[Row],
    rows: Sequence[Row],
    *,
    title: str = "",
    caption: str = "",
    notes: Sequence[str] = (),
) -> Row:
    """Describe a table; a row holds its columns' values by key, and its ``status`` if it can be not run."""
    return {
        "id": identity,
        "title": title,
        "caption": caption,
        "columns": list(columns),
        "rows": list(rows),
        "notes": list(notes),
    }


def section(
    identity: str,
    title: str,
    *,
    text: Sequence[str] = (),
    tables: Sequence[Row] = (),
    galleries: Sequence[Row] = (),
    code: str = "",
) -> Row:
    """Describe a section: paragraphs, galleries of pictures, tables and a block of code, in that order."""
    return {
        "id": identity,
        "title": title,
        "text": list(text),
        "tables": list(tables),
        "galleries": list(galleries),
        "code": code,
    }
