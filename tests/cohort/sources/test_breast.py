import hashlib
import json
import logging
import shutil
import zipfile

import pytest

from busline.base.errors import DataError, DownloadError
from busline.base.settings.data import Cohort
from busline.cohort.sources import breast
from busline.cohort.sources.breast import IMAGES, IMAGES_ZIP, TABLE, read_breast
from busline.cohort.sources.order import Order
from busline.cohort.sources.table import acquire
from helpers_cohort import files_of, write_release, write_xlsx


@pytest.fixture
def order(tmp_path):
    cohort = Cohort(source="breast")
    return lambda mirror: Order(cohort, 0, mirror, tmp_path / "downloads", tmp_path / "own")


def zip_images(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{IMAGES}/{file.name}")


def test_rows_become_cases(tmp_path):
    write_release(tmp_path, 5)
    raw = read_breast(tmp_path)
    assert raw.problems == ()
    assert [case.case_id for case in raw.cases] == ["1", "2", "3", "4", "5"]
    assert [case.label for case in raw.cases] == ["benign", "benign", "malignant", "benign", "normal"]
    third, fourth, normal = raw.cases[2:]
    assert third.patient_id == "3"
    assert third.pixel_mm == pytest.approx(0.078125)
    assert third.image == tmp_path / IMAGES / "case003.png"
    assert third.masks == (tmp_path / IMAGES / "case003_tumor.png",)
    assert third.cells["Age"] == 43.0
    assert third.cells["BIRADS"] == "4c"
    assert fourth.cells["Age"] is None
    assert fourth.cells["Symptoms"] is None
    assert normal.masks == ()
    assert normal.cells["Shape"] == "not applicable"


def test_every_column_of_the_release_has_its_provenance(tmp_path):
    write_release(tmp_path)
    columns = {column.name: column for column in read_breast(tmp_path).columns}
    assert len(columns) == 21
    provenance = {}
    for name, column in columns.items():
        provenance.setdefault(column.provenance, []).append(name)
    assert provenance["patient"] == ["Age", "Signs", "Symptoms"]
    assert provenance["label"] == ["Classification"]
    assert provenance["acquisition"] == ["Pixel_size"]
    assert provenance["pathology"] == ["Verification", "Diagnosis"]
    assert len(provenance["identifier"]) == 4
    assert len(provenance["radiologist"]) == 10
    assert [name for name, column in columns.items() if column.kind == "numeric"] == ["Pixel_size", "Age"]


def test_several_files_in_a_cell_are_several_masks(tmp_path):
    def change(rows):
        rows[0]["Mask_tumor_filename"] = "case001_tumor.png&case002_tumor.png"
        rows[0]["Mask_other_filename"] = "case003_tumor.png&case004_tumor.png"

    write_release(tmp_path, change=change)
    case = read_breast(tmp_path).cases[0]
    assert [path.name for path in case.masks] == ["case001_tumor.png", "case002_tumor.png"]
    assert [path.name for path in case.other_masks] == ["case003_tumor.png", "case004_tumor.png"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Age", 250, "'250' is no number from 0 to 120; expected one, or '' or 'not available'"),
        ("Age", "abc", "'abc' is no number from 0 to 120"),
        ("Age", "nan", "'nan' is no number"),
        ("Age", -1, "'-1' is no number"),
        ("Classification", "Malignant", "unknown label 'Malignant'; did you mean 'malignant'?"),
        ("Classification", None, "unknown label ''"),
        ("CaseID", 1, "case id '1' is that of row 2 too; expected unique ids"),
        ("CaseID", "../7", "case id '../7' cannot be used"),
        ("CaseID", None, "case id '' cannot be used"),
        ("Pixel_size", 0.78125, "pixel size is 7.8125 mm; expected 0.001 to 1 mm a pixel: check the unit"),
        ("Pixel_size", "0,0078", "'0,0078' is no number"),
        ("Pixel_size", 0, "pixel size is 0.0 mm"),
        ("Image_filename", "../case001.png", "leaves its folder with '..'"),
        ("Image_filename", "/etc/passwd", "is an absolute path"),
        ("Image_filename", "C:\\case001.png", "is an absolute path"),
        ("Image_filename", "sub/case001.png", "has a folder in it"),
        ("Image_filename", "case001.exe", "is none of a picture"),
        ("Image_filename", None, "names 0 images; expected one"),
        ("Image_filename", "case001.png&case002.png", "names 2 images; expected one"),
        ("Mask_tumor_filename", "../x.png", "leaves its folder"),
        ("Mask_other_filename", "case001_tumor.png&/x.png", "is an absolute path"),
        ("Mask_tumor_filename", "case001_tumor.png&", "a file name is empty"),
    ],
)
def test_a_bad_cell_is_named_with_its_row_and_reason(tmp_path, column, value, reason):
    write_release(tmp_path, change=lambda rows: rows[1].update({column: value}))
    raw = read_breast(tmp_path)
    assert len(raw.problems) == 1
    assert raw.problems[0].startswith("row 3 (case ")
    assert reason in raw.problems[0]
    assert len(raw.cases) == 4


def test_every_bad_cell_is_found_not_only_the_first(tmp_path):
    def change(rows):
        rows[0].update(Age=250, Classification="benin")
        rows[2].update(Image_filename="../x.png")

    write_release(tmp_path, change=change)
    problems = read_breast(tmp_path).problems
    assert [line.split(":")[0] for line in problems] == ["row 2 (case 1)", "row 2 (case 1)", "row 4 (case 3)"]


def test_a_missing_column_is_named(tmp_path):
    write_release(tmp_path, change=lambda rows: [row.update(age=row.pop("Age")) for row in rows])
    with pytest.raises(DataError, match="column 'Age' is missing; did you mean 'age'"):
        read_breast(tmp_path)


def test_an_unknown_column_is_kept_as_undeclared(tmp_path):
    write_release(tmp_path, change=lambda rows: [row.update(Hospital="A") for row in rows])
    raw = read_breast(tmp_path)
    assert raw.columns[-1].describe() == {"name": "Hospital", "provenance": None, "kind": "categorical"}
    assert "Hospital" not in raw.cases[0].cells


def test_acquire_copies_the_table_and_the_files_it_names(tmp_path, order, caplog):
    mirror = tmp_path / "mirror"
    write_release(mirror / "breast")
    (mirror / "breast" / IMAGES / "stranger.png").write_bytes(b"not named in the table")
    with caplog.at_level(logging.WARNING):
        acquire(order(mirror), tmp_path / "raw")
    released = files_of(mirror / "breast")
    del released[f"{IMAGES}/stranger.png"]
    copied = files_of(tmp_path / "raw")
    origin = json.loads(copied.pop("source.json"))
    assert copied == released
    assert origin["table"] == {
        "file": TABLE,
        "sha256": hashlib.sha256(released[TABLE]).hexdigest(),
        "released": False,
    }
    assert origin["archive"] is None
    assert origin["images"]["files"] == 9
    assert "is not the released file" in caplog.text
    assert str(tmp_path) not in json.dumps(origin)


def test_a_zipped_copy_gives_the_same_files_as_an_unpacked_one(tmp_path, order):
    for name in ("unpacked", "zipped"):
        write_release(tmp_path / name / "breast")
    shutil.copyfile(tmp_path / "unpacked/breast" / TABLE, tmp_path / "zipped/breast" / TABLE)
    zip_images(tmp_path / "zipped/breast" / IMAGES, tmp_path / "zipped/breast" / IMAGES_ZIP)
    shutil.rmtree(tmp_path / "zipped/breast" / IMAGES)
    found = {}
    for name in ("unpacked", "zipped"):
        acquire(order(tmp_path / name), tmp_path / "raw" / name)
        found[name] = files_of(tmp_path / "raw" / name)
    origin = {name: json.loads(files.pop("source.json")) for name, files in found.items()}
    assert found["unpacked"] == found["zipped"]
    assert origin["unpacked"]["images"] == origin["zipped"]["images"]
    assert origin["zipped"]["archive"]["file"] == IMAGES_ZIP


def test_a_copy_that_lacks_files_is_refused_with_all_of_them_and_nothing_is_written(tmp_path, order):
    mirror = tmp_path / "mirror"
    write_release(mirror / "breast")
    for name in ("case002.png", "case003_tumor.png"):
        (mirror / "breast" / IMAGES / name).unlink()
    with pytest.raises(DataError) as error:
        acquire(order(mirror), tmp_path / "data" / "raw")
    assert "case002.png: is missing" in str(error.value)
    assert "case003_tumor.png: is missing" in str(error.value)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_name_that_leaves_the_folder_is_not_copied(tmp_path, order):
    mirror = tmp_path / "mirror"
    (tmp_path / "secret.png").write_bytes(b"secret")
    write_release(mirror / "breast", change=lambda rows: rows[0].update(Image_filename="../../../secret.png"))
    with pytest.raises(DataError, match=r"row 2, column 'Image_filename': file name '../../../secret.png' leaves"):
        acquire(order(mirror), tmp_path / "data" / "raw")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_copy_without_images_or_table_says_what_is_expected(tmp_path, order):
    (tmp_path / "mirror/breast").mkdir(parents=True)
    with pytest.raises(DataError, match=IMAGES_ZIP):
        acquire(order(tmp_path / "mirror"), tmp_path / "raw")
    (tmp_path / "mirror/breast" / IMAGES).mkdir()
    with pytest.raises(DataError, match=TABLE):
        acquire(order(tmp_path / "mirror"), tmp_path / "raw")


@pytest.fixture
def site(tmp_path, web, monkeypatch):
    """Serve a mini release whose checksums are the expected ones."""
    release = tmp_path / "release"
    write_release(release)
    zip_images(release / IMAGES, release / IMAGES_ZIP)
    monkeypatch.setattr(breast, "ADDRESS", web.address(""))
    for name, constant in ((TABLE, "TABLE_SHA256"), (IMAGES_ZIP, "IMAGES_SHA256")):
        web.files[name] = (release / name).read_bytes()
        monkeypatch.setattr(breast, constant, hashlib.sha256(web.files[name]).hexdigest())
    return web


def test_without_a_copy_the_released_files_are_downloaded_and_checked(tmp_path, order, site, caplog):
    with caplog.at_level(logging.WARNING):
        acquire(order(None), tmp_path / "raw")
    assert caplog.text == ""
    origin = json.loads((tmp_path / "raw/source.json").read_text())
    assert origin["table"]["released"]
    assert origin["archive"]["released"]
    assert len(read_breast(tmp_path / "raw").cases) == 5
    site.asked.clear()
    acquire(order(None), tmp_path / "again")
    assert site.asked == []
    assert files_of(tmp_path / "again") == files_of(tmp_path / "raw")


def test_a_mirror_without_this_source_is_no_hindrance(tmp_path, order, site):
    (tmp_path / "mirror").mkdir()
    acquire(order(tmp_path / "mirror"), tmp_path / "raw")
    assert len(read_breast(tmp_path / "raw").cases) == 5


def test_a_download_with_another_checksum_is_refused(tmp_path, order, site):
    write_xlsx([{"CaseID": 1}], tmp_path / "other.xlsx")
    site.files[TABLE] = (tmp_path / "other.xlsx").read_bytes()
    with pytest.raises(DownloadError, match="expected: SHA-256") as error:
        acquire(order(None), tmp_path / "data/raw")
    assert "$BUSLINE_MIRROR/breast/" in str(error.value)
    assert not (tmp_path / "data/raw").exists()
