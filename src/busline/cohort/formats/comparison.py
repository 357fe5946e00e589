"""What only the rows of a table together show: one patient, one category or one unit written in two ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from busline.base.errors import plain, shown
from busline.cohort.formats.layout import Layout
from busline.cohort.formats.patients import shared_names, spelt_two_ways
from busline.cohort.formats.spellings import doubled_categories, says_nothing
from busline.cohort.formats.table import Table
from busline.cohort.schema import Column, RawCase


def compare_rows(table: Table, layout: Layout, cases: Sequence[RawCase]) -> tuple[list[str], list[str]]:
    """Return what is wrong with rows that are in order each by itself, and what a reader should know.

    Args:
        table: the source's table.
        layout: which column plays which part.
        cases: the rows that could be read.
    """
    problems, notes = [], [*_undeclared(table, layout), *_invisible(table, layout)]
    place = {case.row: f"row {case.row} (case {plain(case.case_id)})" for case in cases}
    if layout.patient_id and not layout.exact_patients:
        made = layout.patient_id in table.derived
        say = "`exact: true` with it" if made else f"`patient_id: {{from: {layout.patient_id}, exact: true}}`"
        advice = f"write it one way, or say {say}"
        found = spelt_two_ways([(case.row, case.patient_id) for case in cases])
        problems += [f"{place[row]}: column {shown(layout.patient_id)}: {line}; {advice}" for row, line in found]
    if not layout.patient_id:
        notes += _shared(table, layout, cases)
    twice = spelt_two_ways([(case.row, case.case_id) for case in cases])[:20]
    notes += [f"{place[row]}: column {shown(layout.case_id)}: {line}" for row, line in twice]
    for column in layout.columns:
        if column.kind == "numeric":
            mixed = _mixed_percent(table, column, cases)
            reason = "is a percent cell, others are plain numbers"
            problems += [f"{place[row]}: column {shown(column.name)}: {reason}" for row in mixed]
        elif column.provenance not in ("identifier", "label"):
            cells = [(case.row, str(text)) for case in cases if (text := case.cells.get(column.name)) is not None]
            lines = doubled_categories(cells, layout.missing)
            doubled = [f"{place[row]}: column {shown(column.name)}: {line}" for row, line in lines]
            if column.provenance == "pathology":  # free text, and no input of a model
                notes += doubled[:20]
            else:
                problems += [f"{line}; write it one way" for line in doubled]
            notes += [
                f"column {shown(column.name)}: {shown(word)} is a category; list it under missing if it is none"
                for word in says_nothing([text for _, text in cells])
            ]
    return problems, notes


def _undeclared(table: Table, layout: Layout) -> list[str]:
    """Return a note that names the columns of which nobody said what they are."""
    known = layout.all_columns()
    names = [shown(name) for name in table.header if name not in known]
    if not names:
        return []
    listed = ", ".join(names[:20]) + (f" … and {len(names) - 20} more" if len(names) > 20 else "")
    what = "column" if len(names) == 1 else "columns"
    return [f"{what} {listed}: no declared provenance, so `prune` will stop; docs/own-data.md says what to declare"]


def _invisible(table: Table, layout: Layout) -> list[str]:
    """Return a line for each column whose cells are not read as they are written."""
    known = layout.all_columns().keys() - set(layout.file_columns())
    counts = Counter(column for _, column in table.written if column in known)
    what = "with invisible characters or another Unicode form of letters, read without"
    return [f"column {shown(name)}: {count} cells {what}" for name, count in sorted(counts.items())]


def _shared(table: Table, layout: Layout, cases: Sequence[RawCase]) -> list[str]:
    labels = [case.label for case in cases]
    rows = dict(table.rows)
    images = [rows[case.row][layout.image].rpartition(".")[0] for case in cases] if layout.image else []
    note = (images and shared_names(images, labels)) or shared_names([case.case_id for case in cases], labels)
    return [note] if note else []


def _mixed_percent(table: Table, column: Column, cases: Sequence[RawCase]) -> list[int]:
    """Return the rows of percent cells in a numeric column that has plain numbers too: 45 % is 0.45 there."""
    filled = [case.row for case in cases if case.cells.get(column.name) is not None]
    percent = [row for row in filled if table.doubts.get((row, column.name)) == "percent"]
    return percent if len(percent) < len(filled) else []
