from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import ndimage, stats
from sklearn.metrics import roc_auc_score

from busline.cohort.phantom.cohort import IMAGE_FOLDER, SIZE_SPREAD, TABLE, TINTS, make_phantom_cohort
from busline.cohort.phantom.image import Picture, render
from busline.cohort.phantom.lesion import FAT_SHARE, MARGINS, Findings, Lesion, draw_findings
from busline.cohort.phantom.outline import draw_outline
from busline.cohort.phantom.physics import log_compress, speckle, texture
from busline.cohort.phantom.table import COLUMNS, INAPPLICABLE, MISSING, draw_row

CASES, NORMAL, WIDTH, HEIGHT = 36, 3, 120, 96


def make(folder: Path, seed: int = 5, cases: int = CASES, normal: int = NORMAL, **more) -> Path:
    folder.mkdir()
    make_phantom_cohort(folder, cases=cases, normal=normal, width=WIDTH, height=HEIGHT, seed=seed, **more)
    return folder


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("phantom") / "cohort")


@pytest.fixture(scope="module")
def table(cohort: Path) -> pd.DataFrame:
    return pd.read_excel(cohort / TABLE)


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def pixels(cohort: Path, name: str) -> np.ndarray:
    with Image.open(cohort / IMAGE_FOLDER / name) as image:
        assert (image.format, image.mode) == ("PNG", "RGBA")
        return np.asarray(image)


def drawn(label: str, count: int = 400) -> list[Findings]:
    return [draw_findings(label, (i + 0.5) / count, np.random.default_rng([7, i])) for i in range(count)]


def a_lesion(**changes) -> Lesion:
    plain = {
        "suspicion": 0.0, "shape": "oval", "margin": (), "echogenicity": "hypoechoic", "posterior": "no",
        "halo": False, "calcified": False, "area": 0.1, "aspect": 0.7,
    }  # fmt: skip
    return Lesion(**(plain | changes))


def shown(lesion: Lesion | None, others: int = 0, seed: int = 0):
    findings = Findings("benign", lesion, others, "homogeneous: fibroglandular", skin_thickening=False)
    return render(findings, 160, 128, np.random.default_rng(seed))


def test_layout_is_that_of_the_release(cohort: Path, table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == CASES + NORMAL
    assert table.CaseID.tolist() == list(range(1, CASES + NORMAL + 1))
    assert table.Image_filename.tolist() == [f"case{i:03d}.png" for i in table.CaseID]
    named = {*table.Image_filename, *table.Mask_tumor_filename.dropna()}
    for cell in table.Mask_other_filename.dropna():
        named |= set(cell.split("&"))
    assert {path.name for path in (cohort / IMAGE_FOLDER).iterdir()} == named
    assert {path.name for path in cohort.iterdir()} == {IMAGE_FOLDER, TABLE}


def test_images_and_masks(cohort: Path, table: pd.DataFrame) -> None:
    sizes = set()
    for image_name, mask_name in zip(table.Image_filename, table.Mask_tumor_filename, strict=True):
        image = pixels(cohort, image_name)
        height, width = image.shape[:2]
        sizes.add((width, height))
        assert abs(width - WIDTH) <= SIZE_SPREAD * WIDTH + 1
        assert abs(height - HEIGHT) <= SIZE_SPREAD * HEIGHT + 1
        assert set(np.unique(image[..., 3])) <= {0, 255}
        assert not image[image[..., 3] == 0].any()
        if isinstance(mask_name, str):
            mask = pixels(cohort, mask_name)
            assert mask.shape == image.shape
            assert set(np.unique(mask)) == {0, 255}
            assert (mask == mask[..., :1]).all()
            assert 0.01 < (mask[..., 0] > 0).mean() < 0.45
            assert image[..., 3][mask[..., 0] > 0].all()
    assert len(sizes) > 10


def test_some_pictures_are_tinted_some_marked_and_some_gray(cohort: Path, table: pd.DataFrame) -> None:
    coloured = [np.ptp(pixels(cohort, name)[..., :3].astype(int), axis=2) > 0 for name in table.Image_filename]
    shares = np.array([found.mean() for found in coloured])
    assert (shares == 0.0).sum() >= 5
    assert ((shares > 0.0) & (shares < 0.01)).sum() >= 3
    assert (shares > 0.5).sum() >= 5
    assert TINTS[0] == (1.0, 1.0, 1.0)


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


def test_normal_cases(cohort: Path, table: pd.DataFrame) -> None:
    normal = table[table.Classification == "normal"]
    assert len(normal) == NORMAL
    assert normal.Mask_tumor_filename.isna().all()
    assert normal.Mask_other_filename.isna().all()
    assert (normal.BIRADS == 1).all()
    for column in ("Shape", "Margin", "Echogenicity", "Posterior_features", "Interpretation", "Verification"):
        assert (normal[column] == INAPPLICABLE).all()
    assert not list((cohort / IMAGE_FOLDER).glob(f"{normal.Image_filename.iloc[0].removesuffix('.png')}_*"))
    assert table[table.Classification != "normal"].Mask_tumor_filename.notna().all()


def test_same_seed_same_bytes_at_another_time(cohort: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("openpyxl.writer.excel.datetime", _LateClock)
    monkeypatch.setattr("zipfile.time.localtime", lambda *_: (2031, 2, 3, 4, 5, 6, 0, 0, 0))
    assert hashes(make(tmp_path / "again")) == hashes(cohort)
    assert hashes(make(tmp_path / "other", seed=6)) != hashes(cohort)


class _LateClock:
    """The datetime module as openpyxl uses it, years later."""

    timezone = __import__("datetime").timezone

    class datetime:  # noqa: N801
        @staticmethod
        def now(tz=None):
            return __import__("datetime").datetime(2031, 2, 3, 4, 5, 6, tzinfo=tz)


def test_more_cases_leave_the_earlier_ones_alone(cohort: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    fewer = make(tmp_path / "fewer", cases=12, normal=1)
    kept = hashes(fewer)
    del kept[TABLE]
    assert len(kept) >= 25
    whole = hashes(cohort)
    assert {name: whole[name] for name in kept if "case013" not in name} == {
        name: digest for name, digest in kept.items() if "case013" not in name
    }
    pd.testing.assert_frame_equal(
        pd.read_excel(fewer / TABLE).iloc[:12].astype(object), table.iloc[:12].astype(object), check_dtype=False
    )


def test_more_than_999_cases_have_wider_numbers(tmp_path: Path, monkeypatch) -> None:
    corner = np.eye(16, dtype=bool)
    blank = Picture(corner.astype(np.uint8), corner, corner, (), 0.1)
    monkeypatch.setattr("busline.cohort.phantom.cohort.render", lambda *_: blank)
    folder = tmp_path / "large"
    folder.mkdir()
    make_phantom_cohort(folder, cases=996, normal=4, width=16, height=16, seed=0)
    names = {path.name for path in (folder / IMAGE_FOLDER).glob("*.png")}
    assert {"case0001.png", "case0996_tumor.png", "case1000.png"} <= names
    assert pd.read_excel(folder / TABLE).Image_filename.iloc[-1] == "case1000.png"


def test_progress_counts_the_cases(tmp_path: Path) -> None:
    seen: list[int] = []
    make(tmp_path / "few", cases=12, normal=1, progress=seen.append)
    assert seen == list(range(1, 14))


@pytest.mark.parametrize("cases", [12, 40, 180])
@pytest.mark.parametrize("seed", range(5))
def test_any_first_cases_are_39_percent_malignant(cases: int, seed: int) -> None:
    from busline.cohort.phantom.cohort import place_case

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


def test_other_lesions_are_joined_in_one_cell(tmp_path: Path, monkeypatch) -> None:
    def with_others(label: str, quantile: float, generator: np.random.Generator) -> Findings:
        found = draw_findings(label, quantile, generator)
        return Findings(label, found.lesion, 2, found.composition, found.skin_thickening)

    monkeypatch.setattr("busline.cohort.phantom.cohort.draw_findings", with_others)
    folder = make(tmp_path / "others", cases=12, normal=0)
    cells = pd.read_excel(folder / TABLE).Mask_other_filename
    assert cells[0] == "case001_other1.png&case001_other2.png"
    assert all((folder / IMAGE_FOLDER / name).is_file() for cell in cells for name in cell.split("&"))


@pytest.mark.parametrize(("axial", "lateral"), [(0.8, 1.2), (1.6, 2.5)])
def test_speckle_is_fully_developed(axial: float, lateral: float) -> None:
    echo = np.full((512, 512), 3.0, np.float32)
    beam = np.linspace(lateral, 1.5 * lateral, 512, dtype=np.float32)
    envelope = speckle(echo, axial, beam, np.random.default_rng(1)).astype(float)
    rayleigh = np.sqrt(np.pi / (4.0 - np.pi))
    assert envelope.mean() / envelope.std() == pytest.approx(rayleigh, rel=0.02)
    assert (envelope**2).mean() == pytest.approx(9.0, rel=0.03)
    apart = envelope[::16, ::24].ravel()
    assert stats.kstest(apart, stats.rayleigh(scale=3.0 / np.sqrt(2.0)).cdf).pvalue > 0.01


def test_speckle_is_as_coarse_as_the_point_spread_function() -> None:
    """The intensity of fully developed speckle has the squared autocorrelation of the point-spread function."""
    beam = np.full(512, 3.0, np.float32)
    intensity = speckle(np.ones((512, 512), np.float32), 1.5, beam, np.random.default_rng(2)).astype(float) ** 2
    centred = intensity - intensity.mean()
    for lag in (1, 2, 4):
        across = (centred[:, :-lag] * centred[:, lag:]).mean() / centred.var()
        down = (centred[:-lag] * centred[lag:]).mean() / centred.var()
        assert across == pytest.approx(np.exp(-(lag**2) / (2 * 3.0**2)), abs=0.05)
        assert down == pytest.approx(np.exp(-(lag**2) / (2 * 1.5**2)), abs=0.05)


def test_looks_smooth_the_speckle_by_the_root_of_their_number() -> None:
    echo, beam = np.ones((256, 256), np.float32), np.full(256, 1.5, np.float32)
    one, four = (speckle(echo, 1.0, beam, np.random.default_rng(3), looks=looks) for looks in (1, 4))
    assert four.mean() == pytest.approx(one.mean(), rel=0.03)
    assert (four.mean() / four.std()) / (one.mean() / one.std()) == pytest.approx(2.0, rel=0.05)


def test_log_compression_maps_decibels_to_gray() -> None:
    envelope = np.array([[1.0, 10.0**0.5], [10.0**-0.5, 1.0]], np.float32)
    gray = log_compress(envelope, dynamic_range=50.0, mean=0.4)
    assert gray.tolist() == [[102, 153], [51, 102]]
    assert log_compress(np.array([[0.0, 1.0]], np.float32), 50.0, 0.5).tolist() == [[0, 255]]


def test_texture_has_unit_variance_and_the_asked_width() -> None:
    field = texture((300, 400), 2.0, 6.0, np.random.default_rng(4))
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    assert (field[:, :-6] * field[:, 6:]).mean() == pytest.approx(np.exp(-0.25), abs=0.06)
    assert (field[:-2] * field[2:]).mean() == pytest.approx(np.exp(-0.25), abs=0.06)
