"""The picture of a phantom shows what was drawn, where its mask says."""

from __future__ import annotations

import numpy as np
import pytest
from made_phantoms import drawn
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import MARGINS, Findings, Lesion
from busline.cohort.phantom.outline import draw_outline


def a_lesion(**changes) -> Lesion:
    plain = {
        "suspicion": 0.0, "shape": "oval", "margin": (), "echogenicity": "hypoechoic", "posterior": "no",
        "halo": False, "calcified": False, "area": 0.1, "aspect": 0.7,
    }  # fmt: skip
    return Lesion(**(plain | changes))


def shown(lesion: Lesion | None, others: int = 0, seed: int = 0):
    findings = Findings("benign", lesion, others, "homogeneous: fibroglandular", skin_thickening=False)
    return render(findings, 160, 128, np.random.default_rng(seed))


def test_malignant_lesions_are_taller_in_their_masks() -> None:
    def aspects(label: str) -> np.ndarray:
        found = []
        for number, findings in enumerate(drawn(label, 60)):
            mask = render(findings, 64, 50, np.random.default_rng(number)).tumor
            rows, columns = np.nonzero(mask)
            found.append((np.ptp(rows) + 1) / (np.ptp(columns) + 1))
        return np.array(found)

    benign, malignant = aspects("benign"), aspects("malignant")
    assert np.median(benign) < 0.8
    assert np.median(malignant) > np.median(benign) + 0.1
    assert 0.6 < roc_auc_score(np.repeat([0, 1], 60), np.r_[benign, malignant]) < 0.95


@pytest.mark.parametrize("changes", [{}, {"shape": "irregular", "margin": MARGINS}, {"aspect": 1.1, "area": 0.05}])
def test_the_mask_has_the_size_of_the_lesion(changes: dict) -> None:
    lesion = a_lesion(**changes)
    picture = shown(lesion)
    assert picture.tumor.mean() == pytest.approx(lesion.area, rel=0.06)
    if lesion.shape == "oval":
        rows, columns = np.nonzero(picture.tumor)
        assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(lesion.aspect, rel=0.12)
    assert ndimage.label(picture.tumor)[1] == 1


@pytest.mark.parametrize("area", [0.3, 0.34])
@pytest.mark.parametrize("aspect", [0.35, 1.6])
def test_a_large_lesion_stays_inside_the_image(area: float, aspect: float) -> None:
    for seed in range(10):
        lesion = a_lesion(shape="irregular", area=area, aspect=aspect)
        outline = draw_outline(lesion, 34.0, 27.0, np.random.default_rng(seed))
        angles = np.linspace(-np.pi, np.pi, len(outline.radius), endpoint=False)
        across, down = outline.x + outline.radius * np.cos(angles), outline.z + outline.radius * np.sin(angles)
        assert np.abs(across).max() <= 17.0
        assert down.min() > 0.0
        assert down.max() < 0.9 * 27.0


def brightness(lesion: Lesion, region, count: int = 6) -> float:
    """Mean gray of a region against that of the columns beside it in the same rows, over a few renderings."""
    found = []
    for seed in range(count):
        picture = shown(lesion, seed=seed)
        rows, columns = np.nonzero(picture.tumor)
        inner = slice(int(np.quantile(columns, 0.25)), int(np.quantile(columns, 0.75)))
        outer = np.ones(picture.gray.shape[1], bool)
        outer[columns.min() - 4 : columns.max() + 5] = False
        taken = region(rows)
        found.append(picture.gray[taken, inner].mean() - picture.gray[taken][:, outer].mean())
    return float(np.mean(found))


def inside(rows: np.ndarray) -> slice:
    return slice(int(np.quantile(rows, 0.3)), int(np.quantile(rows, 0.7)))


def behind(rows: np.ndarray) -> slice:
    return slice(rows.max() + 4, min(rows.max() + 20, 126))


def test_shadow_and_enhancement_lie_behind_the_lesion() -> None:
    plain = brightness(a_lesion(), behind)
    assert brightness(a_lesion(posterior="shadowing"), behind) < plain - 20
    assert brightness(a_lesion(posterior="enhancement"), behind) > plain + 12


def test_echogenicity_is_what_the_word_says() -> None:
    words = ("anechoic", "hypoechoic", "isoechoic", "hyperechoic")
    levels = [brightness(a_lesion(echogenicity=word), inside) for word in words]
    assert levels == sorted(levels)
    assert levels[0] < -45
    assert -60 < levels[1] < -20
    assert levels[3] > 0


def test_other_lesions_have_masks_of_their_own() -> None:
    picture = shown(a_lesion(), others=3)
    assert len(picture.others) == 3
    assert all(0.002 < other.mean() < 0.05 for other in picture.others)
    for seed in range(10):
        crowded = shown(a_lesion(area=0.34), others=4, seed=seed)
        assert all(other.any() and not (other & crowded.tumor).any() for other in crowded.others)


def test_masks_end_where_the_field_of_view_ends(monkeypatch) -> None:
    monkeypatch.setattr("busline.cohort.phantom.image._visible", lambda grid, _: grid.x < 0.0)
    for seed in range(5):
        picture = shown(a_lesion(), others=4, seed=seed)
        masks = (picture.tumor, *picture.others)
        assert all(mask.any() and not mask[:, 80:].any() for mask in masks)
