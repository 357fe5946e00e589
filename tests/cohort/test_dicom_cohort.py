"""A folder of DICOM series as a cohort: pictures, masks, pixel sizes and devices, and nothing else of a header."""

import logging

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.datadict import DicomDictionary
from pydicom.uid import JPEGBaseline8Bit
from ruamel.yaml import YAML

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from helpers_cohort import SETTINGS, draw_image, ingest_own
from made_dicom import SIZE, as_bytes, encode, make_dicom, make_packed, make_region

BOX = (16, 8, 79, 71)
CUT = np.s_[8:72, 16:80]
LESION = np.zeros(SIZE[::-1], dtype=bool)
LESION[24:56, 40:70] = True
PATHS = ("a/series/1.dcm", "b/series/IM0001", "n/1.2.840.5")
MARKER = "ZQMARKERQZ"
DEVICE = {"Manufacturer": "ACME", "ManufacturerModelName": "Sono 7"}


def scan(seed, **elements):
    regions = {"SequenceOfUltrasoundRegions": [make_region(BOX)]}
    return make_dicom(draw_image(seed, SIZE), **(regions | DEVICE | elements))


@pytest.fixture
def own(tmp_path):
    """Two lesions and a normal case, in folders of series, one of them without a suffix."""
    folder = tmp_path / "own"
    for name in PATHS:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(as_bytes(scan(len(name))))
    for name in "ab":
        put_mask(folder, name, LESION)
    rows = ["id,image,mask,label", "a,a/series/1.dcm,a.png,a", "b,b/series/IM0001,b.png,b", "n,n/1.2.840.5,,n"]
    (folder / "table.csv").write_text("\n".join(rows))
    describe(folder)
    return folder


def put_mask(folder, name, mask):
    Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{name}.png")


def describe(folder, **keys):
    content = {"table": "table.csv", "case_id": "id", "image": "image", "mask": "mask", "label": "label"}
    labels = {"labels": {"a": "benign", "b": "malignant", "n": "normal"}, "patient_id": "each image"}
    with (folder / "dataset.yaml").open("w") as file:
        YAML().dump(content | labels | keys, file)


def refusal(folder):
    with pytest.raises(DataError) as error:
        ingest_own(folder)
    return str(error.value)


def doubts(folder):
    return load_json(folder.parent / "cohort/card.json")["doubts"]["cases"]


def test_a_folder_of_series_is_a_cohort(own):
    cohort = ingest_own(own)
    for index, name in enumerate(PATHS):
        np.testing.assert_array_equal(cohort.image(index), draw_image(len(name), SIZE)[CUT])
    for index in (0, 1):
        np.testing.assert_array_equal(cohort.mask(index) > 0, LESION[CUT])
    assert cohort.cases["pixel_mm"].tolist() == pytest.approx([0.2] * 3)
    assert cohort.cases["dicom_device"].tolist() == ["ACME Sono 7"] * 3
    assert {c.name: c.provenance for c in cohort.columns}["dicom_device"] == "acquisition"
    assert doubts(own) == {}


def test_a_cohort_without_a_device_has_no_column_for_it(own):
    for path in PATHS:
        (own / path).write_bytes(as_bytes(scan(len(path), Manufacturer="", ManufacturerModelName="")))
    assert "dicom_device" not in ingest_own(own).cases


def test_a_device_is_missing_where_an_image_names_none(own):
    Image.fromarray(draw_image(5, SIZE)).save(own / "n.png")
    table = (own / "table.csv").read_text().replace("n/1.2.840.5", "n.png")
    (own / "table.csv").write_text(table)
    cases = ingest_own(own).cases
    assert cases["dicom_device"].isna().tolist() == [False, False, True]
    assert cases["pixel_mm"].isna().tolist() == [False, False, True]


def test_a_column_of_the_device_s_name_is_refused(own):
    table = (own / "table.csv").read_text().splitlines()
    (own / "table.csv").write_text("\n".join([f"{table[0]},dicom_device", *(f"{row},x" for row in table[1:])]))
    describe(own, columns={"dicom_device": {"provenance": "acquisition", "kind": "categorical"}})
    assert "column 'dicom_device' has a name the cohort needs" in refusal(own)


def test_a_mask_of_the_region_s_size_is_one_of_the_region(own):
    put_mask(own, "a", LESION[CUT])
    np.testing.assert_array_equal(ingest_own(own).mask(0) > 0, LESION[CUT])


def test_a_mask_of_another_size_is_refused(own):
    put_mask(own, "a", LESION[:70, :70])
    assert "mask a.png has 70 × 70 pixels, its image 64 × 64" in refusal(own)


def test_a_mask_outside_of_the_region_is_refused_and_read_with_the_whole_picture(own):
    outside = np.zeros_like(LESION)
    outside[10:70, 70:96] = True
    put_mask(own, "a", outside)
    message = refusal(own)
    assert "row 2 (case a): mask a.png marks 960 pixels outside of the region that is read and 600 inside it" in message
    describe(own, dicom={"region": "whole"})
    np.testing.assert_array_equal(ingest_own(own).mask(0) > 0, outside)
    assert doubts(own)["text_unknown"] == ["a", "b", "n"]


def test_a_mask_that_reaches_out_of_the_region_is_named(own):
    reaching = np.zeros_like(LESION)
    reaching[20:60, 50:90] = True
    put_mask(own, "a", reaching)
    np.testing.assert_array_equal(ingest_own(own).mask(0) > 0, reaching[CUT])
    assert doubts(own)["mask_outside"] == ["a"]


def test_a_mask_may_be_dicom(own):
    (own / "a.dcm").write_bytes(as_bytes(make_dicom(LESION.astype(np.uint8) * 255)))
    (own / "table.csv").write_text((own / "table.csv").read_text().replace("a.png", "a.dcm"))
    np.testing.assert_array_equal(ingest_own(own).mask(0) > 0, LESION[CUT])
    film = make_dicom(LESION.astype(np.uint8), NumberOfFrames=2, PixelData=LESION.tobytes() * 2)
    (own / "a.dcm").write_bytes(as_bytes(film))
    assert "mask a.dcm has 2 frames; expected a mask of one" in refusal(own)


def test_a_film_needs_its_frame(own):
    frames = [draw_image(seed, SIZE) for seed in (1, 2, 3)]
    film = make_packed([encode(frame, "JPEG", quality=100) for frame in frames], JPEGBaseline8Bit, frames[0])
    (own / "a/series/1.dcm").write_bytes(as_bytes(film))
    assert "row 2 (case a): image 1.dcm has 3 frames; say in dataset.yaml which one it is" in refusal(own)
    for frame, index in (("first", 0), ("middle", 1)):
        describe(own, dicom={"frame": frame})
        found = ingest_own(own).image(0).astype(int)
        assert np.abs(found - frames[index]).max() <= 2
    describe(own, dicom={"frame": 3})
    assert "row 3 (case b): image IM0001 has 1 frames; dicom.frame: 3 is none of them" in refusal(own)


@pytest.mark.parametrize(
    "dicom", [{"frame": "last"}, {"frame": 0}, {"region": "left"}, {"frames": "first"}, {"frame": 1.5}]
)
def test_a_wrong_key_is_refused(own, dicom):
    describe(own, dicom=dicom)
    assert "dicom" in refusal(own)


def test_a_table_s_pixel_size_is_the_file_s_or_refused(own):
    table = (own / "table.csv").read_text().splitlines()
    describe(own, pixel_size={"column": "size", "unit": "mm"})

    def say(size):
        (own / "table.csv").write_text("\n".join([f"{table[0]},size", *(f"{row},{size}" for row in table[1:])]))

    say(0.2005)
    assert ingest_own(own).cases["pixel_mm"].tolist() == pytest.approx([0.2005] * 3)
    say(0.02)
    assert "row 2 (case a): pixel size is 0.02 mm; its image's file says 0.2 mm" in refusal(own)


def test_the_pixel_size_is_that_of_the_stored_image(own):
    assert ingest_own(own, SETTINGS).cases["pixel_mm"].tolist() == pytest.approx([0.4] * 3)
    assert load_json(own.parent / "cohort/card.json")["images"]["pixel_mm"]["median"] == pytest.approx(0.2)


def test_bits_of_sixteen_are_the_file_s_beside_pictures_of_other_bits(own):
    deep = draw_image(1, SIZE).astype(np.uint16) * 16
    (own / "a/series/1.dcm").write_bytes(as_bytes(scan(0, **depth(deep, 12))))
    for name, factor in (("b", 8), ("n", 200)):
        Image.fromarray(draw_image(factor, SIZE).astype(np.uint16) * factor).save(own / f"{name}_deep.png")
    table = (own / "table.csv").read_text().replace("n/1.2.840.5", "n_deep.png")
    (own / "table.csv").write_text(table.replace("b/series/IM0001", "b_deep.png"))
    found = ingest_own(own).image(0).astype(int)
    np.testing.assert_array_equal(found, np.rint(deep[CUT].astype(int) * 255 / 4095))


def depth(deep, stored):
    elements = {"BitsAllocated": 16, "BitsStored": stored, "PixelData": deep.astype("<u2").tobytes()}
    return elements | {"HighBit": stored - 1}


TEXTS = ("AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
"""Kinds of element that hold text, dates, times and identifiers."""
KEPT = {"Manufacturer", "ManufacturerModelName"}
READ = {"PhotometricInterpretation", "VOILUTFunction", "SOPClassUID", "SpecificCharacterSet"}
"""Elements whose text decides how the pixels or other texts are read."""


def mark(data):
    """Put a marker into every element of the standard that can hold one, a private one, and a sequence."""
    for tag, (kind, _, _, retired, keyword) in DicomDictionary.items():
        if kind in TEXTS and not retired and keyword not in KEPT | READ and tag >> 16 not in (0, 2):
            data.add_new(tag, "LT", MARKER)
    block = data.private_block(0x0011, MARKER, create=True)
    block.add_new(1, "LT", MARKER)
    item = pydicom.Dataset()
    item.add_new(0x00100010, "LT", MARKER)
    data.RequestAttributesSequence = [item]
    for region in data.SequenceOfUltrasoundRegions:
        region.add_new(0x00100010, "LT", MARKER)


def test_nothing_of_a_header_is_kept_but_device_and_pixel_size(own, caplog, capsys):
    """The raw folder holds the file itself; every other byte that is written or printed is looked through."""
    for path in PATHS:
        data = scan(len(path))
        mark(data)
        content = as_bytes(data)
        assert content.count(MARKER.encode()) > 1000
        (own / path).write_bytes(content)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    assert ingest_own(own).cases["dicom_device"].tolist() == ["ACME Sono 7"] * 3
    outputs = [path for path in (own.parent / "cohort").rglob("*") if path.is_file()]
    assert len(outputs) >= 5
    for path in outputs:
        assert MARKER.encode() not in path.read_bytes()
        if path.suffix == ".parquet":
            assert MARKER not in pd.read_parquet(path).to_csv()
    (own / PATHS[0]).write_bytes(content[:-100])
    message = refusal(own)
    assert "image 1.dcm" in message
    printed = capsys.readouterr()
    assert MARKER not in message + caplog.text + printed.out + printed.err
