import resource
import zlib

import numpy as np
import pytest
from PIL import Image

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.formats import pixels
from busline.cohort.ingest import ingest
from busline.cohort.resize import resize_image
from busline.cohort.schema import RawCase, RawCohort
from busline.cohort.sources.breast import IMAGES, read_breast
from busline.cohort.store import load_cohort
from helpers_cohort import (
    BREAST,
    SETTINGS,
    draw_image,
    draw_mask,
    files_of,
    run_stage,
    save_rgba,
    write_params,
    write_release,
)


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    write_release(folder)
    return folder


def run(raw, **settings):
    target = raw.parent / "data" / "cohort"
    ingest(read_breast(raw), "breast", target, SETTINGS.model_copy(update=settings))
    return load_cohort(target)


def refuse(raw):
    with pytest.raises(DataError) as error:
        run(raw)
    assert list((raw.parent / "data").iterdir()) == []
    return str(error.value)


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


def test_images_are_packed_one_by_one(raw, monkeypatch):
    """Memory must not grow with the cohort: each image is written before the next is read."""
    written = []
    read = pixels.read_gray

    def spy(path, max_pixels):
        part = next((raw.parent / "data").iterdir())
        written.append((path.name, (part / "images.npy").stat().st_size))
        return read(path, max_pixels)

    monkeypatch.setattr(pixels, "read_gray", spy)
    monkeypatch.setattr("busline.cohort.store.BUFFER", 0)
    run(raw)
    images = [size for name, size in written if "tumor" not in name]
    assert images == [128 + 32 * 24 * done for done in range(5)]


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_changes_neither_files_nor_messages(tmp_path, workers):
    raw = tmp_path / "raw"
    write_release(raw, 12)
    cohort = read_breast(raw)

    def result(count):
        target = tmp_path / f"cohort{count}"
        told = []
        ingest(cohort, "breast", target, SETTINGS, lambda *what: told.append(what), workers=count)
        return files_of(target), told

    assert result(workers) == result(1)
    for number in (9, 3, 6):
        (raw / IMAGES / f"case{number:03d}_tumor.png").write_bytes(b"")
    (raw / IMAGES / "case004.png").unlink()
    messages = []
    for count in (1, workers):
        with pytest.raises(DataError) as error:
            ingest(cohort, "breast", tmp_path / "refused", SETTINGS, workers=count)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert "4 problems" in messages[0]


def test_odd_metadata_is_no_warning_in_any_thread(tmp_path):
    """Pillow warns of a PNG whose last chunk of animation is broken; tests make an error of every warning."""
    raw = tmp_path / "raw"
    write_release(raw)
    broken = b"acTL" + bytes(8)
    chunk = (8).to_bytes(4, "big") + broken + zlib.crc32(broken).to_bytes(4, "big")
    for number in range(1, 6):
        path = raw / IMAGES / f"case{number:03d}.png"
        content = path.read_bytes()
        path.write_bytes(content[:33] + chunk + content[33:])
    with pytest.warns(UserWarning, match="APNG"):
        pixels.read_gray(raw / IMAGES / "case001.png", 100_000)
    for workers in (1, 2):
        ingest(read_breast(raw), "breast", tmp_path / "cohort", SETTINGS, workers=workers)


def test_a_saved_again_scan_is_found(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, 6)
    brighter = np.clip(draw_image(1) * 0.8 + 30, 0, 255)
    save_rgba(brighter, raw / IMAGES / "case003.png")
    for name in ("case004.png", "case005.png"):
        save_rgba(draw_image(2), raw / IMAGES / name)
    cohort = run(raw)
    found = [tuple(row) for row in cohort.duplicates[["case_a", "case_b", "kind"]].itertuples(index=False)]
    assert found == [("1", "3", "near"), ("2", "4", "exact"), ("2", "5", "exact")]
    card = load_json(tmp_path / "data/cohort/card.json")
    assert card["duplicates"] == {"exact": 2, "near": 1, "across_labels": 1}  # case 1 is benign, case 3 malignant


def start_stage(tmp_path, **how):
    params = write_params(tmp_path / "params.yaml", **BREAST)
    write_release(tmp_path / "data/raw/breast", 5)
    return run_stage("ingest", "breast", "--params", params, "--root", tmp_path, **how)


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    result = start_stage(tmp_path, before=limit)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-2:] == [
        "error: file system: File too large",
        "  to mend:  check the disk and try again",
    ]
    assert list((tmp_path / "data/cohort").iterdir()) == []


def test_a_kill_in_mid_write_leaves_no_cohort(tmp_path):
    """The process is killed when it opens the fourth image, as by `kill -9`."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "def kill(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('case004.png'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(kill)\n"
    )
    result = start_stage(tmp_path, PYTHONPATH=f"src:{tmp_path}")
    assert result.returncode == -9
    (left,) = (tmp_path / "data/cohort").iterdir()
    assert left.suffix == ".part"
    ingest(read_breast(tmp_path / "data/raw/breast"), "breast", tmp_path / "data/cohort/breast", SETTINGS)
    assert len(load_cohort(tmp_path / "data/cohort/breast").cases) == 5


def test_the_card_counts_what_is_there(raw):
    run(raw)
    card = load_json(raw.parent / "data/cohort/card.json")
    assert card["cases"] == 5
    assert card["labels"] == {"benign": 3, "malignant": 1, "normal": 1}
    assert card["images"]["width"] == {
        "n": 5, "missing": 0, "mean": 48, "sd": 0, "min": 48, "q1": 48, "median": 48, "q3": 48, "max": 48
    }  # fmt: skip
    assert card["images"]["stored_width"]["max"] == 32
    assert card["numeric"]["Age"]["benign"] == {
        "n": 2, "missing": 1, "mean": 41.5, "sd": pytest.approx(0.5**0.5, abs=1e-5), "min": 41, "q1": 41.25,
        "median": 41.5, "q3": 41.75, "max": 42,
    }  # fmt: skip
    assert card["missing"]["Symptoms"] == 0.4
    assert card["lesion_share"]["malignant"]["mean"] == 0.25
    assert card["lesion_share"]["normal"]["mean"] is None
    assert card["masks"] == {"with_main_lesion": 4, "with_other_lesions": 0, "other_lesions": 0}
    assert card["duplicates"] == {"exact": 0, "near": 0, "across_labels": 0}
    assert card["undeclared"] == []


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
