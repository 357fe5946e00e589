"""What a phantom shows and what is written of it: words, frequencies, and how far they tell the classes apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_phantoms import drawn
from sklearn.metrics import roc_auc_score

from busline.cohort.phantom.lesion import FAT_SHARE, MARGINS, place_case
from busline.cohort.phantom.table import INAPPLICABLE, MISSING, draw_row


def test_words_are_those_of_the_release() -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame([draw_row(f, rng) for label in ("benign", "malignant", "normal") for f in drawn(label)])
    known = {
        "Tissue_composition": {*FAT_SHARE, *(f"lactating&{name}" for name in FAT_SHARE), MISSING},
        "Shape": {"oval", "round", "irregular", INAPPLICABLE},
        "Echogenicity": {
            "anechoic", "complex cystic/solid", "heterogeneous", "hyperechoic", "hypoechoic", "isoechoic", INAPPLICABLE
        },
        "Posterior_features": {"no", "enhancement", "shadowing", "combined", INAPPLICABLE},
        "Halo": {"no", "yes", INAPPLICABLE},
        "Calcifications": {"no", "in a mass", "indefinable", "intraductal", INAPPLICABLE},
        "Skin_thickening": {"no", "yes"},
        "BIRADS": {1, 2, 3, "4a", "4b", "4c", 5},
        "Verification": {"confirmed by biopsy", "confirmed by follow-up care", INAPPLICABLE},
        "Classification": {"benign", "malignant", "normal"},
    }  # fmt: skip
    for column, words in known.items():
        assert set(rows[column]) == words, column
    margins = (
        rows.Margin[rows.Margin.str.startswith("not circ")].str.removeprefix("not circumscribed - ").str.split("&")
    )
    assert set(rows.Margin[~rows.index.isin(margins.index)]) == {"circumscribed", INAPPLICABLE}
    assert all(list(words) == [name for name in MARGINS if name in words] for words in margins)
    assert any(len(words) > 2 for words in margins)
    parts = set(rows.Signs.str.split("&").explode())
    assert parts == {
        "no", MISSING, "palpable", "breast scar", "skin retraction", "redness", "warmth", "nipple retraction",
        "peau d`orange",
    }  # fmt: skip
    ages = [age for age in rows.Age if age != MISSING]
    assert 0 < len(ages) < len(rows)
    assert {type(age) for age in ages} == {int}
    assert min(ages) >= 18
    assert max(ages) <= 87


def test_values_are_missing_as_often_as_in_the_release() -> None:
    rng = np.random.default_rng(4)
    findings = drawn("benign", 1220) + drawn("malignant", 780)
    rows = pd.DataFrame([draw_row(found, rng) for found in findings])
    missing = (rows == MISSING).mean()
    expected = {"Age": 0.16, "Signs": 0.18, "Symptoms": 0.38, "Tissue_composition": 0.19}
    assert missing[missing > 0].to_dict() == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("cases", [12, 40, 180])
@pytest.mark.parametrize("seed", range(5))
def test_any_first_cases_are_39_percent_malignant(cases: int, seed: int) -> None:
    labels = [place_case(index, seed)[0] for index in range(cases)]
    assert abs(labels.count("malignant") - 0.39 * cases) <= 2


def test_birads_tells_the_classes_apart_as_in_the_release_but_not_wholly() -> None:
    rng = np.random.default_rng(8)
    order = {category: rank for rank, category in enumerate([1, 2, 3, "4a", "4b", "4c", 5])}
    rows = [draw_row(found, rng) for label in ("benign", "malignant") for found in drawn(label)]
    ranks = [order[row["BIRADS"]] for row in rows]
    truth = [row["Classification"] == "malignant" for row in rows]
    assert roc_auc_score(truth, ranks) == pytest.approx(0.93, abs=0.02)
    benign, malignant = drawn("benign"), drawn("malignant")
    assert max(f.lesion.suspicion for f in benign) > np.median([f.lesion.suspicion for f in malignant])
    assert min(f.lesion.suspicion for f in malignant) < np.quantile([f.lesion.suspicion for f in benign], 0.8)


def test_classes_differ_in_every_finding_and_overlap_in_each() -> None:
    benign = [found.lesion for found in drawn("benign")]
    malignant = [found.lesion for found in drawn("malignant")]

    def shares(condition) -> tuple[float, float]:
        return float(np.mean([condition(x) for x in benign])), float(np.mean([condition(x) for x in malignant]))

    for condition in (
        lambda lesion: lesion.shape == "irregular",
        lambda lesion: bool(lesion.margin),
        lambda lesion: lesion.halo,
        lambda lesion: lesion.posterior in ("shadowing", "combined"),
        lambda lesion: lesion.aspect > 1.0,
        lambda lesion: lesion.area > 0.13,
    ):
        low, high = shares(condition)
        assert 0.03 < low < high - 0.08
        assert high < 0.995
