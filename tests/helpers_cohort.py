"""Tiny cohorts for tests: files in the BrEaST layout, raw and packed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import Workbook
from PIL import Image
from ruamel.yaml import YAML

from busline.base.settings.data import Cohort as CohortEntry
from busline.base.settings.data import Ingest
from busline.cohort.ingest import ingest
from busline.cohort.sources.breast import IMAGES, TABLE
from busline.cohort.sources.folder import read_folder
from busline.cohort.sources.order import Order
from busline.cohort.sources.table import acquire
from busline.cohort.store import Cohort, load_cohort
from made_inputs import PARAMS_FILE

ROOT = Path(__file__).parent.parent
SETTINGS = Ingest(
    max_side=32,
    max_pixels=100_000,
    duplicate_bits=3,
    duplicate_correlation=0.65,
    duplicate_group=0.1,
    conflicts="drop",
    mask_hollow=3.0,
    mask_extent=0.12,
    mask_holes=0.2,
    mask_border=0.75,
    lesion_share_min=0.001,
    lesion_share_max=0.7,
    image_contrast=8,
)
UNREDUCED = SETTINGS.model_copy(update={"max_side": 96})
"""Settings that keep made pictures at their own size."""
SIZE = (48, 36)
"""Width and height of the tiny images."""
BREAST = {"data__main": "breast", "data__active": ["breast"]}
"""Settings for :func:`write_params` of a study about BrEaST."""


def ingest_own(own: Path, settings: Ingest = UNREDUCED) -> Cohort:
    """Acquire and ingest a user's folder, beside it in ``raw`` and ``cohort``, and return the cohort."""
    place = own.parent
    acquire(Order(CohortEntry(source="folder"), 0, None, place / "downloads", own), place / "raw")
    ingest(read_folder(place / "raw"), "folder", place / "cohort", settings)
    return load_cohort(place / "cohort")


def draw_image(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return smooth random tissue, uint8 (height, width), different for each seed."""
    coarse = np.random.default_rng(seed).integers(20, 230, (9, 12), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def draw_mask(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a bool mask (height, width) of a rectangle, a quarter of the image."""
    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    mask[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    return mask


def save_rgba(gray: np.ndarray, path: Path) -> None:
    """Write an array as the release does: RGBA, opaque."""
    Image.fromarray(gray.astype(np.uint8)).convert("RGBA").save(path)


def release_rows(cases: int) -> list[dict[str, Any]]:
    """Return rows of a mini release: malignant every third, the last one normal."""
    rows = []
    for number in range(1, cases + 1):
        label = "normal" if number == cases else "malignant" if number % 3 == 0 else "benign"
        normal = label == "normal"
        rows.append(
            {
                "CaseID": number,
                "Image_filename": f"case{number:03d}.png",
                "Mask_tumor_filename": None if normal else f"case{number:03d}_tumor.png",
                "Mask_other_filename": None,
                "Pixel_size": 0.0078125,
                "Age": 40 + number if number % 4 else "not available",
                "Tissue_composition": "homogeneous: fat",
                "Signs": "palpable" if number % 3 == 0 else "no",
                "Symptoms": "no" if number % 2 else "not available",
                "Shape": "not applicable" if normal else "oval",
                "Margin": "circumscribed",
                "Echogenicity": "hypoechoic",
                "Posterior_features": "no",
                "Halo": "no",
                "Calcifications": "no",
                "Skin_thickening": "no",
                "Interpretation": "Cyst",
                "BIRADS": 2 if number % 3 else "4c",
                "Verification": "confirmed by biopsy",
                "Diagnosis": "not applicable" if normal else "Fibroadenoma",
                "Classification": label,
            }
        )
    return rows


def write_xlsx(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows with their keys as header."""
    book = Workbook()
    sheet = book.active
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)


def write_release(
    folder: Path, cases: int = 5, change: Callable[[list[dict[str, Any]]], None] = lambda rows: None
) -> list[dict[str, Any]]:
    """Write a mini release: the pictures of ``release_rows``, and those rows as changed by ``change``."""
    (folder / IMAGES).mkdir(parents=True)
    rows = release_rows(cases)
    for row in rows:
        save_rgba(draw_image(row["CaseID"]), folder / IMAGES / row["Image_filename"])
        if row["Mask_tumor_filename"]:
            save_rgba(draw_mask() * 255, folder / IMAGES / row["Mask_tumor_filename"])
    change(rows)
    write_xlsx(rows, folder / TABLE)
    return rows


def write_params(path: Path, **settings: Any) -> Path:
    """Write the tests' params.yaml with some keys changed, given as ``data__main="breast"``."""
    yaml = YAML()
    content = yaml.load(PARAMS_FILE.read_text(encoding="utf-8"))
    for key, value in settings.items():
        *parents, last = key.split("__")
        section = content
        for parent in parents:
            section = section[parent]
        section[last] = value
    yaml.dump(content, path)
    return path


def own_data(path: Path) -> dict[str, Any]:
    """Return settings for :func:`write_params` of a study about a user's folder, the cohort ``own``."""
    return {
        "data__main": "own",
        "data__active": ["own"],
        "data__cohorts": {"own": {"source": "folder"}},
        "data__folders": {"own": str(path)},
    }


def load_stage(name: str) -> Callable[..., None]:
    """Return the function of a stage script, to call in this process."""
    spec = spec_from_file_location(f"stage_{name}", ROOT / f"stages/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def run_stage(
    name: str, *arguments: str | Path, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a stage script in a process of its own, from the repository's root."""
    command = [sys.executable, f"stages/{name}.py", *map(str, arguments)]
    settings = {k: v for k, v in os.environ.items() if k != "BUSLINE_MIRROR"} | {"PYTHONPATH": "src"} | environment
    return subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, preexec_fn=before, check=False
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
