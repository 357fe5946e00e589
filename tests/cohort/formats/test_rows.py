"""Ids, categories and numbers that look like others, or like nothing."""

import pytest

from busline.cohort.formats.patients import patient_key, shared_names
from busline.cohort.formats.spellings import doubled_categories
from busline.cohort.formats.text import read_number, tidy
from made_tables import ROWS, read_csv_rows, read_text, with_cell


def patients(raw):
    assert raw.problems == ()
    return [case.patient_id for case in raw.cases]


@pytest.mark.parametrize("text", ["", " ", "n/a", "unknown", "-", "NaN", "not available", "\u200b"])
def test_a_row_without_a_patient_is_refused(tmp_path, text):
    problems = read_csv_rows(tmp_path, with_cell(1, "patient", text)).problems
    assert len(problems) == 1
    assert problems[0].startswith("row 3 (case c2): column 'patient': ")
    assert "names no patient" in problems[0]


def test_a_text_declared_to_be_missing_is_no_patient_either(tmp_path):
    assert "names no patient" in read_csv_rows(tmp_path, with_cell(1, "patient", "x"), missing=["x"]).problems[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("007", "7"), ("7", "7.0"), ("P07", "p07"), ("P7", "P 7"), ("P7", "P007"), ("P-7", "P7"), ("P_7", "P-07"),
        ("7a", "07A"), ("Anna B", "anna  b"), ("７", "7"), ("1.0", "01"), ("7-a", "7a"), ("'007", "7"),
        ('"7"', "7"), ("#7", "7"), ("7,0", "7"), ("1,000", "1000"), ("+7", "7"), ("Anna", "Аnna"), ("Ⅳ", "IV"),
        ("Straße", "STRASSE"),
    ],
)  # fmt: skip
def test_one_patient_spelt_two_ways_is_refused_unless_said_to_be_two(tmp_path, one, other):
    rows = [(*row[:1], patient, *row[2:]) for row, patient in zip(ROWS, (one, "x", other), strict=True)]
    problems = read_csv_rows(tmp_path, rows).problems
    assert len(problems) == 1
    assert f"row 4 (case c3): column 'patient': {other!r} may be {one!r} of row 2" in problems[0]
    assert "`patient_id: {from: patient, exact: true}`" in problems[0]
    raw = read_csv_rows(tmp_path, rows, patient_id={"from": "patient", "exact": True})
    assert len(set(patients(raw))) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,5", "15"),
        ("1,0000", "1"),
        ("1,000", "1"),
        ("'", "#"),
        ("7", "70"),
        ("P7", "Q7"),
        ("P07", "P70"),
        ("1-1", "11"),
        ("1.5", "15"),
        ("0", "10"),
        ("a", "b"),
    ],
)
def test_different_patients_are_not_confused(one, other):
    assert patient_key(one) != patient_key(other)


@pytest.mark.parametrize(
    "other",
    [
        "Ju\u0308rgen",
        "Jürgen\u200b",
        "\ufeffJürgen",
        "Jü\u00adrgen",
        "Jürgen\u00a0",
        "\u200eJürgen",
        "Jürgen\ufe0f",
        "Jür\u034fgen",
        "Jürgen\u3164",
        "Jürgen\u2028",
    ],
)
def test_unicode_forms_and_invisible_characters_do_not_make_another_patient(tmp_path, other):
    rows = [(*row[:1], patient, *row[2:]) for row, patient in zip(ROWS, ("Jürgen", other, "x"), strict=True)]
    raw = read_csv_rows(tmp_path, rows)
    assert patients(raw) == ["Jürgen", "Jürgen", "x"]
    assert raw.notes or other.strip() == "Jürgen"


def test_unicode_forms_do_not_make_another_case(tmp_path):
    rows = [*with_cell(0, "case", "ö"), ["o\u0308", "dora", 50, "no", "b"]]
    assert "case id 'ö' is that of row 2 too" in read_csv_rows(tmp_path, rows).problems[0]


@pytest.mark.parametrize("column", ["case", "patient", "sign"])
@pytest.mark.parametrize("text", ["a\x01b", "a\x7fb", "M\ufffdller", "a\x85b", "a\x1f", "a\ue000"])
def test_characters_that_no_text_has_are_refused(tmp_path, column, text):
    assert "holds a character that no text has" in read_csv_rows(tmp_path, with_cell(1, column, text)).problems[0]


@pytest.mark.parametrize("column", ["case", "patient"])
def test_ids_that_a_spreadsheet_rounded_are_refused(tmp_path, column):
    assert "more digits than" in read_csv_rows(tmp_path, with_cell(1, column, "1.23457E+11")).problems[0]


@pytest.mark.parametrize("column", ["case", "patient", "age", "sign", "finding"])
def test_formulas_in_a_csv_are_refused(tmp_path, column):
    assert "is a formula" in read_csv_rows(tmp_path, with_cell(1, column, '="007"')).problems[0]


@pytest.mark.parametrize(
    "text", ["1_5", "٣٤", "３４", "0x1F", "1e", "1.2.3", "infinity", "1e999", "−5", "3 4", "45%", "4,5"]
)
def test_what_is_no_plain_number_is_refused(tmp_path, text):
    assert "is no number" in read_csv_rows(tmp_path, with_cell(1, "age", text)).problems[0]


@pytest.mark.parametrize("text", ["1e300", "-1e300", "3.5e38", "9" * 40])
def test_a_number_that_no_model_can_hold_is_refused(tmp_path, text):
    columns = {"age": {"provenance": "patient", "kind": "numeric", "minimum": -1e308, "maximum": 1e308}}
    columns["sign"] = {"provenance": "patient", "kind": "categorical"}
    raw = read_csv_rows(tmp_path, with_cell(1, "age", text), columns=columns)
    assert "is beyond ±3.4e+38, the largest number that a model can be given" in raw.problems[0]


@pytest.mark.parametrize(
    ("text", "number"), [("34", 34), ("+3.5", 3.5), (".5", 0.5), ("5.", 5), ("1e2", 100), ("-0", 0)]
)
def test_plain_numbers_are_read(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize("missing", [-9, "-9", -9.0, "-9.00"])
@pytest.mark.parametrize("cell", ["-9", "-9.0", "-9.000", "-09"])
@pytest.mark.parametrize("column", ["age", "sign"])
def test_sentinels_are_compared_as_numbers(tmp_path, missing, cell, column):
    raw = read_csv_rows(tmp_path, with_cell(1, column, cell), missing=[missing])
    assert raw.problems == ()
    assert raw.cases[1].cells[column] is None


def test_a_sentinel_is_no_patient_but_a_number_like_it_is(tmp_path):
    assert patients(read_csv_rows(tmp_path, with_cell(1, "patient", "007"), missing=[7]))[1] == "007"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes", "yes"), ("Y", "Yes"), ("yes", "TRUE"), ("no", "n"), ("lump ", "Lump"), ("skin-red", "skin red"),
        ("3", "3.0"), ("M", "male"), ("a  b", "a b"), ("ｙｅｓ", "yes"), ("01", "1"), ("pos", "positive"),
    ],
)  # fmt: skip
def test_a_category_in_two_spellings_is_refused(tmp_path, one, other):
    rows = [(*row[:3], sign, row[4]) for row, sign in zip(ROWS, (one, "else", other), strict=True)]
    problems = read_csv_rows(tmp_path, rows).problems
    assert problems == (
        f"row 4 (case c3): column 'sign': {other!r} may be {one.strip()!r} of row 2; write it one way",
    ) or (other == "TRUE" and "'True' may be 'yes' of row 2" in problems[0])


@pytest.mark.parametrize(
    "values", [("0", "1", "2"), ("A", "AB", "B"), ("Y", "N", "Y"), ("4a", "4b", "4"), ("<5", ">5", "5")]
)
def test_different_categories_are_not_confused(values):
    assert doubled_categories(list(enumerate(values)), {"n/a"}) == []


def test_bits_are_words_only_beside_words():
    assert doubled_categories([(2, "yes"), (3, "0"), (4, "1")], ()) == [(4, "'1' may be 'yes' of row 2")]


def test_free_text_of_a_pathologist_is_noted_not_refused(tmp_path):
    columns = {"sign": {"provenance": "pathology", "kind": "categorical"}}
    columns["age"] = {"provenance": "patient", "kind": "numeric"}
    rows = [(*row[:3], sign, row[4]) for row, sign in zip(ROWS, ("Cyst", "cyst", "NST"), strict=True)]
    raw = read_csv_rows(tmp_path, rows, columns=columns)
    assert raw.problems == ()
    assert raw.notes == ("row 3 (case c2): column 'sign': 'cyst' may be 'Cyst' of row 2",)


def test_a_missing_value_in_another_spelling_is_refused_and_an_undeclared_one_is_said(tmp_path):
    raw = read_csv_rows(tmp_path, with_cell(1, "sign", "N/A"), missing=["n/a"])
    assert "'N/A' may be the missing value 'n/a'" in raw.problems[0]
    raw = read_csv_rows(tmp_path, with_cell(1, "sign", "N/A"))
    assert raw.notes == ("column 'sign': 'N/A' is a category; list it under missing if it is none",)


@pytest.mark.parametrize(
    "names",
    [
        ["ABCD_001", "ABCD_002", "EFGH_001", "EFGH_002", "IJKL_001", "MNOP_001"],
        ["0044-r", "0044-l", "0045-r", "0046-r", "0046-l"],
        ["0044r", "0044l", "0045r", "0046r", "0046l"],
        ["p1_1", "p1_2", "p2_1", "p2_2", "p3_1", "p3_2"],
        ["bus_17_a", "bus_17_b", "bus_18_a", "bus_18_b", "bus_19_a"],
        ["p1/a", "p1/b", "p2/a", "p2/b", "p3/a"],
        ["left_P01", "right_P01", "left_P02", "right_P02", "left_P03"],
        ["P1.1", "P1.2", "P2.1", "P2.2", "P3.1"],
        ["1.2.840.7.1", "1.2.840.7.2", "1.2.840.8.1", "1.2.840.8.2", "1.2.840.9.1"],
    ],
)
def test_names_that_share_a_patient_are_noted(names):
    assert "patient_id is `each image`, but" in shared_names(names, ["b", *["m"] * (len(names) - 1)])


@pytest.mark.parametrize(
    "names",
    [
        [f"case{number:03d}" for number in range(20)],
        [f"{number}" for number in range(20)],
        [f"{label}/{label} ({number})" for label in ("benign", "malignant") for number in range(10)],
        [f"scan_{number}_image" for number in range(20)],
        [f"{number}_{2000 + number % 3}" for number in range(60)],
        ["3f2a9c81d0b7", "3f2a9c81d0b8", "a81d0b7c3f2a", "b7c3f2a9c81d"],
        ["a"],
        [],
    ],
)
def test_names_that_only_count_are_not(names):
    assert shared_names(names, [("b", "m")["m" in name] for name in names]) == ""


def test_the_note_reaches_a_table_whose_images_are_each_of_another_patient(tmp_path):
    rows = [(f"P{number // 2}_{number % 2}", "x", 40, "no", "bm"[number // 2 % 2]) for number in range(8)]
    columns = {name: {"provenance": "identifier", "kind": "categorical"} for name in ("age", "sign", "patient")}
    raw = read_csv_rows(tmp_path, rows, patient_id="each image", columns=columns)
    assert patients(raw) == [case.case_id for case in raw.cases]
    assert "8 of 8 cases share the beginning of the name" in raw.notes[0]


def test_tidy_leaves_what_is_visible():
    assert tidy("  a\u00a0b\u2009c ") == "a b c"
    assert tidy("\u200b\ufeff") == ""
    assert tidy("line\nbreak") == "line\nbreak"


def test_case_ids_that_differ_in_spelling_alone_are_noted(tmp_path):
    raw = read_csv_rows(tmp_path, with_cell(1, "case", "C1"))
    assert raw.problems == ()
    assert raw.notes == ("row 3 (case C1): column 'case': 'C1' may be 'c1' of row 2",)


def test_no_note_names_a_folder_of_this_machine(tmp_path):
    rows = [(f"{number}", f"{number // 2}_{number % 2}.png", "bm"[number % 2]) for number in range(12)]
    text = "\n".join(",".join(row) for row in [("case", "file", "finding"), *rows])
    raw = read_text(tmp_path, text + "\n", patient_id="each image", image="file", columns=None)
    assert "for example 0_0, 0_1" in raw.notes[0]
    assert str(tmp_path) not in "".join(raw.notes)
