"""CSV files as programs write them: what separates the cells, how letters are encoded, and whether all is there."""

import pytest

from busline.base.errors import DataError
from busline.cohort.formats.table import read_table
from made_tables import HEADER, ROWS, read_text

PLAIN = "\n".join(",".join(map(str, row)) for row in (HEADER, *ROWS)) + "\n"


def ids(raw):
    assert raw.problems == ()
    return [(case.case_id, case.patient_id, case.cells["age"]) for case in raw.cases]


EXPECTED = [("c1", "anna", 34.0), ("c2", "berta", 61.0), ("c3", "clara", 45.0)]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")])
def test_the_delimiter_is_found_and_said(tmp_path, delimiter, name):
    raw = read_text(tmp_path, PLAIN.replace(",", delimiter))
    assert ids(raw) == EXPECTED
    assert raw.notes == (f"table.csv: its cells are separated by {name}",)


def test_a_comma_is_not_worth_a_word(tmp_path):
    assert read_text(tmp_path, PLAIN).notes == ()


def test_another_delimiter_inside_cells_does_not_mislead(tmp_path):
    text = PLAIN.replace("lump", "lump;scar|no")
    assert ids(read_text(tmp_path, text)) == EXPECTED
    assert ids(read_text(tmp_path, PLAIN.replace(",", ";").replace("lump", '"1,2;3,4"'))) == EXPECTED


def test_two_delimiters_that_fit_equally_are_a_question(tmp_path):
    with pytest.raises(DataError, match="may be separated by a comma or a semicolon"):
        read_text(tmp_path, "a,b;c\n1,2;3\n")
    (tmp_path / "table.csv").write_text("a,b;c\n1,2;3\n")
    assert read_table(tmp_path / "table.csv", delimiter=";").header == ("a,b", "c")


def test_a_wrong_declared_delimiter_is_named_as_the_reason(tmp_path):
    with pytest.raises(DataError, match="is a semicolon between its cells"):
        read_text(tmp_path, PLAIN.replace(",", ";"), delimiter=",")


def test_the_line_by_which_excel_is_told_the_delimiter(tmp_path):
    raw = read_text(tmp_path, "sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"))
    assert ids(raw) == EXPECTED
    assert raw.cases[0].row == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_unicode_with_a_byte_order_mark(tmp_path, encoding, end):
    text = PLAIN.replace("anna", "änna").replace("\n", end)
    assert ids(read_text(tmp_path, text, encoding))[0][1] == "änna"


def test_windows_1252_is_read_and_said_with_an_example(tmp_path):
    raw = read_text(tmp_path, PLAIN.replace("anna", "Jürgen"), "cp1252")
    assert ids(raw)[0][1] == "Jürgen"
    assert "is no UTF-8 and was read as Windows-1252, for example 'Jürgen'" in raw.notes[0]


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        ("Анна", "cp1251"),
        ("Άνναα", "cp1253"),
        ("安娜安娜", "gbk"),
        ("アンナ", "shift-jis"),
        ("Jörg", "cp850"),
        ("anna", "utf-16-le"),
    ],
)
def test_other_encodings_are_refused(tmp_path, word, encoding):
    with pytest.raises(DataError, match="no CSV table in UTF-8") as error:
        read_text(tmp_path, PLAIN.replace("anna", word), encoding)
    assert "save it as CSV UTF-8" in str(error.value)


@pytest.mark.parametrize("keep", [40, 50, 60])
def test_a_file_cut_in_mid_row_is_refused(tmp_path, keep):
    with pytest.raises(DataError, match=r"row \d: has \d cells, the header has 5"):
        read_text(tmp_path, PLAIN[:keep])


def test_a_short_row_in_the_middle_is_refused(tmp_path):
    with pytest.raises(DataError, match="row 3: has 3 cells, the header has 5"):
        read_text(tmp_path, PLAIN.replace("berta,61,no,m", "berta,m"))


def test_a_last_line_without_an_end_may_be_cut_and_that_is_said(tmp_path):
    assert "its last line has no end" in read_text(tmp_path, PLAIN[:-1]).notes[0]


def test_a_tsv_is_a_table_too(tmp_path):
    (tmp_path / "table.tsv").write_text(PLAIN.replace(",", "\t"))
    assert read_table(tmp_path / "table.tsv").header == HEADER


def test_a_table_without_a_header_is_told_so(tmp_path):
    with pytest.raises(DataError, match="must be the header"):
        read_text(tmp_path, PLAIN.split("\n", 1)[1])


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r"])
def test_a_delimiter_that_has_another_meaning_is_refused(tmp_path, delimiter):
    with pytest.raises(DataError, match="delimiter: "):
        read_text(tmp_path, PLAIN, delimiter=delimiter)
