"""The files of a phantom cohort: layout, bytes, and cases that do not depend on each other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from busline.cohort.phantom.cohort import IMAGE_FOLDER, SIZE_SPREAD, TABLE, TINTS, make_phantom_cohort
from busline.cohort.phantom.image import Picture
from busline.cohort.phantom.lesion import Findings, draw_findings
from busline.cohort.phantom.table import COLUMNS, INAPPLICABLE

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
    seen: list[tuple[str, int, int | None]] = []
    make(tmp_path / "few", cases=12, normal=1, report_progress=lambda *told: seen.append(told))
    assert seen == [("phantoms", done, 13) for done in range(1, 14)]


def test_other_lesions_are_joined_in_one_cell(tmp_path: Path, monkeypatch) -> None:
    def with_others(label: str, quantile: float, generator: np.random.Generator) -> Findings:
        found = draw_findings(label, quantile, generator)
        return Findings(label, found.lesion, 2, found.composition, found.skin_thickening)

    monkeypatch.setattr("busline.cohort.phantom.cohort.draw_findings", with_others)
    folder = make(tmp_path / "others", cases=12, normal=0)
    cells = pd.read_excel(folder / TABLE).Mask_other_filename
    assert cells[0] == "case001_other1.png&case001_other2.png"
    assert all((folder / IMAGE_FOLDER / name).is_file() for cell in cells for name in cell.split("&"))
