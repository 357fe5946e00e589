"""How ingest runs: in little memory, on any number of workers, whole or not at all."""

import resource
import zlib

import numpy as np
import pytest

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.formats import pixels
from busline.cohort.ingest import ingest
from busline.cohort.sources.breast import IMAGES, read_breast
from busline.cohort.store import load_cohort
from helpers_cohort import (
    BREAST,
    SETTINGS,
    draw_image,
    files_of,
    run_stage,
    save_rgba,
    write_params,
    write_release,
)
from made_cohort import run


def test_images_are_packed_one_by_one(raw, monkeypatch):
    """Memory must not grow with the cohort: each image is written before the next is read."""
    written = []
    read = pixels.read_picture

    def spy(path, max_pixels):
        part = next((raw.parent / "data").iterdir())
        written.append((path.name, (part / "images.npy").stat().st_size))
        return read(path, max_pixels)

    monkeypatch.setattr(pixels, "read_picture", spy)
    monkeypatch.setattr("busline.cohort.store.BUFFER", 0)
    run(raw)
    images = [size for name, size in written if "tumor" not in name]
    assert images == [128 + 32 * 24 * done for done in range(5)]


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_changes_neither_files_nor_messages(tmp_path, workers):
    raw = tmp_path / "raw"
    write_release(raw, 12)
    cohort = read_breast(raw)

    def result(count):
        target = tmp_path / f"cohort{count}"
        told = []
        ingest(cohort, "breast", target, SETTINGS, lambda *what: told.append(what), workers=count)
        return files_of(target), told

    assert result(workers) == result(1)
    for number in (9, 3, 6):
        (raw / IMAGES / f"case{number:03d}_tumor.png").write_bytes(b"")
    (raw / IMAGES / "case004.png").unlink()
    messages = []
    for count in (1, workers):
        with pytest.raises(DataError) as error:
            ingest(cohort, "breast", tmp_path / "refused", SETTINGS, workers=count)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert "4 problems" in messages[0]


def test_odd_metadata_is_no_warning_in_any_thread(tmp_path):
    """Pillow warns of a PNG whose last chunk of animation is broken; tests make an error of every warning."""
    raw = tmp_path / "raw"
    write_release(raw)
    broken = b"acTL" + bytes(8)
    chunk = (8).to_bytes(4, "big") + broken + zlib.crc32(broken).to_bytes(4, "big")
    for number in range(1, 6):
        path = raw / IMAGES / f"case{number:03d}.png"
        content = path.read_bytes()
        path.write_bytes(content[:33] + chunk + content[33:])
    with pytest.warns(UserWarning, match="APNG"):
        pixels.read_gray(raw / IMAGES / "case001.png", 100_000)
    for workers in (1, 2):
        ingest(read_breast(raw), "breast", tmp_path / "cohort", SETTINGS, workers=workers)


def test_a_saved_again_scan_is_found(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, 6)
    brighter = np.clip(draw_image(1) * 0.8 + 30, 0, 255)
    save_rgba(brighter, raw / IMAGES / "case003.png")
    for name in ("case004.png", "case005.png"):
        save_rgba(draw_image(2), raw / IMAGES / name)
    cohort = run(raw, conflicts="keep")
    found = [tuple(row) for row in cohort.duplicates[["case_a", "case_b", "kind"]].itertuples(index=False)]
    assert found == [("1", "3", "near"), ("2", "4", "exact"), ("2", "5", "exact")]
    card = load_json(tmp_path / "data/cohort/card.json")
    counts = {name: card["duplicates"][name] for name in ("exact", "near", "across_labels", "largest_group")}
    assert counts == {"exact": 2, "near": 1, "across_labels": 1, "largest_group": 3}  # 1 is benign, 3 malignant


def start_stage(tmp_path, **how):
    params = write_params(tmp_path / "params.yaml", **BREAST)
    write_release(tmp_path / "data/raw/breast", 5)
    return run_stage("ingest", "breast", "--params", params, "--root", tmp_path, **how)


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    result = start_stage(tmp_path, before=limit)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-2:] == [
        "error: file system: File too large",
        "  to mend:  check the disk and try again",
    ]
    assert list((tmp_path / "data/cohort").iterdir()) == []


def test_a_kill_in_mid_write_leaves_no_cohort(tmp_path):
    """The process is killed when it opens the fourth image, as by `kill -9`."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "def kill(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('case004.png'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(kill)\n"
    )
    result = start_stage(tmp_path, PYTHONPATH=f"src:{tmp_path}")
    assert result.returncode == -9
    (left,) = (tmp_path / "data/cohort").iterdir()
    assert left.suffix == ".part"
    ingest(read_breast(tmp_path / "data/raw/breast"), "breast", tmp_path / "data/cohort/breast", SETTINGS)
    assert len(load_cohort(tmp_path / "data/cohort/breast").cases) == 5
