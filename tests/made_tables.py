"""Tables of a user's own, without images, and what is read of them or said against them."""

import csv
import re
import zipfile

from openpyxl import Workbook
from ruamel.yaml import YAML

from busline.cohort.sources.folder import read_folder

LABELS = {"b": "benign", "m": "malignant"}
HEADER = ("case", "patient", "age", "sign", "finding")
ROWS = (("c1", "anna", 34, "lump", "b"), ("c2", "berta", 61, "no", "m"), ("c3", "clara", 45, "no", "b"))


def describe(folder, **changes):
    """Write dataset.yaml of a table with the columns of :data:`HEADER`; a key that is None is left out."""
    numeric = {"provenance": "patient", "kind": "numeric"}
    content = {
        "table": "table.csv",
        "case_id": "case",
        "patient_id": "patient",
        "label": "finding",
        "labels": dict(LABELS),
        "columns": {"age": numeric, "sign": {**numeric, "kind": "categorical"}},
    }
    content |= changes
    with (folder / "dataset.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({key: value for key, value in content.items() if value is not None}, file)


def with_cell(row, column, value):
    """Return :data:`ROWS` with one cell changed; rows count from 0."""
    changed = [list(cells) for cells in ROWS]
    changed[row][HEADER.index(column)] = value
    return changed


def read_csv_rows(folder, rows=ROWS, **changes):
    """Write rows as CSV and read them."""
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])
    describe(folder, **changes)
    return read_folder(folder)


def read_text(folder, text, encoding="utf-8", **changes):
    """Write a text as the CSV and read it."""
    (folder / "table.csv").write_bytes(text.encode(encoding))
    describe(folder, **changes)
    return read_folder(folder)


def read_book(folder, rows=ROWS, change=lambda book, sheet: None, patch=None, **changes):
    """Write rows as xlsx, change the book, patch the XML of its first sheet with (pattern, replacement), and read."""
    book = Workbook()
    sheet = book.active
    for row in [HEADER, *rows]:
        sheet.append(list(row))
    change(book, sheet)
    book.save(folder / "table.xlsx")
    if patch:
        patch_sheet(folder / "table.xlsx", *patch)
    describe(folder, table="table.xlsx", **changes)
    return read_folder(folder)


def patch_sheet(path, pattern, replacement):
    """Replace a pattern in the XML of a workbook's first sheet."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = content[name].decode()
    assert re.search(pattern, text), text
    content[name] = re.sub(pattern, replacement, text).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in content.items():
            archive.writestr(member, data)
