"""Keys of dataset.yaml that decide which rows are read and whose they are."""

import logging

import pytest

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.ingest import ingest
from busline.cohort.sources.dataset import load_dataset
from busline.cohort.sources.folder import read_folder
from helpers_cohort import SETTINGS
from made_tables import ROWS, describe, read_csv_rows, read_text, with_cell


def test_a_dataset_that_does_not_say_whose_the_images_are_is_refused(tmp_path):
    describe(tmp_path, patient_id=None)
    with pytest.raises(
        DataError, match="patient_id: is missing; name the column of the patient, or say `patient_id: ea"
    ):
        load_dataset(tmp_path)


@pytest.mark.parametrize("text", ["patient_id:", "patient_id: ~", "patient_id: null"])
def test_an_empty_patient_id_is_no_answer(tmp_path, text):
    describe(tmp_path, patient_id=None)
    with (tmp_path / "dataset.yaml").open("a") as file:
        file.write(text + "\n")
    with pytest.raises(DataError, match="patient_id: is empty; name a column, or say `each image`"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("word", ["each image", "Each image", " each image "])
def test_each_image_may_be_of_another_patient(tmp_path, word):
    columns = {name: {"provenance": "identifier", "kind": "categorical"} for name in ("age", "sign", "patient")}
    raw = read_csv_rows(tmp_path, patient_id=word, columns=columns)
    assert [case.patient_id for case in raw.cases] == ["c1", "c2", "c3"]


def test_the_cases_id_as_patient_is_answered_with_the_right_words(tmp_path):
    with pytest.raises(DataError, match="patient_id: is the case's id; say `patient_id: each image`"):
        read_csv_rows(tmp_path, patient_id="case")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"column": "patient"}, "patient_id.from: is missing"),
        ({"from": "patient", "exakt": True}, "patient_id.exakt: unknown key"),
        ({"from": "patient", "exact": "perhaps"}, "patient_id.exact"),
        (["patient"], "patient_id"),
    ],
)
def test_a_wrong_patient_id_is_named(tmp_path, value, reason):
    with pytest.raises(DataError) as error:
        read_csv_rows(tmp_path, patient_id=value)
    assert reason in str(error.value)


def test_a_label_may_mean_that_its_rows_are_left_out_whatever_else_is_wrong_with_them(tmp_path):
    rows = [*ROWS, ("c1", "", "many", "#N/A", ""), ("../x", "", "", "", "u")]
    raw = read_csv_rows(tmp_path, rows, labels={"": "leave out", "u": "leave out", "b": "benign", "m": "malignant"})
    assert raw.problems == ()
    assert len(raw.cases) == 3
    assert raw.left_out == {"": 1, "u": 1}


def test_an_unlabelled_row_is_refused_with_the_way_to_leave_it_out(tmp_path):
    problem = read_csv_rows(tmp_path, with_cell(1, "finding", "")).problems[0]
    assert "unknown label ''" in problem
    assert '`labels: {"": leave out}`' in problem


def test_files_of_rows_left_out_are_not_copied(tmp_path):
    from busline.cohort.formats.rows import file_names
    from busline.cohort.sources.dataset import layout_of
    from busline.cohort.sources.folder import _read

    text = "case,patient,finding,file\nc1,a,b,a.png\nc2,b,u,../b.png\n"
    changes = {"image": "file", "columns": None, "labels": {"b": "benign", "u": "leave out"}}
    read_text(tmp_path, text, **changes)
    dataset = load_dataset(tmp_path)
    assert file_names(_read(tmp_path, dataset), layout_of(dataset)) == ["a.png"]


def test_notes_and_rows_left_out_stand_on_the_card_and_are_printed(tmp_path, caplog):
    labels = {"": "leave out", "b": "benign", "m": "malignant"}
    raw = read_csv_rows(tmp_path, [*with_cell(0, "sign", "unknown"), ("c4", "d", 1, "", "")], labels=labels)
    with caplog.at_level(logging.WARNING):
        ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    card = load_json(tmp_path / "cohort/card.json")
    note = "column 'sign': 'unknown' is a category; list it under missing if it is none"
    assert card["notes"] == [note]
    assert card["left_out"] == {"": 1}
    assert f"note: {note}" in caplog.text


def test_a_table_that_leaves_nothing_to_say_has_a_card_without_notes(tmp_path, caplog):
    ingest(read_csv_rows(tmp_path), "folder", tmp_path / "cohort", SETTINGS)
    assert caplog.text == ""
    assert not {"notes", "left_out"} & set(load_json(tmp_path / "cohort/card.json"))


def test_a_table_whose_rows_are_all_left_out_has_no_cases(tmp_path):
    raw = read_csv_rows(tmp_path, labels={"b": "leave out", "m": "leave out"})
    with pytest.raises(DataError, match="has no cases"):
        ingest(raw, "folder", tmp_path / "cohort", SETTINGS)


def test_problems_stand_in_the_order_of_the_rows(tmp_path):
    text = "case,patient,finding,file\nc10,P7,b,a.png\nc9,p7,b,b.png\nc2,x,?,c.png\nc1,y,b,d.png\n"
    raw = read_text(tmp_path, text, image="file", columns=None)
    with pytest.raises(DataError) as error:
        ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    rows = [line.split()[2] for line in str(error.value).splitlines() if line.startswith("  - row")]
    assert rows == sorted(rows) == ["2", "3", "3", "4", "5"]


def test_messages_do_not_print_long_values(tmp_path):
    rows = [["x" * 50_000] * 5, *ROWS]
    raw = read_csv_rows(tmp_path, rows)
    with pytest.raises(DataError) as error:
        ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    assert len(str(error.value)) < 2_000
    with pytest.raises(DataError) as error:
        read_csv_rows(tmp_path, labels={"b": "x" * 50_000}, **{"y" * 50_000: 1})
    assert len(str(error.value)) < 1_000


def test_column_names_in_another_unicode_form_are_found(tmp_path):
    text = "case,patient,finding,Gro\u0308ße\ufeff\nc1,a,b,3\nc2,b,m,4\n"
    raw = read_text(tmp_path, text, columns={"Größe": {"provenance": "patient", "kind": "numeric"}})
    assert [case.cells["Größe"] for case in raw.cases] == [3.0, 4.0]


def test_two_spellings_of_one_key_are_refused(tmp_path):
    with pytest.raises(DataError, match="labels: has 'True' twice"):
        read_csv_rows(tmp_path, labels={"true": "benign", "TRUE": "malignant"})


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}", "1", "null", "2026-10-19", "true"])
def test_a_key_that_is_no_text_is_refused_not_raised(tmp_path, key):
    describe(tmp_path)
    with (tmp_path / "dataset.yaml").open("a") as file:
        file.write(f"? {key}\n: c\n")
    with pytest.raises(DataError, match="dataset.yaml"):
        load_dataset(tmp_path)


def test_a_sheet_of_a_csv_is_refused(tmp_path):
    with pytest.raises(DataError, match="sheet: is for an .xlsx table"):
        read_csv_rows(tmp_path, sheet="Data")


def test_a_file_name_in_another_unicode_form_is_that_of_the_disk(tmp_path):
    name = "o\u0308.png"
    raw = read_text(tmp_path, f"case,patient,finding,file\nc1,a,b,{name}\n", image="file", columns=None)
    assert raw.cases[0].image == tmp_path / name
    assert read_folder(tmp_path).notes == ()
