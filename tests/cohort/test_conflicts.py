"""One image under two labels: refused, dropped or kept; and groups that are too large to be copies."""

import itertools

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from busline.base.artifacts import load_json, load_table
from busline.base.errors import DataError
from busline.cohort.duplicates.conflicts import judge_copies
from busline.cohort.duplicates.fingerprints import load_fingerprints
from busline.cohort.duplicates.pairs import COLUMNS
from busline.cohort.duplicates.side_by_side import GAP, SIDE
from busline.cohort.sources.breast import IMAGES
from helpers_cohort import draw_image, save_rgba, write_release
from made_cohort import refuse, run


def pairs_of(*rows):
    """Return pairs (case, case, correlation) that are near."""
    table = [(a, b, "near", 3, correlation) for a, b, correlation in rows]
    return pd.DataFrame(table, columns=list(COLUMNS)).astype(COLUMNS)


def judge(pairs, labels, conflicts="drop", largest=0.1, frame=None):
    return judge_copies(pairs, labels, conflicts, largest, frame)


LABELS = dict.fromkeys("abcdefgh", "benign") | {"b": "malignant", "f": "normal"}
PAIRS = pairs_of(("a", "c", 0.95), ("b", "c", 0.9), ("d", "e", 0.7), ("g", "h", 0.66))


@pytest.fixture
def twice(tmp_path):
    """Six cases: 1 (benign) and 3 (malignant) show one scan, 2 and 4 (benign) another."""
    raw = tmp_path / "raw"
    write_release(raw, 6)
    save_rgba(np.clip(draw_image(1) * 0.8 + 30, 0, 255), raw / IMAGES / "case003.png")
    save_rgba(draw_image(2), raw / IMAGES / "case004.png")
    return raw


def test_a_whole_group_leaves_where_any_two_labels_differ():
    copies = judge(PAIRS, LABELS)
    assert copies.dropped == {"a", "b", "c"}
    assert copies.description["left_out"] == ["a", "b", "c"]
    assert (copies.description["near"], copies.description["across_labels"]) == (2, 0)
    (line,) = copies.description["lines"]
    assert line == "one image, two labels, all left out (ingest.conflicts: drop): a (benign), b (malignant), c (benign)"


def test_kept_conflicts_are_counted_and_said():
    copies = judge(PAIRS, LABELS, "keep")
    assert not copies.dropped
    assert (copies.description["near"], copies.description["across_labels"]) == (4, 1)
    assert "all kept (ingest.conflicts: keep)" in copies.description["lines"][0]


def test_refused_conflicts_are_all_listed():
    pairs = pairs_of(("a", "b", 0.9), ("e", "f", 0.9), ("g", "h", 0.9))
    with pytest.raises(DataError) as error:
        judge(pairs, LABELS, "refuse")
    message = str(error.value)
    assert "a (benign), b (malignant)" in message
    assert "e (benign), f (normal)" in message
    assert "g (benign)" not in message
    assert "ingest.conflicts: drop" in message
    assert judge(pairs_of(("g", "h", 0.9)), LABELS, "refuse").description["lines"] == []


def test_all_pairs_are_kept_in_the_table_with_two_labels_first_and_then_the_least_alike():
    table = judge(PAIRS, LABELS).pairs
    rows = table[["case_a", "case_b", "label_a", "label_b", "dropped"]].to_numpy().tolist()
    assert rows == [
        ["b", "c", "malignant", "benign", True],
        ["g", "h", "benign", "benign", False],
        ["d", "e", "benign", "benign", False],
        ["a", "c", "benign", "benign", True],
    ]


def chain(count):
    names = [f"c{number:02d}" for number in range(count)]
    return pairs_of(*((a, b, 0.8) for a, b in itertools.pairwise(names))), names


@pytest.mark.parametrize(("group", "cases", "doubted"), [(5, 49, True), (5, 50, False), (4, 10, False), (8, 74, True)])
def test_a_group_of_more_than_a_tenth_and_five_is_doubted_and_never_dropped(group, cases, doubted):
    pairs, names = chain(group)
    labels = {f"c{number:02d}": "benign" for number in range(cases)} | {names[0]: "malignant"}
    for conflicts in ("drop", "refuse") if doubted else ("drop",):
        copies = judge(pairs, labels, conflicts)
        (line,) = copies.description["lines"]
        assert ("images.crop" in line) is doubted
        assert bool(copies.dropped) is not doubted
    if doubted:
        assert line.startswith(f"{group} of {cases} cases count as copies of one image: c00 (malignant), c01 (benign)")
        assert copies.description["largest_group"] == group


def test_a_common_frame_is_said_with_the_key_that_mends_it():
    copies = judge(pairs_of(), LABELS, frame=(0.25, 0.75, 0.1, 0.9))
    (line,) = copies.description["lines"]
    assert "25% to 75% of the width and 10% to 90% of the height" in line
    assert "images.crop" in line
    assert copies.description["frame"] == {"left": 0.25, "right": 0.75, "top": 0.1, "bottom": 0.9}


def test_dropped_cases_leave_every_file_of_the_cohort_but_the_table_and_the_pictures_of_pairs(twice, caplog):
    folder = twice.parent / "data/cohort"
    kept = run(twice, conflicts="keep")
    pictures = [kept.image(row).copy() for row in range(6)]
    masks = [kept.mask(row).copy() for row in range(6)]
    cohort = run(twice)
    assert cohort.cases["case_id"].tolist() == ["2", "4", "5", "6"]
    for row, before in enumerate((1, 3, 4, 5)):
        np.testing.assert_array_equal(cohort.image(row), pictures[before])
        np.testing.assert_array_equal(cohort.mask(row), masks[before])
    assert cohort.cases["has_mask"].tolist() == [True, True, True, False]
    assert load_fingerprints(folder).case_ids == ["2", "4", "5", "6"]
    assert load_fingerprints(folder).thumbnails.shape == (4, 64, 64)
    card = load_json(folder / "card.json")
    assert (card["cases"], card["labels"]) == (4, {"benign": 3, "normal": 1})
    assert card["duplicates"]["left_out"] == ["1", "3"]
    line = "one image, two labels, all left out (ingest.conflicts: drop): 1 (benign), 3 (malignant)"
    assert card["duplicates"]["lines"] == [line]
    assert line in caplog.text
    table = load_table(folder / "duplicates.parquet")
    assert table[["case_a", "case_b", "kind", "dropped"]].to_numpy().tolist() == [
        ["1", "3", "near", True],
        ["2", "4", "exact", False],
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json", "cases.parquet", "columns.json", "duplicates.parquet", "hashes.parquet", "images.npy", "masks.npy",
        "pairs", "thumbnails.npy",
    ]  # fmt: skip


def test_pairs_are_drawn_side_by_side_in_the_order_of_the_table(twice):
    cohort = run(twice, conflicts="keep")
    files = sorted((twice.parent / "data/cohort/pairs").iterdir())
    assert [file.name for file in files] == ["01.png", "02.png"]
    with Image.open(files[0]) as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (SIDE, 2 * SIDE + GAP)
    np.testing.assert_array_equal(sheet[:24, :32], cohort.image(0))
    np.testing.assert_array_equal(sheet[:24, SIDE + GAP : SIDE + GAP + 32], cohort.image(2))


def test_a_cohort_without_copies_has_no_pictures_of_pairs(raw):
    run(raw)
    assert not (raw.parent / "data/cohort/pairs").exists()


def test_refused_conflicts_leave_nothing_behind(twice):
    message = refuse(twice, conflicts="refuse")
    assert "1 (benign), 3 (malignant)" in message


def test_nothing_left_is_an_error(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, 3)
    for number in (2, 3):
        save_rgba(draw_image(1), raw / IMAGES / f"case{number:03d}.png")
    assert "no case is left" in refuse(raw)
