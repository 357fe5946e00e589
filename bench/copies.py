"""How many changed copies of scans are found among them: ``PYTHONPATH=src:. python -m bench.copies data/cohort/mine``.

The images never leave memory. Without a folder the scans are phantoms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.figures import Bound, Line
from bench.work import SEED
from busline.audit.changes import CHANGES, FURTHER
from busline.audit.planted import planted_recall
from busline.base.params import load_params
from busline.base.seeding import numpy_generator

ASKED = ("upside down", "turned by 180°", "rotated by 5°", "rotated by 10°")
LEAST = 95.0
"""Per cent of these that must be found."""


def copies_lines(images: Sequence[np.ndarray]) -> list[Line]:
    """Plant a changed copy of every image, kind by kind, and look for them with the limits of params.yaml.

    Returns:
        A line a kind: per cent found, its exact 95 % interval (Clopper and Pearson 1934), and scans falsely joined.
    """
    from scipy.stats import binomtest

    limits, begun = load_params().ingest, time.monotonic()
    rows = planted_recall(
        images, limits.duplicate_bits, limits.duplicate_correlation, SEED, changes={**CHANGES, **FURTHER}
    )
    seconds = (time.monotonic() - begun) / max(len(rows), 1)
    lines = []
    for number, row in enumerate(rows):
        interval = binomtest(row.found, row.planted).proportion_ci()
        lines.append(
            Line(
                f"copies_{number:02d}",
                f"copies found: {row.change}",
                100.0 * row.found / row.planted,
                unit="%",
                bound=Bound(at_least=LEAST) if row.change in ASKED else Bound(),
                n=row.planted,
                low=100.0 * interval.low,
                high=100.0 * interval.high,
                note=f"exact 95 % interval; {row.false} falsely joined; {seconds:.1f} s for {2 * row.planted} images",
            )
        )
    return lines


def phantoms(count: int) -> list[np.ndarray]:
    """Return images of phantoms, uint8 (height, width), at the size that a cohort stores."""
    from busline.cohort.phantom.image import render
    from busline.cohort.phantom.lesion import draw_findings

    images = []
    for number in range(count):
        generator = numpy_generator(SEED, "bench", "copies", number)
        width, height = (round(side * generator.uniform(0.9, 1.1)) for side in (250, 200))
        findings = draw_findings("malignant" if number % 3 == 0 else "benign", 0.5, generator)
        images.append(render(findings, width, height, generator).gray)
    return images


def main(
    cohort: Annotated[Path | None, typer.Argument(help="Folder of a cohort, as ingest writes it.")] = None,
    cases: Annotated[int, typer.Option(help="Scans that are copied.", min=1)] = 200,
) -> None:
    """Print how many copies of a cohort's scans, or of phantoms, are found."""
    from bench.machine import describe
    from bench.table import render

    images = phantoms(cases) if cohort is None else _scans(cohort, cases)
    print(render(copies_lines(images), describe()))


def _scans(folder: Path, count: int) -> list[np.ndarray]:
    from busline.cohort.store import load_cohort

    cohort = load_cohort(folder)
    shown = np.flatnonzero(cohort.cases["width"] > 0)
    drawn = numpy_generator(SEED, "bench", "copies").permutation(shown)[:count]
    return [cohort.image(int(row)) for row in np.sort(drawn)]


if __name__ == "__main__":
    typer.run(main)
