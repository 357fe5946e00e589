"""What trains on stored images needs no reader of a source's files, so a change to one trains nothing anew."""

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
