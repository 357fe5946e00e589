import shutil

import numpy as np
import pytest
from ruamel.yaml import YAML

from busline.base.errors import DataError
from busline.base.settings.data import Cohort
from busline.cohort.ingest import ingest
from busline.cohort.sources.dataset import load_dataset
from busline.cohort.sources.folder import read_folder
from busline.cohort.sources.order import Order
from busline.cohort.sources.table import acquire
from busline.cohort.store import load_cohort
from helpers_cohort import ROOT, SETTINGS, files_of

EXAMPLE = ROOT / "examples/folder"


@pytest.fixture
def own(tmp_path):
    return shutil.copytree(EXAMPLE, tmp_path / "own")


def edit(own, change):
    yaml = YAML()
    content = yaml.load((own / "dataset.yaml").read_text(encoding="utf-8"))
    change(content)
    yaml.dump(content, own / "dataset.yaml")


def rewrite(own, old, new):
    text = (own / "table.csv").read_text(encoding="utf-8")
    assert old in text
    (own / "table.csv").write_text(text.replace(old, new), encoding="utf-8")


def take(own, tmp_path):
    acquire(Order(Cohort(source="folder"), 0, None, tmp_path / "downloads", own), tmp_path / "raw")
    return tmp_path / "raw"


def test_the_example_becomes_a_cohort(tmp_path):
    raw = read_folder(take(EXAMPLE, tmp_path))
    assert raw.problems == ()
    ingest(raw, "folder", tmp_path / "cohort", SETTINGS.model_copy(update={"max_side": 96}))
    cohort = load_cohort(tmp_path / "cohort")
    cases = cohort.cases.set_index("case_id")
    assert cases["label"].value_counts().to_dict() == {"benign": 4, "malignant": 3, "normal": 1}
    assert cases["patient_id"].nunique() == 7
    assert cases.loc["s01", "pixel_mm"] == pytest.approx(0.31)
    assert np.isnan(cases.loc["s08", "pixel_mm"])
    assert np.isnan(cases.loc["s04", "Age"])
    assert cases.loc["s05", "birads"] == "4c"
    assert not cases.loc["s06", "has_mask"]
    assert len(cohort.duplicates) == 0
    both = list(cases.index).index("s05")
    assert (cohort.mask(both) > 0).sum() > (cohort.mask(both - 1) > 0).sum()
    provenance = {column.name: column.provenance for column in cohort.columns}
    assert provenance == {
        "scan": "identifier",
        "patient": "identifier",
        "file": "identifier",
        "lesion_mask": "identifier",
        "finding": "label",
        "um_per_pixel": "acquisition",
        "Age": "patient",
        "palpable": "patient",
        "birads": "radiologist",
    }


def test_the_example_is_small():
    assert sum(len(content) for content in files_of(EXAMPLE).values()) < 200_000


def test_only_what_the_table_names_is_copied(own, tmp_path):
    before = files_of(own)
    (own / "private.docx").write_bytes(b"private")
    (own / "images/unnamed.png").write_bytes(b"private")
    assert files_of(take(own, tmp_path)) == before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("images/s01.png", "../secret.png", "row 2, column 'file': file name '../secret.png' leaves its folder"),
        ("images/s01.png", "/etc/secret.png", "is an absolute path"),
        ("images/s01.png", "images\\s01.png", "has a backslash; expected forward slashes"),
        ("masks/s05b.png", "../masks/s05b.png", "row 6, column 'lesion_mask'"),
        ("images/s01.png", "images/none.png", "images/none.png: is missing"),
    ],
)
def test_bad_file_names_stop_the_copy(own, tmp_path, old, new, reason):
    rewrite(own, old, new)
    with pytest.raises(DataError) as error:
        take(own, tmp_path)
    assert reason in str(error.value)
    assert not (tmp_path / "raw").exists()


def test_a_table_outside_the_folder_is_refused(own, tmp_path):
    edit(own, lambda content: content.update(table="../table.csv"))
    with pytest.raises(DataError, match="leaves its folder"):
        take(own, tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(imge=c.pop("image")), "imge: unknown key; did you mean 'image'"),
        (lambda c: c.pop("label"), "label: is missing"),
        (lambda c: c["pixel_size"].update(unit="inch"), "pixel_size.unit: Input should be 'mm', 'cm' or 'um'"),
        (
            lambda c: c["labels"].update(cyst="harmless"),
            "labels.cyst: Input should be 'benign', 'malignant', 'normal' or 'leave out'",
        ),
        (lambda c: c["columns"]["Age"].update(provenance="nurse"), "columns.Age.provenance: Input should be"),
        (lambda c: c["columns"]["Age"].pop("provenance"), "columns.Age.provenance: is missing"),
        (lambda c: c["columns"]["Age"].update(minimun=3), "columns.Age.minimun: unknown key; did you mean 'minimum'"),
        (lambda c: c["columns"].update(scan=c["columns"]["Age"]), "columns.scan: plays a part above already"),
        (lambda c: c.update(mask="file"), "column 'file' plays two parts"),
        (lambda c: c.update(delimiter=";;"), "delimiter: String should have at most 1 character"),
    ],
)
def test_a_wrong_dataset_yaml_is_refused_with_key_and_mend(own, change, reason):
    edit(own, change)
    with pytest.raises(DataError) as error:
        load_dataset(own)
    assert reason in str(error.value)
    assert "docs/own-data.md" in str(error.value)


def test_all_mistakes_in_dataset_yaml_are_listed(own):
    def change(content):
        content.update(imge=content.pop("image"))
        content["labels"].update(cyst="harmless")

    edit(own, change)
    with pytest.raises(DataError, match="2 problems"):
        load_dataset(own)


@pytest.mark.parametrize("text", ["a: [", "", "- a\n- b\n", "just words"])
def test_a_dataset_yaml_that_is_no_mapping_is_refused(own, text):
    (own / "dataset.yaml").write_text(text)
    with pytest.raises(DataError, match=r"dataset.yaml"):
        load_dataset(own)


def test_a_missing_dataset_yaml_points_to_the_documentation(tmp_path):
    with pytest.raises(DataError, match=r"docs/own-data.md"):
        load_dataset(tmp_path)


def test_labels_and_missing_values_may_be_numbers(own):
    def change(content):
        content["labels"] = {0: "benign", 1: "malignant", 2: "normal"}
        content["missing"] = [-9]

    edit(own, change)
    for word, number in (("fibroadenoma", "0"), ("cyst", "0"), ("carcinoma", "1"), ("nothing", "2"), ("n/a", "-9")):
        rewrite(own, word, number)
    raw = read_folder(own)
    assert raw.problems == ()
    assert [case.label for case in raw.cases].count("malignant") == 3
    assert raw.cases[3].cells["Age"] is None


def test_without_masks_patients_or_pixel_sizes(own, tmp_path):
    def change(content):
        for key in ("mask", "pixel_size"):
            del content[key]
        content["patient_id"] = "each image"
        for name in ("lesion_mask", "patient", "um_per_pixel"):
            content["columns"][name] = {"provenance": "identifier", "kind": "categorical"}

    edit(own, change)
    ingest(read_folder(take(own, tmp_path)), "folder", tmp_path / "cohort", SETTINGS)
    cases = load_cohort(tmp_path / "cohort").cases
    assert not cases["has_mask"].any()
    assert cases["patient_id"].tolist() == cases["case_id"].tolist()
    assert cases["pixel_mm"].isna().all()


def test_masks_may_stand_in_several_columns(own):
    edit(own, lambda content: content.update(mask=["lesion_mask", "second"], joiner="|"))
    rewrite(own, "scan,patient,file,lesion_mask", "scan,patient,file,lesion_mask,second")
    rows = (own / "table.csv").read_text(encoding="utf-8").splitlines()
    changed = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        first, _, second = cells[3].partition(";")
        changed.append(",".join([*cells[:3], first, second, *cells[4:]]))
    (own / "table.csv").write_text("\n".join(changed), encoding="utf-8")
    raw = read_folder(own)
    assert raw.problems == ()
    assert [path.name for path in raw.cases[4].masks] == ["s05a.png", "s05b.png"]


def test_an_age_without_declared_bounds_still_has_some(own):
    edit(own, lambda content: content["columns"].update(Age={"provenance": "patient", "kind": "numeric"}))
    rewrite(own, ",61,", ",250,")
    assert "'250' is no number from 0 to 120; expected one, or '' or 'n/a'" in read_folder(own).problems[0]


def test_a_declared_column_that_is_not_there_is_named(own):
    edit(own, lambda content: content["columns"].update(BMI={"provenance": "patient", "kind": "numeric"}))
    with pytest.raises(DataError, match="column 'BMI' is missing"):
        read_folder(own)


def test_a_column_named_like_one_of_the_cohort_is_refused_unless_it_is_that(own):
    rewrite(own, "palpable", "width")
    edit(own, lambda content: content["columns"].update(width=content["columns"].pop("palpable")))
    with pytest.raises(DataError, match="column 'width' has a name the cohort needs"):
        read_folder(own)


def test_the_cohorts_own_names_are_good_names_for_their_columns(own, tmp_path):
    rewrite(own, "scan,patient,file,lesion_mask,finding,um_per_pixel", "case_id,patient_id,file,m,label,pixel_mm")
    edit(
        own,
        lambda content: content.update(
            case_id="case_id",
            patient_id="patient_id",
            mask="m",
            label="label",
            pixel_size={"column": "pixel_mm", "unit": "um"},
        ),
    )
    ingest(read_folder(own), "folder", tmp_path / "cohort", SETTINGS.model_copy(update={"max_side": 96}))
    cohort = load_cohort(tmp_path / "cohort")
    assert list(cohort.cases.columns).count("label") == 1
    assert set(cohort.cases["label"]) == {"benign", "malignant", "normal"}
    assert cohort.cases["pixel_mm"].max() == pytest.approx(0.31)
