"""Cases of one patient, or one scan saved twice, planted on two sides of a split."""

import numpy as np
import pandas as pd
import pytest

from busline.audit.planted import CHANGES, planted_recall
from busline.audit.sides import complaints, crossing_pairs, find_pairs, patient_pairs
from busline.base.seeding import numpy_generator
from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import draw_findings

ROLES = ("train", "val", "tune", "test")


def splits_of(**roles):
    """One resample, (0, 0): the role of each case."""
    return pd.DataFrame({"case_id": list(roles), "scheme": "cv", "repeat": 0, "fold": 0, "role": list(roles.values())})


def scan(number):
    """A phantom, 112 × 88 pixels."""
    label = "malignant" if number % 3 == 0 else "benign"
    findings = draw_findings(label, 0.5, numpy_generator(1, "findings", number))
    return render(findings, 112, 88, numpy_generator(1, "image", number)).gray


@pytest.fixture(scope="module")
def scans():
    return [scan(number) for number in range(20)]


def test_one_patient_on_two_sides_is_caught_and_named():
    splits = splits_of(a="train", b="train", c="test", d="test")
    crossing = crossing_pairs(splits, patient_pairs(["a", "b", "c", "d"], ["p1", "p2", "p2", "p4"]))
    assert len(crossing) == 1
    (line,) = complaints(crossing)
    assert line == "cases b and c, cases of patient p2, stand on two sides: repeat 0, fold 0 (train and test)"


@pytest.mark.parametrize("roles", [("train", "train", "test"), ("test", "train", "train"), ("train", "val", "tune")])
def test_three_cases_of_a_patient_are_caught_wherever_the_odd_one_is(roles):
    splits = splits_of(**dict(zip("abc", roles, strict=True)))
    assert len(crossing_pairs(splits, patient_pairs(["a", "b", "c"], ["p"] * 3))) >= 1


def test_patients_on_one_side_are_no_problem():
    splits = splits_of(a="train", b="train", c="test")
    assert crossing_pairs(splits, patient_pairs(["a", "b", "c"], ["p", "p", "q"])).empty


def test_many_resamples_are_one_line_with_the_first_ones():
    parts = [splits_of(a="train", b="test").assign(fold=fold) for fold in range(5)]
    pairs = pd.DataFrame({"case_a": ["a"], "case_b": ["b"], "why": ["(near-)duplicate images"]})
    (line,) = complaints(crossing_pairs(pd.concat(parts), pairs))
    assert "fold 2 (train and test) and 2 more resamples" in line


@pytest.mark.parametrize("change", CHANGES)
def test_a_planted_copy_across_folds_is_caught_from_the_pixels(change, scans):
    """Nobody told the splits of the copy: the audit looks for it itself."""
    copy = np.ascontiguousarray(CHANGES[change](scans[3], np.random.default_rng(0)))
    ids = [f"c{number:02d}" for number in range(21)]
    pairs = find_pairs(ids, [*scans, copy], 12, 0.65)
    splits = splits_of(**{name: "test" if name == "c20" else "train" for name in ids})
    crossing = crossing_pairs(splits, pairs.assign(why="(near-)duplicate images"))
    assert crossing[["case_a", "case_b"]].to_numpy().tolist() == [["c03", "c20"]]


def test_every_single_change_is_found_and_nothing_else(scans):
    rows = planted_recall(scans, 12, 0.65, seed=5)
    assert [row.change for row in rows] == list(CHANGES)
    assert all(row.false == 0 and row.planted == len(scans) for row in rows)
    hardest = {"all of these at once", "cropped by 20 % at each side"}
    assert all(row.found >= (0.9 if row.change in hardest else 1.0) * len(scans) for row in rows)


def test_recall_falls_where_the_look_for_copies_is_off(scans):
    """With a limit that nothing reaches, none is found: the recall is measured, not assumed."""
    assert all(row.found == 0 for row in planted_recall(scans[:5], 0, 1.0, seed=5) if "crop" in row.change)


def test_a_copy_joined_to_another_scan_is_counted(monkeypatch, scans):
    def confused(ids, images, max_bits, least):
        return (
            pd.DataFrame({"case_a": ids[:1], "case_b": ids[-1:]})
            if len(ids) > 4
            else pd.DataFrame({"case_a": [], "case_b": []})
        )

    monkeypatch.setattr("busline.audit.planted.find_pairs", confused)
    rows = planted_recall(scans[:4], 12, 0.65, seed=5)
    assert all(row.found == 0 and row.false == 1 for row in rows)
