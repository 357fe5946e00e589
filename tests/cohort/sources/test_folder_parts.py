"""Parts that are made of columns: templates, patterns, several masks, and what may be wrong with them."""

from datetime import datetime

import pytest

from busline.base.errors import DataError
from busline.cohort.sources.dataset import load_dataset
from busline.cohort.sources.folder import copy_own, read_folder
from helpers_cohort import files_of
from made_layouts import refusal, tell, touch
from made_tables import describe, read_book, read_text

LABELS = "labels: {b: benign, m: malignant, n: normal}\n"
PLAIN = "table: t.csv\ncase_id: '{f.stem}'\npatient_id: each image\nimage: f\nlabel: l\n" + LABELS


def make(tmp_path, rows, text, *files, header="f,l"):
    """Write a table t.csv, dataset.yaml and empty files."""
    own = tell(tmp_path / "own", text)
    (own / "t.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    touch(own, *files)
    return own


def masks_of(own):
    raw = read_folder(own)
    assert raw.problems == ()
    return {case.case_id: [path.name for path in case.masks] for case in raw.cases}


def test_one_column_plays_several_parts(tmp_path):
    text = PLAIN.replace("patient_id: each image", "patient_id: '{f.parent}'") + "mask: 'm/{f.stem}.png'\n"
    own = make(tmp_path, ["p1/a.png,b", "p1/b.png,m"], text, "p1/a.png", "p1/b.png", "m/a.png", "m/b.PNG")
    raw = read_folder(own)
    assert raw.problems == ()
    assert [(case.case_id, case.patient_id) for case in raw.cases] == [("a", "p1"), ("b", "p1")]
    assert [path.name for case in raw.cases for path in case.masks] == ["a.png", "b.PNG"]
    assert [column.name for column in raw.columns] == ["f", "l"]


def test_several_masks_are_found_and_no_case_gets_anothers(tmp_path):
    names = ["a", "a_mask_2", "b (1)", "b [1]", "b (10)", "c*", "d"]
    masks = ["a_mask.png", "a_mask_1.png", "a_mask_2_mask.png", "b (1)_mask.png", "b (10)_mask.png", "b [1]_mask.png"]
    files = [*(f"{name}.png" for name in names), *masks, "c*_mask.png", "cd_mask.png", "d_mask_x.png", "b 1_mask.png"]
    own = make(tmp_path, [f"{name}.png,b" for name in names], PLAIN + "mask: '{f.stem}_mask*.png'\n", *files)
    assert masks_of(own) == {
        "a": ["a_mask.png", "a_mask_1.png"],
        "a_mask_2": ["a_mask_2_mask.png"],
        "b (1)": ["b (1)_mask.png"],
        "b [1]": ["b [1]_mask.png"],
        "b (10)": ["b (10)_mask.png"],
        "c*": ["c*_mask.png"],
        "d": ["d_mask_x.png"],
    }


def test_a_star_behind_a_cell_does_not_go_on_with_its_number_or_word(tmp_path):
    files = ["i/1.png", "i/anna.png", "m/1.png", "m/1_a.png", "m/1b.png", "m/10.png", "m/anna.png", "m/annabel.png"]
    own = make(tmp_path, ["i/1.png,b", "i/anna.png,b"], PLAIN + "mask: 'm/{f.stem}*.png'\n", *files)
    assert masks_of(own) == {"1": ["1.png", "1_a.png", "1b.png"], "anna": ["anna.png"]}


def test_left_out_cases_keep_their_masks_to_themselves(tmp_path):
    files = ["a.png", "a_mask_2.png", "a_mask.png", "a_mask_2_mask.png"]
    text = PLAIN + "mask: '{f.stem}_mask*.png'\nexclude: {a_mask_2: blurred}\n"
    own = make(tmp_path, ["a.png,b", "a_mask_2.png,b"], text, *files)
    assert masks_of(own) == {"a": ["a_mask.png"]}


def test_a_file_that_one_row_names_is_no_other_rows_for_a_stars_sake(tmp_path):
    text = PLAIN + "mask: 'm/{k}*.png'\n"
    own = make(tmp_path, ["a.png,b,a", "b.png,b,a_b"], text, "a.png", "b.png", "m/a_b.png", header="f,l,k")
    assert "row 2 (case a): column 'm/{k}*.png': matches files of other cases only" in refusal(own)


def test_a_mask_that_is_not_there_is_named_with_its_row(tmp_path):
    rows = ["a.png,b", "b.png,m", "n.png,n", "u.png,?"]
    files = ["a.png", "b.png", "n.png", "m/a.png"]
    own = make(tmp_path, rows, PLAIN + "mask: 'm/{f.stem}.png'\n", *files)
    assert "row 3 (case b): column 'm/{f.stem}.png': names 'm/b.png', which is not there" in refusal(own)
    assert "case n" not in refusal(own)
    with pytest.raises(DataError, match=r"row 3, column 'm/{f.stem}.png': names 'm/b.png', which is not there"):
        copy_own(own, tmp_path)


@pytest.mark.parametrize("mask", ["'m/{f.stem}_*.png'", "['m/{f.stem}.png', 'm/{f.stem}_*.png']"])
def test_a_star_that_matches_nothing_is_an_error_unless_the_case_is_normal(tmp_path, mask):
    own = make(tmp_path, ["a.png,b", "n.png,n"], f"{PLAIN}mask: {mask}\n", "a.png", "n.png", "m/a.png")
    problems = refusal(own)
    assert "row 2 (case a)" in problems
    assert "matches no file: there is no 'm/a_*.png'" in problems
    assert "case n" not in problems


def test_an_image_that_is_not_there_is_named_with_its_row(tmp_path):
    own = make(tmp_path, ["a,n", "b,n"], PLAIN.replace("image: f", "image: 'i/{f}.png'"), "i/b.jpg", "i/bc.png")
    first, second = refusal(own).splitlines()
    assert first == "row 2 (case a): column 'i/{f}.png': names 'i/a.png', which is not there"
    assert second.endswith("names 'i/b.png', which is not there; 'i/b.jpg' is")


@pytest.mark.parametrize("cell", ["../secret", "/etc/secret", "a/../../secret", "b\\secret", "C:/secret"])
def test_a_cell_does_not_lead_out_of_the_folder(tmp_path, cell):
    touch(tmp_path, "secret.png", "m/secret_1.png")
    for key in ("image: '{f}.png'", "image: f\nmask: '{f}.png'", "image: f\nmask: '{f}*.png'"):
        own = make(tmp_path, [f"{cell},b"], PLAIN.replace("image: f", key))
        assert "secret" in refusal(own)
        assert "not there" not in refusal(own)
        with pytest.raises(DataError, match=r"leaves its folder|absolute|backslash"):
            copy_own(own, tmp_path / "none")


def test_nothing_is_looked_for_outside_the_folder(tmp_path):
    own = make(tmp_path, ["a.png,b,../x"], PLAIN + "mask: '{k}*.png'\n", "a.png", header="f,l,k")
    assert "file name '../x*.png' leaves its folder" in refusal(own)
    own = make(tmp_path, ["a.png,b,x/y"], PLAIN + "mask: '{f.stem}*{k}.png'\n", header="f,l,k")
    assert "is 'a*x/y.png' here; expected * in the file's name only" in refusal(own)


def test_what_a_star_finds_must_be_pictures(tmp_path):
    own = make(tmp_path, ["a.png,b"], PLAIN + "mask: '{f.stem}_m*'\n", "a.png", "a_m.png", "a_m.txt")
    assert "file name 'a_m.txt' is none of a picture" in refusal(own)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    touch(tmp_path, "outside/a.png")
    own = make(tmp_path, ["a.png,b"], PLAIN + "mask: 'm/{f.stem}*.png'\n", "a.png")
    (own / "m").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="is a link out of the folder"):
        copy_own(own, tmp_path / "copy")


def test_an_unknown_column_of_a_template_is_named_with_near_matches(tmp_path):
    text = PLAIN.replace("image: f", "image: '{Imgae}'").replace("{f.stem}", "{Image.stem}")
    with pytest.raises(DataError, match=r"'{Imgae}': column 'Imgae' is missing; did you mean 'Image'\?"):
        read_folder(make(tmp_path, ["a.png,b"], text, header="Image,l"))


def test_an_empty_cell_makes_an_empty_part(tmp_path):
    text = PLAIN.replace("each image", "'{s}-{p}'").replace("image: f", "image: '{f}'").replace("f.stem", "c")
    own = make(tmp_path, ["a.png,b,a,1,", ",b,b,1,2", "a.png,b,,1,2"], text, "a.png", header="f,l,c,s,p")
    problems = refusal(own)
    assert "row 2 (case a): column '{s}-{p}': '' names no patient" in problems
    assert "row 3 (case b): column '{f}': names 0 images" in problems
    assert "row 4 (case ): case id '' cannot be used" in problems


def test_a_missing_value_is_empty_in_a_template(tmp_path):
    own = make(tmp_path, ["a.png,b,-"], PLAIN + "missing: ['-']\nmask: 'm/{k}.png'\n", "a.png", header="f,l,k")
    assert masks_of(own) == {"a": []}


def test_two_rows_that_give_one_id_are_refused(tmp_path):
    own = make(tmp_path, ["x/a.png,b", "y/a.png,m"], PLAIN, "x/a.png", "y/a.png")
    assert "row 3 (case a): case id 'a' is that of row 2 too; expected unique ids" in refusal(own)


def test_unicode_names_are_those_of_the_disk(tmp_path):
    name = "o\u0308.png"
    own = make(tmp_path, [f"{name},b"], PLAIN + "mask: 'Bösartig/{f.stem}*.png'\n", name, "Bösartig/ö_1.png")
    raw = read_folder(own)
    assert raw.problems == ()
    assert (raw.cases[0].case_id, raw.cases[0].masks[0].name) == ("ö", "ö_1.png")
    (tmp_path / "copy").mkdir()
    copy_own(own, tmp_path / "copy")
    assert {"Bösartig/ö_1.png", name} <= set(files_of(tmp_path / "copy"))


def test_folders_are_found_in_the_form_of_the_disk(tmp_path):
    text = PLAIN + "mask: '{f.parent}/{f.stem}_m.png'\n"
    own = make(tmp_path, ["o\u0308/a.png,b"], text, "o\u0308/a.png", "o\u0308/a_m.png")
    assert masks_of(own) == {"a": ["a_m.png"]}


def test_a_column_named_like_a_template_is_refused(tmp_path):
    own = make(tmp_path, ["a.png,b,x"], PLAIN, "a.png", header="f,l,{f.stem}")
    assert "has a column named '{f.stem}', as a template is" in refusal(own)


def test_cells_with_different_numbers_of_files_do_not_go_together(tmp_path):
    text = PLAIN + "joiner: '&'\nmask: 'm/{j}{k}'\n"
    own = make(tmp_path, ["a.png,b,x&y,1.png&2.png&3.png"], text, "a.png", header="f,l,j,k")
    assert "is made of cells that name different numbers of files" in refusal(own)


def test_a_template_is_filled_for_each_file_of_a_cell(tmp_path):
    text = PLAIN + "joiner: '&'\nmask: 'm/{k}'\n"
    own = make(tmp_path, ["a.png,b,x.png & y.png"], text, "a.png", "m/x.png", "m/y.png", header="f,l,k")
    assert masks_of(own) == {"a": ["x.png", "y.png"]}


def test_a_pattern_gives_patient_label_and_id(tmp_path):
    text = (
        "table: t.csv\ncase_id: {from: f, pattern: '_(.*)[.]'}\npatient_id: {from: '{f.stem}', pattern: '^[A-Z]{4}'}\n"
        "image: f\nlabel: {from: f, pattern: '_([a-z])'}\n" + LABELS
    )
    own = make(tmp_path, ["i/ALWI_b0.png,", "i/ANAT_m1.png,"], text, header="f,x")
    raw = read_folder(own)
    assert raw.problems == ()
    assert [(case.case_id, case.patient_id, case.label) for case in raw.cases] == [
        ("b0", "ALWI", "benign"),
        ("m1", "ANAT", "malignant"),
    ]
    assert {column.name: column.provenance for column in raw.columns} == {"f": "label", "x": None}


def test_a_pattern_that_does_not_match_is_an_error_of_its_row_also_where_empty_labels_are_left_out(tmp_path):
    text = PLAIN.replace("each image", "{from: f, pattern: '^[A-Z]{4}'}").replace(
        "label: l", "label: {from: l, pattern: '[bm]'}"
    )
    own = make(tmp_path, ["ALWI.png,b", "alwi.png,x"], text.replace("{b:", "{'': leave out, b:"))
    problems = refusal(own)
    assert "row 3 (case alwi): column 'f matching ^[A-Z]{4}': 'alwi.png' does not match '^[A-Z]{4}'" in problems
    assert "row 3 (case alwi): column 'l matching [bm]': 'x' does not match '[bm]'" in problems
    assert read_folder(own).left_out == {}


def test_a_pattern_in_a_masks_name_may_hold_a_star(tmp_path):
    text = PLAIN + "mask: {from: f, pattern: 'bus_(.*)[.]', as: 'm/mask_{}*.png'}\n"
    own = make(tmp_path, ["bus_1.png,b", "bus_11.png,b"], text, "m/mask_1.png", "m/mask_1_b.png", "m/mask_11.png")
    assert masks_of(own) == {"bus_1": ["mask_1.png", "mask_1_b.png"], "bus_11": ["mask_11.png"]}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("case_id", "{case", "case_id: has a lone {"),
        ("case_id", {"from": "{case"}, "case_id.from: has a lone {"),
        ("case_id", ["case"], "case_id: is no text; expected a column, a template"),
        ("case_id", {"from": "case", "patern": "a"}, "case_id.patern: unknown key; did you mean 'pattern'"),
        ("case_id", {"form": "case"}, "case_id.form: unknown key; did you mean 'from'"),
        ("case_id", {"from": "case", "pattern": "("}, "case_id.pattern: is no regular expression"),
        ("case_id", {"from": "case", "as": "x{}"}, "has `as` without `pattern`"),
        ("case_id", {"from": "case", "pattern": "a", "as": "{sign}"}, "must have {} where the find goes"),
        ("case_id", {"pattern": "a"}, "case_id.from: is missing"),
        ("mask", "{case}*_*.png", "has several *"),
        ("image", "{case}*.png", "image: '{case}*.png' has *; a case has one image"),
        ("mask", {"from": "case", "pattern": "a", "as": "m*/{}.png"}, "in the name of a folder"),
        ("patient_id", "{case}", "patient_id: is the case's id; say `patient_id: each image`"),
        (
            "patient_id",
            "finding",
            "column 'finding' plays two parts; one of them may be a template, for example '{finding}'",
        ),
        ("label", "{age}", "columns.age.provenance: the label is made of it; expected label"),
        ("exclude", {"c1": ""}, "exclude.c1"),
        ("exclude", {"c1": None}, "exclude.c1"),
        ("exclude", ["c1"], "exclude"),
        ("files", "{case}.png", "table: does not go with files"),
        ("files", ["{case}/{x}.png", "{y}.png"], "files: has patterns with different placeholders"),
        ("table", None, "table: is missing; name the table, or say what the files' names mean"),
        ("header", [], "header"),
        ("header", ["case", "case"], "several columns named 'case'"),
    ],
)
def test_a_wrong_part_is_named(tmp_path, key, value, reason):
    image = {"image": "{case}.png"} if key == "mask" else {}
    with pytest.raises(DataError) as error:
        read_text(tmp_path, "case,patient,age,sign,finding\nc1,a,3,x,b\n", **{key: value}, **image)
    assert reason in str(error.value)


def test_a_template_in_columns_is_a_column_that_is_not_there(tmp_path):
    columns = {"{case}": {"provenance": "patient", "kind": "categorical"}}
    with pytest.raises(DataError, match="column '{case}' is missing"):
        read_text(tmp_path, "case,patient,finding\nc1,a,b\n", columns=columns)


def test_braces_of_a_columns_own_name_are_doubled(tmp_path):
    describe(tmp_path, case_id="case {{no}}", columns=None)
    assert load_dataset(tmp_path).case_id.column == "case {no}"
    raw = read_text(tmp_path, "case {no},patient,finding\nc1,a,b\n", case_id="case {{no}}", columns=None)
    assert [case.case_id for case in raw.cases] == ["c1"]


def test_patients_from_a_pattern_that_differ_in_spelling_alone_are_refused_with_the_way_out(tmp_path):
    text = "case,patient,finding\nc1,p7.1,b\nc2,P7.2,m\n"
    patient = {"from": "patient", "pattern": "^[^.]*"}
    raw = read_text(tmp_path, text, patient_id=patient, columns=None)
    assert "'P7' may be 'p7' of row 2; write it one way, or say `exact: true` with it" in raw.problems[0]
    assert read_text(tmp_path, text, patient_id={**patient, "exact": True}, columns=None).problems == ()


def test_columns_that_parts_are_made_of_may_have_names_of_the_cohorts_own(tmp_path):
    own = make(tmp_path, ["a.png,b"], PLAIN.replace("label: l", "label: '{label}'"), "a.png", header="f,label")
    raw = read_folder(own)
    assert raw.cases[0].label == "benign"
    assert [column.name for column in raw.columns] == ["f"]


def test_what_is_doubtful_in_a_cell_is_so_in_what_is_made_of_it(tmp_path):
    rows = [("c1", datetime(2024, 10, 19), 34, "lump", "b")]
    born = {"provenance": "identifier", "kind": "categorical"}
    columns = {"patient": born, "age": {"provenance": "patient", "kind": "numeric"}, "sign": born}
    raw = read_book(tmp_path, rows, patient_id="{patient}-{sign}", columns=columns)
    assert "column '{patient}-{sign}': '2024-10-19-lump' is a date or a time" in raw.problems[0]
