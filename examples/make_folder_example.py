"""Make examples/folder: eight tiny synthetic scans, their masks and a table. Run it from the repository's root.

The images show nothing real: smoothed noise for tissue and a dark ellipse for a lesion. They are there to show how a
folder of one's own data is laid out.
"""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

FOLDER = Path(__file__).parent / "folder"
WIDTH, HEIGHT = 96, 72
HEADER = ("scan", "patient", "file", "lesion_mask", "finding", "um_per_pixel", "Age", "palpable", "birads")
ROWS = (
    ("s01", "anna", "images/s01.png", "masks/s01.png", "fibroadenoma", 310, 34, "yes", 3),
    ("s02", "anna", "images/s02.png", "masks/s02.png", "fibroadenoma", 310, 34, "no", 3),
    ("s03", "berta", "images/s03.png", "masks/s03.png", "carcinoma", 280, 61, "yes", 5),
    ("s04", "clara", "images/s04.png", "masks/s04.png", "cyst", 310, "n/a", "no", 2),
    ("s05", "dora", "images/s05.png", "masks/s05a.png;masks/s05b.png", "carcinoma", 280, 70, "n/a", "4c"),
    ("s06", "emma", "images/s06.png", "", "nothing", 310, 45, "no", 1),
    ("s07", "frida", "images/s07.png", "masks/s07.png", "carcinoma", 310, 58, "yes", 5),
    ("s08", "greta", "images/s08.png", "masks/s08.png", "cyst", "", 49, "no", 2),
)


def ellipse(generator: np.random.Generator, tall: bool) -> np.ndarray:
    """Return a bool mask (HEIGHT, WIDTH) of one ellipse, upright or lying."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    middle_row, middle_column = generator.uniform(25, 45), generator.uniform(25, 70)
    long, short = generator.uniform(12, 16), generator.uniform(7, 10)
    down, across = (long, short) if tall else (short, long)
    inside: np.ndarray = ((rows - middle_row) / down) ** 2 + ((columns - middle_column) / across) ** 2 < 1.0
    return inside


def scan(generator: np.random.Generator, lesion: np.ndarray) -> np.ndarray:
    """Return a uint8 image (HEIGHT, WIDTH) of speckled tissue, darker with depth and in the lesion."""
    tissue = gaussian_filter(generator.standard_normal((HEIGHT, WIDTH)), (5, 14)) * 150.0
    speckle = gaussian_filter(generator.rayleigh(1.0, (HEIGHT, WIDTH)), (0.6, 1.2)) * 55.0
    depth = np.linspace(1.15, 0.6, HEIGHT)[:, None]
    image = (40.0 + tissue + speckle) * depth * np.where(gaussian_filter(lesion.astype(float), 1.0) > 0.5, 0.35, 1.0)
    return np.asarray(np.clip(image, 0, 255), dtype=np.uint8)


def main() -> None:
    """Write the images, the masks and the table; dataset.yaml is written by hand."""
    for name in ("images", "masks"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(ROWS):
        generator = np.random.default_rng(number)
        masks = [str(name) for name in str(row[3]).split(";") if name]
        lesions = [ellipse(generator, tall=row[4] == "carcinoma") for _ in masks]
        union = np.any(lesions, axis=0) if lesions else np.zeros((HEIGHT, WIDTH), dtype=bool)
        Image.fromarray(scan(generator, union)).save(FOLDER / str(row[2]), optimize=True)
        for name, lesion in zip(masks, lesions, strict=True):
            Image.fromarray(lesion.astype(np.uint8) * 255).save(FOLDER / name, optimize=True)
    with (FOLDER / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([HEADER, *ROWS])


if __name__ == "__main__":
    main()
