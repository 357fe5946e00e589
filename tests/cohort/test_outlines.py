import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import load_table, save_table
from busline.cohort.outlines import OUTLINE_COLUMNS, outline_rows, pack_mask, unpack_mask, unpack_rows
from busline.cohort.store import Cohort, stored_masks


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8), (7, 9), (176, 224), (1, 17)])
def test_a_mask_comes_back_as_it_was(shape):
    mask = np.random.default_rng(0).random(shape) < 0.4
    bits = pack_mask(mask)
    assert len(bits) == -(-mask.size // 8)
    np.testing.assert_array_equal(unpack_mask(bits, *shape), mask)


def test_bits_by_hand():
    """Row by row, the first pixel in the highest bit; the last byte is filled with zeros."""
    mask = np.array([[1, 0, 0, 0, 0], [0, 0, 1, 1, 1]], dtype=bool)
    assert pack_mask(mask) == bytes([0b10000001, 0b11000000])
    assert pack_mask(np.asfortranarray(mask)) == pack_mask(mask)
    assert pack_mask(mask[:, ::-1].astype(np.uint8) * 255) == bytes([0b00001111, 0b00000000])


@pytest.mark.parametrize("size", [(2, 4), (3, 6), (0, 5)])
def test_bits_of_another_size_are_refused(size):
    with pytest.raises(ValueError, match="bytes"):
        unpack_mask(pack_mask(np.ones((2, 5), dtype=bool)), *size)


def test_rows_go_through_parquet_and_the_same_masks_are_the_same_bytes(tmp_path):
    generator = np.random.default_rng(1)
    found, truth = ([generator.random(shape) < 0.5 for shape in ((4, 6), (5, 3))] for _ in range(2))
    table = outline_rows(["a", "b"], "cv", 2, [0, 1], found, truth)
    assert tuple(table) == OUTLINE_COLUMNS
    assert table["repeat"].tolist() == [2, 2]
    assert set(table["split"]) == {"test"}
    for name in ("one", "two"):
        save_table(table, tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    again = load_table(tmp_path / "one.parquet")
    for (one, other), expected, true in zip(unpack_rows(again), found, truth, strict=True):
        np.testing.assert_array_equal(one, expected)
        np.testing.assert_array_equal(other, true)


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="differ in size: b"):
        outline_rows(["a", "b"], "cv", 0, [0, 0], [np.ones((2, 2))] * 2, [np.ones((2, 2)), np.ones((2, 3))])


def test_true_masks_are_those_the_cohort_stores_in_the_order_asked_for():
    flat = np.concatenate([np.full(6, 255, np.uint8), np.array([0, 255, 0, 0], np.uint8)])
    cases = pd.DataFrame({"case_id": ["a", "b"], "offset": [0, 6], "height": [2, 2], "width": [3, 2]})
    cohort = Cohort(cases, [], pd.DataFrame(), flat, flat)
    second, first = stored_masks(cohort, ["b", "a"])
    assert second.tolist() == [[False, True], [False, False]]
    assert (first.shape, first.all()) == ((2, 3), True)
