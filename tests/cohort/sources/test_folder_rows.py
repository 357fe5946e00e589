"""Where the rows come from: a table without a header, names of files, cases that are left out."""

import logging

import pytest

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.ingest import ingest
from busline.cohort.sources.folder import copy_own, read_folder
from helpers_cohort import SETTINGS, files_of
from made_layouts import copy, draw, mark, refusal, tell, touch
from made_tables import LABELS, ROWS, read_book, read_csv_rows, read_text

NAMES = (
    "files: '{label}/{case}.png'\ncase_id: case\npatient_id: each image\n"
    "label: label\nlabels: {b: benign, m: malignant}\n"
)
NO_HEADER = {"header": ["case", "patient", "age", "sign", "finding"]}


def test_a_table_without_header_is_read_from_its_first_row(tmp_path):
    raw = read_text(tmp_path, "c1;anna;34;lump;b\nc2;berta;61;no;m\n", **NO_HEADER)
    assert raw.problems == ()
    assert [(case.row, case.case_id, case.cells["age"]) for case in raw.cases] == [(1, "c1", 34.0), (2, "c2", 61.0)]


def test_a_workbook_without_header_is_read_with_its_merged_cells(tmp_path):
    def change(book, sheet):
        sheet.delete_rows(1)
        sheet.merge_cells("B1:B2")

    raw = read_book(tmp_path, change=change, **NO_HEADER)
    assert [case.patient_id for case in raw.cases] == ["anna", "anna", "clara"]


@pytest.mark.parametrize(
    ("text", "header", "reason"),
    [
        ("c1,anna,34,lump,b\n", ["case", "patient", "age", "sign"], "row 1: has 5 cells, the header has 4"),
        ("Case,patient,age,sign,finding\nc1,a,3,x,b\n", NO_HEADER["header"], "remove `header` from dataset.yaml"),
        ("", NO_HEADER["header"], "has no rows"),
        (
            "c1,anna,34,lump,b\n",
            ["case", "patient", "age", "sing", "finding"],
            "'sign' is missing; did you mean 'sing'",
        ),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path, text, header, reason):
    with pytest.raises(DataError) as error:
        read_text(tmp_path, text, header=header)
    assert reason in str(error.value)


def test_a_table_without_header_is_told_how_to_name_its_columns(tmp_path):
    with pytest.raises(DataError, match="or name the columns: key `header`"):
        read_text(tmp_path, "c1,anna,34,lump,b\nc2,berta,61,no,m\n")


def test_excluded_cases_are_left_out_whatever_is_wrong_with_them_and_stand_on_the_card(tmp_path):
    rows = [*ROWS, ("c4", "", "many", "#N/A", "?")]
    raw = read_csv_rows(tmp_path, rows, exclude={"c4": "mask is of another scan"})
    assert raw.problems == ()
    assert [case.case_id for case in raw.cases] == ["c1", "c2", "c3"]
    ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    assert load_json(tmp_path / "cohort/card.json")["excluded"] == {"c4": "mask is of another scan"}


def test_an_excluded_case_is_counted_once(tmp_path):
    labels = {**LABELS, "": "leave out"}
    raw = read_csv_rows(
        tmp_path, [*ROWS, ("c4", "d", 1, "", ""), ("c5", "e", 1, "", "")], labels=labels, exclude={"c4": "x"}
    )
    assert (raw.left_out, raw.excluded) == ({"": 1}, {"c4": "x"})


def test_an_excluded_case_that_is_none_is_an_error_with_near_matches(tmp_path):
    with pytest.raises(DataError, match=r"exclude: 'c_1' is no case; did you mean 'c1'"):
        read_csv_rows(tmp_path, exclude={"c_1": "x"})


def test_an_id_that_yaml_takes_for_a_number_is_found_as_the_table_has_it(tmp_path):
    text = "case,patient,finding\n7,a,b\n8,b,m\n"
    assert len(read_text(tmp_path, text, columns=None, exclude={7: "x"}).cases) == 1


def test_files_of_excluded_cases_are_not_copied(tmp_path):
    own = tell(tmp_path / "own", f"{NAMES}mask: '{{label}}/{{case}}_m.png'\nexclude: {{b: blurred}}\n")
    touch(own, "b/a.png", "b/a_m.png", "b/b.png", "b/b_m.png")
    assert sorted(files_of(copy(own, tmp_path / "made"))) == [
        "b/a.png",
        "b/a_m.png",
        "dataset.files.json",
        "dataset.yaml",
    ]


def test_pictures_that_are_neither_image_nor_mask_are_counted(tmp_path, caplog):
    own = tell(tmp_path / "own", NAMES)
    draw(own, "b/one.png", "m/two.png", "b/._one.png", "overview.jpg", "b/deep/three.png")
    touch(own, "b/three.tif", "b/notes.txt", "table.csv")
    raw = read_folder(own)
    assert [case.case_id for case in raw.cases] == ["one", "two"]
    note = "files: 4 pictures match neither `files` nor `mask`, and nothing is read of them, for example b/._one.png"
    assert raw.notes == (note,)
    with caplog.at_level(logging.WARNING):
        ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    assert note in caplog.text


@pytest.mark.parametrize("name", ["b/a_mask.png", "b/a_mask1.png", "b/GT a.png", "m/masks.png"])
def test_images_that_are_named_as_masks_are_noted(tmp_path, name):
    own = tell(tmp_path / "own", NAMES)
    touch(own, "b/a.png", "b/masked.png", name)
    assert f"files: 1 image is named as masks are, for example {name}; if they are masks" in read_folder(own).notes[0]


def test_several_patterns_are_tried_in_order(tmp_path):
    own = tell(
        tmp_path / "own", NAMES.replace("'{label}/{case}.png'", "['{label}/{case}.png', '{label}/x/{case}.JPG']")
    )
    touch(own, "b/1.png", "m/x/2.jpg")
    assert [case.image.name for case in read_folder(own).cases] == ["1.png", "2.jpg"]
    (own / "m/x/2.jpg").unlink()
    with pytest.raises(DataError, match=r"'{label}/x/{case}.JPG' matches no picture"):
        read_folder(own)


def test_one_name_with_two_suffixes_is_two_rows_of_one_id(tmp_path):
    own = tell(tmp_path / "own", NAMES)
    touch(own, "b/1.png", "b/1.PNG")
    assert "case id '1' is that of row 1 too" in refusal(own)


def test_a_folder_that_is_no_label_is_named(tmp_path):
    own = tell(tmp_path / "own", NAMES)
    touch(own, "b/1.png", "masks/1.png")
    assert "row 2 (case 1): column 'label': unknown label 'masks'" in refusal(own)


def test_a_picture_of_another_kind_is_refused_with_the_mend(tmp_path):
    own = tell(tmp_path / "own", NAMES.replace(".png", ".tif"))
    touch(own, "b/1.tif")
    assert "is a TIFF; save it as PNG" in refusal(own)


def test_masks_that_only_a_star_finds_do_not_become_images(tmp_path):
    own = tell(tmp_path / "own", f"{NAMES}mask: '{{label}}/{{case}}_mask.png'\n")
    touch(own, "b/1.png", "b/1_mask.png", "b/1_mask_1.png")
    assert "row 2 (case 1_mask_1): column '{label}/{case}_mask.png': names 'b/1_mask_1_mask.png'" in refusal(own)


def test_what_may_be_a_mask_or_an_image_with_a_mask_is_refused(tmp_path):
    own = tell(tmp_path / "own", f"{NAMES}mask: '{{label}}/{{case}}_mask*.png'\n")
    touch(own, "b/a.png", "b/a_mask.png", "b/a_mask_2.png", "b/a_mask_2_mask.png")
    assert "b/a_mask_2.png: is a mask of b/a.png, or an image with a mask" in refusal(own)


def test_masks_may_lie_in_a_folder_that_the_pattern_matches_too(tmp_path):
    own = tell(tmp_path / "own", f"{NAMES}mask: 'masks/{{case}}.png'\n")
    touch(own, "b/1.png", "m/2.png", "masks/1.png", "masks/2.png")
    raw = read_folder(own)
    assert raw.problems == ()
    assert [path.name for case in raw.cases for path in case.masks] == ["1.png", "2.png"]
    touch(own, "masks/3.png")
    assert "row 3 (case 3): column 'label': unknown label 'masks'" in refusal(own)


def test_the_whole_name_is_a_column_too(tmp_path):
    own = tell(tmp_path / "own", NAMES.replace("case_id: case", "case_id: '{file.parent}-{file.stem}'"))
    touch(own, "b/1.png", "m/1.png")
    assert [case.case_id for case in read_folder(own).cases] == ["b-1", "m-1"]


def test_a_placeholder_that_plays_no_part_is_declared_or_named(tmp_path):
    text = NAMES.replace("{label}/", "{site}/{label}/")
    own = tell(tmp_path / "own", text)
    touch(own, "x/b/1.png")
    assert "column 'site': no declared provenance, so `prune` will stop" in read_folder(own).notes[0]
    tell(own, f"{text}columns: {{site: {{provenance: acquisition, kind: categorical}}}}\n")
    assert read_folder(own).cases[0].cells["site"] == "x"


def test_names_that_are_no_unicode_are_refused(tmp_path):
    own = tell(tmp_path / "own", NAMES)
    touch(own, "b/1.png")
    (own / b"b/\xff.png".decode("utf-8", "surrogateescape")).touch()
    assert "is no name in UTF-8" in refusal(own)


def test_a_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("busline.cohort.formats.listing.MOST_FILES", 2)
    own = tell(tmp_path / "own", NAMES)
    touch(own, "b/1.png", "b/2.png")
    assert "holds more than 2 files" in refusal(own)


def test_a_table_has_no_list_of_pictures(tmp_path):
    draw(tmp_path, "a.png")
    mark(tmp_path, "b.png")
    read_text(tmp_path, "case,patient,finding,f\nc1,a,b,a.png\n", image="f", columns=None)
    (tmp_path / "copy").mkdir()
    copy_own(tmp_path, tmp_path / "copy")
    assert sorted(files_of(tmp_path / "copy")) == ["a.png", "dataset.yaml", "table.csv"]


def test_columns_that_nobody_declared_are_named_at_ingest(tmp_path):
    raw = read_csv_rows(tmp_path, columns=None)
    what = "columns 'age', 'sign': no declared provenance, so `prune` will stop; docs/own-data.md says what to declare"
    assert raw.notes == (what,)


@pytest.mark.parametrize("word", ["none", "None", " none "])
def test_a_cohort_may_be_without_labels(tmp_path, word):
    raw = read_csv_rows(tmp_path, label=word, labels=None)
    assert [case.label for case in raw.cases] == ["unlabelled"] * 3
    assert {column.name: column.provenance for column in raw.columns}["finding"] is None
    ingest(raw, "folder", tmp_path / "cohort", SETTINGS)
    assert load_json(tmp_path / "cohort/card.json")["labels"] == {"unlabelled": 3}


def test_a_lesion_without_label_needs_its_mask(tmp_path):
    text = "files: 'i/{n}.png'\ncase_id: n\npatient_id: each image\nlabel: none\nmask: 'm/{n}*.png'\n"
    own = tell(tmp_path / "own", text)
    touch(own, "i/a.png")
    assert "row 1 (case a): column 'm/{n}*.png': matches no file: there is no 'm/a*.png'" in refusal(own)


def test_a_column_named_none_can_be_the_label(tmp_path):
    raw = read_text(tmp_path, "case,patient,none\nc1,a,b\n", label={"from": "none"}, columns=None)
    assert raw.cases[0].label == "benign"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"label": "none"}, "labels: does not go with `label: none`"),
        ({"labels": None}, "labels: is missing; say what each label means"),
        ({"labels": {}}, "labels: is missing; say what each label means"),
        ({"label": None}, "label: is missing"),
    ],
)
def test_labels_are_needed_unless_there_are_none(tmp_path, keys, reason):
    with pytest.raises(DataError, match=reason):
        read_csv_rows(tmp_path, **keys)
