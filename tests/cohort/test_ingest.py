import numpy as np
import pytest
from PIL import Image

from busline.base.errors import DataError
from busline.cohort.ingest import ingest
from busline.cohort.resize import resize_image
from busline.cohort.schema import RawCase, RawCohort
from busline.cohort.sources.breast import IMAGES
from busline.cohort.store import load_cohort
from helpers_cohort import (
    SETTINGS,
    draw_image,
    draw_mask,
    files_of,
    save_rgba,
    write_release,
)
from made_cohort import refuse, run


def test_every_case_is_packed_with_its_image_mask_and_values(raw):
    cohort = run(raw)
    assert list(cohort.cases["case_id"]) == ["1", "2", "3", "4", "5"]
    assert set(cohort.cases["source"]) == {"breast"}
    assert list(cohort.cases["has_mask"]) == [True, True, True, True, False]
    assert cohort.cases["Age"].dtype == np.float64
    assert cohort.cases["Age"].isna().sum() == 1
    assert cohort.cases["Signs"].tolist() == ["no", "no", "palpable", "no", "no"]
    assert cohort.cases["Symptoms"].isna().sum() == 2
    for index in range(5):
        image, mask = cohort.image(index), cohort.mask(index)
        assert image.shape == mask.shape == (24, 32)
        np.testing.assert_array_equal(image, resize_image(draw_image(index + 1), 32, 24))
    assert set(np.unique(cohort.mask(0))) == {0, 255}
    assert (cohort.mask(0) > 0).mean() == pytest.approx(0.25, abs=0.02)
    assert not cohort.mask(4).any()


def test_a_small_image_is_not_enlarged(raw):
    cohort = run(raw, max_side=1000)
    np.testing.assert_array_equal(cohort.image(0), draw_image(1))
    np.testing.assert_array_equal(cohort.mask(0) > 0, draw_mask())


def test_the_pixel_size_is_that_of_the_stored_image(raw):
    cohort = run(raw)
    area = cohort.cases["pixel_mm"] ** 2 * cohort.cases["width"] * cohort.cases["height"]
    np.testing.assert_allclose(area, 0.078125**2 * 48 * 36)


def test_cases_are_sorted_and_patients_default_to_cases(tmp_path):
    write_release(tmp_path / "raw", 12)
    cohort = run(tmp_path / "raw")
    assert list(cohort.cases["case_id"]) == sorted(str(n) for n in range(1, 13))
    assert list(cohort.cases["patient_id"]) == list(cohort.cases["case_id"])
    tenth = cohort.cases.index[cohort.cases["case_id"] == "10"][0]
    np.testing.assert_array_equal(cohort.image(tenth), resize_image(draw_image(10), 32, 24))


def test_main_masks_are_united_and_other_masks_left_out(tmp_path):
    left, right, other = (np.zeros((36, 48), dtype=np.uint8) for _ in range(3))
    left[:, 4:8], right[:, 30:34], other[:, 40:44] = 255, 255, 255

    def change(rows):
        rows[0]["Mask_tumor_filename"] = "left.png&right.png"
        rows[0]["Mask_other_filename"] = "other.png"
        for name, mask in (("left", left), ("right", right), ("other", other)):
            save_rgba(mask, tmp_path / "raw" / IMAGES / f"{name}.png")

    write_release(tmp_path / "raw", change=change)
    cohort = run(tmp_path / "raw", max_side=48)
    np.testing.assert_array_equal(cohort.mask(0), left | right)


def bad_image(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def truncate(name):
    def change(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def repaint(name, value, size=(48, 36)):
    return lambda folder: save_rgba(np.full((size[1], size[0]), value), folder / name)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "case002.png").unlink(), "row 3 (case 2): image case002.png is missing"),
        (truncate("case002.png"), "row 3 (case 2): image case002.png is truncated or damaged"),
        (bad_image("case002.png", b"hello"), "row 3 (case 2): image case002.png is no image"),
        (bad_image("case002_tumor.png", b""), "row 3 (case 2): mask case002_tumor.png is no image"),
        (truncate("case002_tumor.png"), "row 3 (case 2): mask case002_tumor.png is truncated or damaged"),
        (lambda folder: (folder / "case002_tumor.png").unlink(), "row 3 (case 2): mask case002_tumor.png is missing"),
        (
            repaint("case002_tumor.png", 0, (36, 48)),
            "mask case002_tumor.png has 36 × 48 pixels, its image 48 × 36; expected the same size",
        ),
        (
            repaint("case002_tumor.png", 0),
            "row 3 (case 2): mask case002_tumor.png is all black; expected the benign lesion in white",
        ),
        (repaint("case002_tumor.png", 255), "mask case002_tumor.png marks the whole image"),
        (repaint("case002.png", 9, (400, 300)), "image case002.png has 400 × 300 pixels; expected at most 100,000"),
    ],
)
def test_a_bad_picture_is_named_with_its_row_and_nothing_is_written(raw, damage, reason):
    damage(raw / IMAGES)
    message = refuse(raw)
    assert reason in message
    assert "1 problem\n" in message


def test_a_lesion_without_a_mask_is_refused(tmp_path):
    write_release(tmp_path / "raw", change=lambda rows: rows[2].update(Mask_tumor_filename=None))
    assert "row 4 (case 3): names no mask; expected one, because the case is malignant" in refuse(tmp_path / "raw")


def test_a_normal_case_may_have_a_black_mask_but_no_lesion(tmp_path):
    def change(rows):
        rows[4]["Mask_tumor_filename"] = "case005_tumor.png"
        save_rgba(np.zeros((36, 48)), tmp_path / "raw" / IMAGES / "case005_tumor.png")

    write_release(tmp_path / "raw", change=change)
    assert not run(tmp_path / "raw").cases["has_mask"].iloc[4]
    (tmp_path / "again").mkdir()
    (tmp_path / "raw").rename(tmp_path / "again/raw")
    save_rgba(draw_mask() * 255, tmp_path / "again/raw" / IMAGES / "case005_tumor.png")
    message = refuse(tmp_path / "again/raw")
    assert "row 6 (case 5): is normal, but mask case005_tumor.png marks a lesion" in message


def test_bad_rows_and_bad_pictures_are_listed_together(tmp_path):
    def change(rows):
        rows[0]["Age"] = 250
        rows[1]["Classification"] = "unclear"

    raw = tmp_path / "raw"
    write_release(raw, change=change)
    (raw / IMAGES / "case003.png").write_bytes(b"")
    (raw / IMAGES / "case004_tumor.png").unlink()
    message = refuse(raw)
    assert "4 problems" in message
    for part in (
        "'250' is no number",
        "unknown label 'unclear'",
        "case003.png is no image",
        "case004_tumor.png is miss",
    ):
        assert part in message


def test_a_refused_run_leaves_an_earlier_cohort_as_it_was(raw):
    run(raw)
    before = files_of(raw.parent / "data")
    (raw / IMAGES / "case003.png").write_bytes(b"")
    with pytest.raises(DataError):
        run(raw)
    assert files_of(raw.parent / "data") == before


def test_the_same_raw_files_give_the_same_bytes(raw, tmp_path):
    run(raw)
    first = files_of(raw.parent / "data/cohort")
    assert sorted(first) == [
        "card.json",
        "cases.parquet",
        "columns.json",
        "duplicates.parquet",
        "hashes.parquet",
        "images.npy",
        "masks.npy",
        "thumbnails.npy",
    ]
    other = tmp_path / "elsewhere"
    other.mkdir()
    raw.rename(other / "raw")
    run(other / "raw")
    assert files_of(other / "data/cohort") == first


def test_a_cohort_without_clinical_columns_or_masks(tmp_path):
    """What BUSI and BUS-BRA look like: no table worth the name."""
    cases = []
    for number, label in enumerate(("benign", "malignant", "normal")):
        Image.fromarray(draw_image(number)).save(tmp_path / f"{number}.png")
        path = tmp_path / f"{number}.png"
        cases.append(RawCase(row=number, case_id=str(number), patient_id="p", label=label, pixel_mm=None, image=path))
    ingest(RawCohort((), tuple(cases), masks_required=False), "busi", tmp_path / "cohort", SETTINGS)
    cohort = load_cohort(tmp_path / "cohort")
    assert cohort.cases["pixel_mm"].isna().all()
    assert not cohort.cases["has_mask"].any()
    assert cohort.columns == []
