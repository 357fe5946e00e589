import re
import zipfile

import pytest

from busline.base.errors import DataError
from busline.cohort.formats.table import read_table, require_columns
from helpers_cohort import write_xlsx


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_and_xlsx_say_the_same(tmp_path):
    rows = [{"id": 7, "size": 2.5, "grade": "4a", "whole": 3.0}, {"id": 8, "size": None, "grade": 2, "whole": "NA"}]
    write_xlsx(rows, tmp_path / "t.xlsx")
    csv = write(tmp_path / "t.csv", "id,size,grade,whole\n7,2.5,4a,3\n8,,2,NA\n")
    found = read_table(tmp_path / "t.xlsx")
    assert found.header == ("id", "size", "grade", "whole")
    assert found.rows == (
        (2, {"id": "7", "size": "2.5", "grade": "4a", "whole": "3"}),
        (3, {"id": "8", "size": "", "grade": "2", "whole": "NA"}),
    )
    assert read_table(csv).rows == found.rows


def test_what_spreadsheet_programs_add_does_no_harm(tmp_path):
    path = write(tmp_path / "t.csv", '\ufeffid;note;;\r\n1;" a;b ";;\r\n2;"x;\ny";;\r\n;;;\r\n')
    found = read_table(path, delimiter=";")
    assert found.header == ("id", "note")
    assert found.rows[0] == (2, {"id": "1", "note": "a;b"})
    assert found.rows[1] == (3, {"id": "2", "note": "x;\ny"})
    assert len(found.rows) == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.csv", b"", "has no rows"),
        ("t.csv", b"id,age\n", "has no rows"),
        ("t.csv", b"id,age,age\n1,2,3\n", "several columns named 'age'"),
        ("t.csv", b"id,,age\n1,2,3\n", "column 2 has no name"),
        ("t.csv", b"id,age\n1,2\n1,2,3\n4,5,6\n", r"2 problems\n  - row 3: has 3 cells, the header has 2"),
        ("t.csv", b"id,\xe4\xee\xe1\xf0\xee\n1,2\n", "no CSV table in UTF-8"),
        ("t.csv", b'id,age\n"1,2\n', "no CSV table"),
        ("t.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "is a pointer of Git LFS"),
        ("t.xlsx", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "is a pointer of Git LFS"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "before 2007, or has a password"),
        ("t.txt", b"id\n1\n", r"ends in .csv or .xlsx"),
        ("t.xlsx", b"", "is no xlsx table"),
        ("t.xlsx", b"id,age\n1,2\n", r"is no xlsx table \(not a zip archive"),
        ("t.xlsx", b"PK\x03\x04 and nothing else", "is no xlsx table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason) as error:
        read_table(tmp_path / name)
    assert name in str(error.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=re.escape(str(tmp_path / "t.csv")) + ": is missing"):
        read_table(tmp_path / "t.csv")


def test_a_zip_that_is_no_workbook_is_no_xlsx(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("a.png", b"A")
    with pytest.raises(DataError, match="is no xlsx table"):
        read_table(tmp_path / "t.xlsx")


@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_a_damaged_workbook_is_no_xlsx(tmp_path, member):
    write_xlsx([{"id": 1}], tmp_path / "good.xlsx")
    with zipfile.ZipFile(tmp_path / "good.xlsx") as good, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as bad:
        for entry in good.infolist():
            content = good.read(entry)
            bad.writestr(entry.filename, content[: len(content) // 2] if entry.filename == member else content)
    with pytest.raises(DataError, match="is no xlsx table"):
        read_table(tmp_path / "t.xlsx")


def test_an_xlsx_that_is_a_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(5 << 20))
    with pytest.raises(DataError, match="unpacks from"):
        read_table(tmp_path / "t.xlsx")


def test_missing_columns_come_with_near_matches(tmp_path):
    table = read_table(write(tmp_path / "t.csv", "id,age,Labl\n1,2,3\n"))
    with pytest.raises(DataError) as error:
        require_columns(table, ["id", "Age", "Label"])
    assert "2 problems" in str(error.value)
    assert "column 'Age' is missing; did you mean 'age'?" in str(error.value)
    assert "column 'Label' is missing; did you mean 'Labl'" in str(error.value)
