"""What trains on stored images needs no reader of a source's files, so a change to one trains nothing anew."""

import os
import re
import subprocess
import sys

import pytest

from imports import REPOSITORY, needed_files

TRAINING = ("augmentation", "cnn", "dnn_search", "lesion", "merged", "pretrain", "segment", "tabular")
READERS = ("src/busline/cohort/formats/", "src/busline/cohort/sources/", "src/busline/fetch/")


@pytest.mark.parametrize("stage", TRAINING)
def test_a_training_stage_reads_no_files_of_a_source(stage):
    needed = needed_files(REPOSITORY / f"stages/{stage}.py")
    assert "src/busline/training/pool.py" in needed
    assert not [file for file in needed if file.startswith(READERS)]


def test_ingest_does():
    needed = needed_files(REPOSITORY / "stages/ingest.py")
    assert {folder for folder in READERS for file in needed if file.startswith(folder)} == set(READERS)


def test_who_reads_no_dicom_loads_no_reader_of_it():
    code = (
        "import sys; import busline.cohort.ingest; import busline.cohort.sources.table; print('pydicom' in sys.modules)"
    )
    settings = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=settings)
    assert done.stdout == "False\n"


def test_no_code_asks_pydicom_for_its_files():
    """It would download them."""
    for path in (REPOSITORY / "src").rglob("*.py"):
        assert not re.search(r"pydicom\.(data|examples)|get_testdata|get_palette_files", path.read_text()), path
