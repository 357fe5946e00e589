"""Images that two cohorts share."""

import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import load_table
from busline.base.errors import DataError
from busline.cohort.duplicates.fingerprints import load_fingerprints, save_fingerprints
from busline.cohort.duplicates.overlap import COLUMNS, find_overlap
from busline.cohort.duplicates.pairs import take_fingerprints
from helpers_cohort import draw_image

LIMITS = (12, 0.65)


def prints_of(**images):
    return take_fingerprints(list(images), images.values())


def lit(image):
    return np.clip(image[:, ::-1] * 0.8 + 20, 0, 255).astype(np.uint8)


def rows(table):
    return [tuple(row) for row in table.drop(columns=["distance", "correlation"]).itertuples(index=False)]


@pytest.fixture
def scans():
    return [draw_image(seed, (96, 80)) for seed in range(8)]


def test_pairs_of_two_cohorts_are_found_though_they_use_the_same_ids(scans):
    one = prints_of(a=scans[0], b=scans[1], c=scans[2])
    other = prints_of(a=scans[3], b=scans[0], c=lit(scans[1]))
    third = prints_of(a=scans[0], z=scans[4])
    found = find_overlap({"one": one, "other": other, "third": third}, *LIMITS)
    assert rows(found) == [
        ("one", "a", "other", "b", "exact"),
        ("one", "a", "third", "a", "exact"),
        ("one", "b", "other", "c", "mirrored"),
    ]
    assert found["distance"].tolist()[:2] == [0, 0]
    assert 0 <= found["distance"].iloc[2] <= LIMITS[0]


def test_pairs_within_a_cohort_are_left_to_it(scans):
    one = prints_of(a=scans[0], b=scans[0], c=lit(scans[1]))
    other = prints_of(d=scans[2], e=lit(scans[2]), f=scans[3])
    assert rows(find_overlap({"one": one, "other": other}, *LIMITS)) == []


def test_a_scan_that_several_copies_join_is_in_one_pair_at_least(scans):
    one = prints_of(a=scans[0], b=scans[0])
    other = prints_of(d=scans[0], e=scans[0])
    assert rows(find_overlap({"one": one, "other": other}, *LIMITS)) == [
        ("one", "a", "other", "d", "exact"),
        ("one", "a", "other", "e", "exact"),
    ]


def test_one_cohort_alone_or_one_without_images_has_an_empty_table_of_the_same_columns(scans, tmp_path):
    one = prints_of(a=scans[0], b=scans[0])
    save_fingerprints(tmp_path, prints_of())
    assert load_fingerprints(tmp_path).thumbnails.shape == (0, 64, 64)
    for cohorts in ({"one": one}, {"one": one, "table": load_fingerprints(tmp_path)}):
        found = find_overlap(cohorts, *LIMITS)
        assert found.empty
        assert {name: str(kind) for name, kind in found.dtypes.items()} == COLUMNS


def test_fingerprints_are_read_as_they_were_written(scans, tmp_path):
    prints = prints_of(a=scans[0], b=scans[1])
    save_fingerprints(tmp_path, prints)
    read = load_fingerprints(tmp_path)
    assert (read.case_ids, read.digests) == (prints.case_ids, prints.digests)
    np.testing.assert_array_equal(read.thumbnails, prints.thumbnails)
    assert read.thumbnails.dtype == np.uint8
    expected = pd.DataFrame({"case_id": ["a", "b"], "sha256": [key.hex() for key in prints.digests]}, dtype="str")
    expected["aspect"] = 96 / 80
    pd.testing.assert_frame_equal(load_table(tmp_path / "hashes.parquet"), expected)
    np.testing.assert_array_equal(read.aspects, [96 / 80, 96 / 80])
    with pytest.raises(DataError, match="is missing"):
        load_fingerprints(tmp_path / "nothing")
