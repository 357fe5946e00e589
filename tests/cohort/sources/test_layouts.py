"""Layouts of published sets, each with ten lines of dataset.yaml at most and no script."""

import json
import re
import textwrap

import pytest

from busline.cohort.formats.listing import LISTING
from busline.cohort.sources.dataset import load_dataset
from busline.cohort.sources.folder import read_folder
from helpers_cohort import ROOT, files_of
from made_layouts import GREEN, RED, copy, draw, make_cohort, mark, tell

CLASSES = """
files: "{label}/images/{case}.JPG"
case_id: "{label}-{case}"
patient_id: each image
mask: "{label}/masks/{case}.png"
label: label
labels: {benign: benign, malignant: malignant, normal: normal}
"""
BUSI = """
files: "{label}/{case}.png"
case_id: case
patient_id: each image
mask: "{label}/{case}_mask*.png"
label: label
labels: {benign: benign, malignant: malignant, normal: normal}
"""
BUS_BRA = """
table: bus_data.csv
case_id: ID
patient_id: Case
image: "Images/{ID}.png"
mask: {from: ID, pattern: "^bus_(.*)", as: "Masks/mask_{}.png"}
label: Pathology
labels: {benign: benign, malignant: malignant}
columns: {Side: {provenance: acquisition, kind: categorical}}
"""
BUS_UCLM = """
table: INFO.csv
case_id: "{Image.stem}"
patient_id: {from: Image, pattern: "^[A-Z]{4}"}
image: "images/{Image}"
mask: "masks/{Image}"
label: Label
labels: {Normal: normal, Benign: benign, Malignant: malignant}
masks: {values: ["#00ff00", "#ff0000"]}
"""


@pytest.mark.parametrize("text", [CLASSES, BUSI, BUS_BRA, BUS_UCLM])
def test_ten_lines_are_enough(text):
    assert text.strip().count("\n") < 10


def test_what_the_documentation_shows_is_right(tmp_path):
    text = (ROOT / "docs/own-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    shown = [textwrap.dedent(block) for block in blocks if "    labels:" in block]
    assert len(shown) == 3
    for block in shown:
        assert load_dataset(tell(tmp_path, block)).mask
    assert {block.strip() for block in shown} == {BUSI.strip(), without_columns(BUS_BRA), BUS_UCLM.strip()}


def without_columns(text):
    return text.partition("columns:")[0].strip()


def test_class_folders(tmp_path):
    own = tell(tmp_path / "own", CLASSES)
    draw(own, "benign/images/a.JPG", "benign/images/b.jpg", "malignant/images/a.JPG", "normal/images/n.JPG")
    mark(own, "benign/masks/a.png", "benign/masks/b.PNG", "malignant/masks/a.png")
    raw, cohort = make_cohort(own, tmp_path / "made")
    cases = cohort.cases.set_index("case_id")
    assert cases["label"].to_dict() == {
        "benign-a": "benign",
        "benign-b": "benign",
        "malignant-a": "malignant",
        "normal-n": "normal",
    }
    assert cases["has_mask"].tolist() == [True, True, True, False]
    assert raw.notes == ()
    assert {column.name: column.provenance for column in cohort.columns} == {
        "label": "label",
        "case": "identifier",
        "file": "identifier",
    }
    assert not {"{label}-{case}", "{label}/masks/{case}.png"} & set(cohort.cases.columns)


def make_busi(folder):
    own = tell(folder, BUSI)
    names = ["benign/benign (1)", "benign/benign (4)", "benign/benign (10)", "malignant/malignant (1)"]
    draw(own, *(f"{name}.png" for name in [*names, "normal/normal (1)"]))
    mark(own, *(f"{name}_mask.png" for name in names))
    mark(own, "benign/benign (4)_mask_1.png", shift=12)
    mark(own, "normal/normal (1)_mask.png", colour=(0, 0, 0))
    return own


def test_images_and_masks_in_one_folder(tmp_path):
    raw, cohort = make_cohort(make_busi(tmp_path / "own"), tmp_path / "made")
    assert cohort.cases["case_id"].tolist() == [
        "benign (1)",
        "benign (10)",
        "benign (4)",
        "malignant (1)",
        "normal (1)",
    ]
    assert [len(case.masks) for case in sorted(raw.cases, key=lambda case: case.case_id)] == [1, 1, 2, 1, 1]
    areas = [(cohort.mask(index) > 0).sum() for index in range(5)]
    assert areas[2] > areas[0] == areas[1] == areas[3] > areas[4] == 0
    assert raw.notes == ()


def test_a_copy_says_the_same_as_the_folder(tmp_path):
    own = make_busi(tmp_path / "own")
    (own / "dataset.yaml").write_text(f'{BUSI}exclude: {{"benign (4)": "two lesions"}}\n', encoding="utf-8")
    draw(own, "overview.png")
    raw = copy(own, tmp_path / "made")
    here, there = read_folder(own), read_folder(raw)
    assert [case.row for case in here.cases] == [case.row for case in there.cases]
    assert here.notes == there.notes
    assert "1 picture matches neither `files` nor `mask`, and nothing is read" in here.notes[0]
    assert here.notes[0].endswith("for example overview.png")
    assert there.excluded == {"benign (4)": "two lesions"}
    assert not [name for name in files_of(raw) if "(4)" in name or "overview" in name]
    assert "overview.png" in json.loads((raw / LISTING).read_text(encoding="utf-8"))["pictures"]


def test_a_table_with_parts_of_file_names(tmp_path):
    own = tell(tmp_path / "own", BUS_BRA)
    rows = ["bus_0001-l,1,left,benign", "bus_0001-r,1,right,malignant", "bus_0002-l,2,left,benign"]
    (own / "bus_data.csv").write_text("\n".join(["ID,Case,Side,Pathology", *rows, ""]), encoding="utf-8")
    for row in rows:
        scan = row.split(",")[0]
        draw(own, f"Images/{scan}.png")
        mark(own, f"Masks/mask_{scan[4:]}.png")
    raw, cohort = make_cohort(own, tmp_path / "made")
    assert cohort.cases["patient_id"].tolist() == ["1", "1", "2"]
    assert [case.masks[0].name for case in raw.cases] == ["mask_0001-l.png", "mask_0001-r.png", "mask_0002-l.png"]
    assert cohort.cases["has_mask"].all()
    assert {column.name for column in cohort.columns} == {"ID", "Case", "Side", "Pathology"}


def test_patients_in_file_names_and_masks_in_colours(tmp_path):
    own = tell(tmp_path / "own", BUS_UCLM)
    text = "Image;Label\nALWI_000.png;Benign\nALWI_001.png;Malignant\nANAT_000.png;Normal\n"
    (own / "INFO.csv").write_text(text, encoding="utf-8-sig")
    names = ["ALWI_000.png", "ALWI_001.png", "ANAT_000.png"]
    draw(own, *(f"images/{name}" for name in names))
    for name, colour in zip(names, (GREEN, RED, (0, 0, 0)), strict=True):
        mark(own, f"masks/{name}", colour=colour)
    raw, cohort = make_cohort(own, tmp_path / "made")
    assert cohort.cases["case_id"].tolist() == ["ALWI_000", "ALWI_001", "ANAT_000"]
    assert cohort.cases["patient_id"].tolist() == ["ALWI", "ALWI", "ANAT"]
    assert cohort.cases["label"].tolist() == ["benign", "malignant", "normal"]
    assert cohort.cases["has_mask"].tolist() == [True, True, False]
    assert raw.notes == ("INFO.csv: its cells are separated by a semicolon",)
