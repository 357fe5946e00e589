"""The data card counts what is there."""

import pytest

from busline.base.artifacts import load_json
from made_cohort import run


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
    assert card["duplicates"] == {
        "exact": 0, "near": 0, "across_labels": 0, "kinds": {}, "largest_group": 0, "left_out": [], "frame": None,
        "lines": [],
    }  # fmt: skip
    assert card["undeclared"] == []
