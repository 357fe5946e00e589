"""What spreadsheet programs put into xlsx files besides the text of cells."""

from datetime import date, datetime, time

import pytest

from busline.base.errors import DataError
from busline.cohort.sources.folder import read_folder
from made_tables import HEADER, ROWS, patch_sheet, read_book, with_cell


def merge(*ranges):
    def change(book, sheet):
        for name in ranges:
            sheet.merge_cells(name)

    return change


def test_a_merged_patient_is_the_patient_of_every_row(tmp_path):
    raw = read_book(tmp_path, change=merge("B2:B3"))
    assert [case.patient_id for case in raw.cases] == ["anna", "anna", "clara"]
    assert raw.notes == ("table.xlsx: column 'patient': 1 merged ranges, read as their value in every row",)


@pytest.mark.parametrize("cells", ["A2:B2", "B2:C3", "B1:B2"])
def test_other_merged_ranges_are_refused_by_name(tmp_path, cells):
    with pytest.raises(DataError, match=r"row \d, column '\w+': merged across columns or with the header"):
        read_book(tmp_path, change=merge(cells))


def test_a_merged_range_to_the_end_of_the_sheet_does_not_hang(tmp_path):
    patch = (r"<pageMargins", '<mergeCells><mergeCell ref="B3:B1048576"/></mergeCells><pageMargins')
    raw = read_book(tmp_path, patch=patch)
    assert [case.patient_id for case in raw.cases] == ["anna", "berta", "berta"]


def test_overlapping_ranges_are_refused_before_they_take_hours(tmp_path):
    ranges = "".join('<mergeCell ref="B2:B1048576"/>' for _ in range(50_000))
    patch = (r"<pageMargins", f"<mergeCells>{ranges}</mergeCells><pageMargins")
    with pytest.raises(DataError, match="merged ranges that overlap"):
        read_book(tmp_path, patch=patch)


def test_a_formula_without_a_stored_value_is_refused(tmp_path):
    problems = read_book(tmp_path, rows=with_cell(1, "age", "=60+1")).problems
    assert problems == (
        "row 3 (case c2): column 'age': the cell is a formula without a stored value; open and save the table in a "
        "spreadsheet, or paste the values",
    )


def test_a_row_of_nothing_but_formulas_is_not_taken_for_an_empty_one(tmp_path):
    rows = [*ROWS, ("=A2", "=B2", "=C2", "=D2", "=E2")]
    assert len(read_book(tmp_path, rows=rows).problems) == 5


def test_a_formula_with_its_value_is_that_value(tmp_path):
    patch = (r"<f>60\+1</f><v ?/>|<f>60\+1</f><v></v>", "<f>60+1</f><v>61</v>")
    raw = read_book(tmp_path, rows=with_cell(1, "age", "=60+1"), patch=patch)
    assert raw.problems == ()
    assert raw.cases[1].cells["age"] == 61.0


@pytest.mark.parametrize("column", ["patient", "sign", "finding", "case"])
@pytest.mark.parametrize("value", ["#N/A", "#DIV/0!", "#REF!"])
def test_a_spreadsheets_error_is_no_value(tmp_path, column, value):
    assert "is a spreadsheet's error" in read_book(tmp_path, rows=with_cell(1, column, value)).problems[0]


def test_an_error_may_be_declared_to_mean_missing(tmp_path):
    raw = read_book(tmp_path, rows=with_cell(1, "sign", "#N/A"), missing=["#N/A"])
    assert raw.problems == ()
    assert raw.cases[1].cells["sign"] is None


def test_hidden_rows_are_refused(tmp_path):
    def hide(book, sheet):
        sheet.row_dimensions[3].hidden = True

    with pytest.raises(DataError, match="row 3: is hidden"):
        read_book(tmp_path, change=hide)


def test_hidden_sheets_are_not_read_and_that_is_said(tmp_path):
    def hide(book, sheet):
        old = book.create_sheet("old", 0)
        old.append(["nothing"])
        old.sheet_state = "hidden"

    raw = read_book(tmp_path, change=hide)
    assert len(raw.cases) == 3
    assert raw.notes == ("table.xlsx: its hidden sheets are not read: 'old'",)


def notes_in_front(book, sheet):
    sheet.title = "Data"
    book.create_sheet("Notes", 0).append(["written by nobody"])
    book.create_sheet("Empty")


def test_of_several_sheets_one_must_be_named(tmp_path):
    with pytest.raises(DataError, match="has 2 sheets: 'Notes', 'Data'") as error:
        read_book(tmp_path, change=notes_in_front)
    assert "`sheet: 'Notes'`" in str(error.value)
    assert len(read_book(tmp_path, change=notes_in_front, sheet="Data").cases) == 3
    with pytest.raises(DataError, match=r"has no sheet 'data'\n  to mend:  did you mean 'Data'"):
        read_book(tmp_path, change=notes_in_front, sheet="data")


def test_empty_sheets_behind_the_table_are_no_question(tmp_path):
    assert len(read_book(tmp_path, change=lambda book, sheet: book.create_sheet("Sheet2")).cases) == 3


@pytest.mark.parametrize("value", [date(2026, 10, 19), datetime(2026, 10, 19, 8, 30), time(8, 30)])
@pytest.mark.parametrize("column", ["sign", "patient", "case", "finding"])
def test_dates_and_times_are_no_categories_ids_or_labels(tmp_path, value, column):
    assert "is a date or a time" in read_book(tmp_path, rows=with_cell(0, column, value)).problems[0]


def test_the_day_of_a_scan_may_be_an_identifier(tmp_path):
    rows = [(*row[:3], date(2026, 10, number + 1), row[4]) for number, row in enumerate(ROWS)]
    columns = {"sign": {"provenance": "identifier", "kind": "categorical"}}
    columns["age"] = {"provenance": "patient", "kind": "numeric"}
    raw = read_book(tmp_path, rows=rows, columns=columns)
    assert raw.problems == ()
    assert raw.cases[0].cells["sign"] == "2026-10-01"


def test_booleans_have_one_spelling_whoever_wrote_them(tmp_path):
    rows = [(*row[:3], sign, row[4]) for row, sign in zip(ROWS, (True, "TRUE", "true"), strict=True)]
    raw = read_book(tmp_path, rows=rows)
    assert raw.problems == ()
    assert {case.cells["sign"] for case in raw.cases} == {"True"}


def test_booleans_may_be_labels(tmp_path):
    rows = [(*row[:4], finding) for row, finding in zip(ROWS, (True, "TRUE", False), strict=True)]
    raw = read_book(tmp_path, rows=rows, labels={True: "malignant", "FALSE": "benign"})
    assert [case.label for case in raw.cases] == ["malignant", "malignant", "benign"]


def percent(*places):
    def change(book, sheet):
        for place in places:
            sheet[place].value, sheet[place].number_format = 0.45, "0%"

    return change


def test_percent_cells_beside_numbers_or_as_categories_are_refused(tmp_path):
    assert "is a percent cell, others are plain numbers" in read_book(tmp_path, change=percent("C3")).problems[0]
    assert "is a percent cell" in read_book(tmp_path, change=percent("D3")).problems[0]
    raw = read_book(tmp_path, change=percent("C2", "C3", "C4"))
    assert [case.cells["age"] for case in raw.cases] == [0.45] * 3


def test_a_percent_sign_that_is_only_shown_is_none(tmp_path):
    def change(book, sheet):
        sheet["C2"].number_format = '0" %"'

    assert read_book(tmp_path, change=change).problems == ()


def test_ids_of_more_digits_than_a_spreadsheet_keeps_are_refused(tmp_path):
    rows = with_cell(0, "patient", 12345678901234567)
    assert "more digits than a spreadsheet keeps" in read_book(tmp_path, rows=rows).problems[0]


def test_escaped_characters_are_undone(tmp_path):
    raw = read_book(tmp_path, rows=with_cell(0, "sign", "lump_x000D_"))
    assert raw.cases[0].cells["sign"] == "lump"


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r'<row r="4"', '<row r="2147483648"', "row 2147483648 stands after row 3"),
        (r'<row r="4"', '<row r="2"', "row 2 stands after row 3"),
        (r'r="E4"', 'r="A4"', "cell A4 stands after column 4"),
        (r'r="E4"', 'r="E5"', "cell E5 stands after column 4 of row 4"),
        (r'r="E4"', 'r="XFE4"', "cell XFE4"),
    ],
)
def test_places_that_cannot_be_are_refused_and_nothing_hangs(tmp_path, pattern, replacement, reason):
    with pytest.raises(DataError, match=reason):
        read_book(tmp_path, patch=(pattern, replacement))


def test_an_empty_row_at_the_end_of_the_sheet_does_no_harm(tmp_path):
    raw = read_book(tmp_path, patch=(r"</sheetData>", '<row r="1048576"><c r="A1048576"/></row></sheetData>'))
    assert len(raw.cases) == 3


def test_a_workbook_that_does_not_say_its_places_is_read(tmp_path):
    read_book(tmp_path)
    patch_sheet(tmp_path / "table.xlsx", r'(<row|<c) r="\w+"', r"\1")
    raw = read_folder(tmp_path)
    assert [case.case_id for case in raw.cases] == ["c1", "c2", "c3"]
    assert len(HEADER) == len(raw.columns)
