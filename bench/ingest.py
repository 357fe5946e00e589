"""The lines on ingestion: its speed against a plain loop, and its time and memory as the cohort grows."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.figures import Bound, Line, rate_line
from bench.machine import watch
from bench.work import SEED
from bench.workers import Pace, Workers, take_turns
from busline.base.seeding import numpy_generator
from busline.cohort.schema import RawCase, RawCohort

MAX_SIDE = 256
LARGE = (480, 380)
"""Mean width and height of the phantoms of the timed lines, about those of BrEaST's smaller scans."""
SECONDS = 15.0
"""Most that the small cohort may take."""
LINEAR = 1.25
"""Most that the time a case may grow from the small cohort to the large one."""


@dataclass(frozen=True)
class Growth:
    """How many cases the cohorts have whose time and memory are compared."""

    small: int = 2_000
    large: int = 20_000


def ingest_line(pace: Pace, cases: int = 200) -> Line:
    """Time the whole ingestion against decoding and resizing alone, of the same files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder, cases)
        with Workers(["ingest", name, "plain"]) as theirs, Workers(["ingest", name, "engine"]) as ours:
            for workers in (theirs, ours):
                workers.ask_all(cases=cases)  # the files are in the system's cache from here on
            rates = take_turns(lambda: ours.rate(cases=cases), lambda: theirs.rate(cases=cases), pace.rounds)
    note = "the engine also checks, hashes, compares and writes; the loop only decodes and resizes, in one process"
    title = "ingest of image and mask files"
    return rate_line("ingest", title, *rates, side_unit="cases/s", bound=Bound(1.6, 1.9), note=note)


def growth_lines(size: Growth) -> list[Line]:
    """Ingest a small and a large cohort, each in a fresh process, and compare time a case and peak memory."""
    seconds, peaks = {}, {}
    with tempfile.TemporaryDirectory() as name:
        make_varied(Path(name), size.large)
        for cases in (size.small, size.large):
            with Workers(["ingest", name, "engine"]) as workers, watch(workers.processes[0].pid) as memory:
                workers.ask_all(cases=min(100, cases))
                seconds[cases], _ = workers.ask_all(cases=cases)
            peaks[cases] = memory.rss
    per = {cases: 1000.0 * seconds[cases] / cases for cases in seconds}
    note = f"{per[size.small]:.2f} s a thousand at {size.small:,}, {per[size.large]:.2f} s at {size.large:,}"
    return [
        Line(
            "ingest_seconds",
            f"ingest of {size.small:,} phantoms, the search for copies included",
            seconds[size.small],
            unit="s",
            bound=Bound(at_most=SECONDS),
            n=1,
            note="looks for crops, mirrored, turned and rotated copies; files of 224 × 176 pixels",
        ),
        Line(
            "ingest_growth",
            f"ingest of {size.large:,} phantoms: time a case against that at {size.small:,}",
            per[size.large] / per[size.small],
            bound=Bound(at_most=LINEAR),
            n=1,
            note=note,
        ),
        Line(
            "ingest_memory",
            f"ingest of {size.large:,} phantoms: peak memory of the processes",
            peaks[size.large],
            unit="MiB",
            bound=Bound(at_most=1024.0),
            n=1,
            note=f"{peaks[size.small]:.0f} MiB at {size.small:,}; resident, summed over the processes",
        ),
    ]


def run_engine(folder: Path, cases: int) -> int:
    """Ingest the first cases of a folder with the engine.

    The cohort is left in that folder and goes with it, outside the timing: removing it is no part of ingestion.
    """
    from bench.engine import engine_ingest

    target = Path(tempfile.mkdtemp(dir=folder))
    engine_ingest(RawCohort((), tuple(read_cases(folder, cases))), target / "cohort")
    return cases


def run_plain(folder: Path, cases: int) -> int:
    """Decode and resize the first cases of a folder as one does with Pillow, keeping the results in memory."""
    kept = []
    for case in read_cases(folder, cases):
        for path in filter(None, (case.image, *case.masks)):
            with Image.open(path) as picture:
                gray = picture.convert("L")
            scale = min(1.0, MAX_SIDE / max(gray.size))
            size = (round(gray.width * scale), round(gray.height * scale))
            kept.append(np.asarray(gray.resize(size, Image.Resampling.BILINEAR)))
    return len(kept) // 2


def read_cases(folder: Path, count: int) -> Iterator[RawCase]:
    """Return the first cases of a folder of ``<case>.png`` and ``<case>_mask.png``."""
    images = sorted(path for path in folder.glob("*.png") if not path.stem.endswith("_mask"))
    for number, image in enumerate(images[:count]):
        yield RawCase(
            row=number + 2,
            case_id=image.stem,
            patient_id=image.stem,
            label="benign",
            pixel_mm=0.1,
            image=image,
            masks=(image.with_stem(f"{image.stem}_mask"),),
        )


def make_files(folder: Path, cases: int) -> None:
    """Write phantoms and their masks as RGBA files, as the BrEaST release has them."""
    for number, (gray, mask) in enumerate(_rendered(cases, LARGE)):
        for suffix, pixels in (("", gray), ("_mask", mask)):
            rgba = np.repeat(pixels[..., None], 4, axis=2)
            rgba[..., 3] = 255
            Image.fromarray(rgba).save(folder / f"{number:05d}{suffix}.png", compress_level=3)


def make_varied(folder: Path, cases: int, rendered: int = 40) -> None:
    """Write many different images quickly: a few phantoms of one size under random, smooth gains."""
    bases = list(_rendered(rendered, (224, 176), spread=0.0))
    generator = numpy_generator(SEED, "bench", "gains")
    for number, (_, mask) in enumerate(bases):
        Image.fromarray(mask).save(folder / f"{number:05d}_mask.png", compress_level=1)
    for number in range(cases):
        if number >= rendered:
            (folder / f"{number:05d}_mask.png").hardlink_to(folder / f"{number % rendered:05d}_mask.png")
        gray = bases[number % rendered][0]
        coarse = Image.fromarray(generator.integers(0, 256, (8, 10), dtype=np.uint8))
        gain = np.asarray(coarse.resize((gray.shape[1], gray.shape[0]), Image.Resampling.BICUBIC))
        varied = (gray.astype(np.uint16) * gain >> 8).astype(np.uint8)
        Image.fromarray(varied).save(folder / f"{number:05d}.png", compress_level=1)
        if number % 5000 == 4999:
            print(f"bench: {number + 1:,} of {cases:,} phantoms written", file=sys.stderr)


def _rendered(count: int, size: tuple[int, int], spread: float = 0.08) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images and masks (0 or 255) of phantoms."""
    from busline.cohort.phantom.image import render
    from busline.cohort.phantom.lesion import draw_findings

    for number in range(count):
        generator = numpy_generator(SEED, "bench", "files", number)
        width, height = (round(side * generator.uniform(1 - spread, 1 + spread)) for side in size)
        findings = draw_findings("benign", generator.uniform(0.01, 0.99), generator)
        picture = render(findings, width, height, generator)
        assert picture.tumor is not None
        yield picture.gray, picture.tumor.astype(np.uint8) * np.uint8(255)
