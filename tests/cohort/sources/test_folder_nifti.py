"""nnU-Net's layout becomes a cohort by a table and dataset.yaml alone."""

import numpy as np
import pytest
from ruamel.yaml import YAML

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from helpers_cohort import draw_image, files_of, ingest_own
from made_nifti import RAS, write_nifti

SIZE = (96, 80)
LESION = np.zeros(SIZE[::-1], dtype=bool)
LESION[20:60, 30:75] = True
HEADER = {"units": 2, "sizes": (0.1, 0.1), "matrix": -RAS}


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "own"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    rows = ["id,image,mask,label,size"]
    for number, label in enumerate(("benign", "malignant")):
        case = f"BUS_{number:03d}"
        write_nifti(folder / f"imagesTr/{case}_0000.nii.gz", draw_image(number, SIZE), **HEADER)
        write_nifti(folder / f"labelsTr/{case}.nii.gz", LESION.astype(np.uint8) * np.uint8(number + 1), **HEADER)
        rows.append(f"{case},imagesTr/{case}_0000.nii.gz,labelsTr/{case}.nii.gz,{label},")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    describe(folder)
    return folder


def describe(folder, **keys):
    content = {"table": "table.csv", "case_id": "id", "image": "image", "mask": "mask", "label": "label"}
    content |= {"labels": {"benign": "benign", "malignant": "malignant"}, "patient_id": "each image"}
    content |= {"pixel_size": {"column": "size", "unit": "mm"}}
    with (folder / "dataset.yaml").open("w") as file:
        YAML().dump(content | keys, file)


def test_images_masks_and_pixel_sizes(own):
    before = files_of(own)
    cohort = ingest_own(own)
    assert files_of(own.parent / "raw") == before
    for index in range(2):
        np.testing.assert_array_equal(cohort.image(index), draw_image(index, SIZE))
        np.testing.assert_array_equal(cohort.mask(index) > 0, LESION)
    assert cohort.cases["pixel_mm"].tolist() == pytest.approx([0.1, 0.1])


def test_a_table_that_says_another_pixel_size_than_the_file_is_refused(own):
    text = (own / "table.csv").read_text()
    (own / "table.csv").write_text(text.replace("benign,\n", "benign,0.2\n"))
    with pytest.raises(DataError, match=r"case BUS_000\): pixel size is 0.2 mm; its image's file says 0.1 mm"):
        ingest_own(own)
    (own / "table.csv").write_text(text.replace("benign,\n", "benign,0.1005\n"))
    assert ingest_own(own).cases["pixel_mm"].tolist() == pytest.approx([0.1005, 0.1])


def test_label_numbers_are_chosen(own):
    both = LESION.astype(np.uint8)
    both[:10, :10] = 2
    write_nifti(own / "labelsTr/BUS_000.nii.gz", both, **HEADER)
    write_nifti(own / "labelsTr/BUS_001.nii.gz", both, **HEADER)
    with pytest.raises(DataError, match="several gray values"):
        ingest_own(own)
    describe(own, masks={"values": [1]})
    np.testing.assert_array_equal(ingest_own(own).mask(0) > 0, LESION)


def test_sixteen_bits_are_scaled_by_those_of_all(own):
    for number in range(2):
        values = draw_image(number, SIZE).astype(np.int16) * 8
        write_nifti(own / f"imagesTr/BUS_{number:03d}_0000.nii.gz", values, **HEADER)
    cohort = ingest_own(own)
    expected = np.rint(draw_image(0, SIZE) * (8 * 255 / 2047))
    assert np.abs(cohort.image(0) - expected).max() <= 1
    assert load_json(own.parent / "cohort/card.json")["doubts"]["sixteen_bits"]["bits"] == 11


def test_a_mask_that_lies_otherwise_is_refused(own):
    write_nifti(own / "labelsTr/BUS_000.nii.gz", LESION.astype(np.uint8), **HEADER | {"matrix": RAS})
    with pytest.raises(DataError, match=r"case BUS_000\): mask BUS_000.nii.gz has axes that run otherwise"):
        ingest_own(own)


def test_a_volume_is_refused_with_what_to_do(own):
    volume = np.zeros((80 * 4, 96), np.uint8)
    write_nifti(own / "imagesTr/BUS_000_0000.nii.gz", volume, **HEADER, shape=(96, 80, 4))
    with pytest.raises(DataError, match="is a volume or a film .96 × 80 × 4.; expected one plane: save the one"):
        ingest_own(own)
