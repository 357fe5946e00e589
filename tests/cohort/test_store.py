import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import load_table, save_table
from busline.base.errors import DataError
from busline.cohort.ingest import ingest
from busline.cohort.schema import RESERVED, Column
from busline.cohort.sources.breast import read_breast
from busline.cohort.store import load_cohort, resize_stack, save_cohort, save_pixels
from helpers_cohort import SETTINGS, write_release

PAIR = {
    "case_a": "c0",
    "case_b": "c1",
    "label_a": "benign",
    "label_b": "benign",
    "kind": "near",
    "distance": 2,
    "correlation": 0.9,
    "dropped": False,
}


def pack(folder, frames, **own):
    folder.mkdir()
    places = save_pixels(folder, frames)
    ids = [f"c{number}" for number in range(len(frames))]
    cases = pd.DataFrame({"case_id": ids, "patient_id": ids, "source": "test", "label": "benign", "pixel_mm": 0.1})
    cases = cases.join(places).assign(**own)
    duplicates = pd.DataFrame([PAIR])
    columns = [Column(name=name, provenance="patient", kind="categorical") for name in own]
    save_cohort(folder, cases, columns, duplicates, {"cases": len(cases)})
    return cases


def make_frames(sizes):
    generator = np.random.default_rng(0)
    return [(generator.integers(0, 256, size, dtype=np.uint8), generator.random(size) > 0.5) for size in sizes]


def test_what_is_saved_is_loaded(tmp_path):
    frames = make_frames([(20, 30), (16, 16), (41, 17)])
    cases = pack(tmp_path / "c", frames, Signs=["a", None, "b"])
    cohort = load_cohort(tmp_path / "c")
    assert list(cohort.cases.columns) == [*RESERVED, "Signs"]
    assert cohort.cases["Signs"].isna().tolist() == [False, True, False]
    assert cohort.cases["offset"].tolist() == [0, 600, 856]
    assert cohort.cases["case_id"].tolist() == cases["case_id"].tolist()
    assert cohort.columns == [Column(name="Signs", provenance="patient", kind="categorical")]
    assert cohort.duplicates.to_dict("records") == [PAIR]
    for index, (image, mask) in enumerate(frames):
        np.testing.assert_array_equal(cohort.image(index), image)
        np.testing.assert_array_equal(cohort.mask(index), mask * 255)


def test_the_arrays_are_plain_npy_of_the_contract(tmp_path):
    frames = make_frames([(20, 30), (16, 16)])
    pack(tmp_path / "c", frames)
    flat = np.load(tmp_path / "c/images.npy")
    assert flat.dtype == np.uint8
    assert flat.shape == (856,)
    np.testing.assert_array_equal(flat[600:].reshape(16, 16), frames[1][0])


def test_the_cohort_is_not_read_into_memory_and_not_writable(tmp_path):
    pack(tmp_path / "c", make_frames([(20, 30), (16, 16)]))
    cohort = load_cohort(tmp_path / "c")
    with pytest.raises(ValueError, match="read-only"):
        cohort.image(0)[0, 0] = 1


def test_a_stack_has_the_asked_cases_in_the_asked_order_and_size(tmp_path):
    frames = [(np.full((20, 30), level, dtype=np.uint8), np.zeros((20, 30), dtype=bool)) for level in (10, 20, 30)]
    frames[2][1][:10, :15] = True
    pack(tmp_path / "c", frames)
    images, masks = resize_stack(load_cohort(tmp_path / "c"), [2, 0], 8)
    assert images.dtype == masks.dtype == np.uint8
    assert images.shape == masks.shape == (2, 8, 8)
    assert (images[0] == 30).all()
    assert (images[1] == 10).all()
    assert (masks[0, :4, :4] == 255).all()
    assert masks[0].sum() == 16 * 255
    assert not masks[1].any()


def test_pixels_of_another_table_are_refused(tmp_path):
    write_release(tmp_path / "raw")
    ingest(read_breast(tmp_path / "raw"), "breast", tmp_path / "c", SETTINGS)
    table = load_table(tmp_path / "c/cases.parquet")
    save_table(table.iloc[:-1], tmp_path / "c/cases.parquet")
    with pytest.raises(DataError, match="not those of the table"):
        load_cohort(tmp_path / "c")


def test_a_cohort_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match="dvc repro"):
        load_cohort(tmp_path / "nowhere")
